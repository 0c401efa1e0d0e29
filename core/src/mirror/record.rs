//! Record: claims go into the catalog after the destination committed, many at a time.
//!
//! Invariant: nobody is told that an item is copied before the catalog holds the claim durably.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::select;
use tokio::sync::mpsc;

use super::lane::{Holdings, Lane};
use crate::catalog::{Amount, DestinationId, ItemId, Problem, Record, RunId};
use crate::codes::Code;
use crate::error::{Error, Result, Retry};
use crate::job::Tools;
use crate::key::Key;
use crate::monitor::Event;
use crate::provider::Proof;

const GROUP: usize = 512;
/// Between two groups: each is a commit, and many small ones cost the disk and the processor more than the claims are worth
/// a little earlier. What is claimed after a rest is written at once. Should the run die in between, what was stored is read
/// once more by the next one, and recognised.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of one leg, or of an item that could not be read.
pub struct Note {
    /// What to write down.
    pub records: Vec<Record>,
    /// Legs that are no longer on their way.
    pub settled: Vec<(ItemId, usize)>,
    /// What to tell.
    pub news: Vec<News>,
}

/// What is told once the records are durable.
pub enum News {
    /// A copy is stored.
    Copied {
        /// The lane.
        lane: usize,
        /// The item.
        key: Key,
        /// Its size.
        bytes: u64,
        /// How we know.
        proof: Proof,
        /// How it came there.
        how: Arrival,
    },
    /// What is stored already is the item's content.
    Unchanged {
        /// The lane.
        lane: usize,
    },
    /// An item that was about to be sent has no room at its lane after all.
    Held {
        /// The lane.
        lane: usize,
        /// The item.
        key: Key,
    },
    /// Something went wrong with an item; at one lane, or with reading it.
    Problem {
        /// The lanes it concerns; empty if it concerns none.
        lanes: Vec<usize>,
        /// The item.
        key: Key,
        /// What went wrong.
        error: Error,
    },
}

/// How a copy came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Its bytes were sent.
    Sent,
    /// It was moved on the destination's own side.
    Moved,
    /// It was there already.
    Recognised,
}

/// What one lane did in this run.
#[derive(Debug, Clone, Default)]
pub struct LaneTotals {
    /// Stored, whatever way.
    pub copied: Amount,
    /// Of these: moved on the destination's side.
    pub moved: u64,
    /// Of these: there already.
    pub recognised: u64,
    /// Legs that turned out to need nothing.
    pub unchanged: u64,
    /// Legs that failed.
    pub failed: u64,
}

impl LaneTotals {
    /// Adds what the same lane did at another time of the run.
    pub fn add(&mut self, other: &Self) {
        self.copied.files += other.copied.files;
        self.copied.bytes += other.copied.bytes;
        self.moved += other.moved;
        self.recognised += other.recognised;
        self.unchanged += other.unchanged;
        self.failed += other.failed;
    }
}

/// What the recorder counted.
#[derive(Debug, Default)]
pub struct Totals {
    /// Per lane.
    pub lanes: Vec<LaneTotals>,
    /// What had no room when it was about to be sent, with its lane.
    pub held: Vec<(usize, Key)>,
    /// Named problems, at most [`Totals::MAX_PROBLEMS`] of them.
    pub problems: Vec<Problem>,
    /// All problems, by code.
    pub problem_counts: BTreeMap<Code, u64>,
}

impl Totals {
    /// Further problems are in the catalog only.
    pub const MAX_PROBLEMS: usize = 1000;

    /// Counts a problem and keeps it if there is room.
    pub fn problem(&mut self, problem: Problem) {
        *self.problem_counts.entry(problem.code).or_default() += 1;
        if self.problems.len() < Self::MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

impl Totals {
    /// Adds problems that were counted elsewhere.
    pub fn absorb(&mut self, problems: Vec<Problem>, counts: &BTreeMap<Code, u64>) {
        self.problems.extend(problems);
        self.problems.truncate(Self::MAX_PROBLEMS);
        for (code, count) in counts {
            *self.problem_counts.entry(*code).or_default() += count;
        }
    }
}

/// Gathers until it is time, the group is full or nothing more can come.
async fn gather(
    notes: &mut mpsc::Receiver<Note>,
    group: &mut Vec<Note>,
    time: impl Future<Output = ()>,
) {
    let gathering = async {
        while group.len() < GROUP
            && let Some(next) = notes.recv().await
        {
            group.push(next);
        }
    };
    select(pin!(gathering), pin!(time)).await;
}

/// Writes notes down until the channel closes.
///
/// # Errors
/// The catalog's; then nothing of the failed group is claimed.
pub async fn recorder(
    mut notes: mpsc::Receiver<Note>,
    tools: &Tools,
    lanes: &[Arc<Lane>],
    holdings: &Holdings,
    run: RunId,
) -> Result<Totals> {
    let mut totals =
        Totals { lanes: vec![LaneTotals::default(); lanes.len()], ..Totals::default() };
    let mut group = Vec::with_capacity(GROUP);
    let mut next = tools.clock.elapsed();
    while let Some(first) = notes.recv().await {
        group.push(first);
        let wait = next.saturating_sub(tools.clock.elapsed());
        gather(&mut notes, &mut group, tools.clock.sleep(wait)).await;
        next = tools.clock.elapsed() + PAUSE;
        let records: Vec<_> = group.iter_mut().flat_map(|note| note.records.drain(..)).collect();
        if !records.is_empty() {
            tools.catalog.record(records).await?;
        }
        for note in group.drain(..) {
            for news in note.news {
                tell(news, tools, lanes, run, &mut totals);
            }
            for (item, lane) in note.settled {
                holdings.settle(item, lane);
            }
        }
    }
    Ok(totals)
}

fn tell(news: News, tools: &Tools, lanes: &[Arc<Lane>], run: RunId, totals: &mut Totals) {
    match news {
        News::Copied { lane, key, bytes, proof, how } => {
            let counts = &mut totals.lanes[lane];
            counts.copied.add(bytes);
            counts.moved += u64::from(how == Arrival::Moved);
            counts.recognised += u64::from(how == Arrival::Recognised);
            tools.monitor.event(&Event::Copied {
                destination: &lanes[lane].name,
                key: &key,
                bytes,
                proof,
                moved: how == Arrival::Moved,
            });
        }
        News::Unchanged { lane } => totals.lanes[lane].unchanged += 1,
        News::Held { lane, key } => totals.held.push((lane, key)),
        News::Problem { lanes: concerned, key, error } => {
            for lane in &concerned {
                totals.lanes[*lane].failed += 1;
            }
            let destination = match concerned.as_slice() {
                [lane] => Some(lanes[*lane].name.clone()),
                _ => None,
            };
            let (code, message) = (error.id(), error.to_string());
            let problem = Problem { run, destination, key: Some(key), code, message };
            tools.monitor.event(&Event::Problem { problem: &problem, retry: error.retry_advice() });
            totals.problem(problem);
        }
    }
}

/// The record of a failed leg, or of an item that could not be read (`destination` is `None`).
pub fn failure(
    item: ItemId,
    destination: Option<DestinationId>,
    run: RunId,
    error: &Error,
) -> Record {
    Record::Failed { item, destination, run, code: error.id(), message: error.to_string() }
}

/// Whether a later pass of the same run may try again.
pub fn may_pass(error: &Error) -> bool {
    !matches!(error.retry_advice(), Retry::Never | Retry::NeedsPerson)
}
