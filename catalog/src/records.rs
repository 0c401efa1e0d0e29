//! Writing down what happened.

use rusqlite::{Connection, OptionalExtension as _, params};
use safelight_core::catalog::{
    Content, DestinationId, Held, ItemId, Keeping, Problem, Record, Retained, RunId, Stat,
};
use safelight_core::codes::Code;
use safelight_core::error::{Error, Kind};
use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use crate::fault::{Fault, mistake};
use crate::rows::{content_row, proof_word};
use crate::{groups, inspected, legs, runs, scan};

/// Writes the records in their order.
pub(crate) fn record(connection: &Connection, records: &[Record]) -> Result<(), Fault> {
    records.iter().try_for_each(|record| one(connection, record))
}

fn one(connection: &Connection, record: &Record) -> Result<(), Fault> {
    match record {
        Record::Read { item, stat, content } => read(connection, *item, stat, content),
        Record::Inspected { item, traits } => inspected::inspected(connection, *item, traits),
        Record::Grouped { folder, groups } => groups::grouped(connection, folder.as_ref(), groups),
        Record::Stored { item, destination, held, run } => {
            stored(connection, *item, *destination, held, *run)
        }
        Record::Unchanged { item, destination } => unchanged(connection, *item, *destination),
        Record::Planned { item, destination, hold } => {
            planned(connection, *item, *destination, *hold)
        }
        Record::Assigned { item, destination, key, fold } => {
            assigned(connection, *item, *destination, key, fold)
        }
        Record::Failed { item, destination, run, code, message } => {
            failed(connection, *item, *destination, *run, *code, message)
        }
        Record::Suspected { item, run } => {
            scan::suspect(connection, *item)?;
            tried(connection, *item, None, *run)
        }
        Record::Dropped { item, destination } => legs::drop_copy(connection, item.0, destination.0),
        Record::Retained(retained) => keep(connection, retained),
        Record::Purged(id) => {
            connection.prepare_cached("DELETE FROM retained WHERE id = ?1")?.execute([id.0])?;
            Ok(())
        }
        Record::Problem(problem) => runs::add_problem(connection, problem),
    }
}

fn read(
    connection: &Connection,
    item: ItemId,
    stat: &Stat,
    content: &Content,
) -> Result<(), Fault> {
    let content = content_row(connection, content)?;
    let read = connection
        .prepare_cached(
            "UPDATE item SET size = ?2, modified = ?3, changed = ?4, file_id = ?5, content = ?6,
             presence = 'present', gone_at = NULL, freshness = 'fresh',
             inspected = inspected AND size = ?2 AND modified = ?3 WHERE id = ?1",
        )?
        .execute(params![
            item.0,
            stat.size.cast_signed(),
            stat.modified.as_nanos(),
            stat.changed.map(Timestamp::as_nanos),
            stat.file_id.map(u64::cast_signed),
            content,
        ])?;
    if read == 0 {
        return Err(mistake(format!("item {} is not in the catalog", item.0)).into());
    }
    legs::raise_unless_holding(connection, item.0, content)
}

/// The leg is done, unless the item was read again in the meantime and is something else now.
fn stored(
    connection: &Connection,
    item: ItemId,
    destination: DestinationId,
    held: &Held,
    run: RunId,
) -> Result<(), Fault> {
    let content = content_row(connection, &held.content)?;
    connection
        .prepare_cached(
            "INSERT INTO leg (item, destination, todo, content, key, version, remote_id, proof,
                              proved_at, proved_run)
             SELECT id, ?2, presence = 'present' AND freshness = 'fresh' AND content IS NOT ?3,
                    ?3, nullif(?4, key), ?5, ?6, ?7, ?8, ?9
             FROM item WHERE id = ?1
             ON CONFLICT DO UPDATE SET todo = excluded.todo, hold = NULL, tried_run = NULL,
             content = excluded.content, key = excluded.key, version = excluded.version,
             remote_id = excluded.remote_id, proof = excluded.proof,
             proved_at = excluded.proved_at, proved_run = excluded.proved_run",
        )?
        .execute(params![
            item.0,
            destination.0,
            content,
            held.key.as_bytes(),
            held.version.as_ref().map(|version| &*version.0),
            held.remote_id,
            proof_word(held.proof),
            held.proved_at.as_nanos(),
            run.0,
        ])?;
    Ok(())
}

/// The leg is done if its copy is the content of the item; otherwise it stays as it is.
fn unchanged(
    connection: &Connection,
    item: ItemId,
    destination: DestinationId,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE leg SET todo = 0, hold = NULL, tried_run = NULL
             WHERE item = ?1 AND destination = ?2
             AND content = (SELECT content FROM item WHERE id = ?1)",
        )?
        .execute(params![item.0, destination.0])?;
    Ok(())
}

fn planned(
    connection: &Connection,
    item: ItemId,
    destination: DestinationId,
    hold: Option<Code>,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE leg SET hold = ?3 WHERE item = ?1 AND destination = ?2 AND todo = 1
             AND hold IS NOT ?3",
        )?
        .execute(params![item.0, destination.0, hold.map(|code| code.0)])?;
    Ok(())
}

fn assigned(
    connection: &Connection,
    item: ItemId,
    destination: DestinationId,
    key: &Key,
    fold: &[u8],
) -> Result<(), Fault> {
    let assigned = connection
        .prepare_cached(
            "UPDATE OR IGNORE leg SET assigned = ?3, fold = ?4 WHERE item = ?1 AND destination = ?2",
        )?
        .execute(params![item.0, destination.0, key.as_bytes(), fold])?;
    if assigned == 0 {
        let context = format!("assigning {key}: another item has it, or there is no such leg");
        return Err(Error::new(Kind::Exists, context).into());
    }
    Ok(())
}

fn failed(
    connection: &Connection,
    item: ItemId,
    destination: Option<DestinationId>,
    run: RunId,
    code: Code,
    message: &str,
) -> Result<(), Fault> {
    tried(connection, item, destination, run)?;
    let key = connection
        .prepare_cached("SELECT key FROM item WHERE id = ?1")?
        .query_row([item.0], |row| crate::rows::Columns::of(row).key())
        .optional()?;
    let destination = destination
        .map(|destination| {
            connection
                .prepare_cached("SELECT name FROM destination WHERE id = ?1")?
                .query_row([destination.0], |row| row.get(0))
        })
        .transpose()?;
    runs::add_problem(
        connection,
        &Problem { run, destination, key, code, message: message.to_owned() },
    )
}

/// This run gives up on the leg, or on all legs of the item.
fn tried(
    connection: &Connection,
    item: ItemId,
    destination: Option<DestinationId>,
    run: RunId,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE leg SET tried_run = ?3 WHERE item = ?1 AND (?2 IS NULL OR destination = ?2)",
        )?
        .execute(params![item.0, destination.map(|destination| destination.0), run.0])?;
    Ok(())
}

fn keep(connection: &Connection, retained: &Retained) -> Result<(), Fault> {
    let content = content_row(connection, &retained.content)?;
    connection
        .prepare_cached(
            "INSERT INTO retained (destination, keeping, original, key, version, content, since, until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            retained.destination.0,
            match retained.keeping {
                Keeping::Trash => "trash",
                Keeping::Version => "version",
            },
            retained.original.as_bytes(),
            retained.key.as_ref().map(Key::as_bytes),
            retained.version.as_ref().map(|version| &*version.0),
            content,
            retained.since.as_nanos(),
            retained.until.map(Timestamp::as_nanos),
        ])?;
    Ok(())
}
