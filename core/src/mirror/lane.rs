//! Lanes: one per destination, each with its own queue, limits and fate.
//!
//! Invariant: a lane that is slow, full or down never holds the others back by more than a small share of the
//! run. It keeps what it was handed for as long as memory allows; what it could not take it reads again later.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::catalog::{DestinationId, ItemId};
use crate::error::Error;
use crate::provider::Provider;
use crate::time::Clock;

/// Most legs that may wait in one lane.
const MAX_WAITING: usize = 4096;
/// A lane may hold the others back for this long in all ...
const PATIENCE: Duration = Duration::from_millis(200);
/// ... plus one such share of the time since the transfer began.
const PATIENCE_SHARE: u32 = 25;

/// One destination in a transfer.
pub struct Lane {
    /// Its number in the catalog.
    pub id: DestinationId,
    /// Its name.
    pub name: String,
    /// Its provider, with all wrappers.
    pub provider: Arc<dyn Provider>,
    /// How many puts may be running; what waits here has not begun.
    pub places: Semaphore,
}

impl Lane {
    /// A lane for so many items at once, or as wide as the provider says.
    pub fn new(
        id: DestinationId,
        name: String,
        provider: Arc<dyn Provider>,
        places: Option<usize>,
    ) -> Self {
        let capabilities = provider.capabilities();
        let sensible = capabilities.concurrency + capabilities.batch;
        let places = Semaphore::new(places.unwrap_or(sensible).max(1));
        Self { id, name, provider, places }
    }
}

/// What every lane holds at the moment, and who waits for whom.
pub struct Holdings {
    clock: Arc<dyn Clock>,
    started: Duration,
    budget: u64,
    changed: Notify,
    state: Mutex<State>,
}

struct State {
    lanes: Vec<LaneState>,
    in_flight: HashSet<(ItemId, usize)>,
}

#[derive(Default)]
struct LaneState {
    bytes: u64,
    legs: usize,
    waited: Duration,
    down: Option<Error>,
}

