//! The report of a run: what happened at every destination, with totals that add up.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::plan::LanePlan;
use super::record::LaneTotals;
use super::removals::Removals;
use crate::catalog::{Amount, Problem, RunId, Tally};
use crate::codes::{self, Code};
use crate::error::{Error, Kind, Retry};
use crate::time::Timestamp;

/// What a run did.
#[derive(Debug)]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// The job.
    pub job: String,
    /// Nothing was changed; numbers say what would be.
    pub dry_run: bool,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Files in the library that are backed up.
    pub files: Amount,
    /// Items with something to send, each counted once.
    pub new: Amount,
    /// Of these: perhaps only moved within the library.
    pub perhaps_moved: u64,
    /// Per destination, in the order of the config.
    pub destinations: Vec<DestinationReport>,
    /// Named problems; at most a thousand, the rest is in the catalog.
    pub problems: Vec<Problem>,
    /// All problems by code.
    pub problem_counts: BTreeMap<Code, u64>,
    /// Guards that tripped.
    pub guards: Vec<GuardTripped>,
    /// Bytes read from the library during the transfer.
    pub bytes_read: u64,
    /// Bytes of items that had to be read, each counted once.
    pub bytes_needed: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Why it ended early, if it did.
    pub cut: Option<Code>,
}

/// A guard that tripped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardTripped {
    /// Its code.
    pub code: Code,
    /// `deletions` or `changes`.
    pub kind: &'static str,
    /// At which destination; changes concern all.
    pub destination: Option<String>,
    /// How many files.
    pub count: u64,
    /// How many would have passed.
    pub allowed: u64,
}

/// How a destination ended.
#[derive(Debug)]
pub enum DestinationState {
    /// It took part.
    Done,
    /// It was not there, and that is all right for now.
    Waiting {
        /// Why.
        code: Code,
        /// When it stops to be all right.
        overdue_at: Option<Timestamp>,
    },
    /// It could not take part, or not to the end.
    Stopped(Error),
}

/// What happened at one destination.
#[derive(Debug)]
pub struct DestinationReport {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub state: DestinationState,
    /// Items present in the library.
    pub listed: u64,
    /// Had a good copy before.
    pub unchanged: u64,
    /// Got one in this run, whatever way.
    pub copied: Amount,
    /// Of these: moved on the destination's own side.
    pub moved: u64,
    /// Of these: found to be there already.
    pub recognised: u64,
    /// Would get one; only in a dry run.
    pub intended: Amount,
    /// No room in their pool.
    pub does_not_fit: Amount,
    /// Held back for other reasons.
    pub held: BTreeMap<Code, Amount>,
    /// Failed in this run.
    pub failed: u64,
    /// Left for another run.
    pub skipped: u64,
    /// Held back because the library's own file looks damaged.
    pub suspect: u64,
    /// Removed into the trash; in a dry run: would be.
    pub trashed: u64,
    /// Purged for good.
    pub purged: u64,
}

impl DestinationReport {
    /// For a destination that did not take part, or a dry run.
    pub(super) fn idle(
        name: String,
        state: DestinationState,
        tally: &Tally,
        plan: &LanePlan,
    ) -> Self {
        let mut report = Self {
            name,
            state,
            listed: tally.listed,
            unchanged: tally.settled,
            copied: Amount::default(),
            moved: 0,
            recognised: 0,
            intended: plan.send,
            does_not_fit: Amount::default(),
            held: tally.held.clone(),
            failed: 0,
            skipped: tally.todo.files,
            suspect: tally.suspect,
            trashed: 0,
            purged: 0,
        };
        report.does_not_fit = report.held.remove(&codes::POOL_FULL).unwrap_or_default();
        report
    }

    /// For a destination that took part: `before` is the tally behind the plan, `after` that of now.
    pub(super) fn done(
        name: String,
        state: DestinationState,
        after: &Tally,
        lane: &LaneTotals,
        removals: &Removals,
    ) -> Self {
        let idle = Self::idle(name, state, after, &LanePlan::default());
        Self {
            unchanged: after.settled.saturating_sub(lane.copied.files),
            copied: lane.copied,
            moved: lane.moved,
            recognised: lane.recognised,
            failed: lane.failed.min(after.todo.files),
            skipped: after.todo.files.saturating_sub(lane.failed),
            trashed: removals.trashed,
            purged: removals.purged,
            ..idle
        }
    }

