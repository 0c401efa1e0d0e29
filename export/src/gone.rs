//! What is gone from a target: it is forgotten there, so that the next run takes it out again.
//!
//! Invariant: something counts as gone only if a complete listing of the very target does not show it in its size, or if
//! the whole folder was removed or emptied. What stands in its place in another size belongs to somebody: it stays, and
//! the item gets another name.

use std::collections::HashMap;

use futures::StreamExt as _;
use safelight_core::capability::NameRules;
use safelight_core::catalog::{
    Catalog, DestinationId, DestinationRecord, Held, ItemDetail, Presence, Record,
};
use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::job::Destination;
use safelight_core::key::Key;
use safelight_core::provider::Provider;
use safelight_core::{marker, names};

use crate::run::forget_papers;

const PAGE: usize = 4096;
/// Stands for the size of what is no file.
const NO_FILE: u64 = u64::MAX;
/// Names that are tried for what cannot have its own any more.
const NAMES: usize = 8;

/// What a complete listing of a target showed.
#[derive(Debug, Default)]
pub struct Seen {
    rules: NameRules,
    /// The size under each name, by the name's digest: a million of them take 50 MB.
    sizes: HashMap<[u8; 16], u64>,
}

/// What is gone from a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Items.
    pub items: u64,
    /// Papers and second names.
    pub papers: u64,
    /// Of all these: something else stands in their place.
    pub replaced: u64,
}

impl Gone {
    /// All of it.
    pub fn files(&self) -> u64 {
        self.items + self.papers
    }
}

impl std::ops::AddAssign for Gone {
    fn add_assign(&mut self, more: Self) {
        self.items += more.items;
        self.papers += more.papers;
        self.replaced += more.replaced;
    }
}

impl Seen {
    /// Lists a target; asks for no content.
    ///
    /// # Errors
    /// Those of the listing, and whatever keeps it from being complete.
    pub async fn at(provider: &dyn Provider) -> Result<Self> {
        let mut seen = Self { rules: provider.capabilities().names, sizes: HashMap::new() };
        let mut pages = provider.list(Scope::default());
        while let Some(page) = pages.next().await {
            for listed in page?.entries {
                let (key, size) = match listed {
                    Listed::File(entry) => (entry.key, entry.size),
                    Listed::Passed { key, .. } => (key, NO_FILE),
                    Listed::Unseen { error, .. } => return Err(error),
                    Listed::Mount { key, .. } => {
                        let context = format!("another file system is mounted at {key}");
                        return Err(Error::new(Kind::Absent, context));
                    }
                };
                seen.sizes.insert(seen.name(&key), size);
            }
        }
        Ok(seen)
    }

    /// Whether a file of this size stands under the key.
    pub fn has(&self, key: &Key, size: u64) -> bool {
        self.sizes.get(&self.name(key)) == Some(&size)
    }

    /// Whether nothing stands under the key.
    pub(crate) fn is_free(&self, key: &Key) -> bool {
        !self.sizes.contains_key(&self.name(key))
    }

    /// As the target tells names apart, which may list them in another spelling than they were given.
    fn name(&self, key: &Key) -> [u8; 16] {
        let fold = names::fold(key, self.rules);
        let bytes = fold.as_deref().unwrap_or(key.as_bytes());
        let digest = Hasher::of(bytes, Algorithms::default()).sha256.unwrap_or_default();
        let mut name = [0; 16];
        name.copy_from_slice(&digest[..16]);
        name
    }
}

/// Lists a target that was used before, and forgets what of the export is gone from it. A target that is not there, is
/// another one or cannot be listed completely proves nothing: then nothing is forgotten.
///
/// # Errors
/// The catalog's; the same again goes on.
pub async fn notice(catalog: &dyn Catalog, target: &Destination) -> Result<Gone> {
    let Some(record) = used(catalog, &target.name).await? else { return Ok(Gone::default()) };
    let Ok(provider) = &target.opened else { return Ok(Gone::default()) };
    match look(&**provider, &record).await {
        Ok(seen) => forget(catalog, &target.name, &seen).await,
        Err(error) => {
            tracing::debug!(target = %target.name, %error, "what is gone cannot be told");
            Ok(Gone::default())
        }
    }
}

