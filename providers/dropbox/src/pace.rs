//! How many calls a second, and when none at all: one pace for everything that goes to the account.
//!
//! Invariant: while the service asks for a pause, nobody calls. The number of calls in any second grows only
//! slowly, and never again to where the service refused one.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
use safelight_core::error::{Error, Kind, Result, Retry, Scope};
use safelight_core::time::Clock;
use tokio_util::sync::CancellationToken;

/// Calls per second to begin with; Dropbox does not publish its limit, users measured about 12.
const FIRST: usize = 10;
/// More are never made.
const MOST: usize = 60;
/// One more call per second after so many without a refusal.
const STEP: u32 = 60;
/// A second and what the line may squeeze it by.
const WINDOW: Duration = Duration::from_millis(1050);
/// A longer pause is reported instead of waited for.
const PATIENCE: Duration = Duration::from_mins(5);
/// A service that asks for more is not believed.
const LONGEST: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    closed_until: Duration,
    /// When the calls of the last second were made.
    made: VecDeque<Duration>,
    /// Calls per second now, and at most.
    rate: usize,
    ceiling: usize,
    /// Calls since the last refusal or step.
    good: u32,
}

impl Pace {
    pub(crate) fn new(clock: Arc<dyn Clock>, cancel: CancellationToken) -> Self {
        let state = State {
            closed_until: Duration::ZERO,
            made: VecDeque::new(),
            rate: FIRST,
            ceiling: MOST,
            good: 0,
        };
        Self { clock, cancel, state: Mutex::new(state) }
    }

    /// Waits until one call may be made, and counts it.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] with the time left if the service asked for a long pause; [`Kind::Cancelled`].
    pub(crate) async fn enter(&self) -> Result<()> {
        loop {
            let wait = self.state().next(self.clock.elapsed());
            if wait.is_zero() {
                return Ok(());
            }
            if wait > PATIENCE {
                let context = "Dropbox asked for a pause";
                return Err(Error::new(Kind::RateLimited, context).retry(Retry::After(wait)));
            }
            self.sleep(wait).await?;
        }
    }

    /// Notes an answer that was no refusal.
    pub(crate) fn accepted(&self) {
        let mut state = self.state();
        state.good += 1;
        if state.good >= STEP {
            state.good = 0;
            state.rate = (state.rate + 1).min(state.ceiling);
        }
    }

    /// Notes that the service asked to slow down: nobody calls before `span` is over.
    pub(crate) fn refused(&self, span: Duration) {
        let now = self.clock.elapsed();
        let mut state = self.state();
        // What was under way already when the first refusal came says nothing new.
        if state.closed_until <= now {
            state.ceiling = state.rate.saturating_sub(2).max(1);
            state.rate = (state.rate * 3 / 4).clamp(1, state.ceiling);
            state.good = 0;
        }
        state.closed_until = state.closed_until.max(now + span.min(LONGEST));
    }

    /// Waits, unless everything is to end.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub(crate) async fn sleep(&self, span: Duration) -> Result<()> {
        let cancelled = pin!(self.cancel.cancelled());
        match select(self.clock.sleep(span), cancelled).await {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(Error::new(Kind::Cancelled, "stopped while waiting")),
        }
    }

    /// Waits before try number `tries` + 1 of something that failed with `error`: as long as the service asked
    /// for, else twice as long each time, give or take a quarter.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub(crate) async fn back_off(&self, tries: u32, error: &Error) -> Result<()> {
        let wait = match error.retry_advice() {
            Retry::Now => return Ok(()),
            Retry::After(wait) if error.reach() != Scope::Item => wait,
            Retry::After(wait) => wait.max(doubled(tries)),
            _ => doubled(tries),
        };
        self.sleep(wait).await
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long to wait for the next call; it is counted if that is not at all.
    fn next(&mut self, now: Duration) -> Duration {
        let left = self.closed_until.saturating_sub(now);
        if !left.is_zero() {
            return left;
        }
        while self.made.front().is_some_and(|at| *at + WINDOW <= now) {
            self.made.pop_front();
        }
        match self.made.front() {
            // The budget may have shrunk since these calls.
            Some(_) if self.made.len() >= self.rate => {
                let frees = self.made[self.made.len() - self.rate];
                (frees + WINDOW).saturating_sub(now).max(Duration::from_millis(1))
            }
            _ => {
                self.made.push_back(now);
                Duration::ZERO
            }
        }
    }
}

fn doubled(tries: u32) -> Duration {
    let jitter = getrandom::u32().map_or(512, |random| random % 512);
    Duration::from_secs(1 << tries.saturating_sub(1).min(6)) * (768 + jitter) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let pace = Pace::new(
            Arc::new(safelight_core::time::SystemClock::start()),
            CancellationToken::new(),
        );
        pace.state.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn no_second_sees_more_calls_than_the_budget() {
        let (mut state, mut now, mut calls) = (state(), Duration::ZERO, Vec::new());
        while calls.len() < 100 {
            let wait = state.next(now);
            if wait.is_zero() {
                calls.push(now);
            }
            now += wait;
        }
        for (index, at) in calls.iter().enumerate() {
            let second = calls[index..].iter().take_while(|later| **later < *at + WINDOW).count();
            assert!(second <= FIRST, "{second} calls in one second");
        }
        assert!(now < Duration::from_secs(11));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_all_wait_and_the_budget_stays_below_it() {
        let clock = Arc::new(safelight_core::time::SystemClock::start());
        let pace = Pace::new(clock.clone(), CancellationToken::new());
        (0..STEP * 3).for_each(|_| pace.accepted());
        assert_eq!(pace.state().rate, 13);
        pace.refused(Duration::from_secs(7));
        pace.refused(Duration::from_secs(3));
        let after = |state: &State| (state.rate, state.ceiling);
        assert_eq!(after(&pace.state()), (9, 11));
        assert!(pace.enter().await.is_ok());
        assert_eq!(clock.elapsed(), Duration::from_secs(7));
        (0..STEP * 9).for_each(|_| pace.accepted());
        assert_eq!(pace.state().rate, 11);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_pause_is_told_instead_of_waited_for() {
        let clock = Arc::new(safelight_core::time::SystemClock::start());
        let pace = Pace::new(clock, CancellationToken::new());
        pace.refused(Duration::from_mins(30));
        let told = pace.enter().await.map_err(|error| error.retry_advice());
        assert_eq!(told, Err(Retry::After(Duration::from_mins(30))));
    }
}
