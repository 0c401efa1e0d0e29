//! Counts what comes in and refuses what comes too often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::behaviour::RateLimit;

/// What was seen since the start or the last [`AmazonSandbox::forget`](super::AmazonSandbox::forget). Requests that
/// a fault kept from the service are not among it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls by method and route, as in `GET nodes/{id}`; refused ones too.
    pub calls: BTreeMap<String, u64>,
    /// Calls to the metadata host, the one for access tokens among them.
    pub metadata: u64,
    /// Calls to the content host.
    pub content: u64,
    /// Calls to the host of thumbnails.
    pub thumbnails: u64,
    /// Uses of signed links.
    pub signed: u64,
    /// Uploads that stored a file, whatever was answered.
    pub stored: u64,
    /// Those of them that were answered with a 5xx.
    pub ghosts: u64,
    /// Bytes that came as the content of files, whatever became of them.
    pub bytes_uploaded: u64,
    /// The most calls that were under way at once; a download is until its last byte.
    pub peak: u64,
    /// Calls that were refused because they came too often.
    pub refused: u64,
    /// Calls that came while an announced `Retry-After` was running.
    pub within_retry_after: u64,
    /// Calls that were refused for want of a session.
    pub without_session: u64,
    /// Uses of a signed link that carried a cookie, a session or a token.
    pub credentials_on_signed_links: u64,
}

/// Counters and the limit of calls per second; clones share everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    counters: Counters,
    under_way: u64,
    level: f64,
    filled: Duration,
    closed_until: Duration,
    closed_with: u16,
}

/// A refusal: the status and the seconds of `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    pub(super) status: u16,
    pub(super) retry_after: u64,
}

/// A call that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Gate);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counters(&self) -> Counters {
        self.state().counters.clone()
    }

    /// Counts something.
    pub(super) fn count(&self, what: impl FnOnce(&mut Counters)) {
        what(&mut self.state().counters);
    }

    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.counters = Counters { peak: state.under_way, ..Counters::default() };
    }

    /// A call begins.
    pub(super) fn begin(&self) -> UnderWay {
        let mut state = self.state();
        state.under_way += 1;
        state.counters.peak = state.counters.peak.max(state.under_way);
        UnderWay(self.clone())
    }

    /// Whether a call at `now` may go on.
    pub(super) fn enter(&self, now: Duration, limit: Option<RateLimit>) -> Result<(), TooMany> {
        let mut state = self.state();
        if now < state.closed_until {
            state.counters.within_retry_after += 1;
            state.counters.refused += 1;
            let retry_after = whole_seconds(state.closed_until.saturating_sub(now));
            return Err(TooMany { status: state.closed_with, retry_after });
        }
        let Some(limit) = limit else { return Ok(()) };
        let rate = f64::from(limit.calls_per_second.max(1));
        let gained = now.saturating_sub(state.filled).as_secs_f64() * rate;
        state.level = (state.level + gained).min(f64::from(limit.burst)) - 1.0;
        state.filled = now;
        if state.level >= 0.0 {
            return Ok(());
        }
        state.counters.refused += 1;
        let missing = whole_seconds(Duration::from_secs_f64((1.0 - state.level) / rate));
        let retry_after = missing.max(limit.retry_after);
        state.closed_until = now + Duration::from_secs(retry_after);
        state.closed_with = limit.status;
        Err(TooMany { status: limit.status, retry_after })
    }

    /// Begins with a full measure.
    pub(super) fn refill(&self, now: Duration, limit: Option<RateLimit>) {
        let mut state = self.state();
        state.level = limit.map_or(0.0, |limit| f64::from(limit.burst));
        state.filled = now;
    }

    /// Refuses everything from `now` on for this long.
    pub(super) fn close(&self, now: Duration, wait: Duration, status: u16) {
        let mut state = self.state();
        state.closed_until = now + wait;
        state.closed_with = status;
    }
}

fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_within_the_announced_wait_are_told_apart() {
        let limit = Some(RateLimit { calls_per_second: 2, burst: 2, status: 503, retry_after: 1 });
        let gate = Gate::default();
        gate.refill(Duration::ZERO, limit);
        let at = |millis| gate.enter(Duration::from_millis(millis), limit);
        assert_eq!((at(0), at(0)), (Ok(()), Ok(())));
        assert_eq!(at(0), Err(TooMany { status: 503, retry_after: 1 }));
        assert_eq!(at(500), Err(TooMany { status: 503, retry_after: 1 }));
        assert_eq!(at(2000), Ok(()));
        let counters = gate.counters();
        assert_eq!((counters.refused, counters.within_retry_after), (2, 1));
    }
}
