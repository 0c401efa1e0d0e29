//! What is gone from the library but not from the destinations, and what stands in their trash.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};
use safelight_core::catalog::{DestinationId, GoneCopy, ItemId, Keeping, Retained, RetainedId};
use safelight_core::time::Timestamp;

use crate::fault::Fault;
use crate::rows::{Columns, HELD, at_most};

/// Sizes of the copies of gone items.
pub(crate) fn sizes(connection: &Connection) -> Result<HashSet<u64>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT content.size FROM item
         CROSS JOIN leg ON leg.item = item.id
         CROSS JOIN content ON content.id = leg.content
         WHERE item.presence = 'gone'",
    )?;
    let sizes = statement.query_map([], |row| Columns::of(row).unsigned())?;
    Ok(sizes.collect::<Result<_, _>>()?)
}

/// Copies of gone items that had this content and whose copy is this content.
pub(crate) fn copies(
    connection: &Connection,
    destination: DestinationId,
    sha256: [u8; 32],
) -> Result<Vec<GoneCopy>, Fault> {
    select(
        connection,
        "item INDEXED BY item_gone_by_content",
        "item.presence = 'gone' AND item.content = (SELECT id FROM content WHERE sha256 = ?2)
         AND leg.content = item.content ORDER BY item.id",
        params![destination.0, sha256],
    )
}

/// Copies of items whose absence was noticed at or before `noticed`.
pub(crate) fn deletable(
    connection: &Connection,
    destination: DestinationId,
    noticed: Timestamp,
    after: Option<ItemId>,
    limit: usize,
) -> Result<Vec<GoneCopy>, Fault> {
    let after = after.map_or(i64::MIN, |after| after.0);
    select(
        connection,
        "item INDEXED BY item_by_presence",
        "item.presence = 'gone' AND item.gone_at <= ?2 AND item.id > ?3 ORDER BY item.id LIMIT ?4",
        params![destination.0, noticed.as_nanos(), after, at_most(limit)],
    )
}

/// How many copies [`deletable`] would give.
pub(crate) fn count_deletable(
    connection: &Connection,
    destination: DestinationId,
    noticed: Timestamp,
) -> Result<u64, Fault> {
    Ok(connection
        .prepare_cached(
            "SELECT count(*) FROM item INDEXED BY item_by_presence
             CROSS JOIN leg ON leg.item = item.id AND leg.destination = ?1
             WHERE item.presence = 'gone' AND item.gone_at <= ?2 AND leg.content IS NOT NULL",
        )?
        .query_row(params![destination.0, noticed.as_nanos()], |row| Columns::of(row).unsigned())?)
}

/// Trash that is due and versions beyond the number to keep, oldest first.
pub(crate) fn purgeable(
    connection: &Connection,
    destination: DestinationId,
    now: Timestamp,
    keep_versions: u32,
    limit: usize,
) -> Result<Vec<Retained>, Fault> {
    let mut statement = connection.prepare_cached(
        "WITH due AS (
             SELECT id FROM retained
             WHERE keeping = 'trash' AND destination = ?1 AND until <= ?2
             UNION ALL
             SELECT id FROM (
                 SELECT id, row_number() OVER (
                     PARTITION BY original ORDER BY since DESC, id DESC) AS age
                 FROM retained WHERE keeping = 'version' AND destination = ?1)
             WHERE age > ?3)
         SELECT retained.id, retained.destination, retained.keeping, retained.original,
                retained.key, retained.version, content.sha256, content.size, content.md5,
                content.crc32c, content.dropbox, retained.since, retained.until
         FROM due JOIN retained ON retained.id = due.id
         JOIN content ON content.id = retained.content
         ORDER BY retained.since, retained.id LIMIT ?4",
    )?;
    let due = statement.query_map(
        params![destination.0, now.as_nanos(), keep_versions, at_most(limit)],
        retained,
    )?;
    Ok(due.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

fn select(
    connection: &Connection,
    from: &str,
    condition: &str,
    params: &[&dyn rusqlite::ToSql],
) -> Result<Vec<GoneCopy>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT item.id, item.key, item.gone_at, leg.destination, {HELD}
         FROM {from}
         CROSS JOIN leg ON leg.item = item.id AND leg.destination = ?1
         CROSS JOIN content AS copy ON copy.id = leg.content
         WHERE {condition}"
    ))?;
    let copies = statement.query_map(params, gone_copy)?;
    Ok(copies.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

fn gone_copy(row: &Row<'_>) -> rusqlite::Result<Option<GoneCopy>> {
    let mut columns = Columns::of(row);
    let (item, key, noticed) = (ItemId(columns.take()?), columns.key()?, columns.time()?);
    let destination = DestinationId(columns.take()?);
    Ok(columns.held()?.map(|held| GoneCopy { item, key, noticed, destination, held }))
}

fn retained(row: &Row<'_>) -> rusqlite::Result<Option<Retained>> {
    let mut columns = Columns::of(row);
    let (id, destination) = (RetainedId(columns.take()?), DestinationId(columns.take()?));
    let keeping = columns.word(|word| match word {
        "trash" => Some(Keeping::Trash),
        "version" => Some(Keeping::Version),
        _ => None,
    })?;
    let (original, key) = (columns.key()?, columns.maybe(Columns::key)?);
    let (version, content) = (columns.version()?, columns.content()?);
    let (since, until) = (columns.time()?, columns.maybe(Columns::time)?);
    Ok(content.map(|content| Retained {
        id,
        destination,
        keeping,
        original,
        key,
        version,
        content,
        since,
        until,
    }))
}
