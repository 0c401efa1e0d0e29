//! Rounds: transfers, and once more from the plan on whenever a destination came back meanwhile.
//!
//! Invariant: what a round did stands in the catalog before the next one is planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inspect::Look;
use super::record::{LaneTotals, Totals};
use super::rejoin::{Renewed, refused};
use super::run::{Prepared, Running};
use super::stage::{Stage, Staged, stage_again};
use super::transfer::{Transferred, transfer};
use crate::codes::Code;
use crate::error::Result;
use crate::key::Key;

/// What all rounds of a run did.
#[derive(Debug, Default)]
pub struct Done {
    /// Per destination that took part.
    pub counts: BTreeMap<String, LaneTotals>,
    /// What had no room when it was about to be sent, with its destination.
    pub held: Vec<(String, Key)>,
    /// Bytes read from the library.
    pub bytes_read: u64,
    /// Bytes of items that had to be read; in each round each is counted once.
    pub bytes_needed: u64,
    /// Bytes sent to destinations.
    pub bytes_sent: u64,
    /// Why it ended before everything was done.
    pub cut: Option<Code>,
}

impl Done {
    /// Adds a round over the lanes of these names; answers who came back during it.
    fn add(
        &mut self,
        round: Transferred,
        names: &[&str],
        staged: &mut [Staged<'_>],
        totals: &mut Totals,
    ) -> Option<Renewed> {
        totals.absorb(round.totals.problems, &round.totals.problem_counts);
        let held = round.totals.held.into_iter();
        self.held.extend(held.map(|(lane, key)| (names[lane].to_owned(), key)));
        for ((name, counts), down) in names.iter().zip(&round.totals.lanes).zip(round.down) {
            self.counts.entry((*name).to_owned()).or_default().add(counts);
            let one = staged.iter_mut().find(|one| one.record.name == *name);
            if let (Some(error), Some(one)) = (down, one) {
                one.stage = Stage::Stopped(error);
            }
        }
        self.bytes_read += round.bytes_read;
        self.bytes_needed += round.bytes_needed;
        self.bytes_sent += round.bytes_sent;
        self.cut = round.cut;
        round.renewed.filter(|_| self.cut.is_none())
    }
}

impl<'a> Running<'a> {
    /// Transfers until nothing is left that can be done now; again from the plan on when a destination came back.
    pub async fn rounds(
        &self,
        staged: &mut [Staged<'a>],
        mut prepared: Prepared,
        hold_changed: bool,
        totals: &mut Totals,
    ) -> Result<Done> {
        let Self { job, options, tools, run } = *self;
        let (look, began) = (Look::new(job, tools.clock.now()), tools.clock.elapsed());
        let mut done = Done::default();
        loop {
            prepared.announce(&*tools.monitor);
            let lanes: Vec<_> = prepared
                .lanes
                .iter()
                .map(|one| (Arc::clone(&one.lane), Arc::clone(&one.ledger)))
                .collect();
            let spent = tools.clock.elapsed().saturating_sub(began);
            let left = options.after(spent, done.bytes_sent);
            let refused = refused(staged);
            let moved = transfer(job, &left, tools, run, lanes, look.clone(), &refused).await?;
            let names: Vec<_> = prepared.lanes.iter().map(|one| one.lane.name.as_str()).collect();
            let back = done.add(moved, &names, staged, totals);
            let Some(Renewed { at, provider }) = back else { return Ok(done) };
            staged[at] = stage_again(&job.destinations[at], &provider, tools).await?;
            prepared = self.prepare(staged, hold_changed, totals).await?;
        }
    }
}
