//! A clock that a test sets and moves, and one for tests that cannot do without real time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use safelight_core::time::{Clock, Timestamp};
use tokio::time::Instant;

/// Follows tokio's clock, paused or running, from a wall-clock time of the test's choice.
#[derive(Debug)]
pub struct SimClock {
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// The wall clock when tokio's clock stood at `started`.
    base: Timestamp,
    /// What was skipped on top of tokio's clock.
    skipped: Duration,
}

impl SimClock {
    /// 2024-07-01 12:00 UTC: where [`SimClock::start`] begins.
    pub const NOON: Timestamp = Timestamp::from_nanos(1_719_835_200_000_000_000);

    /// A clock whose wall shows [`SimClock::NOON`] now.
    pub fn start() -> Self {
        Self::starting(Self::NOON)
    }

    /// A clock whose wall shows `now` now.
    pub fn starting(now: Timestamp) -> Self {
        let state = State { base: now, skipped: Duration::ZERO };
        Self { started: Instant::now(), state: Mutex::new(state) }
    }

    /// Lets `span` pass at once, for the wall clock and for [`Clock::elapsed`]. Who sleeps is not woken: move
    /// tokio's own clock for that.
    pub fn skip(&self, span: Duration) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).skipped += span;
    }

    /// Sets the wall clock, as a person or a time server would: [`Clock::elapsed`] does not notice.
    pub fn set_wall(&self, now: Timestamp) {
        let elapsed = i64::try_from(self.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let base = Timestamp::from_nanos(now.as_nanos().saturating_sub(elapsed));
        self.state.lock().unwrap_or_else(PoisonError::into_inner).base = base;
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.state().base.plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed() + self.state().skipped
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// Runs faster than the machine's clock: for tests over real sockets, whose waits would make them long.
#[derive(Debug)]
pub struct QuickClock {
    started: Instant,
    factor: u32,
}

impl QuickClock {
    /// A clock that runs so many times as fast, from [`SimClock::NOON`] on.
    pub fn start(factor: u32) -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), factor })
    }
}

impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        SimClock::NOON.plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed() * self.factor
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span / self.factor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_the_pause_the_skip_and_the_set_wall() {
        let clock = SimClock::start();
        clock.sleep(Duration::from_secs(5)).await;
        clock.skip(Duration::from_mins(1));
        assert_eq!(clock.elapsed(), Duration::from_secs(65));
        assert_eq!(clock.now().since(SimClock::NOON), Duration::from_secs(65));
        clock.set_wall(Timestamp::from_parts(7, 0));
        assert_eq!(clock.now(), Timestamp::from_parts(7, 0));
        assert_eq!(clock.elapsed(), Duration::from_secs(65));
    }
}
