//! "Are my photos safe?": one pass over items and legs.
//!
//! A copy counts if its proof counts and is young enough and if it is the content the item has now; at a destination that is
//! best effort, only beside a copy at another. The library
//! counts as one copy of a present item. A suspect item's file counts as none and the item never as safe, but
//! its copies count: they hold what the file was before.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use safelight_core::catalog::{Amount, DestinationSurvey, Places, SafetyRules, Survey};
use safelight_core::class::MediaClass;
use safelight_core::codes::Code;
use safelight_core::key::Key;
use safelight_core::provider::Proof;
use safelight_core::time::Timestamp;

use crate::destinations;
use crate::fault::Fault;
use crate::rows::{COUNTING, Columns, at_most, proof_named};

/// Counts everything that is in the library now.
pub(crate) fn survey(
    connection: &Connection,
    rules: SafetyRules,
    special: &Places,
) -> Result<Survey, Fault> {
    let mut survey = Survey::default();
    let mut places = HashMap::new();
    for record in destinations::all(connection)? {
        let place = Place {
            at: survey.destinations.len(),
            offsite: special.offsite.contains(&record.name),
            alone: !special.never_alone.contains(&record.name),
        };
        places.insert(record.id.0, place);
        survey.destinations.push(DestinationSurvey {
            name: record.name,
            last_seen: record.last_seen,
            last_done: record.last_done,
            ..DestinationSurvey::default()
        });
    }
    // Both tables in their own order. The copy's size is looked up only where it is not the item's.
    let mut statement = connection.prepare_cached(
        "SELECT item.id, item.size, item.class, item.presence = 'suspect',
                leg.destination, leg.todo, leg.hold, leg.proof, leg.proved_at,
                leg.content = item.content AND (item.freshness = 'fresh' OR item.presence = 'suspect'),
                CASE WHEN leg.content IS NULL THEN NULL
                     WHEN leg.content = item.content AND item.freshness = 'fresh' THEN item.size
                     ELSE (SELECT size FROM content WHERE content.id = leg.content) END
         FROM item NOT INDEXED LEFT JOIN leg ON leg.item = item.id
         WHERE item.presence IN ('present', 'suspect') ORDER BY item.id",
    )?;
    let mut rows = statement.query([])?;
    let mut current: Option<Counted> = None;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let id = columns.take()?;
        let (bytes, class, suspect) = (columns.unsigned()?, columns.class()?, columns.take()?);
        let item = match &mut current {
            Some(item) if item.id == id => item,
            _ => {
                let next = Counted { id, bytes, suspect, copies: 0, offsite: 0, stands: false };
                if let Some(done) = current.replace(next) {
                    done.close(&mut survey, rules);
                }
                current.get_or_insert(next)
            }
        };
        let Some(place) = columns.maybe(Columns::take::<i64>)? else { continue };
        let Some(place) = places.get(&place) else { continue };
        let leg = Leg::read(&mut columns)?;
        if leg.count(item, class, rules, &mut survey.destinations[place.at]) {
            item.copies += 1;
            item.offsite += u32::from(place.offsite);
            item.stands |= place.alone;
        }
    }
    if let Some(done) = current {
        done.close(&mut survey, rules);
    }
    Ok(survey)
}

/// Keys of items with fewer counting copies than `fewer_than`.
pub(crate) fn lacking(
    connection: &Connection,
    rules: SafetyRules,
    special: &Places,
    fewer_than: u32,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<Key>, Fault> {
    let aided = destinations::all(connection)?
        .into_iter()
        .filter(|record| special.never_alone.contains(&record.name))
        .map(|record| record.id.0.to_string());
    let aided: Vec<String> = aided.collect();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT item.key FROM item
         WHERE item.key > ?1 AND item.presence IN ('present', 'suspect')
         AND (item.presence = 'present')
             + (SELECT CASE WHEN max(leg.destination NOT IN ({})) THEN count(*) ELSE 0 END FROM leg
             WHERE leg.item = item.id AND leg.content = item.content
             AND (item.freshness = 'fresh' OR item.presence = 'suspect')
             AND leg.proof IN {COUNTING} AND leg.proved_at >= ?2) < ?3
         ORDER BY item.key LIMIT ?4",
        aided.join(", ")
    ))?;
    let after = after.map(Key::as_bytes).unwrap_or_default();
    let since = rules.checked_since.as_nanos();
    let keys = statement.query_map(params![after, since, fewer_than, at_most(limit)], |row| {
        Columns::of(row).key()
    })?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// A destination among those that are counted.
struct Place {
    at: usize,
    offsite: bool,
    /// Whether a copy there counts without another one.
    alone: bool,
}

/// An item whose legs are being counted.
#[derive(Clone, Copy)]
struct Counted {
    id: i64,
    bytes: u64,
    suspect: bool,
    copies: u32,
    offsite: u32,
    /// Whether one of the copies counts by itself.
    stands: bool,
}

impl Counted {
    fn close(mut self, survey: &mut Survey, rules: SafetyRules) {
        if !self.stands {
            (self.copies, self.offsite) = (0, 0);
        }
        let copies = self.copies + u32::from(!self.suspect);
        survey.files.add(self.bytes);
        *survey.by_copies.entry(copies).or_default() += 1;
        survey.suspect += u64::from(self.suspect);
        let safe = !self.suspect && copies >= rules.copies && self.offsite >= rules.offsite;
        survey.safe += u64::from(safe);
    }
}

struct Leg {
    todo: bool,
    hold: Option<Code>,
    /// Whether the proof is good enough, and since when we know; only where there is a copy.
    proof: Option<(bool, Timestamp)>,
    is_current: bool,
    copy_bytes: u64,
}

impl Leg {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        let (todo, hold) = (columns.take()?, columns.maybe(Columns::code)?);
        let proof = columns.maybe(|columns| columns.word(proof_named))?;
        let proved_at = columns.maybe(Columns::time)?;
        Ok(Self {
            todo,
            hold,
            proof: proof.map(Proof::counts).zip(proved_at),
            is_current: columns.take::<Option<bool>>()?.unwrap_or(false),
            copy_bytes: columns.maybe(Columns::unsigned)?.unwrap_or(0),
        })
    }

    /// Adds the leg to its destination; whether its copy counts for the item.
    fn count(
        &self,
        item: &Counted,
        class: MediaClass,
        rules: SafetyRules,
        place: &mut DestinationSurvey,
    ) -> bool {
        match (self.todo, self.hold) {
            (true, Some(code)) => place.held.entry(code).or_default().add(item.bytes),
            (true, None) => place.behind.add(item.bytes),
            (false, _) => {}
        }
        let Some((is_good, proved_at)) = self.proof else { return false };
        let stored: &mut Amount = place.stored.entry(class).or_default();
        stored.add(self.copy_bytes);
        place.oldest_proof = Some(place.oldest_proof.map_or(proved_at, |old| old.min(proved_at)));
        let counts = is_good && proved_at >= rules.checked_since;
        place.unproved += u64::from(!counts);
        counts && self.is_current
    }
}
