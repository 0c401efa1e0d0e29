//! Where everything waits that changes names in the account: finished uploads, removals, moves, copies.
//!
//! Dropbox takes a lock on the whole account for each of these calls, and refuses those that meet. So one clerk
//! takes them from here, as many at once as one call carries.
//!
//! Invariant: what waits here has its caller waiting for it, so there is never more of it than callers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::select;
use safelight_core::time::Clock;
use tokio::sync::Notify;

use crate::discard::Discard;
use crate::finish::Finish;
use crate::transfer::Transfer;

/// Most entries that Dropbox takes in one call.
pub(crate) const MOST: usize = 1000;
/// When nothing came for so long, there is no use in waiting for more.
const QUIET: Duration = Duration::from_millis(40);
/// Finished uploads wait no longer than this after the last commit while others are still under way.
const EVERY: Duration = Duration::from_millis(1500);

pub(crate) struct Desk {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    finishes: Pile<Finish>,
    discards: Pile<Discard>,
    moves: Pile<Transfer>,
    copies: Pile<Transfer>,
    /// Items that are on their way to `finishes`.
    inbound: usize,
    /// When the clerk was done last.
    done: Duration,
}

struct Pile<T> {
    waiting: VecDeque<T>,
    first: Duration,
    last: Duration,
}

impl<T> Default for Pile<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), first: Duration::ZERO, last: Duration::ZERO }
    }
}

/// What one call carries.
pub(crate) enum Batch {
    Finishes(Vec<Finish>),
    Discards(Vec<Discard>),
    Moves(Vec<Transfer>),
    Copies(Vec<Transfer>),
}

impl Desk {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::default(), wake: Notify::new() })
    }

    /// Says that an item will come to be finished.
    pub(crate) fn announce(self: &Arc<Self>) -> Inbound {
        self.state().inbound += 1;
        Inbound(Arc::clone(self))
    }

    pub(crate) fn finish(&self, finish: Finish) {
        self.put(|state| &mut state.finishes, finish);
    }

    pub(crate) fn discard(&self, discard: Discard) {
        self.put(|state| &mut state.discards, discard);
    }

    pub(crate) fn relocate(&self, transfer: Transfer, moves: bool) {
        self.put(move |state| if moves { &mut state.moves } else { &mut state.copies }, transfer);
    }

    fn put<T>(&self, pile: impl FnOnce(&mut State) -> &mut Pile<T>, paper: T) {
        let now = self.clock.elapsed();
        pile(&mut self.state()).add(paper, now);
        self.wake.notify_one();
    }

    /// The next batch, as soon as there is a reason not to wait for more.
    pub(crate) async fn next(&self) -> Batch {
        loop {
            let now = self.clock.elapsed();
            let due = {
                let mut state = self.state();
                match state.due(now) {
                    Some((due, which)) if due <= now => return state.take(which),
                    due => due.map(|(due, _)| due),
                }
            };
            match due {
                Some(due) => {
                    let woken = std::pin::pin!(self.wake.notified());
                    select(self.clock.sleep(due.saturating_sub(now)), woken).await;
                }
                None => self.wake.notified().await,
            }
        }
    }

    /// Says that the clerk is done with its last batch.
    pub(crate) fn done(&self) {
        let now = self.clock.elapsed();
        self.state().done = now;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
enum Which {
    Finishes,
    Discards,
    Moves,
    Copies,
}

impl State {
    /// When the next batch is to be taken, and of what.
    fn due(&self, now: Duration) -> Option<(Duration, Which)> {
        let quiet = |last: Duration, first: Duration| (last + QUIET).min(first + EVERY);
        let finishes = self.finishes.due(now, |first, last| {
            let latest = first.max(self.done) + EVERY;
            if self.inbound == 0 { latest.min(last + QUIET) } else { latest }
        });
        let discards = self.discards.due(now, |first, last| quiet(last, first));
        let moves = self.moves.due(now, |first, last| quiet(last, first));
        let copies = self.copies.due(now, |first, last| quiet(last, first));
        let all = [
            (finishes, Which::Finishes),
            (discards, Which::Discards),
            (moves, Which::Moves),
            (copies, Which::Copies),
        ];
        let due = all.into_iter().filter_map(|(due, which)| Some((due?, which)));
        due.min_by_key(|(due, _)| *due)
    }

    fn take(&mut self, which: Which) -> Batch {
        match which {
            Which::Finishes => Batch::Finishes(self.finishes.take()),
            Which::Discards => Batch::Discards(self.discards.take()),
            Which::Moves => Batch::Moves(self.moves.take()),
            Which::Copies => Batch::Copies(self.copies.take()),
        }
    }
}

impl<T> Pile<T> {
    fn add(&mut self, paper: T, now: Duration) {
        if self.waiting.is_empty() {
            self.first = now;
        }
        self.last = now;
        self.waiting.push_back(paper);
    }

    fn due(
        &self,
        now: Duration,
        rule: impl Fn(Duration, Duration) -> Duration,
    ) -> Option<Duration> {
        match self.waiting.len() {
            0 => None,
            MOST.. => Some(self.first.min(now)),
            _ => Some(rule(self.first, self.last)),
        }
    }

    fn take(&mut self) -> Vec<T> {
        let count = self.waiting.len().min(MOST);
        self.waiting.drain(..count).collect()
    }
}

/// An item on its way to the desk. Dropping it says that it arrived, or never will.
pub(crate) struct Inbound(Arc<Desk>);

impl Drop for Inbound {
    fn drop(&mut self) {
        let last = {
            let mut state = self.0.state();
            state.inbound -= 1;
            state.inbound == 0
        };
        if last {
            self.0.wake.notify_one();
        }
    }
}
