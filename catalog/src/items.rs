//! Everything about single items, for people.

use rusqlite::{Connection, params};
use safelight_core::catalog::{DestinationId, ItemDetail, ItemId, Leg, LegDetail};
use safelight_core::key::Key;

use crate::fault::Fault;
use crate::groups;
use crate::rows::{Columns, HELD, PRESENCE, STAT, TAKEN, TRAITS, at_most};

/// The item under this key, whatever its presence.
pub(crate) fn item(connection: &Connection, key: &Key) -> Result<Option<ItemDetail>, Fault> {
    let found = select(connection, "item.key = ?1 AND ?2 = ?2", key.as_bytes(), &[], 1)?;
    Ok(found.into_iter().next())
}

/// Items at or below a key.
pub(crate) fn browse(
    connection: &Connection,
    below: Option<&Key>,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<ItemDetail>, Fault> {
    let after = after.map(Key::as_bytes).unwrap_or_default();
    let Some(below) = below else {
        return select(connection, "item.key > ?1 AND ?2 = ?2", after, &[], limit);
    };
    let mut found = Vec::new();
    if below.as_bytes() > after && limit > 0 {
        found.extend(item(connection, below)?);
    }
    // Below "a" stands what begins with "a/"; "0" is the byte that follows "/".
    let bound = |end: u8| [below.as_bytes(), &[end]].concat();
    let (first, end) = (bound(b'/'), bound(b'0'));
    let rest = limit - found.len();
    found.extend(select(
        connection,
        "item.key > ?1 AND item.key < ?2",
        after.max(&first),
        &end,
        rest,
    )?);
    Ok(found)
}

fn select(
    connection: &Connection,
    condition: &str,
    first: &[u8],
    second: &[u8],
    limit: usize,
) -> Result<Vec<ItemDetail>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT item.id, item.key, {STAT}, item.class, {PRESENCE},
                own.sha256, own.size, own.md5, own.crc32c, own.dropbox, {TAKEN}, {TRAITS}
         FROM item LEFT JOIN content AS own ON own.id = item.content
         WHERE {condition} ORDER BY item.key LIMIT ?3"
    ))?;
    let items = statement.query_map(params![first, second, at_most(limit)], |row| {
        let mut columns = Columns::of(row);
        let (item, key, stat) = (ItemId(columns.take()?), columns.key()?, columns.stat()?);
        let (class, presence) = (columns.class()?, columns.presence()?);
        let (content, taken) = (columns.content()?, columns.taken()?);
        let traits = columns.traits(class, taken)?;
        Ok(ItemDetail {
            item,
            key,
            stat,
            class,
            presence,
            content,
            traits,
            group: None,
            legs: Vec::new(),
        })
    })?;
    let mut items: Vec<ItemDetail> = items.collect::<Result<_, _>>()?;
    for item in &mut items {
        item.group = groups::of(connection, item.item)?;
        item.legs = legs(connection, item.item)?;
    }
    Ok(items)
}

fn legs(connection: &Connection, item: ItemId) -> Result<Vec<LegDetail>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT leg.destination, destination.name, leg.todo, {HELD}, leg.assigned, leg.hold
         FROM leg
         JOIN item ON item.id = leg.item
         JOIN destination ON destination.id = leg.destination
         LEFT JOIN content AS copy ON copy.id = leg.content
         WHERE leg.item = ?1 ORDER BY leg.destination"
    ))?;
    let legs = statement.query_map([item.0], |row| {
        let mut columns = Columns::of(row);
        let id = DestinationId(columns.take()?);
        Ok(LegDetail {
            destination: columns.take()?,
            todo: columns.take()?,
            leg: Leg {
                destination: id,
                held: columns.held()?,
                assigned: columns.maybe(Columns::key)?,
                hold: columns.maybe(Columns::code)?,
            },
        })
    })?;
    Ok(legs.collect::<Result<_, _>>()?)
}
