//! What is left to do.

use rusqlite::{Connection, params};
use safelight_core::catalog::{DestinationId, ItemId, Leg, Work, WorkQuery};

use crate::fault::Fault;
use crate::rows::{Columns, GROUP_TAKEN, HELD, STAT, TAKEN};

/// Items with legs to do, in the order of items, which is that of the index `leg_todo`.
pub(crate) fn work(connection: &Connection, query: &WorkQuery) -> Result<Vec<Work>, Fault> {
    if query.destinations.is_empty() || query.limit == 0 {
        return Ok(Vec::new());
    }
    let destinations: Vec<String> =
        query.destinations.iter().map(|destination| destination.0.to_string()).collect();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT leg.item, leg.destination, {HELD}, leg.assigned, leg.hold,
                item.key, {STAT}, item.class, item.freshness,
                own.sha256, own.size, own.md5, own.crc32c, own.dropbox, item.inspected, {TAKEN},
                grouping.first, {GROUP_TAKEN}
         FROM leg INDEXED BY leg_todo
         CROSS JOIN item ON item.id = leg.item
         LEFT JOIN grouping ON grouping.item = item.id
         LEFT JOIN content AS own ON own.id = item.content
         LEFT JOIN content AS copy ON copy.id = leg.content
         WHERE leg.todo = 1 AND leg.item > ?1 AND leg.destination IN ({})
         AND (?2 OR leg.hold IS NULL)
         AND (?3 IS NULL OR leg.tried_run IS NOT ?3)
         ORDER BY leg.item, leg.destination",
        destinations.join(", ")
    ))?;
    let after = query.after.map_or(i64::MIN, |after| after.0);
    let tried = query.not_tried_in.map(|run| run.0);
    let mut rows = statement.query(params![after, query.with_held, tried])?;
    let mut found: Vec<Work> = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let item = ItemId(columns.take()?);
        let leg = Leg {
            destination: DestinationId(columns.take()?),
            held: columns.held()?,
            assigned: columns.maybe(Columns::key)?,
            hold: columns.maybe(Columns::code)?,
        };
        let is_full = found.len() == query.limit;
        match found.last_mut() {
            Some(work) if work.item == item => work.legs.push(leg),
            _ if is_full => break,
            _ => {
                let mut work = Work {
                    item,
                    key: columns.key()?,
                    stat: columns.stat()?,
                    class: columns.class()?,
                    freshness: columns.freshness()?,
                    content: columns.content()?,
                    inspected: columns.take()?,
                    taken: columns.taken()?,
                    group: columns.take::<Option<i64>>()?.map(ItemId),
                    legs: vec![leg],
                };
                let of_group = columns.taken()?;
                work.taken = work.taken.map(|own| own.or_better(of_group));
                found.push(work);
            }
        }
    }
    Ok(found)
}
