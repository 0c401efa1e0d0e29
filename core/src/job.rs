//! What a mirror job is: a library, destinations with their rules, and what a run is handed.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, RunId};
use crate::class::{Classifier, MediaClass};
use crate::error::Error;
use crate::filter::{Filter, Rule};
use crate::inspect::Inspector;
use crate::key::Key;
use crate::monitor::Monitor;
use crate::provider::Provider;
use crate::renewal::Renewal;
use crate::time::Clock;

/// One library, several destinations.
pub struct MirrorJob {
    /// Its name in the config.
    pub name: String,
    /// The library; only read.
    pub library: Arc<dyn Provider>,
    /// What of it is backed up.
    pub filter: Filter,
    /// How long a file must have been quiet before it is taken.
    pub settle: Duration,
    /// How media classes are told by names, and which the user set.
    pub classifier: Classifier,
    /// Who tells what items are by their content.
    pub inspector: Arc<dyn Inspector>,
    /// Where it goes.
    pub destinations: Vec<Destination>,
    /// What happens to copies of files deleted from the library.
    pub deletions: DeletionRules,
    /// What happens to copies of files that changed.
    pub changes: ChangeRules,
    /// How many bytes of items may be in memory at once.
    pub memory_bytes: u64,
}

/// A configured destination.
pub struct Destination {
    /// Its name in the config.
    pub name: String,
    /// The provider, or why it could not be opened; then the others go on without it.
    pub opened: Result<Arc<dyn Provider>, Error>,
    /// Who notices, while a run goes on, that somebody has signed in there again; `None` where nobody signs in.
    pub renewal: Option<Arc<dyn Renewal>>,
    /// Its rules.
    pub rules: DestinationRules,
}

impl Destination {
    /// One without rules of its own, where nobody signs in.
    pub fn new(name: impl Into<String>, provider: Arc<dyn Provider>) -> Self {
        let rules = DestinationRules::default();
        Self { name: name.into(), opened: Ok(provider), renewal: None, rules }
    }
}

/// The rules of one destination.
#[derive(Debug, Clone, Default)]
pub struct DestinationRules {
    /// Not being there is "waiting", not an error, until it has been away for `overdue`.
    pub removable: bool,
    /// How long it may be away.
    pub overdue: Option<Duration>,
    /// It is outside the house.
    pub offsite: bool,
    /// Its quotas. A class in no pool is not limited.
    pub pools: Vec<Pool>,
    /// How many items may be under way at once, besides those that wait for a common commit; `None`: as many as
    /// the provider finds sensible.
    pub concurrency: Option<usize>,
}

/// A quota that some media classes count against.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// The classes.
    pub counts: Vec<MediaClass>,
    /// The limit.
    pub limit: PoolLimit,
    /// What must stay free.
    pub keep_free: KeepFree,
    /// Which items go first when not all fit.
    pub when_full: WhenFull,
}

/// The limit of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolLimit {
    /// None.
    Unlimited,
    /// So many bytes.
    Bytes(u64),
    /// What the service says.
    Ask,
}

/// What must stay free in a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeepFree {
    /// So many bytes.
    Bytes(u64),
    /// This share of the limit, 0.0 to 1.0.
    Share(f64),
}

/// Which items go first when not all fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The newest.
    NewestFirst,
    /// The smallest.
    SmallestFirst,
    /// None: the pool takes nothing more once something did not fit.
    Stop,
}

/// What happens to copies of files deleted from the library.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeletionRules {
    /// When the copies follow: `None` never.
    pub propagate_after: Option<Duration>,
    /// How long they stay in the trash; zero purges at once.
    pub keep_for: Duration,
    /// More than this stops and asks.
    pub guard: Guard,
}

/// What happens to copies of files that changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeRules {
    /// How many replaced versions stay per file.
    pub keep_versions: u32,
    /// More than this stops and asks.
    pub guard: Guard,
}

/// A limit as a count and as a share; whichever is smaller trips, but never fewer than [`Guard::FLOOR`] files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// So many files.
    pub files: u64,
    /// This share of all files, 0.0 to 1.0.
    pub share: f64,
}

impl Guard {
    /// A handful never trips: in a small library a share would stop at the first file.
    pub const FLOOR: u64 = 10;

    /// The largest number that passes among `total` files.
    pub fn allows(&self, total: u64) -> u64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let share = (total as f64 * self.share).floor() as u64;
        self.files.min(share).max(Self::FLOOR.min(self.files))
    }
}

/// What a person decided for one run.
#[derive(Debug, Clone, Default)]
pub struct MirrorOptions {
    /// Change nothing anywhere. The catalog handed in must be a scratch copy, for the run writes into it.
    pub dry_run: bool,
    /// Only items that one of these keeps; all if empty.
    pub only: Vec<Rule>,
    /// Read every file again instead of trusting its date.
    pub full_scan: bool,
    /// End after this long.
    pub max_duration: Option<Duration>,
    /// End after so many bytes were sent.
    pub max_transfer: Option<u64>,
    /// The answer to a guard on deletions that tripped in this run.
    pub accept_deletions: Option<RunId>,
    /// Leave copies of deleted files alone in this run.
    pub keep_deleted: bool,
    /// The answer to a guard on changes that tripped in this run.
    pub accept_changes: Option<RunId>,
}

impl MirrorOptions {
    /// Whether `--only` lets this item pass.
    pub fn selects(&self, key: &Key) -> bool {
        self.only.is_empty() || self.only.iter().any(|rule| rule.matches(key, false))
    }

    /// The same for the rest of a run that took so long and sent so much already.
    #[must_use]
    pub fn after(&self, took: Duration, sent: u64) -> Self {
        Self {
            max_duration: self.max_duration.map(|span| span.saturating_sub(took)),
            max_transfer: self.max_transfer.map(|most| most.saturating_sub(sent)),
            ..self.clone()
        }
    }
}

/// What a run is handed.
#[derive(Clone)]
pub struct Tools {
    /// The catalog.
    pub catalog: Arc<dyn Catalog>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// Who listens.
    pub monitor: Arc<dyn Monitor>,
    /// How it is stopped.
    pub stop: Stop,
}

/// Two ways to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Take nothing new, finish and record what is in flight.
    pub gently: CancellationToken,
    /// Drop what is in flight; nothing half-done is visible.
    pub now: CancellationToken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_from_the_beginning_of_a_run() {
        let minutes = Duration::from_mins;
        let limited = MirrorOptions {
            max_duration: Some(minutes(10)),
            max_transfer: Some(500),
            ..MirrorOptions::default()
        };
        let left = |spent, sent| {
            let left = limited.after(spent, sent);
            (left.max_duration, left.max_transfer)
        };
        assert_eq!(left(minutes(4), 200), (Some(minutes(6)), Some(300)));
        assert_eq!(left(minutes(40), 900), (Some(Duration::ZERO), Some(0)));
        let free = MirrorOptions::default().after(minutes(4), 200);
        assert_eq!((free.max_duration, free.max_transfer), (None, None));
    }

    #[test]
    fn a_guard_trips_at_the_smaller_of_count_and_share_but_not_at_a_handful() {
        let guard = Guard { files: 200, share: 0.02 };
        assert_eq!(guard.allows(1_000_000), 200);
        assert_eq!(guard.allows(5_000), 100);
        assert_eq!(guard.allows(31), 10);
        assert_eq!(Guard { files: 3, share: 0.5 }.allows(31), 3);
    }
}
