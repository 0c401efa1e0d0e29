//! Which call fails, and how: the same script and the same calls give the same faults.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use safelight_core::error::Kind;
use tokio::sync::watch;

use crate::content::mix;

/// What is called. Every page of a listing is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `check`.
    Check,
    /// `quota`.
    Quota,
    /// `extras`.
    Extras,
    /// One page of a listing.
    Page,
    /// `stat`.
    Stat,
    /// `read`.
    Read,
    /// `put`.
    Put,
    /// `remove`.
    Remove,
    /// `relocate`.
    Relocate,
}

/// What goes wrong. A fault that has no meaning for the call it meets lets the call pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Fails before anything was done.
    Error(Kind),
    /// Does it, but answers this error: the answer got lost.
    LostAnswer(Kind),
    /// Takes this much longer.
    Delay(Duration),
    /// Never ends.
    Stall,
    /// The bytes end half-way: a read that ends as if all were well, a put whose source broke off.
    ShortBody,
    /// The first bit of the bytes read or stored is flipped on the way.
    FlippedBit,
    /// The page lacks what was stored through this wrapper since its previous listing.
    StaleListing,
    /// The process dies before the call does anything.
    DieBefore,
    /// The process dies when half of the bytes have passed; for other calls as [`Fault::DieBefore`].
    DieHalfway,
    /// The process dies after the call did all, before anybody heard of it.
    DieAfter,
}

#[derive(Debug, Clone)]
enum When {
    Step(u64),
    From(u64),
    Nth(Call, u64),
    Dice { seed: u64, per_mille: u64 },
}

/// The faults of one run, for one or for several wrapped providers that count their calls together.
#[derive(Debug)]
pub struct Script {
    rules: Vec<(When, Vec<Fault>)>,
    room: Option<u64>,
    counts: Mutex<Vec<(Call, u64)>>,
    steps: AtomicU64,
    fired: AtomicU64,
    stored: AtomicU64,
    dead: watch::Sender<bool>,
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Script {
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self {
            rules: Vec::new(),
            room: None,
            counts: Mutex::default(),
            steps: AtomicU64::new(0),
            fired: AtomicU64::new(0),
            stored: AtomicU64::new(0),
            dead: watch::Sender::new(false),
        }
    }

    /// The `step`-th call of all, counted from 1, meets this fault.
    #[must_use]
    pub fn at(self, step: u64, fault: Fault) -> Self {
        self.rule(When::Step(step), vec![fault])
    }

    /// Every call from the `step`-th on meets this fault.
    #[must_use]
    pub fn from(self, step: u64, fault: Fault) -> Self {
        self.rule(When::From(step), vec![fault])
    }

    /// The `nth` call of this sort, counted from 1, meets this fault.
    #[must_use]
    pub fn on(self, call: Call, nth: u64, fault: Fault) -> Self {
        self.rule(When::Nth(call, nth), vec![fault])
    }

    /// Of a thousand calls about `per_mille` meet one of these faults; which ones follows from the seed.
    #[must_use]
    pub fn dice(self, seed: u64, per_mille: u64, faults: &[Fault]) -> Self {
        self.rule(When::Dice { seed, per_mille }, faults.to_vec())
    }

    /// The sign-in expires after `calls` calls.
    #[must_use]
    pub fn sign_in_after(self, calls: u64) -> Self {
        self.from(calls + 1, Fault::Error(Kind::SignIn))
    }

    /// Once this many bytes were stored there is no room: the put that would go beyond fails with `NoRoom`.
    #[must_use]
    pub fn no_room_after(mut self, bytes: u64) -> Self {
        self.room = Some(bytes);
        self
    }

    fn rule(mut self, when: When, faults: Vec<Fault>) -> Self {
        self.rules.push((when, faults));
        self
    }

    /// How many calls there were.
    pub fn steps(&self) -> u64 {
        self.steps.load(Relaxed)
    }

    /// How many calls met a fault. A loop over the n-th fault ends when this stays zero.
    pub fn fired(&self) -> u64 {
        self.fired.load(Relaxed)
    }

    /// Whether the process has died: no call ends any more.
    pub fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Completes when the process has died, so that a test can drop the run there.
    pub async fn died(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.dead.subscribe().wait_for(|dead| *dead).await;
    }

    pub(super) fn die(&self) {
        self.dead.send_replace(true);
    }

    /// Counts a call and says what it meets; the first rule that fits decides.
    pub(super) fn next(&self, call: Call) -> Option<Fault> {
        let step = self.steps.fetch_add(1, Relaxed) + 1;
        let nth = self.count(call);
        let fault = self.rules.iter().find_map(|(when, faults)| {
            let (meets, choice) = match when {
                When::Step(at) => (step == *at, 0),
                When::From(at) => (step >= *at, 0),
                When::Nth(sort, at) => (call == *sort && nth == *at, 0),
                When::Dice { seed, per_mille } => {
                    let dice = mix(*seed, step);
                    (dice % 1000 < *per_mille, dice / 1000)
                }
            };
            let choice = choice.checked_rem(faults.len() as u64)?;
            meets.then(|| usize::try_from(choice).ok().and_then(|at| faults.get(at)))?
        });
        self.fired.fetch_add(u64::from(fault.is_some()), Relaxed);
        fault.copied()
    }

    fn count(&self, call: Call) -> u64 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = counts.iter_mut().find(|(sort, _)| *sort == call) {
            *count += 1;
            return *count;
        }
        counts.push((call, 1));
        1
    }

    /// Takes room for `bytes`; false, and a fault, if there is not enough.
    pub(super) fn take_room(&self, bytes: u64) -> bool {
        let Some(room) = self.room else { return true };
        let taken = self.stored.fetch_add(bytes, Relaxed) + bytes;
        let enough = taken <= room;
        if !enough {
            self.fired.fetch_add(1, Relaxed);
        }
        enough
    }
}
