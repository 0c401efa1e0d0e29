//! How often a provider was called: the basis of read amplification and of "nothing new, no request".

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Calls and bytes since counting began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls of `check`.
    pub check: u64,
    /// Calls of `quota`.
    pub quota: u64,
    /// Listings begun.
    pub list: u64,
    /// Pages of listings given out.
    pub pages: u64,
    /// Calls of `stat`.
    pub stat: u64,
    /// Calls of `read`.
    pub read: u64,
    /// Calls of `put`.
    pub put: u64,
    /// Calls of `remove`.
    pub remove: u64,
    /// Calls of `relocate`.
    pub relocate: u64,
    /// Bytes given out by reading.
    pub bytes_read: u64,
    /// Bytes of items that were committed.
    pub bytes_stored: u64,
}

impl Counts {
    /// All calls but `check`: zero for a run that had nothing to ask.
    pub fn requests(&self) -> u64 {
        self.quota + self.list + self.stat + self.read + self.put + self.remove + self.relocate
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) check: AtomicU64,
    pub(super) quota: AtomicU64,
    pub(super) list: AtomicU64,
    pub(super) pages: AtomicU64,
    pub(super) stat: AtomicU64,
    pub(super) read: AtomicU64,
    pub(super) put: AtomicU64,
    pub(super) remove: AtomicU64,
    pub(super) relocate: AtomicU64,
    pub(super) bytes_read: AtomicU64,
    pub(super) bytes_stored: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self) -> Counts {
        Counts {
            check: self.check.load(Relaxed),
            quota: self.quota.load(Relaxed),
            list: self.list.load(Relaxed),
            pages: self.pages.load(Relaxed),
            stat: self.stat.load(Relaxed),
            read: self.read.load(Relaxed),
            put: self.put.load(Relaxed),
            remove: self.remove.load(Relaxed),
            relocate: self.relocate.load(Relaxed),
            bytes_read: self.bytes_read.load(Relaxed),
            bytes_stored: self.bytes_stored.load(Relaxed),
        }
    }

    pub(super) fn reset(&self) {
        let all = [
            &self.check,
            &self.quota,
            &self.list,
            &self.pages,
            &self.stat,
            &self.read,
            &self.put,
            &self.remove,
            &self.relocate,
            &self.bytes_read,
            &self.bytes_stored,
        ];
        for counter in all {
            counter.store(0, Relaxed);
        }
    }
}

/// Adds one.
pub(super) fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Adds `bytes`.
pub(super) fn add(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(bytes as u64, Relaxed);
}
