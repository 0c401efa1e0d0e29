//! The destinations' notebooks: pages of text that mean something only to the provider that wrote them.

use rusqlite::{Connection, OptionalExtension as _};

use crate::fault::Fault;

/// What stands on a page.
pub(crate) fn page(
    connection: &Connection,
    destination: &str,
    page: &str,
) -> Result<Option<String>, Fault> {
    Ok(connection
        .prepare_cached(
            "SELECT page.text FROM destination JOIN page ON page.destination = destination.id
             WHERE destination.name = ?1 AND page.name = ?2",
        )?
        .query_row([destination, page], |row| row.get(0))
        .optional()?)
}

/// Replaces a page, or erases it.
pub(crate) fn keep(
    connection: &Connection,
    destination: &str,
    page: &str,
    text: Option<&str>,
) -> Result<(), Fault> {
    match text {
        Some(text) => connection
            .prepare_cached(
                "INSERT OR REPLACE INTO page (destination, name, text)
                 SELECT id, ?2, ?3 FROM destination WHERE name = ?1",
            )?
            .execute([destination, page, text])?,
        None => connection
            .prepare_cached(
                "DELETE FROM page WHERE name = ?2
                 AND destination = (SELECT id FROM destination WHERE name = ?1)",
            )?
            .execute([destination, page])?,
    };
    Ok(())
}