impl Holdings {
    /// Nothing held yet by `lanes` lanes that share `budget` bytes.
    pub fn new(clock: Arc<dyn Clock>, lanes: usize, budget: u64) -> Self {
        let state = State {
            lanes: (0..lanes).map(|_| LaneState::default()).collect(),
            in_flight: HashSet::new(),
        };
        Self {
            started: clock.elapsed(),
            clock,
            budget,
            changed: Notify::new(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a lane is down.
    pub fn down(&self, lane: usize) -> Option<Error> {
        self.state().lanes[lane].down.as_ref().map(Error::duplicate)
    }

    /// Takes a lane down for the rest of the run; answers whether this call did it.
    pub fn take_down(&self, lane: usize, error: &Error) -> bool {
        let first = {
            let mut state = self.state();
            let lane = &mut state.lanes[lane];
            let first = lane.down.is_none();
            lane.down.get_or_insert_with(|| error.duplicate());
            first
        };
        self.changed.notify_waiters();
        first
    }

    /// Whether a leg is on its way, or done and not yet recorded.
    pub fn is_in_flight(&self, item: ItemId, lane: usize) -> bool {
        self.state().in_flight.contains(&(item, lane))
    }

    /// Completes when no leg is on its way and all are recorded.
    pub async fn all_settled(&self) {
        loop {
            let changed = self.changed.notified();
            if self.state().in_flight.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// The lane no longer holds the bytes of a leg.
    pub fn release(&self, lane: usize, bytes: u64) {
        {
            let mut state = self.state();
            let lane = &mut state.lanes[lane];
            lane.bytes -= bytes;
            lane.legs -= 1;
        }
        self.changed.notify_waiters();
    }

    /// The leg is recorded, or was given up without a record.
    pub fn settle(&self, item: ItemId, lane: usize) {
        self.state().in_flight.remove(&(item, lane));
        self.changed.notify_waiters();
    }

    /// How much longer a lane may hold the others back.
    pub fn patience(&self, lane: usize) -> Duration {
        self.patience_in(&self.state(), lane)
    }

    fn patience_in(&self, state: &State, lane: usize) -> Duration {
        let run = self.clock.elapsed().saturating_sub(self.started);
        (PATIENCE + run / PATIENCE_SHARE).saturating_sub(state.lanes[lane].waited)
    }

    /// A lane held the others back for this long.
    pub fn waited_for(&self, lane: usize, span: Duration) {
        self.state().lanes[lane].waited += span;
    }

    fn has_room(&self, state: &State, lane: usize, bytes: u64) -> bool {
        let behind = (0..state.lanes.len())
            .filter(|other| self.patience_in(state, *other).is_zero())
            .count()
            .max(1) as u64;
        let lane = &state.lanes[lane];
        lane.legs == 0
            || (lane.legs < MAX_WAITING && lane.bytes + bytes <= self.budget / 2 / behind)
    }

    /// Chooses, among `wanted` lanes, those that take an item of `bytes` bytes now, and reserves room in them.
    /// Waits until at least one does; waits for the others only as long as their patience lasts. Lanes that
    /// went down meanwhile are left out; empty if all did. A `streamed` item is shared only by lanes that
    /// keep up.
    pub async fn attach(
        &self,
        item: ItemId,
        wanted: &[usize],
        bytes: u64,
        streamed: bool,
    ) -> Vec<usize> {
        loop {
            let changed = self.changed.notified();
            let (ready, patience, missing) = {
                let mut state = self.state();
                let up: Vec<_> = wanted
                    .iter()
                    .copied()
                    .filter(|lane| state.lanes[*lane].down.is_none())
                    .collect();
                let (mut ready, mut missing): (Vec<_>, Vec<_>) =
                    up.into_iter().partition(|lane| self.has_room(&state, *lane, bytes));
                if streamed && ready.iter().any(|lane| !self.patience_in(&state, *lane).is_zero()) {
                    ready.retain(|lane| !self.patience_in(&state, *lane).is_zero());
                }
                let patience = missing
                    .iter()
                    .map(|lane| self.patience_in(&state, *lane))
                    .max()
                    .unwrap_or_default();
                if patience.is_zero() && (!ready.is_empty() || missing.is_empty()) {
                    for lane in &ready {
                        state.lanes[*lane].bytes += bytes;
                        state.lanes[*lane].legs += 1;
                        state.in_flight.insert((item, *lane));
                    }
                    return ready;
                }
                missing.retain(|lane| !self.patience_in(&state, *lane).is_zero());
                (ready, patience, missing)
            };
            if ready.is_empty() {
                changed.await;
                continue;
            }
            let before = self.clock.elapsed();
            tokio::select! {
                () = changed => {}
                () = self.clock.sleep(patience) => {}
            }
            let span = self.clock.elapsed().saturating_sub(before);
            for lane in missing {
                self.waited_for(lane, span);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SystemClock;

    fn holdings(lanes: usize) -> Holdings {
        Holdings::new(Arc::new(SystemClock::start()), lanes, 1000)
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_with_room_share_one_read() {
        let holdings = holdings(3);
        assert_eq!(holdings.attach(ItemId(1), &[0, 1, 2], 100, false).await, [0, 1, 2]);
        assert!(holdings.is_in_flight(ItemId(1), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_lane_is_waited_for_only_as_long_as_its_patience_lasts() {
        let holdings = holdings(2);
        holdings.attach(ItemId(1), &[0], 700, false).await;
        let before = holdings.clock.elapsed();
        assert_eq!(holdings.attach(ItemId(2), &[0, 1], 100, false).await, [1]);
        let waited = holdings.clock.elapsed().saturating_sub(before);
        assert!(waited < Duration::from_millis(250), "{waited:?}");
        holdings.release(1, 100);
        let before = holdings.clock.elapsed();
        assert_eq!(holdings.attach(ItemId(3), &[0, 1], 100, false).await, [1]);
        assert!(holdings.clock.elapsed().saturating_sub(before) < Duration::from_millis(20));
    }

    #[tokio::test(start_paused = true)]
    async fn with_no_other_lane_ready_it_waits_for_room() {
        let holdings = Arc::new(holdings(1));
        holdings.attach(ItemId(1), &[0], 700, false).await;
        let waiting = holdings.attach(ItemId(2), &[0], 700, false);
        let later = async {
            holdings.clock.sleep(Duration::from_mins(1)).await;
            holdings.release(0, 700);
        };
        let (chosen, ()) = tokio::join!(waiting, later);
        assert_eq!(chosen, [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_is_down_is_left_out() {
        let holdings = holdings(2);
        let error = Error::new(crate::error::Kind::NoRoom, "test");
        assert!(holdings.take_down(0, &error) && !holdings.take_down(0, &error));
        assert_eq!(holdings.attach(ItemId(1), &[0, 1], 1, false).await, [1]);
        assert!(holdings.attach(ItemId(2), &[0], 1, false).await.is_empty());
    }
}
