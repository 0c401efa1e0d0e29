//! How many reads at once pay: found out while reading, as the best number depends on the line, the service and the
//! photos.
//!
//! It is doubled as long as that brings more, halved when the service asks to slow down, and then grows slowly. A pure
//! value: time is told to it.

use std::time::Duration;

/// A decision rests on so many reads at least, and on as many as run at once.
const READS: usize = 16;
/// Besides its bytes each read is worth so many, so that small photos show what waiting less brings.
const WORTH: u64 = 32 * 1024;
/// More reads at once have to bring at least this part of what they would bring if nothing else were in the way.
const GAIN: f64 = 0.2;
/// This part of the limit has to be under way, else it limits nothing.
const FILLED: f64 = 0.75;
/// So long a number stays, and so many times as long as it takes to try it, before it is tried whether more would bring
/// more by now.
const REST: Duration = Duration::from_secs(10);
const RESTS: u32 = 8;
/// After a refusal: one more at once each time this has passed.
const STEP: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub struct Tuning {
    limit: usize,
    most: usize,
    phase: Phase,
    window: Window,
    under_way: usize,
    /// When `under_way` last changed.
    changed: Duration,
    /// What was asked for until then and refused says nothing new.
    refused_at: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Whether this limit brings more than the one before, with what that brought in a second.
    Trying { before: Option<(usize, f64)>, first: Option<f64> },
    /// It stays for a while.
    Resting { until: Duration },
    /// On the way back to what went well before a refusal.
    Recovering { goal: usize, since: Duration },
}

/// What is being measured.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    began: Duration,
    /// What all reads brought that came to their end.
    came: u64,
    /// Those of them that also began here, what they brought, and how long they took, summed up.
    reads: usize,
    worth: u64,
    time: Duration,
    /// How many were under way, summed over time.
    crowd: Duration,
}

impl Window {
    /// What comes in a second.
    #[allow(clippy::cast_precision_loss)] // it need not be exact
    fn rate(&self, at_once: f64, took: Duration) -> f64 {
        // The first says too much while a queue is building up, the second where reads end in bursts.
        let by_reads = at_once * self.worth as f64 / self.time.as_secs_f64();
        let by_time = self.came as f64 / took.as_secs_f64();
        by_reads.min(by_time)
    }
}

/// A read that came to its end.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// When it began.
    pub began: Duration,
    /// What came.
    pub bytes: u64,
}

impl Tuning {
    /// Begins with `first` at once and goes up to `most`.
    pub fn new(first: usize, most: usize) -> Self {
        let limit = first.max(1);
        let phase = Phase::Trying { before: None, first: None };
        Self {
            limit,
            most: most.max(limit),
            phase,
            window: Window::default(),
            under_way: 0,
            changed: Duration::ZERO,
            refused_at: None,
        }
    }

    /// How many may run at once now.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A read begins.
    pub fn begins(&mut self, now: Duration) {
        self.pass_to(now);
        self.under_way += 1;
    }

    /// A read is over, whether or not it came to its end.
    pub fn is_over(&mut self, now: Duration) {
        self.pass_to(now);
        self.under_way = self.under_way.saturating_sub(1);
    }

    fn pass_to(&mut self, now: Duration) {
        let since = now.saturating_sub(self.changed.max(self.window.began));
        self.window.crowd += since * u32::try_from(self.under_way).unwrap_or(u32::MAX);
        // Several threads read the clock, and may come here in another order.
        self.changed = self.changed.max(now);
    }

    /// A read came to its end now.
    pub fn ended(&mut self, read: Ended, now: Duration) {
        self.pass_to(now);
        let window = &mut self.window;
        let worth = read.bytes + WORTH;
        window.came += worth;
        // What began with another number at once tells little about this one.
        if read.began < window.began {
            return;
        }
        window.reads += 1;
        window.worth += worth;
        window.time += now.saturating_sub(read.began);
        let took = now.saturating_sub(window.began);
        if window.reads < self.limit.max(READS) || took.is_zero() {
            return;
        }
        let ended = std::mem::replace(window, Window { began: now, ..Window::default() });
        let at_once = ended.crowd.as_secs_f64() / took.as_secs_f64();
        // Where fewer run than may, another limit would change nothing.
        if at_once >= FILLED * as_float(self.limit) {
            self.decide(ended.rate(at_once, took), now, now + REST.max(took * RESTS));
        }
    }

    /// The service asked to slow down what was asked for at `asked`.
    pub fn refused(&mut self, asked: Duration, now: Duration) {
        if self.refused_at.is_some_and(|at| asked <= at) {
            return;
        }
        let goal = match self.phase {
            Phase::Trying { before: Some((limit, _)), .. } => limit,
            Phase::Recovering { goal, .. } => goal,
            _ => self.limit,
        };
        let goal = goal.min(self.limit.saturating_sub(1)).max(1);
        self.limit = (self.limit / 2).max(1);
        self.phase = Phase::Recovering { goal, since: now };
        self.refused_at = Some(now);
        self.window = Window { began: now, ..Window::default() };
    }

