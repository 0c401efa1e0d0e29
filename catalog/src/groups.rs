//! Which items belong together, folder by folder.
//!
//! Invariant: whatever can change the groups of a folder marks it (`regroup`) in the same transaction, so that a run
//! that dies in between leaves no folder with old groups.

use rusqlite::{Connection, OptionalExtension as _, params};
use safelight_core::catalog::{GroupDetail, Grouped, ItemId, Sibling};
use safelight_core::key::Key;

use crate::fault::Fault;
use crate::rows::{Columns, GROUP_TAKEN, TAKEN, at_most};

/// Folders whose groups are to be found anew.
pub(crate) fn ungrouped(connection: &Connection, limit: usize) -> Result<Vec<Option<Key>>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT nullif(folder, x'') FROM regroup LIMIT ?1")?;
    let folders =
        statement.query_map([at_most(limit)], |row| Columns::of(row).maybe(Columns::key))?;
    Ok(folders.collect::<Result<_, _>>()?)
}

/// The groups of the item's folder are to be found anew.
pub(crate) fn touch(connection: &Connection, item: ItemId) -> Result<(), Fault> {
    let folder: Option<Option<Key>> = connection
        .prepare_cached("SELECT key FROM item WHERE id = ?1")?
        .query_row([item.0], |row| Columns::of(row).key())
        .optional()?
        .map(|key| key.parent());
    if let Some(folder) = folder {
        connection
            .prepare_cached("INSERT OR IGNORE INTO regroup (folder) VALUES (?1)")?
            .execute([bytes(folder.as_ref())])?;
    }
    Ok(())
}

/// The item is in no group any more, and the others of its folder are to be looked at.
pub(crate) fn leave(connection: &Connection, item: ItemId) -> Result<(), Fault> {
    connection.prepare_cached("DELETE FROM grouping WHERE item = ?1")?.execute([item.0])?;
    touch(connection, item)
}

/// What stands right in a folder.
pub(crate) fn siblings(
    connection: &Connection,
    folder: Option<&Key>,
) -> Result<Vec<Sibling>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT item.id, item.key, item.class, {TAKEN}, item.content_id FROM item
         WHERE {IN_FOLDER} AND item.presence IN ('present', 'suspect') ORDER BY item.key"
    ))?;
    let (from, to) = bounds(folder);
    let siblings = statement.query_map(params![from, to], |row| {
        let mut columns = Columns::of(row);
        Ok(Sibling {
            item: ItemId(columns.take()?),
            key: columns.key()?,
            class: columns.class()?,
            taken: columns.taken()?,
            content_id: columns.take()?,
        })
    })?;
    Ok(siblings.collect::<Result<_, _>>()?)
}

/// Replaces the groups of a folder.
pub(crate) fn grouped(
    connection: &Connection,
    folder: Option<&Key>,
    groups: &[Grouped],
) -> Result<(), Fault> {
    let (from, to) = bounds(folder);
    connection
        .prepare_cached(&format!(
            "DELETE FROM grouping WHERE item IN (SELECT item.id FROM item WHERE {IN_FOLDER})"
        ))?
        .execute(params![from, to])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO grouping
         (item, first, kind, evidence, complete, role, taken_wall, taken_zone, taken_source)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for group in groups {
        let Some((first, _)) = group.members.first() else { continue };
        for (item, role) in &group.members {
            insert.execute(params![
                item.0,
                first.0,
                group.kind.word(),
                group.by.word(),
                group.complete,
                role.word(),
                group.taken.map(|taken| taken.wall()),
                group.taken.map(|taken| taken.zone().to_string()),
                group.taken.map(|taken| taken.source().word()),
            ])?;
        }
    }
    connection.prepare_cached("DELETE FROM regroup WHERE folder = ?1")?.execute([bytes(folder)])?;
    Ok(())
}

/// The group that an item is in.
pub(crate) fn of(connection: &Connection, item: ItemId) -> Result<Option<GroupDetail>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT grouping.kind, grouping.evidence, grouping.complete, {GROUP_TAKEN}, item.key,
                grouping.role
         FROM grouping AS own
         CROSS JOIN grouping ON grouping.first = own.first
         CROSS JOIN item ON item.id = grouping.item
         WHERE own.item = ?1 ORDER BY item.key"
    ))?;
    let mut rows = statement.query([item.0])?;
    let mut found: Option<GroupDetail> = None;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (kind, by, complete) = (columns.parsed()?, columns.parsed()?, columns.take()?);
        let taken = columns.taken()?;
        let member = (columns.key()?, columns.parsed()?);
        let members = Vec::new();
        let group = found.get_or_insert(GroupDetail { kind, by, complete, taken, members });
        group.members.push(member);
    }
    Ok(found)
}

/// Keys between the bounds without a further slash.
const IN_FOLDER: &str =
    "item.key > ?1 AND item.key < ?2 AND instr(substr(item.key, length(?1) + 1), x'2f') = 0";

fn bounds(folder: Option<&Key>) -> (Vec<u8>, Vec<u8>) {
    // No name is longer than this.
    let Some(folder) = folder else { return (Vec::new(), vec![0xff; 256]) };
    // "0" is the byte that follows "/".
    let bound = |end: u8| [folder.as_bytes(), &[end]].concat();
    (bound(b'/'), bound(b'0'))
}

fn bytes(folder: Option<&Key>) -> &[u8] {
    folder.map(Key::as_bytes).unwrap_or_default()
}
