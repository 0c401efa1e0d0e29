//! The service as the engine reads it: only what was chosen, under the keys that it gets, in their order.
//!
//! Invariant: what is handed on as an item has the listed size and the service's own digest, or was fetched twice with
//! the same outcome and is flagged. A service that stands still, drips or does not end holds nothing up for ever. The
//! service is only read.

mod checked;
mod fetch;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::extras::Extras;
use safelight_core::job::Stop;
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed, Root,
};
use safelight_core::time::{Clock, Timestamp};

use self::checked::streamed;
use crate::flags::Flags;
use crate::inventory::Inventory;
use crate::layout::Placed;

/// Items up to this size are fetched and checked before a byte is handed on.
const WHOLE: u64 = 8 * 1024 * 1024;
const PAGE: usize = 4096;

/// When reading counts as standing still. Only the time that is spent waiting for the service counts.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// No answer for this long. A pause that the service asks for passes while it is asked, and is no reason to give up.
    pub answer: Duration,
    /// Answered, but no byte for this long.
    pub idle: Duration,
    /// Fewer than `window_bytes` in this much waiting.
    pub window: Duration,
    /// See `window`.
    pub window_bytes: u64,
    /// Waiting for the bytes of one item in all: this long ...
    pub total: Duration,
    /// ... and a second for each so many bytes of it.
    pub total_rate: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Pauses of up to five minutes are waited for.
            answer: Duration::from_mins(6),
            idle: Duration::from_mins(1),
            window: Duration::from_mins(1),
            window_bytes: 64 * 1024,
            total: Duration::from_mins(15),
            total_rate: 8 * 1024,
        }
    }
}

/// One item as it is shown.
#[derive(Debug, Clone)]
struct Shown {
    /// Under which key it goes, its size, and so on; `file_id` is the number of its content.
    entry: Entry,
    /// Under which key it is read.
    original: Key,
}

/// The chosen items of a service.
pub struct Source {
    shared: Arc<Shared>,
    capabilities: Capabilities,
}

struct Shared {
    service: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    patience: Patience,
    /// In the order of their keys.
    shown: Vec<Shown>,
    marks: Mutex<Marks>,
    /// Ends the pass that reads from here.
    stop: Stop,
}

#[derive(Default)]
struct Marks {
    /// Fetches that failed one after the other, for a reason that is not the item's.
    failures: u32,
    /// Why the service is not asked any more.
    down: Option<Error>,
    /// What came when an item came out wrong, by its key.
    wrong: HashMap<Key, [u8; 32]>,
    flags: Flags,
    flagged: Vec<Key>,
}

impl Source {
    /// Shows these items, which are in the order of keys. `remembered` are the dates that earlier runs gave them. Once the
    /// service does not answer any more, `stop` is told to end gently.
    pub fn new(
        service: Arc<dyn Provider>,
        inventory: &Inventory,
        placed: &[Placed],
        remembered: &HashMap<Key, Timestamp>,
        clock: Arc<dyn Clock>,
        patience: Patience,
        stop: Stop,
    ) -> Self {
        let shown = placed.iter().filter_map(|place| {
            let item = inventory.items.get(place.item)?;
            // Without any date the file shows the beginning of 1970, which means "no date" everywhere.
            let modified = remembered.get(&place.key).copied().or_else(|| item.modified());
            let entry = Entry {
                key: place.key.clone(),
                modified: Some(modified.unwrap_or_default()),
                changed: None,
                file_id: Some(place.content),
                ..item.entry.clone()
            };
            Some(Shown { entry, original: item.entry.key.clone() })
        });
        let shown = shown.collect();
        let capabilities = Capabilities {
            writes: false,
            moves: false,
            copies: false,
            copies_untouched: false,
            sorted_listing: true,
            ..service.capabilities().clone()
        };
        let marks = Mutex::default();
        Self {
            shared: Arc::new(Shared { service, clock, patience, shown, marks, stop }),
            capabilities,
        }
    }

    /// What came out other than the service says, and was kept.
    pub(crate) fn flags(&self) -> (Flags, Vec<Key>) {
        let marks = self.shared.marks();
        (marks.flags.clone(), marks.flagged.clone())
    }

    /// Why the service was not asked any more, if it was not.
    pub(crate) fn down(&self) -> Option<Error> {
        self.shared.marks().down.as_ref().map(Error::duplicate)
    }
}

#[async_trait]
impl Provider for Source {
    fn identity(&self) -> &Identity {
        self.shared.service.identity()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn reads_at_once(&self) -> usize {
        self.shared.service.reads_at_once()
    }

    /// The service answered a moment ago, when it was listed.
    async fn check(&self) -> Result<Health> {
        Ok(Health { root: Root::Ready, volume: None, signed_in_until: None })
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.shared.service.quota().await
    }

    async fn extras(&self) -> Result<Extras> {
        self.shared.service.extras().await
    }

    fn list(&self, _: Scope) -> BoxStream<'static, Result<Page>> {
        let shared = Arc::clone(&self.shared);
        stream::unfold(0, move |at| {
            let shared = Arc::clone(&shared);
            async move {
                let page = shared.shown.get(at..)?.iter().take(PAGE);
                let entries: Vec<_> = page.map(|shown| Listed::File(shown.entry.clone())).collect();
                let next = at + entries.len();
                (!entries.is_empty()).then_some((Ok(Page { entries }), next))
            }
        })
        .boxed()
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        let at = self.shared.find(key);
        Ok(at.map(|at| self.shared.shown[at].entry.clone()))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        _: Option<&Version>,
    ) -> Result<Opened> {
        let missing = || Error::new(Kind::NotFound, format!("reading {key}"));
        let at = self.shared.find(key).ok_or_else(missing)?;
        let Shown { entry, original } = &self.shared.shown[at];
        let entry = entry.clone();
        self.shared.ask()?;
        if let Some(range) = range {
            let opened =
                self.shared.service.read(original, Some(range), entry.version.as_ref()).await?;
            return Ok(Opened { entry, bytes: opened.bytes });
        }
        let bytes = if entry.size <= WHOLE {
            let bytes = self.shared.whole(at).await;
            self.shared.learn(bytes.as_ref().err());
            let bytes = bytes?;
            let chunks = (!bytes.is_empty()).then_some(Ok(bytes));
            stream::iter(chunks).boxed()
        } else {
            streamed(&self.shared, at)
        };
        Ok(Opened { entry, bytes })
    }

    async fn put(&self, _: PutRequest, _: Body) -> Result<Receipt> {
        Err(only_read("storing"))
    }

    async fn remove(&self, _: RemovalPermit) -> Result<Removed> {
        Err(only_read("removing"))
    }

    async fn relocate(
        &self,
        _: &Key,
        _: &Key,
        _: Relocate,
        _: Option<&Version>,
    ) -> Result<Receipt> {
        Err(only_read("moving"))
    }
}

fn only_read(what: &str) -> Error {
    Error::new(Kind::Unsupported, format!("{what} at a service that is only read"))
}