    /// Whether every item is accounted for.
    pub fn adds_up(&self) -> bool {
        let held: u64 = self.held.values().map(|amount| amount.files).sum();
        let parts = self.unchanged
            + self.copied.files
            + self.does_not_fit.files
            + held
            + self.failed
            + self.skipped
            + self.suspect;
        self.listed == parts
    }
}

impl RunReport {
    /// Source bytes read per byte that had to be read; 1.0 is best.
    pub fn read_amplification(&self) -> Option<f64> {
        (self.bytes_needed > 0).then(|| self.bytes_read as f64 / self.bytes_needed as f64)
    }

    /// Problems that are more than a note.
    pub fn real_problems(&self) -> u64 {
        self.problem_counts.iter().filter(|(code, _)| !codes::is_note(**code)).map(|(_, n)| n).sum()
    }

    /// The exit code, as the manual lists them.
    pub fn exit_code(&self) -> i32 {
        let stops: Vec<&Error> = self
            .destinations
            .iter()
            .filter_map(|one| match &one.state {
                DestinationState::Stopped(error) => Some(error),
                _ => None,
            })
            .collect();
        let later =
            |error: &&Error| matches!(error.retry_advice(), Retry::BackOff | Retry::After(_));
        let all_later = stops.iter().all(later) && stops.len() == self.destinations.len();
        if self.cut == Some(codes::CANCELLED) {
            130
        } else if !self.guards.is_empty() {
            8
        } else if stops.iter().any(|error| error.kind() == Kind::SignIn) {
            7
        } else if self.real_problems() > 0 || (!stops.is_empty() && !all_later) {
            3
        } else if !stops.is_empty() {
            5
        } else if self.cut == Some(codes::LIMIT_REACHED) {
            10
        } else {
            0
        }
    }

    /// The report as the catalog keeps it.
    pub fn to_json(&self) -> serde_json::Value {
        let destination = |one: &DestinationReport| {
            let (state, code) = match &one.state {
                DestinationState::Done => ("done", None),
                DestinationState::Waiting { code, .. } => ("waiting", Some(*code)),
                DestinationState::Stopped(error) => ("stopped", Some(error.id())),
            };
            json!({
                "name": one.name, "state": state, "code": code, "listed": one.listed,
                "unchanged": one.unchanged, "copied": one.copied, "moved": one.moved,
                "recognised": one.recognised, "does_not_fit": one.does_not_fit,
                "held": one.held.iter().map(|(code, amount)| (code.0, amount)).collect::<BTreeMap<_, _>>(),
                "failed": one.failed, "skipped": one.skipped, "suspect": one.suspect,
                "trashed": one.trashed, "purged": one.purged,
            })
        };
        let guard = |one: &GuardTripped| json!({ "code": one.code, "kind": one.kind, "count": one.count, "allowed": one.allowed });
        json!({
            "v": 1, "run": self.run, "job": self.job, "seconds": self.took.as_secs_f64(),
            "files": self.files, "new": self.new,
            "destinations": self.destinations.iter().map(destination).collect::<Vec<_>>(),
            "problems": self.problem_counts.iter().map(|(code, n)| (code.0, n)).collect::<BTreeMap<_, _>>(),
            "guards": self.guards.iter().map(guard).collect::<Vec<_>>(),
            "bytes_read": self.bytes_read, "bytes_needed": self.bytes_needed,
            "bytes_sent": self.bytes_sent, "cut": self.cut, "exit": self.exit_code(),
        })
    }
}

/// The exit code for a run that failed as a whole.
pub fn exit_code_of(error: &Error) -> i32 {
    match error.id() {
        code if code == codes::LIBRARY_EMPTY => 8,
        code if code == codes::LOCKED => 9,
        code if code == codes::CANCELLED => 130,
        _ => match error.kind() {
            Kind::SignIn => 7,
            Kind::Cancelled => 130,
            _ => 1,
        },
    }
}
