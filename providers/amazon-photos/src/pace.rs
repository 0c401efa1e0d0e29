//! How many calls at once, how many a second, and when none at all: one pace for everything that goes to the
//! account.
//!
//! Invariants: while the service asks for a pause, nobody calls; never more calls at once than the setting; once
//! the session is over, nobody calls any more.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
use safelight_core::error::{Error, Kind, Result, Retry};
use safelight_core::time::Clock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Calls at once to begin with; forks of the known client settled between 3 and 10.
const FIRST: usize = 4;
/// Calls of the metadata host per second, at most; one client lives with 5, with bursts of 10.
pub(crate) const RATE: usize = 8;
/// One more call at once after so many without a refusal.
const STEP: u32 = 40;
const WINDOW: Duration = Duration::from_millis(1050);
/// A longer pause is reported instead of waited for.
const PATIENCE: Duration = Duration::from_mins(5);
/// A service that asks for more is not believed.
const LONGEST: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    most: usize,
    state: Mutex<State>,
    freed: Notify,
    /// Why nobody may call any more.
    over: OnceLock<Error>,
}

#[derive(Debug)]
struct State {
    closed_until: Duration,
    /// When the metadata calls of the last second were made.
    made: VecDeque<Duration>,
    rate: usize,
    /// The rate is never higher.
    top: usize,
    /// Calls at once: those under way, and the limit now.
    under_way: usize,
    limit: usize,
    /// Calls since the last refusal or step.
    good: u32,
    /// Refusals in a row that named no pause.
    refusals: u32,
}

/// The right to have one call under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Pace>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.freed.notify_one();
    }
}

impl Pace {
    /// Never more than `most` calls at once, nor `rate` of the metadata host in a second.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        cancel: CancellationToken,
        most: usize,
        rate: usize,
    ) -> Arc<Self> {
        let most = most.max(1);
        let state = State {
            closed_until: Duration::ZERO,
            made: VecDeque::new(),
            rate,
            top: rate,
            under_way: 0,
            limit: FIRST.min(most),
            good: 0,
            refusals: 0,
        };
        let (state, freed, over) = (Mutex::new(state), Notify::new(), OnceLock::new());
        Arc::new(Self { clock, cancel, most, state, freed, over })
    }

    /// Waits until one call may be made. `metered`: it goes to the metadata host.
    ///
    /// # Errors
    /// [`Kind::SignIn`] once the session is over; [`Kind::RateLimited`] with the time left if the service asked for
    /// a long pause; [`Kind::Cancelled`].
    pub(crate) async fn enter(self: &Arc<Self>, metered: bool) -> Result<Slot> {
        loop {
            let slot = self.slot().await?;
            if let Some(error) = self.over.get() {
                return Err(error.duplicate());
            }
            let wait = self.state().next(self.clock.elapsed(), metered);
            if wait.is_zero() {
                return Ok(slot);
            }
            drop(slot);
            if wait > PATIENCE {
                let context = "Amazon Photos asked for a pause";
                return Err(Error::new(Kind::RateLimited, context).retry(Retry::After(wait)));
            }
            self.sleep(wait).await?;
        }
    }

    async fn slot(self: &Arc<Self>) -> Result<Slot> {
        loop {
            let freed = pin!(self.freed.notified());
            {
                let mut state = self.state();
                if state.under_way < state.limit {
                    state.under_way += 1;
                    return Ok(Slot(Arc::clone(self)));
                }
            }
            let cancelled = pin!(self.cancel.cancelled());
            if let Either::Right(_) = select(freed, cancelled).await {
                return Err(stopped());
            }
        }
    }

    /// Notes an answer that was no refusal.
    pub(crate) fn accepted(&self) {
        let mut state = self.state();
        state.refusals = 0;
        state.good += 1;
        if state.good >= STEP {
            state.good = 0;
            state.rate = (state.rate + 1).min(state.top);
            if state.limit < self.most {
                state.limit += 1;
                self.freed.notify_one();
            }
        }
    }

    /// Notes that the service asked to slow down: nobody calls before `span` is over, and half as many at once.
    pub(crate) fn refused(&self, span: Option<Duration>) {
        let now = self.clock.elapsed();
        let mut state = self.state();
        // What was under way already when the first refusal came says nothing new.
        if state.closed_until <= now {
            // Two at least: who reads an item may need another call before it has read on.
            state.limit = (state.limit / 2).max(2.min(self.most));
            state.rate = (state.rate * 3 / 4).max(1);
            state.good = 0;
            state.refusals += 1;
        }
        let own = Duration::from_secs(1 << state.refusals.saturating_sub(1).min(5));
        let span = span.unwrap_or(own).min(LONGEST);
        state.closed_until = state.closed_until.max(now + span);
    }

    /// Notes that the session is over.
    pub(crate) fn end(&self, error: &Error) {
        let _ = self.over.set(error.duplicate());
    }

    /// Waits, unless everything is to end.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub(crate) async fn sleep(&self, span: Duration) -> Result<()> {
        let cancelled = pin!(self.cancel.cancelled());
        match select(self.clock.sleep(span), cancelled).await {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(stopped()),
        }
    }

    /// Waits before try number `tries` + 1: twice as long each time, give or take a quarter.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub(crate) async fn back_off(&self, tries: u32) -> Result<()> {
        let jitter = getrandom::u32().map_or(512, |random| random % 512);
        let doubled = Duration::from_secs(1 << tries.saturating_sub(1).min(6));
        self.sleep(doubled * (768 + jitter) / 1024).await
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stopped() -> Error {
    Error::new(Kind::Cancelled, "stopped while waiting")
}

