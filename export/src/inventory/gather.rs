//! Gathering the findings of listings: each object once, within bounds, and what the service knows of it beside it.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use safelight_core::codes::{self, Code};
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::extras::Extras;
use safelight_core::job::Tools;
use safelight_core::key::Key;
use safelight_core::monitor::Event;
use safelight_core::provider::{Identity, PoolUsage, Provider};
use safelight_core::time::Timestamp;

use super::{Inventory, Item, Look, Unseen};
use crate::layout::tells_content;

/// A look at one object that takes longer does not come.
const STAT_PATIENCE: Duration = Duration::from_mins(5);
/// Looks at once.
const LOOKS: usize = 32;
/// No path is longer.
const LONGEST_KEY: usize = 4096;
/// A listing may give so many pages one after the other that hold nothing new.
const STALE_PAGES: usize = 1000;
/// More objects than anybody has.
const MOST_ITEMS: usize = 20_000_000;
/// A page that takes longer does not come.
const PAGE_PATIENCE: Duration = Duration::from_mins(10);

/// Waits for an answer of the service for this long, or until somebody stops it.
///
/// # Errors
/// [`Kind::Timeout`], [`Kind::Cancelled`].
pub(super) async fn patiently<T>(
    answer: impl Future<Output = T>,
    patience: Duration,
    tools: &Tools,
    what: &str,
) -> Result<T> {
    let (answer, stop) = (pin!(answer), pin!(tools.stop.gently.cancelled()));
    let (kind, why) = match select(answer, select(stop, tools.clock.sleep(patience))).await {
        Either::Left((answer, _)) => return Ok(answer),
        Either::Right((Either::Left(_), _)) => (Kind::Cancelled, "was being waited for"),
        Either::Right((Either::Right(_), _)) => (Kind::Timeout, "does not come"),
    };
    Err(Error::new(kind, format!("{what} {why}")))
}

/// What makes two findings of a listing the same one.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    name: Vec<u8>,
    size: u64,
    version: Option<Version>,
    md5: Option<[u8; 16]>,
    sha256: Option<[u8; 32]>,
    trashed: bool,
}

impl Same {
    fn of(entry: &Entry, trashed: bool) -> Self {
        let Digests { md5, sha256, .. } = entry.digests;
        let id = entry.remote_id.as_ref().map(|id| [b"\0", id.as_bytes()].concat());
        let name = id.unwrap_or_else(|| entry.key.as_bytes().to_vec());
        Self { name, size: entry.size, version: entry.version.clone(), md5, sha256, trashed }
    }
}

/// A link or a pipe holds nothing of its own.
fn is_no_file(code: Code) -> bool {
    [codes::LINK_SKIPPED, codes::NOT_A_FILE].contains(&code)
}