async fn look(provider: &dyn Provider, record: &DestinationRecord) -> Result<Seen> {
    let health = provider.check().await?;
    marker::check(provider, health.root, record).await?;
    Seen::at(provider).await
}

/// Forgets all that a target held, and its marker: its folder was removed or emptied. What other targets hold stays
/// known. Answers whether it ever was in use.
///
/// # Errors
/// The catalog's; the same again goes on.
pub async fn forget_all(catalog: &dyn Catalog, target: &str) -> Result<bool> {
    let Some(record) = used(catalog, target).await? else { return Ok(false) };
    forget(catalog, target, &Seen::default()).await?;
    // The marker goes last: as long as it is known, nothing is stored anywhere else in its stead.
    let record = DestinationRecord { marker: None, volume: None, ..record };
    catalog.remember_destination(record).await?;
    Ok(true)
}

/// Forgets what `target` holds as far as the catalog knows, and was not seen there.
///
/// # Errors
/// The catalog's; the same again goes on.
pub async fn forget(catalog: &dyn Catalog, target: &str, seen: &Seen) -> Result<Gone> {
    let Some(record) = known(catalog, target).await? else { return Ok(Gone::default()) };
    let mut gone = forget_papers(catalog, target, seen).await?;
    let mut after = None;
    loop {
        let items = catalog.browse(None, after, PAGE).await?;
        let Some(last) = items.last() else { return Ok(gone) };
        after = Some(last.key.clone());
        let mut records = Vec::new();
        for (item, held) in
            items.iter().filter_map(|item| Some((item, missed(item, target, seen)?)))
        {
            gone.items += 1;
            records.push(Record::Dropped { item: item.item, destination: record.id });
            if !seen.is_free(&held.key) {
                gone.replaced += 1;
                records.extend(other_name(catalog, record.id, item, &held.key, seen).await?);
            }
        }
        catalog.record(records).await?;
    }
}

/// Whether any item is gone from `target`; changes nothing.
///
/// # Errors
/// The catalog's.
pub async fn lacks(catalog: &dyn Catalog, target: &str, seen: &Seen) -> Result<bool> {
    let mut after = None;
    loop {
        let items = catalog.browse(None, after, PAGE).await?;
        let Some(last) = items.last() else { return Ok(false) };
        after = Some(last.key.clone());
        if items.iter().any(|item| missed(item, target, seen).is_some()) {
            return Ok(true);
        }
    }
}

async fn known(catalog: &dyn Catalog, target: &str) -> Result<Option<DestinationRecord>> {
    Ok(catalog.destinations().await?.into_iter().find(|record| record.name == target))
}

/// What is known of a target that is in use.
async fn used(catalog: &dyn Catalog, target: &str) -> Result<Option<DestinationRecord>> {
    Ok(known(catalog, target).await?.filter(|record| record.marker.is_some()))
}

/// What a target held of an item and was not seen there.
fn missed<'a>(item: &'a ItemDetail, target: &str, seen: &Seen) -> Option<&'a Held> {
    let leg = item.legs.iter().find(|leg| leg.destination == target)?;
    leg.leg.held.as_ref().filter(|held| !seen.has(&held.key, held.content.size))
}

/// A free name at the target for an item in whose place something else stands; none if the item will not go there again,
/// or if there is no such name: then the engine says what is in the way.
async fn other_name(
    catalog: &dyn Catalog,
    destination: DestinationId,
    item: &ItemDetail,
    own: &Key,
    seen: &Seen,
) -> Result<Option<Record>> {
    if matches!(item.presence, Presence::Gone(_)) {
        return Ok(None);
    }
    let next = |key: &Key| names::disambiguate(key, seen.rules);
    for key in std::iter::successors(next(own), next).take(NAMES) {
        let fold = names::fold(&key, seen.rules).unwrap_or_else(|| key.as_bytes().to_vec());
        let holder = catalog.fold_holder(destination, &fold).await?;
        let ours = holder.is_none_or(|holder| holder == item.item);
        if seen.is_free(&key) && ours && catalog.item(&key).await?.is_none() {
            return Ok(Some(Record::Assigned { item: item.item, destination, key, fold }));
        }
    }
    Ok(None)
}