    fn decide(&mut self, rate: f64, now: Duration, rested: Duration) {
        match self.phase {
            Phase::Trying { before: None, .. } => self.try_more(rate, rested),
            Phase::Trying { before: Some((limit, old)), first } => {
                let best = first.map_or(rate, |first| rate.max(first));
                let growth = as_float(self.limit) / as_float(limit) - 1.0;
                if best >= old * (1.0 + growth * GAIN) {
                    self.try_more(best, rested);
                } else if first.is_none() {
                    // New connections cost time at first, and chance has its part: once more.
                    let before = Some((limit, old));
                    self.phase = Phase::Trying { before, first: Some(rate) };
                } else {
                    self.limit = limit;
                    self.phase = Phase::Resting { until: rested };
                }
            }
            Phase::Resting { until } if now >= until => {
                self.try_more(rate, rested);
            }
            Phase::Resting { .. } => {}
            Phase::Recovering { since, .. } if now.saturating_sub(since) < STEP => {}
            Phase::Recovering { goal, .. } if self.limit < goal => {
                self.limit += 1;
                self.phase = Phase::Recovering { goal, since: now };
            }
            Phase::Recovering { .. } => self.phase = Phase::Resting { until: rested },
        }
    }

    fn try_more(&mut self, rate: f64, rested: Duration) {
        // Close to where a service refuses, small steps lose less.
        let step = if self.refused_at.is_some() { self.limit.div_ceil(8) } else { self.limit };
        let limit = (self.limit + step).min(self.most);
        self.phase = if limit > self.limit {
            Phase::Trying { before: Some((self.limit, rate)), first: None }
        } else {
            Phase::Resting { until: rested }
        };
        self.limit = limit;
    }
}

#[allow(clippy::cast_precision_loss)] // numbers of reads are small
fn as_float(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const PHOTO: u64 = 200_000;

    /// Reads `seconds` long on a line 40 ms away that lets `most` photos a second pass.
    fn run(tuning: &mut Tuning, now: &mut Duration, seconds: u64, most: u32) {
        let (end, mut under_way) = (*now + Duration::from_secs(seconds), VecDeque::new());
        while *now < end {
            while under_way.len() < tuning.limit() {
                tuning.begins(*now);
                under_way.push_back(*now);
            }
            let Some(began) = under_way.pop_front() else { return };
            let passed = *now + Duration::from_secs(1) / most;
            *now = passed.max(began + Duration::from_millis(40));
            tuning.ended(Ended { began, bytes: PHOTO }, *now);
            tuning.is_over(*now);
        }
        for _ in under_way {
            tuning.is_over(*now);
        }
    }

    fn tuned(seconds: u64, most: u32) -> usize {
        let (mut tuning, mut now) = (Tuning::new(32, 256), Duration::ZERO);
        run(&mut tuning, &mut now, seconds, most);
        tuning.limit()
    }

    #[test]
    fn it_grows_as_far_as_that_brings_more() {
        assert_eq!(tuned(2, 100_000), 256);
        assert_eq!(tuned(5, 2400), 128);
        assert_eq!(tuned(60, 10), 32);
    }

    #[test]
    fn it_does_not_grow_where_more_could_run_already() {
        let (mut tuning, mut now) = (Tuning::new(32, 256), Duration::ZERO);
        for _ in 0..1000 {
            let began = now;
            for _ in 0..5 {
                tuning.begins(began);
            }
            now += Duration::from_millis(1);
            tuning.ended(Ended { began, bytes: PHOTO }, now);
            for _ in 0..5 {
                tuning.is_over(now);
            }
        }
        assert_eq!(tuning.limit(), 32);
    }

    #[test]
    fn what_became_better_is_found_out_later() {
        let (mut tuning, mut now) = (Tuning::new(32, 256), Duration::ZERO);
        run(&mut tuning, &mut now, 30, 100);
        run(&mut tuning, &mut now, 15, 100_000);
        assert_eq!(tuning.limit(), 256);
    }

    #[test]
    fn a_refusal_halves_it_once_and_it_comes_back_slowly() {
        let (mut tuning, mut now) = (Tuning::new(32, 256), Duration::ZERO);
        run(&mut tuning, &mut now, 5, 2400);
        let asked = now;
        now += Duration::from_millis(1);
        for _ in 0..100 {
            tuning.refused(asked, now);
        }
        assert_eq!(tuning.limit(), 64);
        run(&mut tuning, &mut now, 10, 2400);
        assert!((70..=75).contains(&tuning.limit()), "{}", tuning.limit());
        run(&mut tuning, &mut now, 300, 2400);
        assert!((120..=160).contains(&tuning.limit()), "{}", tuning.limit());
    }

    #[test]
    fn what_is_refused_again_and_again_ends_at_one() {
        let (mut tuning, mut now) = (Tuning::new(32, 256), Duration::ZERO);
        for _ in 0..10 {
            now += Duration::from_secs(1);
            tuning.refused(now, now);
        }
        assert_eq!(tuning.limit(), 1);
        run(&mut tuning, &mut now, 120, 100_000);
        assert!(tuning.limit() > 1);
    }
}
