//! Counts the calls and refuses those that come too often.

use std::collections::BTreeMap;
use std::time::Duration;

use super::behaviour::RateLimit;

/// What was seen since the start or the last [`DropboxSandbox::forget`](super::DropboxSandbox::forget).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls by route, refused ones too.
    pub calls: BTreeMap<String, u64>,
    /// Calls that were refused because they came too often.
    pub refused: u64,
    /// Calls that came while an announced `Retry-After` was running.
    pub within_retry_after: u64,
    /// Calls that carried bytes of a file without a `content_hash` over them.
    pub uploads_without_content_hash: u64,
    /// Commits that came while another one held their namespace.
    pub overlaps: u64,
}

/// The limit of calls per second.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pub(super) counters: Counters,
    level: f64,
    filled: Duration,
    closed_until: Duration,
}

impl Gate {
    /// Counts one call at `now`; the seconds to wait if it is refused.
    pub(super) fn enter(
        &mut self,
        route: &str,
        now: Duration,
        limit: Option<RateLimit>,
    ) -> Option<u64> {
        *self.counters.calls.entry(route.to_owned()).or_default() += 1;
        if now < self.closed_until {
            self.counters.within_retry_after += 1;
            self.counters.refused += 1;
            self.level -= 1.0;
            return Some(whole_seconds(self.closed_until.saturating_sub(now)));
        }
        let limit = limit?;
        let (rate, burst) = (f64::from(limit.calls_per_second.max(1)), f64::from(limit.burst));
        let gained = now.saturating_sub(self.filled).as_secs_f64() * rate;
        self.level = (self.level + gained).min(burst);
        self.filled = now;
        self.level -= 1.0;
        if self.level >= 0.0 {
            return None;
        }
        self.counters.refused += 1;
        let missing = Duration::from_secs_f64((1.0 - self.level) / rate);
        let wait = whole_seconds(missing).max(limit.retry_after);
        self.closed_until = now + Duration::from_secs(wait);
        Some(wait)
    }

    /// Begins with a full measure.
    pub(super) fn refill(&mut self, now: Duration, limit: Option<RateLimit>) {
        self.level = limit.map_or(0.0, |limit| f64::from(limit.burst));
        self.filled = now;
    }

    /// Announces a wait as if a call had been refused.
    pub(super) fn close(&mut self, now: Duration, wait: Duration) {
        self.closed_until = now + wait;
    }
}

fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_calls_count_and_calls_within_the_wait_are_told_apart() {
        let limit = Some(RateLimit { calls_per_second: 2, burst: 2, retry_after: 1 });
        let mut gate = Gate::default();
        gate.refill(Duration::ZERO, limit);
        let at = |gate: &mut Gate, millis| gate.enter("r", Duration::from_millis(millis), limit);
        assert_eq!((at(&mut gate, 0), at(&mut gate, 0)), (None, None));
        assert_eq!(at(&mut gate, 0), Some(1));
        assert_eq!(at(&mut gate, 500), Some(1));
        assert_eq!(at(&mut gate, 2000), None);
        let counters = gate.counters;
        assert_eq!((counters.refused, counters.within_retry_after), (2, 1));
        assert_eq!(counters.calls["r"], 5);
    }
}
