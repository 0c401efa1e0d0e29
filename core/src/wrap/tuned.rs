//! Reads run as many at once as pay; see [`Tuning`].
//!
//! Whoever reads many items asks [`Provider::reads_at_once`] before each. Besides, never more requests are unanswered than
//! that, so that what is tried again after a refusal comes one after the other, and none while the service wants a pause.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};

use super::Wrapper;
use super::tuning::{Ended, Tuning};
use crate::entry::Version;
use crate::error::{Error, Kind, Result, Retry};
use crate::key::Key;
use crate::provider::{Opened, Provider};
use crate::seats::Seats;
use crate::time::Clock;

/// A longer pause is the business of whoever decides to try again.
const LONGEST: Duration = Duration::from_mins(1);

/// A provider that finds out how many reads at once pay.
pub struct Tuned {
    inner: Arc<dyn Provider>,
    gauge: Arc<Gauge>,
    /// Reads that wait for an answer.
    unanswered: Seats,
}

impl Tuned {
    /// Wraps a provider; its capabilities say where to begin and how far to go.
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>) -> Self {
        let capabilities = inner.capabilities();
        let tuning = Tuning::new(capabilities.reads, capabilities.most_reads);
        let unanswered = Seats::new(tuning.limit());
        let state = Mutex::new(State { tuning, quiet_until: Duration::ZERO });
        Self { inner, gauge: Arc::new(Gauge { clock, state }), unanswered }
    }

    async fn answered(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<(Opened, Reading)> {
        let _seat = self.unanswered.take().await;
        self.gauge.quiet().await;
        let reading = Reading::begin(&self.gauge);
        let answer = self.inner.read(key, range, pin).await;
        if let Some(pause) = answer.as_ref().err().and_then(asks_to_slow_down) {
            self.gauge.refused(reading.began, pause);
        }
        Ok((answer?, reading))
    }
}

/// Whether it is not a failure of the service, but its word that it wants fewer requests; and for how long it wants none.
fn asks_to_slow_down(error: &Error) -> Option<Duration> {
    match (error.kind(), error.retry_advice()) {
        (Kind::RateLimited | Kind::Unavailable, Retry::After(pause)) => Some(pause),
        (Kind::RateLimited, _) => Some(Duration::ZERO),
        _ => None,
    }
}

#[async_trait]
impl Wrapper for Tuned {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    fn reads_at_once(&self) -> usize {
        self.gauge.state().tuning.limit()
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let answered = self.answered(key, range, pin).await;
        self.unanswered.set(Wrapper::reads_at_once(self));
        let (Opened { entry, bytes }, reading) = answered?;
        Ok(Opened { entry, bytes: reading.follow(bytes) })
    }
}

struct Gauge {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    tuning: Tuning,
    /// Nothing is asked for before.
    quiet_until: Duration,
}

impl Gauge {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn quiet(&self) {
        loop {
            let left = self.state().quiet_until.saturating_sub(self.clock.elapsed());
            if left.is_zero() {
                return;
            }
            self.clock.sleep(left).await;
        }
    }

    fn refused(&self, asked: Duration, pause: Duration) {
        let now = self.clock.elapsed();
        let mut state = self.state();
        let before = state.tuning.limit();
        state.tuning.refused(asked, now);
        state.quiet_until = state.quiet_until.max(now + pause.min(LONGEST));
        let at_once = state.tuning.limit();
        if at_once < before {
            tracing::debug!(at_once, ?pause, "the service asks to slow down");
        }
    }
}

/// A read that is under way until it is dropped.
struct Reading {
    gauge: Arc<Gauge>,
    began: Duration,
    bytes: u64,
}

impl Reading {
    fn begin(gauge: &Arc<Gauge>) -> Self {
        let began = gauge.clock.elapsed();
        gauge.state().tuning.begins(began);
        Self { gauge: Arc::clone(gauge), began, bytes: 0 }
    }

    fn follow(self, bytes: BoxStream<'static, Result<Bytes>>) -> BoxStream<'static, Result<Bytes>> {
        stream::unfold((bytes, self), |(mut bytes, mut reading)| async move {
            let next = bytes.next().await;
            match &next {
                Some(Ok(chunk)) => reading.bytes += chunk.len() as u64,
                Some(Err(_)) => {}
                None => reading.ended(),
            }
            Some((next?, (bytes, reading)))
        })
        .boxed()
    }

    fn ended(&self) {
        let Self { began, bytes, .. } = *self;
        let now = self.gauge.clock.elapsed();
        self.gauge.state().tuning.ended(Ended { began, bytes }, now);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let now = self.gauge.clock.elapsed();
        self.gauge.state().tuning.is_over(now);
    }
}