pub(super) struct Gathering<'a> {
    look: &'a Look,
    tools: &'a Tools,
    items: Vec<Item>,
    seen: HashMap<Same, usize>,
    pub(super) unseen: Vec<Unseen>,
    passed: Vec<(Key, Code)>,
    repeated: u64,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(look: &'a Look, tools: &'a Tools) -> Self {
        Self {
            look,
            tools,
            items: Vec::new(),
            seen: HashMap::new(),
            unseen: Vec::new(),
            passed: Vec::new(),
            repeated: 0,
        }
    }

    pub(super) async fn list(&mut self, service: &dyn Provider, trashed: bool) -> Result<()> {
        let scope = Scope { attached: true, trashed, ..Scope::default() };
        let mut pages = service.list(scope);
        let mut stale = 0;
        loop {
            let page =
                patiently(pages.next(), PAGE_PATIENCE, self.tools, "the next page of a listing");
            let Some(page) = page.await? else { return Ok(()) };
            let page = page?;
            let before = self.items.len();
            self.page(page, trashed);
            stale = if self.items.len() > before { 0 } else { stale + 1 };
            if stale > STALE_PAGES || self.items.len() > MOST_ITEMS {
                let context = "the listing does not come to an end";
                return Err(Error::new(Kind::Protocol, context));
            }
            self.tools.monitor.event(&Event::Scanning { files: self.items.len() as u64 });
        }
    }

    fn page(&mut self, page: Page, trashed: bool) {
        for listed in page.entries {
            match listed {
                Listed::File(entry) => self.file(entry, trashed),
                Listed::Passed { key, code } if is_no_file(code) => self.passed.push((key, code)),
                Listed::Passed { key, code } => {
                    let message = "it is there and cannot be taken out".to_owned();
                    self.unseen.push(Unseen { key: Some(key), code, message });
                }
                Listed::Unseen { key, error } => {
                    let (code, message) = (error.id(), error.to_string());
                    self.unseen.push(Unseen { key, code, message });
                }
                Listed::Mount { .. } => {}
            }
        }
    }

    fn file(&mut self, entry: Entry, trashed: bool) {
        if entry.key.as_bytes().len() > LONGEST_KEY {
            let message = "a path is longer than any can be".to_owned();
            self.unseen.push(Unseen { key: entry.key.parent(), code: codes::PROTOCOL, message });
            return;
        }
        let same = Same::of(&entry, trashed);
        if let Some(at) = self.seen.get(&same) {
            self.repeated += 1;
            // One object in several places: whatever the order of the listing, it goes by the first of them.
            let known = &mut self.items[*at].entry;
            if entry.key < known.key {
                *known = entry;
            }
            return;
        }
        self.seen.insert(same, self.items.len());
        let class = self.look.classifier.classify(entry.key.name());
        let named = self.look.inspector.date_in_name(entry.key.name(), self.tools.clock.now());
        self.items.push(Item {
            entry,
            class,
            remark: None,
            albums: Vec::new(),
            film_of: None,
            trashed,
            named,
        });
    }

    /// Some listings tell nothing of the content, but each object does when it is looked at.
    pub(super) async fn ask_versions(&mut self, service: &dyn Provider) -> Result<()> {
        let silent = |item: &&mut Item| !item.trashed && !tells_content(&item.entry);
        let asked = self.items.iter_mut().filter(silent).map(|item| async {
            let found = service.stat(&item.entry.key);
            let found = patiently(found, STAT_PATIENCE, self.tools, "what an object is").await;
            match found.flatten() {
                Ok(Some(found)) if found.size == item.entry.size => {
                    item.entry.version = found.version;
                    item.entry.digests = item.entry.digests.merged(found.digests);
                }
                Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                // Then nothing that is known of other content will be taken for it.
                _ => {}
            }
            Ok(())
        });
        let asked: Vec<_> = asked.collect();
        stream::iter(asked).buffer_unordered(LOOKS).try_collect().await
    }

    pub(super) fn finish(
        self,
        service: Identity,
        at: Timestamp,
        extras: Extras,
        usage: Vec<PoolUsage>,
    ) -> Inventory {
        let Self { mut items, unseen, passed, repeated, .. } = self;
        items.sort_by(|one, other| {
            let order =
                |item: &Item| (item.entry.key.clone(), item.entry.remote_id.clone(), item.trashed);
            order(one).cmp(&order(other))
        });
        let mut by_id: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (at, item) in items.iter_mut().enumerate() {
            item.class = self.look.classifier.classify(item.entry.key.name());
            if let Some(id) = &item.entry.remote_id {
                by_id.entry(Arc::clone(id)).or_default().push(at);
            }
        }
        let places = |id: &Arc<str>| by_id.get(id).map(Vec::as_slice).unwrap_or_default();
        for remark in extras.remarks {
            let still = remark.film_of.as_ref().and_then(|still| places(still).first().copied());
            for at in places(&remark.remote_id) {
                items[*at].film_of = still.filter(|still| still != at);
                items[*at].remark = Some(Box::new(remark.clone()));
            }
        }
        let mut unlisted = HashSet::new();
        for (number, album) in extras.albums.iter().enumerate() {
            for member in &album.members {
                if places(member).is_empty() {
                    unlisted.insert(Arc::clone(member));
                }
                for at in places(member) {
                    if items[*at].albums.last() != Some(&number) {
                        items[*at].albums.push(number);
                    }
                }
            }
        }
        let mut unlisted: Vec<_> = unlisted.into_iter().collect();
        unlisted.sort();
        let albums = extras.albums;
        Inventory { service, at, items, albums, unseen, passed, unlisted, repeated, usage }
    }
}
