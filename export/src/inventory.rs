//! What a service holds: everything that it lists, and what it knows beyond the bytes.
//!
//! Invariant: what could not be seen is named, never silently left out; and a listing that lies, repeats itself or does
//! not end costs neither memory nor time without bounds.

mod gather;

use std::sync::Arc;
use std::time::Duration;

use safelight_core::class::{Classifier, MediaClass};
use safelight_core::codes::Code;
use safelight_core::entry::Entry;
use safelight_core::error::{Kind, Result};
use safelight_core::extras::{Album, Extras, Remark};
use safelight_core::inspect::{ByName, Inspector};
use safelight_core::job::Tools;
use safelight_core::key::Key;
use safelight_core::provider::{Identity, PoolUsage, Provider};
use safelight_core::taken::Taken;
use safelight_core::time::Timestamp;

use self::gather::{Gathering, patiently};

/// Albums and captions of a large account are many calls, each with limits of its own; all of them end some time.
const EXTRAS_PATIENCE: Duration = Duration::from_hours(1);
const QUOTA_PATIENCE: Duration = Duration::from_mins(5);

/// What is looked at.
#[derive(Clone)]
pub struct Look {
    /// Also what is in the service's trash.
    pub trashed: bool,
    /// How media classes are told by names.
    pub classifier: Classifier,
    /// Who reads dates in names.
    pub inspector: Arc<dyn Inspector>,
}

impl Default for Look {
    fn default() -> Self {
        let classifier = Classifier::default();
        Self { trashed: false, classifier, inspector: Arc::new(ByName::default()) }
    }
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
    /// The date in its name.
    pub named: Option<Taken>,
}

impl Item {
    /// What the object is called at the service: its own name for it, else its key.
    pub fn remote_id(&self) -> String {
        self.entry
            .remote_id
            .as_ref()
            .map_or_else(|| self.entry.key.to_string(), ToString::to_string)
    }

    /// When it was taken, as far as the service or its name says; else when it was modified, where the service keeps that.
    pub fn taken(&self) -> Option<Taken> {
        let told = self.remark.as_ref().and_then(|remark| remark.taken);
        told.or(self.named).or_else(|| Taken::from_modified(self.entry.modified?))
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
        gathering.ask_versions(service).await?;
        let extras =
            patiently(service.extras(), EXTRAS_PATIENCE, tools, "what is known of the files").await;
        let extras = match extras.flatten() {
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
        let usage = patiently(service.quota(), QUOTA_PATIENCE, tools, "the room there").await;
        let usage = match usage.flatten() {
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            usage => usage.unwrap_or_default(),
        };
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
