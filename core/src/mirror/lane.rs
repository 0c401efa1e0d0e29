//! Lanes: one per destination, each with its own queue, limits and fate.
//!
//! Invariant: a lane that is slow, full or down does not hold the others back. Everybody waits for it only as
//! long as the others have enough in their queues to be busy meanwhile, so that waiting costs nothing. What it
//! could not take it reads again later.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::catalog::{DestinationId, ItemId};
use crate::error::Error;
use crate::provider::Provider;
use crate::time::Clock;

/// Within a stream, a lane may hold the others back for this long in all ...
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
    /// How many puts may be running.
    pub width: usize,
    /// How many of them the provider works on at once; the others wait inside it for a common commit.
    pub busy: usize,
    /// A place for each of them; what waits here has not begun.
    pub places: Semaphore,
}

impl Lane {
    /// A lane that works on so many items at once, or on as many as the provider says.
    pub fn new(
        id: DestinationId,
        name: String,
        provider: Arc<dyn Provider>,
        places: Option<usize>,
    ) -> Self {
        let capabilities = provider.capabilities();
        let busy = places.unwrap_or(capabilities.concurrency).max(1);
        let width = busy + capabilities.batch;
        Self { id, name, provider, width, busy, places: Semaphore::new(width) }
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
    /// Settled since work was last fetched, so that what was fetched may still name them.
    settled: HashSet<(ItemId, usize)>,
}

struct LaneState {
    /// With fewer legs than this it may soon be idle.
    enough: usize,
    /// So many it takes with advantage, if they are small.
    plenty: usize,
    bytes: u64,
    legs: usize,
    waited: Duration,
    down: Option<Error>,
}

impl LaneState {
    fn is_hungry(&self, budget: u64) -> bool {
        let has_room = self.legs < self.plenty && self.bytes < budget / 4;
        self.down.is_none() && (self.legs < self.enough || has_room)
    }
}

/// What [`Holdings::attach`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Attached {
    /// Room was reserved in these lanes.
    To(Vec<usize>),
    /// No lane can take the item now, and others have better things to do than to wait.
    Later,
    /// All lanes that want it are down.
    Down,
}

