//! Where copies of a service's files may be: the library, its destinations, earlier exports.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use safelight_catalog::SqliteCatalog;
use safelight_config::{Config, Destination, Storage};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::job::Stop;
use safelight_core::key::Key;
use safelight_core::provider::Provider;
use safelight_core::time::{Clock, Timestamp};
use safelight_disk::Disk;
use safelight_export::inventory::Inventory;
use safelight_export::layout::{content_number, tells_content};
use safelight_export::weigh::{Rules, Shelf, Standing, weigh};

use super::exports::{self, Remembered};
use super::service::same_account;
use super::still_there::still_there;
use crate::session::catalog_path;

/// The name under which the library's own files count.
const LIBRARY: &str = "the library";
const AT_ONCE: usize = 32;
const PAGE: usize = 4096;

/// Everything that may know of copies.
pub struct Shelves {
    all: Vec<Shelf>,
    library: Option<Arc<dyn Provider>>,
    /// The catalogs of the exports of this service.
    exports: Vec<Arc<dyn Catalog>>,
    /// The first of the shelves is the library's.
    has_catalog: bool,
    /// What does not count now although it did, in words.
    pub remarks: Vec<String>,
    /// The exports of this service that were finished.
    pub finished: Vec<Remembered>,
}

impl Shelves {
    /// Opens the catalog of the library and those of all exports but `own`, only to look. What stands in the account of
    /// `leaving` does not count, nor does what is not there now.
    ///
    /// # Errors
    /// Those of the catalogs, and of the file system.
    pub async fn open(
        config: &Config,
        leaving: &Destination,
        own: Option<&Path>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self> {
        let not: Vec<String> = same_account(config, leaving).map(|one| one.name.clone()).collect();
        let mut shelves = Self {
            all: Vec::new(),
            library: None,
            exports: Vec::new(),
            has_catalog: false,
            remarks: Vec::new(),
            finished: Vec::new(),
        };
        shelves.library(config, &not).await?;
        let state = config.state.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let exports = exports::all(&state)?;
            Ok(exports.into_iter().map(|one| (one.absent(), one)).collect::<Vec<_>>())
        });
        let found: Result<Vec<_>> = looking
            .await
            .map_err(|error| Error::new(Kind::Internal, "looking at exports").source(error))?;
        for (absent, export) in found? {
            let is_own = own == Some(export.folder.as_path());
            if export.from == leaving.name && export.finished.is_some() {
                shelves.finished.push(export.clone());
            }
            if is_own {
                continue;
            }
            let Some(catalog) = look(&export.catalog()).await? else { continue };
            let (catalog, remarks) = still_there(&export, &absent, catalog, clock).await?;
            shelves.remarks.extend(remarks);
            if export.from == leaving.name {
                shelves.exports.push(Arc::clone(&catalog));
            }
            for name in &absent {
                let from = &export.from;
                shelves.remarks.push(format!(
                    "The export of {from} in {name} does not count: it is not to be seen there now."
                ));
            }
            let not = not.iter().cloned().chain(absent).collect();
            shelves.all.push(Shelf { catalog, library: None, reader: None, not });
        }
        Ok(shelves)
    }

    /// The catalog of the library, if anything was ever mirrored.
    pub fn of_library(&self) -> Option<&dyn Catalog> {
        self.all.first().filter(|_| self.has_catalog).map(|shelf| &*shelf.catalog)
    }

    async fn library(&mut self, config: &Config, not: &[String]) -> Result<()> {
        let Some(catalog) = look(&catalog_path(config)).await? else {
            self.remarks.push(
                "Nothing was mirrored with this config yet, so nothing in the library counts as a copy."
                    .to_owned(),
            );
            return Ok(());
        };
        let reader: Arc<dyn Provider> = Arc::new(Disk::library(&config.library.path));
        let there = reader.check().await.is_ok();
        if !there {
            let path = config.library.path.display();
            self.remarks.push(format!("The library does not count: {path} is not there now."));
        }
        self.library = there.then(|| Arc::clone(&reader));
        self.has_catalog = true;
        self.all.push(Shelf {
            catalog,
            library: there.then(|| LIBRARY.to_owned()),
            reader: self.library.clone(),
            not: not.to_vec(),
        });
        Ok(())
    }

    /// Adds to what a destination tells what is known of it: an object that is exactly the version which was stored there
    /// has the recorded content. Disks and most buckets tell no digests that could be compared.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn know(&self, inventory: &mut Inventory, destination: &Destination) -> Result<()> {
        let by_key =
            matches!(destination.storage, Storage::Disk(_) | Storage::S3(_) | Storage::OpenDal(_));
        let Some(catalog) = self.of_library().filter(|_| by_key) else { return Ok(()) };
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (at, item) in inventory.items.iter().enumerate().filter(|(_, item)| !item.trashed) {
            places.insert(item.entry.key.clone(), at);
        }
        let mut after = None;
        loop {
            let details = catalog.browse(None, after, PAGE).await?;
            let Some(last) = details.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let legs = details.into_iter().flat_map(|detail| detail.legs);
            let of_it = legs.filter(|leg| leg.destination == destination.name);
            let known = of_it.filter_map(|leg| {
                let held = leg.leg.held?;
                let at = *places.get(&held.key)?;
                (inventory.items[at].entry.size == held.content.size).then_some((at, held))
            });
            let known: Vec<_> = known.collect();
            for (at, held) in known {
                let entry = &mut inventory.items[at].entry;
                if entry.version.is_some() && entry.version == held.version {
                    entry.digests = entry.digests.merged(held.content.digests);
                }
            }
        }
    }

    /// Adds what earlier exports of this service found out: what they read is still what is there as long as the service
    /// tells the same of it.
    ///
    /// # Errors
    /// Those of the catalogs.
    pub async fn know_from_exports(&self, inventory: &mut Inventory) -> Result<()> {
        let mut unknown: HashMap<u64, Vec<usize>> = HashMap::new();
        for (at, item) in inventory.items.iter().enumerate() {
            let told = &item.entry.digests;
            let named = told.sha256.is_some() || told.md5.is_some() || told.dropbox.is_some();
            if !named && tells_content(&item.entry) {
                unknown.entry(content_number(&item.entry)).or_default().push(at);
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        for catalog in &self.exports {
            let mut after = None;
            loop {
                let details = catalog.browse(None, after, PAGE).await?;
                let Some(last) = details.last() else { break };
                after = Some(last.key.clone());
                for detail in details {
                    let number = detail.stat.file_id.unwrap_or_default();
                    let Some(content) = detail.content else { continue };
                    for at in unknown.get(&number).into_iter().flatten() {
                        let entry = &mut inventory.items[*at].entry;
                        if entry.size == content.size {
                            entry.digests = entry.digests.merged(content.digests);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// How every item of the inventory stands. A file of the library counts only if it is still there.
    ///
    /// # Errors
    /// Those of the catalogs; [`Kind::Cancelled`].
    pub async fn weigh(
        &self,
        inventory: &Inventory,
        rules: Rules,
        stop: &Stop,
    ) -> Result<Vec<Standing>> {
        let mut standings = weigh(inventory, &self.all, rules, stop).await?;
        let Some(library) = &self.library else { return Ok(standings) };
        let claimed: Vec<(usize, usize)> = standings
            .iter()
            .enumerate()
            .flat_map(|(item, standing)| {
                let own = |(_, place): &(usize, &safelight_export::weigh::Place)| {
                    place.counts && place.proof.is_none() && place.name == LIBRARY
                };
                standing.places.iter().enumerate().filter(own).map(move |(at, _)| (item, at))
            })
            .collect();
        let looks = claimed.into_iter().map(|(item, at)| {
            let key = standings[item].places[at].key.clone();
            let size = inventory.items[item].entry.size;
            async move {
                let found = library.stat(&key).await;
                let same = found.is_ok_and(|entry| entry.is_some_and(|entry| entry.size == size));
                (item, at, same)
            }
        });
        let looked: Vec<_> = stream::iter(looks).buffer_unordered(AT_ONCE).collect().await;
        for (item, at, same) in looked {
            standings[item].places[at].counts = same;
        }
        Ok(standings)
    }
}

/// `None` if there is no catalog.
async fn look(path: &Path) -> Result<Option<Arc<dyn Catalog>>> {
    match SqliteCatalog::open_read_only(path).await {
        Ok(catalog) => Ok(Some(Arc::new(catalog))),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What counts: as many copies as are possible without `leaving`, checked as lately as the config wants.
pub fn rules(config: &Config, leaving: &Destination, now: Timestamp) -> Rules {
    let gone = same_account(config, leaving).count();
    let possible = config.destinations.len() + 1 - gone;
    let possible = u32::try_from(possible).unwrap_or(u32::MAX);
    let age = i64::try_from(config.safety.checked.as_nanos()).unwrap_or(i64::MAX);
    Rules {
        copies: config.safety.copies.min(possible).max(1),
        checked_since: Timestamp::from_nanos(now.as_nanos().saturating_sub(age)),
    }
}
