//! The port to whatever tells an item by its bytes. Core knows no formats; the program hands in who does.

use std::ops::Range;

use crate::class::Classifier;
use crate::taken::Taken;
use crate::time::Timestamp;
use crate::traits::Traits;

/// Tells items by their content.
pub trait Inspector: Send + Sync {
    /// Begins to look at a file called `name` (the last segment of its key) of `size` bytes. Dates well after `now`
    /// are none.
    fn begin(&self, name: &[u8], size: u64, now: Timestamp) -> Box<dyn Inspecting>;

    /// The date that a name tells, for what cannot be looked into. Dates well after `now` are none.
    fn date_in_name(&self, _name: &[u8], _now: Timestamp) -> Option<Taken> {
        None
    }
}

/// One look at one file, which reads nothing itself: ask what it [wants](Inspecting::wants), read that,
/// [give](Inspecting::give) it, until nothing is wanted; then [finish](Inspecting::finish).
///
/// It ends after a bounded number of bytes, whatever they are, and does not panic.
pub trait Inspecting: Send {
    /// The bytes it would like to see next; `None` if it has seen enough.
    fn wants(&self) -> Option<Range<u64>>;
    /// Takes bytes that stand at `start`; fewer than were wanted mean that there are no more.
    fn give(&mut self, start: u64, bytes: &[u8]);
    /// What was found out; never a date from the file's own times.
    fn finish(self: Box<Self>) -> Traits;
}

/// Goes by names only and reads nothing.
#[derive(Debug, Default)]
pub struct ByName(pub Classifier);

impl Inspector for ByName {
    fn begin(&self, name: &[u8], _: u64, _: Timestamp) -> Box<dyn Inspecting> {
        Box::new(Named(Traits::of_class(self.0.classify(name))))
    }
}

struct Named(Traits);

impl Inspecting for Named {
    fn wants(&self) -> Option<Range<u64>> {
        None
    }

    fn give(&mut self, _: u64, _: &[u8]) {}

    fn finish(self: Box<Self>) -> Traits {
        self.0
    }
}
