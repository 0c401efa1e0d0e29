//! The destinations, and how their legs stand.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use safelight_core::catalog::{Amount, DestinationId, DestinationRecord, ItemId, Tally};
use safelight_core::class::MediaClass;
use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use crate::fault::{Fault, mistake};
use crate::rows::Columns;

const RECORD: &str = "id, name, marker, volume, last_seen, last_done";

/// All destinations that were ever used, oldest first.
pub(crate) fn all(connection: &Connection) -> Result<Vec<DestinationRecord>, Fault> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {RECORD} FROM destination ORDER BY id"))?;
    Ok(statement.query_map([], record)?.collect::<Result<_, _>>()?)
}

/// The destination of this name, if it is known.
pub(crate) fn named(
    connection: &Connection,
    name: &str,
) -> Result<Option<DestinationRecord>, Fault> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {RECORD} FROM destination WHERE name = ?1"))?;
    Ok(statement.query_row([name], record).optional()?)
}

/// Makes a destination known; every item that is there gets a leg, to do if the item is not suspect.
pub(crate) fn enroll(connection: &Connection, name: &str) -> Result<DestinationRecord, Fault> {
    // Known destinations need no look: every item that was found since got its leg then.
    if let Some(known) = named(connection, name)? {
        return Ok(known);
    }
    connection.prepare_cached("INSERT INTO destination (name) VALUES (?1)")?.execute([name])?;
    connection
        .prepare_cached(
            "INSERT INTO leg (item, destination, todo)
             SELECT id, ?1, presence = 'present' FROM item NOT INDEXED
             WHERE presence IN ('present', 'suspect') ORDER BY id",
        )?
        .execute([connection.last_insert_rowid()])?;
    named(connection, name)?.ok_or_else(|| mistake("a new destination was not found").into())
}

/// Writes marker, volume and times.
pub(crate) fn remember(connection: &Connection, record: &DestinationRecord) -> Result<(), Fault> {
    let known = connection
        .prepare_cached(
            "UPDATE destination SET marker = ?2, volume = ?3, last_seen = ?4, last_done = ?5
             WHERE id = ?1",
        )?
        .execute(params![
            record.id.0,
            record.marker,
            record.volume,
            record.last_seen.map(Timestamp::as_nanos),
            record.last_done.map(Timestamp::as_nanos),
        ])?;
    if known == 0 {
        return Err(mistake(format!("destination {} is not in the catalog", record.name)).into());
    }
    Ok(())
}

/// How the legs of a destination stand. Every number is counted, none is worked out from the others.
pub(crate) fn tally(connection: &Connection, destination: DestinationId) -> Result<Tally, Fault> {
    let count = |presence: &str| {
        connection
            .prepare_cached("SELECT count(*) FROM item WHERE presence = ?1")?
            .query_row([presence], |row| Columns::of(row).unsigned())
    };
    let suspect = count("suspect")?;
    let mut tally = Tally { listed: count("present")? + suspect, suspect, ..Tally::default() };
    // Legs that rest, less those of the few items that are not present: both are looks into an index, where
    // joining every leg with its item would take as long as the whole rest of a run with nothing to do.
    tally.settled = connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM leg WHERE destination = ?1 AND todo = 0)
                  - (SELECT count(*) FROM item CROSS JOIN leg
                     ON leg.item = item.id AND leg.destination = ?1 AND leg.todo = 0
                     WHERE item.presence IN ('suspect', 'gone', 'excluded'))",
        )?
        .query_row([destination.0], |row| Columns::of(row).unsigned())?;
    let mut statement = connection.prepare_cached(
        "SELECT leg.hold, count(*), sum(item.size) FROM leg INDEXED BY leg_by_state
         CROSS JOIN item ON item.id = leg.item
         WHERE leg.destination = ?1 AND leg.todo = 1 GROUP BY leg.hold",
    )?;
    let mut rows = statement.query([destination.0])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let hold = columns.maybe(Columns::code)?;
        let amount = Amount { files: columns.unsigned()?, bytes: columns.unsigned()? };
        // Codes that only a newer program knows read as one.
        let sum = match hold {
            Some(code) => tally.held.entry(code).or_default(),
            None => &mut tally.todo,
        };
        sum.files += amount.files;
        sum.bytes += amount.bytes;
    }
    Ok(tally)
}

/// What is stored at a destination, whatever became of the items.
pub(crate) fn stored(
    connection: &Connection,
    destination: DestinationId,
) -> Result<BTreeMap<MediaClass, Amount>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT item.class, count(*), sum(content.size) FROM leg NOT INDEXED
         CROSS JOIN item ON item.id = leg.item
         CROSS JOIN content ON content.id = leg.content
         WHERE leg.destination = ?1 GROUP BY item.class",
    )?;
    let classes = statement.query_map([destination.0], |row| {
        let mut columns = Columns::of(row);
        let class = columns.class()?;
        Ok((class, Amount { files: columns.unsigned()?, bytes: columns.unsigned()? }))
    })?;
    Ok(classes.collect::<Result<_, _>>()?)
}

/// The item whose leg has this fold.
pub(crate) fn fold_holder(
    connection: &Connection,
    destination: DestinationId,
    fold: &[u8],
) -> Result<Option<ItemId>, Fault> {
    Ok(connection
        .prepare_cached("SELECT item FROM leg WHERE destination = ?1 AND fold = ?2")?
        .query_row(params![destination.0, fold], |row| row.get(0).map(ItemId))
        .optional()?)
}

/// The item whose copy stands under this key.
pub(crate) fn holder(
    connection: &Connection,
    destination: DestinationId,
    key: &Key,
) -> Result<Option<ItemId>, Fault> {
    Ok(connection
        .prepare_cached(
            "SELECT item FROM leg WHERE destination = ?1 AND key = ?2
             UNION ALL
             SELECT leg.item FROM item CROSS JOIN leg
             ON leg.item = item.id AND leg.destination = ?1
             WHERE item.key = ?2 AND leg.key IS NULL AND leg.content IS NOT NULL
             LIMIT 1",
        )?
        .query_row(params![destination.0, key.as_bytes()], |row| row.get(0).map(ItemId))
        .optional()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<DestinationRecord> {
    let mut columns = Columns::of(row);
    Ok(DestinationRecord {
        id: DestinationId(columns.take()?),
        name: columns.take()?,
        marker: columns.take()?,
        volume: columns.take()?,
        last_seen: columns.maybe(Columns::time)?,
        last_done: columns.maybe(Columns::time)?,
    })
}
