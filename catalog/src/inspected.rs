//! What is to be inspected, and what inspections found out.

use rusqlite::{Connection, params};
use safelight_core::catalog::{ItemId, Known};
use safelight_core::key::Key;
use safelight_core::taken::Taken;
use safelight_core::traits::{Flaw, Traits};

use crate::fault::{Fault, mistake};
use crate::groups;
use crate::rows::at_most;
use crate::scan;

/// Present items that were not inspected in their present form, in key order after `after`; with `to_send` also
/// those that some destination waits for.
pub(crate) fn uninspected(
    connection: &Connection,
    after: Option<&Key>,
    limit: usize,
    to_send: bool,
) -> Result<Vec<Known>, Fault> {
    let condition = "item.key > ?1 AND item.inspected = 0 AND item.presence = 'present'
         AND (?3 OR NOT EXISTS (SELECT 1 FROM leg
                                WHERE leg.item = item.id AND leg.todo = 1 AND leg.hold IS NULL))";
    let after = after.map(Key::as_bytes).unwrap_or_default();
    scan::select(connection, condition, params![after, at_most(limit), to_send])
}

/// Writes down what was found out.
pub(crate) fn inspected(
    connection: &Connection,
    item: ItemId,
    traits: &Traits,
) -> Result<(), Fault> {
    let (taken, motion) = (traits.taken.as_ref(), traits.motion.as_ref());
    let known = connection
        .prepare_cached(
            "UPDATE item SET inspected = 1, class = ?2, detected = ?3, mismatch = ?4,
             taken_wall = ?5, taken_zone = ?6, taken_source = ?7, content_id = ?8,
             motion_start = ?9, motion_end = ?10, burst = ?11, health = ?12 WHERE id = ?1",
        )?
        .execute(params![
            item.0,
            traits.class.word(),
            traits.detected.as_deref(),
            traits.mismatch,
            taken.map(Taken::wall),
            taken.map(|taken| taken.zone().to_string()),
            taken.map(|taken| taken.source().word()),
            traits.content_id,
            motion.map(|motion| motion.start.cast_signed()),
            motion.map(|motion| motion.end.cast_signed()),
            traits.burst,
            traits.health.map(Flaw::word),
        ])?;
    if known == 0 {
        return Err(mistake(format!("item {} is not in the catalog", item.0)).into());
    }
    groups::touch(connection, item)
}