impl Holdings {
    /// Nothing held yet by lanes that share `budget` bytes; each with the number of items it works on at once
    /// and its whole width.
    pub fn new(clock: Arc<dyn Clock>, lanes: &[(usize, usize)], budget: u64) -> Self {
        let lane = |(busy, width): &(usize, usize)| LaneState {
            enough: busy * 2,
            plenty: width * 2,
            bytes: 0,
            legs: 0,
            waited: Duration::ZERO,
            down: None,
        };
        let state = State {
            lanes: lanes.iter().map(lane).collect(),
            in_flight: HashSet::new(),
            settled: HashSet::new(),
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

    /// Must be called right before work is fetched: what was settled before is not in it any more.
    pub fn fetching_work(&self) {
        self.state().settled.clear();
    }

    /// Whether a leg was taken up already although the work fetched last still names it.
    pub fn is_taken_up(&self, item: ItemId, lane: usize) -> bool {
        let state = self.state();
        state.in_flight.contains(&(item, lane)) || state.settled.contains(&(item, lane))
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
        {
            let mut state = self.state();
            state.in_flight.remove(&(item, lane));
            state.settled.insert((item, lane));
        }
        self.changed.notify_waiters();
    }

    /// How much longer a lane may hold the others back within a stream.
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

    /// Chooses, among `wanted` lanes, those that take an item of `bytes` bytes now, and reserves room in them.
    ///
    /// Waits for lanes that are full as long as nobody goes idle meanwhile: neither the lanes that are ready,
    /// nor, if none is, the `others` that have work further on. A `streamed` item is shared only by lanes that
    /// kept up with streams so far.
    pub async fn attach(
        &self,
        item: ItemId,
        wanted: &[usize],
        others: &[usize],
        bytes: u64,
        streamed: bool,
    ) -> Attached {
        loop {
            let changed = self.changed.notified();
            if let Some(attached) = self.try_attach(item, wanted, others, bytes, streamed) {
                return attached;
            }
            changed.await;
        }
    }

    fn try_attach(
        &self,
        item: ItemId,
        wanted: &[usize],
        others: &[usize],
        bytes: u64,
        streamed: bool,
    ) -> Option<Attached> {
        let mut state = self.state();
        let up = wanted.iter().copied().filter(|lane| state.lanes[*lane].down.is_none());
        let has_room = |lane: &usize| {
            let lane = &state.lanes[*lane];
            lane.legs == 0 || lane.bytes + bytes <= self.budget / 2
        };
        let (mut ready, full): (Vec<_>, Vec<_>) = up.partition(has_room);
        if ready.is_empty() && full.is_empty() {
            return Some(Attached::Down);
        }
        let hungry =
            |lanes: &[usize]| lanes.iter().any(|lane| state.lanes[*lane].is_hungry(self.budget));
        if ready.is_empty() {
            return hungry(others).then_some(Attached::Later);
        }
        if !full.is_empty() && !hungry(&ready) {
            return None;
        }
        let keeps_up = |lane: &usize| !self.patience_in(&state, *lane).is_zero();
        if streamed && ready.iter().any(keeps_up) {
            ready.retain(keeps_up);
        }
        for lane in &ready {
            state.lanes[*lane].bytes += bytes;
            state.lanes[*lane].legs += 1;
            state.in_flight.insert((item, *lane));
        }
        Some(Attached::To(ready))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::error::Kind;
    use crate::time::SystemClock;

    /// Lanes of width 1 that share 1,000 bytes.
    fn holdings(lanes: usize) -> Holdings {
        Holdings::new(Arc::new(SystemClock::start()), &vec![(1, 1); lanes], 1000)
    }

    fn attach(
        holdings: &Holdings,
        item: i64,
        wanted: &[usize],
        others: &[usize],
    ) -> Option<Attached> {
        holdings.attach(ItemId(item), wanted, others, 100, false).now_or_never()
    }

    #[allow(clippy::unnecessary_wraps)] // compared with an option
    fn to(lanes: &[usize]) -> Option<Attached> {
        Some(Attached::To(lanes.to_vec()))
    }

    #[tokio::test]
    async fn lanes_with_room_share_one_read() {
        let holdings = holdings(3);
        assert_eq!(attach(&holdings, 1, &[0, 1, 2], &[]), to(&[0, 1, 2]));
        assert!(holdings.is_taken_up(ItemId(1), 2));
    }

    #[tokio::test]
    async fn a_full_lane_is_waited_for_while_the_others_are_busy_and_not_longer() {
        let holdings = holdings(2);
        for item in 0..5 {
            assert_eq!(attach(&holdings, item, &[0, 1], &[]), to(&[0, 1]));
        }
        // Lane 1 did three of its five legs and still has enough to do; lane 0 did none and is full.
        (0..3).for_each(|_| holdings.release(1, 100));
        assert_eq!(attach(&holdings, 9, &[0, 1], &[]), None);
        holdings.release(1, 100);
        assert_eq!(attach(&holdings, 9, &[0, 1], &[]), to(&[1]));
    }

    #[tokio::test]
    async fn with_no_lane_ready_it_waits_unless_others_would_go_idle() {
        let holdings = holdings(2);
        (0..5).for_each(|item| assert_eq!(attach(&holdings, item, &[0], &[]), to(&[0])));
        assert_eq!(attach(&holdings, 9, &[0], &[]), None);
        assert_eq!(attach(&holdings, 9, &[0], &[1]), Some(Attached::Later));
        holdings.release(0, 100);
        assert_eq!(attach(&holdings, 9, &[0], &[1]), to(&[0]));
    }

    #[tokio::test]
    async fn an_item_larger_than_a_share_still_goes_to_an_idle_lane() {
        let holdings = holdings(1);
        let large = holdings.attach(ItemId(1), &[0], &[], 5000, false).now_or_never();
        assert_eq!(large, to(&[0]));
    }

    #[tokio::test]
    async fn a_lane_that_did_not_keep_up_with_a_stream_takes_the_next_one_alone() {
        let holdings = holdings(2);
        holdings.waited_for(0, Duration::from_mins(1));
        let shared = holdings.attach(ItemId(1), &[0, 1], &[], 100, true).now_or_never();
        assert_eq!(shared, to(&[1]));
        let alone = holdings.attach(ItemId(1), &[0], &[], 100, true).now_or_never();
        assert_eq!(alone, to(&[0]));
    }

    #[tokio::test]
    async fn a_leg_that_was_settled_while_work_was_fetched_is_not_taken_up_again() {
        let holdings = holdings(1);
        holdings.fetching_work();
        assert_eq!(attach(&holdings, 1, &[0], &[]), to(&[0]));
        holdings.release(0, 100);
        holdings.settle(ItemId(1), 0);
        assert!(holdings.is_taken_up(ItemId(1), 0));
        holdings.fetching_work();
        assert!(!holdings.is_taken_up(ItemId(1), 0));
    }

    #[tokio::test]
    async fn a_lane_that_is_down_is_left_out() {
        let holdings = holdings(2);
        let error = Error::new(Kind::NoRoom, "test");
        assert!(holdings.take_down(0, &error) && !holdings.take_down(0, &error));
        assert_eq!(attach(&holdings, 1, &[0, 1], &[]), to(&[1]));
        assert_eq!(attach(&holdings, 2, &[0], &[1]), Some(Attached::Down));
    }
}