impl State {
    /// How long to wait for the next call; it is counted if that is not at all.
    fn next(&mut self, now: Duration, metered: bool) -> Duration {
        let left = self.closed_until.saturating_sub(now);
        if !left.is_zero() || !metered {
            return left;
        }
        while self.made.front().is_some_and(|at| *at + WINDOW <= now) {
            self.made.pop_front();
        }
        if self.made.len() < self.rate {
            self.made.push_back(now);
            return Duration::ZERO;
        }
        // The budget may have shrunk since these calls.
        let frees = self.made[self.made.len() - self.rate];
        (frees + WINDOW).saturating_sub(now).max(Duration::from_millis(1))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use safelight_core::time::SystemClock;

    fn pace(most: usize) -> (Arc<SystemClock>, Arc<Pace>) {
        let clock = Arc::new(SystemClock::start());
        (clock.clone(), Pace::new(clock, CancellationToken::new(), most, RATE))
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_metadata_calls_than_the_budget() {
        let (clock, pace) = pace(4);
        for _ in 0..RATE * 3 {
            drop(pace.enter(true).await.unwrap());
        }
        assert!(clock.elapsed() >= WINDOW * 2);
        let before = clock.elapsed();
        for _ in 0..RATE * 3 {
            drop(pace.enter(false).await.unwrap());
        }
        assert_eq!(clock.elapsed(), before);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_at_once_grow_slowly_and_are_halved_by_a_refusal() {
        let (clock, pace) = pace(5);
        (0..STEP * 9).for_each(|_| pace.accepted());
        assert_eq!(pace.state().limit, 5);
        pace.refused(Some(Duration::from_secs(7)));
        pace.refused(Some(Duration::from_secs(3)));
        assert_eq!(pace.state().limit, 2);
        let slots = (pace.enter(false).await.unwrap(), pace.enter(false).await.unwrap());
        assert_eq!(clock.elapsed(), Duration::from_secs(7));
        let third = pin!(pace.enter(false));
        let Either::Right(((), third)) = select(third, clock.sleep(WINDOW)).await else {
            panic!("three calls at once")
        };
        drop(slots);
        assert!(third.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_pause_is_told_and_a_session_that_is_over_stays_over() {
        let (_, pace) = pace(1);
        pace.refused(Some(Duration::from_mins(30)));
        let told = pace.enter(true).await.map_err(|error| error.retry_advice());
        assert_eq!(told.unwrap_err(), Retry::After(Duration::from_mins(30)));
        pace.end(&Error::new(Kind::SignIn, "over"));
        assert_eq!(pace.enter(true).await.unwrap_err().kind(), Kind::SignIn);
    }
}
