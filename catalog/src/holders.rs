//! Who has some content: one pass over content, items and legs, whatever the number that is asked for.
//!
//! There is no index by size or by the digests of services: only leaving a service asks this, and an index would cost
//! every run.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use safelight_core::catalog::{Content, Held, Holding, ItemId, Likeness, Wanted};

use crate::fault::Fault;
use crate::rows::{Columns, HELD, PRESENCE, STAT, TAKEN};

/// What is like the wanted, by the row of the content: each with its place in the question.
type Found = HashMap<i64, (Content, Vec<(usize, Likeness)>)>;

/// Copies by item, then by the row of their content: the destination's name and the claim.
type Copies = HashMap<i64, BTreeMap<i64, Vec<(String, Held)>>>;

/// Items whose file or copies are like what is wanted.
pub(crate) fn holders(connection: &Connection, wanted: &[Wanted]) -> Result<Vec<Holding>, Fault> {
    let found = contents(connection, wanted)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut copies = copies(connection, &found)?;
    let mut holdings = Vec::new();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT item.id, item.content, item.freshness, item.key, {STAT}, {PRESENCE}, {TAKEN}
         FROM item NOT INDEXED ORDER BY item.id"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (item, own) = (columns.take::<i64>()?, columns.take::<Option<i64>>()?);
        let own = own.filter(|content| found.contains_key(content));
        let mut of_item = copies.remove(&item).unwrap_or_default();
        if let Some(own) = own {
            of_item.entry(own).or_default();
        }
        if of_item.is_empty() {
            continue;
        }
        let (freshness, key) = (columns.freshness()?, columns.key()?);
        let (stat, presence, taken) = (columns.stat()?, columns.presence()?, columns.taken()?);
        for (row, copies) in of_item {
            let Some((content, wanted)) = found.get(&row) else { continue };
            for (place, likeness) in wanted {
                holdings.push(Holding {
                    wanted: *place,
                    likeness: *likeness,
                    content: *content,
                    item: ItemId(item),
                    key: key.clone(),
                    stat,
                    presence,
                    freshness: (own == Some(row)).then_some(freshness),
                    taken,
                    copies: copies.clone(),
                });
            }
        }
    }
    holdings.sort_by_key(|holding| (holding.wanted, holding.item, holding.content.digests.sha256));
    Ok(holdings)
}

fn contents(connection: &Connection, wanted: &[Wanted]) -> Result<Found, Fault> {
    let mut by_size: HashMap<u64, Vec<usize>> = HashMap::new();
    for (place, one) in wanted.iter().enumerate() {
        by_size.entry(one.size).or_default().push(place);
    }
    let mut found = Found::new();
    let mut statement = connection
        .prepare_cached("SELECT id, sha256, size, md5, crc32c, dropbox FROM content NOT INDEXED")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let id = columns.take()?;
        let Some(content) = columns.content()? else { continue };
        let Some(places) = by_size.get(&content.size) else { continue };
        let like = |place: &usize| Some((*place, wanted[*place].likeness(&content)?));
        let like: Vec<_> = places.iter().filter_map(like).collect();
        if !like.is_empty() {
            found.insert(id, (content, like));
        }
    }
    Ok(found)
}

/// The copies with content that was found, by item and by content.
fn copies(connection: &Connection, found: &Found) -> Result<Copies, Fault> {
    let mut copies = Copies::new();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT leg.item, leg.content, destination.name, {HELD}
         FROM leg
         CROSS JOIN item ON item.id = leg.item
         CROSS JOIN destination ON destination.id = leg.destination
         CROSS JOIN content AS copy ON copy.id = leg.content
         WHERE leg.content IS NOT NULL ORDER BY leg.item, leg.destination"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (item, content): (i64, i64) = (columns.take()?, columns.take()?);
        if !found.contains_key(&content) {
            continue;
        }
        let name: String = columns.take()?;
        if let Some(held) = columns.held()? {
            copies.entry(item).or_default().entry(content).or_default().push((name, held));
        }
    }
    Ok(copies)
}
