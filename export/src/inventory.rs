//! What a service holds: everything that it lists, and what it knows beyond the bytes.
//!
//! Invariant: what could not be seen is named, never silently left out; and a listing that lies, repeats itself or does
//! not end costs neither memory nor time without bounds.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::{Either, select};
use safelight_core::class::{Classifier, MediaClass};
use safelight_core::codes::{self, Code};
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::extras::{Album, Extras, Remark};
use safelight_core::job::Tools;
use safelight_core::key::Key;
use safelight_core::monitor::Event;
use safelight_core::provider::{Identity, PoolUsage, Provider};
use safelight_core::taken::Taken;
use safelight_core::time::Timestamp;

/// No path is longer.
const LONGEST_KEY: usize = 4096;
/// A listing may give so many pages one after the other that hold nothing new.
const STALE_PAGES: usize = 1000;
/// More objects than anybody has.
const MOST_ITEMS: usize = 20_000_000;
/// A page that takes longer does not come.
const PAGE_PATIENCE: Duration = Duration::from_mins(10);

/// What is looked at.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Also what is in the service's trash.
    pub trashed: bool,
    /// How media classes are told by names.
    pub classifier: Classifier,
}

/// One object of the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// As the service lists it.
    pub entry: Entry,
    /// What kind of thing, by its name.
    pub class: MediaClass,
    /// What the service knows of it beyond the bytes.
    pub remark: Option<Box<Remark>>,
    /// The albums that it is in, by their place in [`Inventory::albums`].
    pub albums: Vec<usize>,
    /// The still that it is the film of, by its place in [`Inventory::items`].
    pub film_of: Option<usize>,
    /// It is in the service's trash.
    pub trashed: bool,
}

impl Item {
    /// What the object is called at the service: its own name for it, else its key.
    pub fn remote_id(&self) -> String {
        self.entry
            .remote_id
            .as_ref()
            .map_or_else(|| self.entry.key.to_string(), ToString::to_string)
    }

    /// When it was taken, as far as the service says; else when it was modified, where the service keeps that.
    pub fn taken(&self) -> Option<Taken> {
        let told = self.remark.as_ref().and_then(|remark| remark.taken);
        told.or_else(|| Taken::from_modified(self.entry.modified?))
    }

    /// The time that its file gets: the service's, else when it was taken.
    pub fn modified(&self) -> Option<Timestamp> {
        let taken = || {
            self.taken()
                .map(|taken| taken.instant().unwrap_or_else(|| Timestamp::from_nanos(taken.wall())))
        };
        self.entry.modified.or_else(taken)
    }
}

/// A part of the service that was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Where; `None` stands for everything, or for what has no place.
    pub key: Option<Key>,
    /// Why.
    pub code: Code,
    /// For people.
    pub message: String,
}

/// Everything that a service holds.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// The service.
    pub service: Identity,
    /// When it was looked at.
    pub at: Timestamp,
    /// Its objects in the order of their keys, each once.
    pub items: Vec<Item>,
    /// Its albums, empty ones included.
    pub albums: Vec<Album>,
    /// What was not seen.
    pub unseen: Vec<Unseen>,
    /// What is listed but holds nothing of its own: links, pipes.
    pub passed: Vec<(Key, Code)>,
    /// Objects that albums name and no listing shows.
    pub unlisted: Vec<Arc<str>>,
    /// How often something was listed that was listed before.
    pub repeated: u64,
    /// What the service itself counts.
    pub usage: Vec<PoolUsage>,
}

impl Inventory {
    /// Lists everything.
    ///
    /// # Errors
    /// Those of the listing, [`Kind::Protocol`] for one that goes in circles; [`Kind::Cancelled`]. Then nothing is known.
    pub async fn take(service: &dyn Provider, look: &Look, tools: &Tools) -> Result<Self> {
        let mut gathering = Gathering::new(look, tools);
        gathering.list(service, false).await?;
        if look.trashed {
            gathering.list(service, true).await?;
        }
        let extras = match service.extras().await {
            Ok(extras) => extras,
            Err(error) if error.kind() == Kind::Unsupported => Extras::default(),
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            Err(error) => {
                let message = format!("albums, favourites and captions: {error}");
                gathering.unseen.push(Unseen { key: None, code: error.id(), message });
                Extras::default()
            }
        };
        // Numbers are for comparing; a service that has none is no worse for it.
        let usage = service.quota().await.unwrap_or_default();
        Ok(gathering.finish(service.identity().clone(), tools.clock.now(), extras, usage))
    }

    /// Whether everything was seen.
    pub fn is_complete(&self) -> bool {
        self.unseen.is_empty() && self.unlisted.is_empty()
    }

    /// The titles of the albums that an item is in.
    pub fn titles<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = &'a str> {
        item.albums.iter().filter_map(|at| self.albums.get(*at)).map(|album| album.title.as_str())
    }
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

struct Gathering<'a> {
    look: &'a Look,
    tools: &'a Tools,
    items: Vec<Item>,
    seen: HashMap<Same, usize>,
    unseen: Vec<Unseen>,
    passed: Vec<(Key, Code)>,
    repeated: u64,
}

impl<'a> Gathering<'a> {
    fn new(look: &'a Look, tools: &'a Tools) -> Self {
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

    async fn list(&mut self, service: &dyn Provider, trashed: bool) -> Result<()> {
        let scope = Scope { attached: true, trashed, ..Scope::default() };
        let mut pages = service.list(scope);
        let mut stale = 0;
        loop {
            let stop = pin!(self.tools.stop.gently.cancelled());
            let patience = self.tools.clock.sleep(PAGE_PATIENCE);
            let page = match select(pages.next(), select(stop, patience)).await {
                Either::Left((None, _)) => return Ok(()),
                Either::Left((Some(page), _)) => page?,
                Either::Right((Either::Left(_), _)) => {
                    return Err(Error::new(Kind::Cancelled, "the service was being listed"));
                }
                Either::Right((Either::Right(_), _)) => {
                    return Err(Error::new(
                        Kind::Timeout,
                        "the next page of the listing does not come",
                    ));
                }
            };
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
        self.items.push(Item {
            entry,
            class,
            remark: None,
            albums: Vec::new(),
            film_of: None,
            trashed,
        });
    }

    fn finish(
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
