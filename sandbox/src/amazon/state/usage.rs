//! What the account uses and what it may.

use super::{Refusal, Store, slot};
use crate::amazon::behaviour::Plan;
use crate::amazon::sniff::Class;

/// Files of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::amazon) struct Total {
    pub(in crate::amazon) count: u64,
    pub(in crate::amazon) bytes: u64,
}

/// The totals by class, as they were once.
#[derive(Debug, Clone, Copy)]
pub(in crate::amazon) struct Usage {
    /// When, in milliseconds.
    pub(in crate::amazon) calculated: i64,
    pub(in crate::amazon) totals: [Total; 4],
}

impl Store {
    /// Whether files of this class count against the quota.
    pub(in crate::amazon) fn counts(&self, class: Class) -> bool {
        self.behaviour.plan == Plan::None || class != Class::Photo
    }

    /// Bytes that count among `totals`.
    pub(in crate::amazon) fn billable(&self, totals: &[Total; 4]) -> u64 {
        let counted = Class::ALL.iter().filter(|(class, _)| self.counts(*class));
        counted.map(|(class, _)| totals[slot(*class)].bytes).sum()
    }

    /// The usage as it was calculated last; what is in the trash belongs to it.
    pub(in crate::amazon) fn usage(&mut self) -> Usage {
        let now = self.now();
        let every = i64::try_from(self.behaviour.usage_every.as_millis()).unwrap_or(i64::MAX);
        if let Some(usage) = self.usage
            && now < usage.calculated.saturating_add(every)
        {
            return usage;
        }
        *self.usage.insert(Usage { calculated: now, totals: self.totals })
    }

    /// Whether a file of this class and size fits now, in place of `freed` bytes.
    pub(super) fn check_room(&self, class: Class, size: u64, freed: u64) -> Result<(), Refusal> {
        if self.behaviour.largest_file.is_some_and(|largest| size > largest) {
            return Err(Refusal::TooLarge);
        }
        let used = self.billable(&self.totals);
        if !self.counts(class) {
            Ok(())
        } else if used > self.behaviour.quota && self.behaviour.plan == Plan::None {
            Err(Refusal::NoSubscription)
        } else if (used + size).saturating_sub(freed) > self.behaviour.quota {
            Err(Refusal::NoRoom)
        } else {
            Ok(())
        }
    }
}
