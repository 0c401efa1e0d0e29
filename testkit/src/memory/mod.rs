//! A provider in memory, stricter than real storages.
//!
//! It hashes every byte it takes, checks modes and pins when it starts and again when it commits, gives way at
//! every step so that futures can be dropped there, and ends an open stream as soon as its object changes.
//! Used as a library, its files can be edited by tests in every way that a disk allows.

mod builder;
mod count;
mod edit;
mod listing;
mod provider;
mod reading;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use safelight_core::capability::Capabilities;
use safelight_core::provider::{Identity, Proof};
use safelight_core::time::{Clock, Timestamp};

pub use self::builder::Builder;
use self::count::Counters;
pub use self::count::Counts;
use self::store::State;

/// A destination or library in memory. Clones share what is stored.
#[derive(Clone)]
pub struct MemoryProvider {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Identity,
    capabilities: Capabilities,
    options: Options,
    clock: Arc<dyn Clock>,
    counters: Counters,
    state: Mutex<State>,
}

/// What a [`Builder`] sets beyond the capabilities.
struct Options {
    pools: Vec<builder::Pool>,
    proof: Proof,
    reports_digests: bool,
    reports_file_ids: bool,
    own_trash: bool,
    page: usize,
    chunk: usize,
}

impl MemoryProvider {
    /// Starts to build a destination: it keeps names and times exactly, moves, copies, and lists in order.
    pub fn build(name: &str) -> Builder {
        Builder::new(name)
    }

    /// An empty library: like a disk it tells inode and `ctime`, and reports no digests.
    pub fn library() -> Self {
        Self::build("library").like_a_disk().finish()
    }

    /// How often it was called and how many bytes went through it, since it was made or since
    /// [`MemoryProvider::reset_counts`].
    pub fn counts(&self) -> Counts {
        self.shared.counters.snapshot()
    }

    /// Sets all counts to zero.
    pub fn reset_counts(&self) {
        self.shared.counters.reset();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}
