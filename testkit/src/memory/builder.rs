//! What kind of storage a [`MemoryProvider`] plays.

use std::sync::{Arc, Mutex};

use safelight_core::capability::Capabilities;
use safelight_core::class::MediaClass;
use safelight_core::digest::{Algorithm, Algorithms};
use safelight_core::provider::{Identity, Proof};
use safelight_core::time::{Clock, SystemClock};

use super::count::Counters;
use super::store::State;
use super::{MemoryProvider, Options, Shared};

/// A quota.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    pub(super) counts: Vec<MediaClass>,
    pub(super) total: Option<u64>,
}

/// Builds a [`MemoryProvider`].
pub struct Builder {
    identity: Identity,
    capabilities: Capabilities,
    options: Options,
    clock: Option<Arc<dyn Clock>>,
}

impl Builder {
    pub(super) fn new(name: &str) -> Self {
        let identity = Identity {
            name: name.to_owned(),
            kind: "memory",
            location: format!("memory of the test, {name}"),
        };
        let capabilities = Capabilities {
            digests: Algorithms::default().with(Algorithm::Md5).with(Algorithm::Crc32c),
            moves: true,
            copies: true,
            copies_untouched: true,
            sorted_listing: true,
            keeps_modified: true,
            ..Capabilities::default()
        };
        let options = Options {
            pools: Vec::new(),
            proof: Proof::ServerHash(Algorithm::Sha256),
            reports_digests: true,
            reports_file_ids: false,
            own_trash: false,
            page: 1000,
            chunk: 64 * 1024,
        };
        Self { identity, capabilities, options, clock: None }
    }

    /// Changes the declared capabilities; all of them are honoured.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Capabilities)) -> Self {
        change(&mut self.capabilities);
        self
    }

    /// The source of time; the machine's clock otherwise.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Tells inode and `ctime`, reports no digests of its own, proves by reading back.
    #[must_use]
    pub fn like_a_disk(mut self) -> Self {
        self.options.reports_file_ids = true;
        self.options.reports_digests = false;
        self.options.proof = Proof::ReadBack;
        self.capabilities.digests = Algorithms::default();
        self.capabilities.copies_untouched = false;
        self
    }

    /// Names differ by more than case, and by more than Unicode form.
    #[must_use]
    pub fn folds_names(self) -> Self {
        self.with(|declared| {
            declared.names.case_blind = true;
            declared.names.normalises = true;
        })
    }

    /// Can neither move nor copy by itself.
    #[must_use]
    pub fn without_relocation(self) -> Self {
        self.with(|declared| {
            declared.moves = false;
            declared.copies = false;
            declared.copies_untouched = false;
        })
    }

    /// Can only be read.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.with(|declared| {
            declared.writes = false;
            declared.moves = false;
            declared.copies = false;
        })
    }

    /// Lists in an order that is not the order of keys.
    #[must_use]
    pub fn unsorted(self) -> Self {
        self.with(|declared| declared.sorted_listing = false)
    }

    /// Adds a quota of `total` bytes, or without limit, for some media classes.
    #[must_use]
    pub fn pool(mut self, counts: &[MediaClass], total: Option<u64>) -> Self {
        self.options.pools.push(Pool { counts: counts.to_vec(), total });
        self
    }

    /// What receipts claim. The bytes are checked in any case.
    #[must_use]
    pub fn proof(mut self, proof: Proof) -> Self {
        self.options.proof = proof;
        self
    }

    /// Removing to the trash uses a trash of its own instead of a key.
    #[must_use]
    pub fn own_trash(mut self) -> Self {
        self.options.own_trash = true;
        self
    }

    /// Can neither move nor copy, but what is replaced goes to a trash of its own, as what is removed does.
    #[must_use]
    pub fn keeps_replaced(self) -> Self {
        self.own_trash().without_relocation().with(|declared| declared.replaced_to_trash = true)
    }

    /// How many findings make a page of a listing.
    #[must_use]
    pub fn page(mut self, findings: usize) -> Self {
        self.options.page = findings.max(1);
        self
    }

    /// How many bytes make a chunk when reading.
    #[must_use]
    pub fn chunk(mut self, bytes: usize) -> Self {
        self.options.chunk = bytes.max(1);
        self
    }

    /// The provider, empty.
    pub fn finish(self) -> MemoryProvider {
        let Self { identity, capabilities, options, clock } = self;
        let state = Mutex::new(State::new(capabilities.names));
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock::start()));
        let counters = Counters::default();
        let shared = Shared { identity, capabilities, options, clock, counters, state };
        MemoryProvider { shared: Arc::new(shared) }
    }
}
