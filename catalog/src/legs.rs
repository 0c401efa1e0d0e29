//! How the legs of one item change together.

use rusqlite::{Connection, params};

use crate::fault::Fault;

/// Every known destination gets a leg to do.
pub(crate) fn raise(connection: &Connection, item: i64) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO leg (item, destination, todo) SELECT ?1, id, 1 FROM destination WHERE true
             ON CONFLICT DO UPDATE SET todo = 1, hold = NULL",
        )?
        .execute([item])?;
    Ok(())
}

/// Legs that do not hold this content, or are not there at all, become to do.
pub(crate) fn raise_unless_holding(
    connection: &Connection,
    item: i64,
    content: i64,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO leg (item, destination, todo) SELECT ?1, id, 1 FROM destination WHERE true
             ON CONFLICT DO UPDATE SET todo = 1 WHERE todo = 0 AND content IS NOT ?2",
        )?
        .execute([item, content])?;
    Ok(())
}

/// No leg is to do any more.
pub(crate) fn rest(connection: &Connection, item: i64) -> Result<(), Fault> {
    connection
        .prepare_cached("UPDATE leg SET todo = 0, hold = NULL WHERE item = ?1 AND todo = 1")?
        .execute([item])?;
    Ok(())
}

/// Legs that hold nothing go away, because the item did; the others only remember their copy.
pub(crate) fn keep_only_copies(connection: &Connection, item: i64) -> Result<(), Fault> {
    connection
        .prepare_cached("DELETE FROM leg WHERE item = ?1 AND content IS NULL")?
        .execute([item])?;
    rest(connection, item)
}

/// The leg gives up its copy: it goes away if the item is gone, and is to do again if the item is present.
pub(crate) fn drop_copy(connection: &Connection, item: i64, destination: i64) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "DELETE FROM leg WHERE item = ?1 AND destination = ?2
             AND (SELECT presence FROM item WHERE id = ?1) = 'gone'",
        )?
        .execute(params![item, destination])?;
    connection
        .prepare_cached(
            "UPDATE leg SET content = NULL, key = NULL, version = NULL, remote_id = NULL,
             proof = NULL, proved_at = NULL, proved_run = NULL, hold = NULL,
             todo = (SELECT presence FROM item WHERE id = ?1) = 'present'
             WHERE item = ?1 AND destination = ?2",
        )?
        .execute(params![item, destination])?;
    Ok(())
}
