//! What the merge of listing and catalog reads and writes.

use rusqlite::{Connection, params};
use safelight_core::catalog::{Finding, Freshness, ItemId, Known, Stat};
use safelight_core::class::MediaClass;
use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use crate::fault::{Fault, mistake};
use crate::rows::{Columns, PRESENCE, STAT, at_most, freshness_word};
use crate::{groups, legs};

/// Items in key order after `after`.
pub(crate) fn known(
    connection: &Connection,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<Known>, Fault> {
    // Every key is greater than the empty one.
    let after = after.map(Key::as_bytes).unwrap_or_default();
    select(connection, "item.key > ?1", params![after, at_most(limit)])
}

/// Items of which `condition` is true, in key order; `?2` is how many at most.
pub(crate) fn select(
    connection: &Connection,
    condition: &str,
    params: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Known>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT item.id, item.key, {STAT}, {PRESENCE} FROM item
         WHERE {condition} ORDER BY item.key LIMIT ?2"
    ))?;
    let items = statement.query_map(params, |row| {
        let mut columns = Columns::of(row);
        Ok(Known {
            item: ItemId(columns.take()?),
            key: columns.key()?,
            stat: columns.stat()?,
            presence: columns.presence()?,
        })
    })?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// Writes what a scan found.
pub(crate) fn apply(connection: &Connection, findings: &[Finding]) -> Result<(), Fault> {
    for finding in findings {
        match finding {
            Finding::Found { key, stat, class } => found(connection, key, stat, *class)?,
            Finding::Altered { item, stat, freshness } => {
                altered(connection, *item, stat, *freshness)?;
            }
            Finding::Suspected { item } => suspect(connection, *item)?,
            Finding::Gone { item, at } => {
                // An absence that was noticed before keeps its date: deletions count from there.
                connection
                    .prepare_cached(
                        "UPDATE item SET presence = 'gone', gone_at = ?2
                         WHERE id = ?1 AND presence <> 'gone'",
                    )?
                    .execute(params![item.0, at.as_nanos()])?;
                groups::leave(connection, *item)?;
                legs::keep_only_copies(connection, item.0)?;
            }
            Finding::Excluded { item } => {
                connection
                    .prepare_cached(
                        "UPDATE item SET presence = 'excluded', gone_at = NULL WHERE id = ?1",
                    )?
                    .execute([item.0])?;
                groups::leave(connection, *item)?;
                legs::rest(connection, item.0)?;
            }
        }
    }
    Ok(())
}

/// The item looks damaged: recorded content and stat stay, nothing is to do.
pub(crate) fn suspect(connection: &Connection, item: ItemId) -> Result<(), Fault> {
    connection
        .prepare_cached("UPDATE item SET presence = 'suspect', gone_at = NULL WHERE id = ?1")?
        .execute([item.0])?;
    legs::rest(connection, item.0)
}

fn found(connection: &Connection, key: &Key, stat: &Stat, class: MediaClass) -> Result<(), Fault> {
    // Content recorded before stays, so that a file that comes back unchanged is recognised when it is read.
    let item = connection
        .prepare_cached(
            "INSERT INTO item (key, class, size, modified, changed, file_id, presence, freshness)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'present', 'stale')
             ON CONFLICT (key) DO UPDATE SET class = ?2, size = ?3, modified = ?4, changed = ?5,
             file_id = ?6, presence = 'present', gone_at = NULL, freshness = 'stale', inspected = 0
             RETURNING id",
        )?
        .query_row(
            params![
                key.as_bytes(),
                class.word(),
                stat.size.cast_signed(),
                stat.modified.as_nanos(),
                stat.changed.map(Timestamp::as_nanos),
                stat.file_id.map(u64::cast_signed),
            ],
            |row| row.get(0),
        )?;
    legs::raise(connection, item)
}

fn altered(
    connection: &Connection,
    item: ItemId,
    stat: &Stat,
    freshness: Freshness,
) -> Result<(), Fault> {
    // Stale stays stale: "touched" would compare the file with content that was not recorded for the stat
    // before this one, and take an edit for damage.
    let altered = connection
        .prepare_cached(
            "UPDATE item SET size = ?2, modified = ?3, changed = ?4, file_id = ?5,
             presence = 'present', gone_at = NULL,
             freshness = CASE WHEN freshness = 'stale' THEN 'stale'
                              WHEN freshness = 'touched' AND ?6 = 'fresh' THEN 'touched'
                              ELSE ?6 END,
             inspected = inspected AND freshness <> 'stale' AND ?6 <> 'stale'
             WHERE id = ?1",
        )?
        .execute(params![
            item.0,
            stat.size.cast_signed(),
            stat.modified.as_nanos(),
            stat.changed.map(Timestamp::as_nanos),
            stat.file_id.map(u64::cast_signed),
            freshness_word(freshness),
        ])?;
    if altered == 0 {
        return Err(mistake(format!("item {} is not in the catalog", item.0)).into());
    }
    legs::raise(connection, item.0)
}
