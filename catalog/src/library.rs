//! What is remembered of the library as a whole.

use rusqlite::{Connection, OptionalExtension as _, params};
use safelight_core::catalog::LibraryRecord;

use crate::fault::Fault;
use crate::rows::Columns;

/// Volume, mounts and the number of items that are there, suspect ones included.
pub(crate) fn library(connection: &Connection) -> Result<LibraryRecord, Fault> {
    let volume = connection
        .prepare_cached("SELECT value FROM library WHERE name = 'volume'")?
        .query_row([], |row| row.get::<_, Option<String>>(0))
        .optional()?
        .flatten();
    let mut statement = connection.prepare_cached("SELECT key, volume FROM mount ORDER BY key")?;
    let mounts = statement
        .query_map([], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.key()?, columns.take()?))
        })?
        .collect::<Result<_, _>>()?;
    let present = connection
        .prepare_cached("SELECT count(*) FROM item WHERE presence IN ('present', 'suspect')")?
        .query_row([], |row| Columns::of(row).unsigned())?;
    Ok(LibraryRecord { volume, mounts, present })
}

/// Replaces volume and mounts.
pub(crate) fn remember(connection: &Connection, library: &LibraryRecord) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO library (name, value) VALUES ('volume', ?1)")?
        .execute([&library.volume])?;
    connection.prepare_cached("DELETE FROM mount")?.execute([])?;
    let mut insert =
        connection.prepare_cached("INSERT INTO mount (key, volume) VALUES (?1, ?2)")?;
    for (key, volume) in &library.mounts {
        insert.execute(params![key.as_bytes(), volume])?;
    }
    Ok(())
}

/// Present items whose content was once read and is not that of the file any more.
pub(crate) fn count_changed(connection: &Connection) -> Result<u64, Fault> {
    Ok(connection
        .prepare_cached(
            "SELECT count(*) FROM item INDEXED BY item_changed
             WHERE presence = 'present' AND freshness <> 'fresh' AND content IS NOT NULL",
        )?
        .query_row([], |row| Columns::of(row).unsigned())?)
}
