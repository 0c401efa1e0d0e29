//! Which key stands under which node where that does not follow from names: the service keeps equal bytes once.
//!
//! Two items with the same bytes become one node, so a key may stand under a node of another name (an *alias*), and
//! a node may stand under a name that is no key of ours any more (it is *hidden*).
//!
//! Invariant: an alias is on its page before the key is told to be stored. Should the pages get lost, a key that was
//! an alias is found missing and stored again, and stays one node; but nothing may be trashed then, since another key
//! may need it. The page `aliases`, begun with the destination, says that none got lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use safelight_core::error::{Error, Kind, Result};
use safelight_core::escape::{escape, unescape};
use safelight_core::key::Key;
use safelight_core::notebook::Notebook;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// Says that the pages are complete.
const PAGE: &str = "aliases";
const SHARDS: u32 = 64;

/// What a key stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) id: String,
    /// The folder in which the node stands.
    pub(crate) folder: Option<String>,
}

/// What the own place of a node means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is a key.
    Counts,
    /// It is none; perhaps it was this one.
    Hidden(Option<Key>),
}

/// The entries, all in memory, and their pages.
pub(crate) struct Ledger {
    notebook: Arc<dyn Notebook>,
    entries: OnceCell<Mutex<Entries>>,
}

#[derive(Debug, Default)]
pub(crate) struct Entries {
    aliases: BTreeMap<Key, Alias>,
    keys: HashMap<String, BTreeSet<Key>>,
    /// Nodes whose own place is no key, and which key it was.
    hidden: HashMap<String, Option<Key>>,
    /// Whether all that was ever noted is here.
    complete: bool,
    /// Pages that are not as the entries are, until they were written.
    unwritten: BTreeSet<u32>,
}

/// One page as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Page {
    aliases: Vec<(String, String, Option<String>)>,
    hidden: Vec<(String, Option<String>)>,
}

impl Ledger {
    pub(crate) fn new(notebook: Arc<dyn Notebook>) -> Self {
        Self { notebook, entries: OnceCell::new() }
    }

    /// All entries; nobody changes them meanwhile.
    pub(crate) async fn entries(&self) -> Result<MutexGuard<'_, Entries>> {
        let entries = self.entries.get_or_try_init(|| self.load()).await?;
        Ok(entries.lock().await)
    }

    async fn load(&self) -> Result<Mutex<Entries>> {
        let complete = self.notebook.read(PAGE).await?.is_some();
        let mut entries = Entries { complete, ..Entries::default() };
        for shard in 0..SHARDS {
            let Some(text) = self.notebook.read(&page_name(shard)).await? else { continue };
            // A page that makes no sense is a page that is lost.
            let Ok(page) = serde_json::from_str::<Page>(&text) else {
                entries.complete = false;
                continue;
            };
            for (key, id, folder) in page.aliases {
                if let Ok(key) = Key::new(unescape(&key)) {
                    entries.insert(key, Alias { id, folder });
                }
            }
            let key = |text: String| Key::new(unescape(&text)).ok();
            let hidden = page.hidden.into_iter().map(|(id, was)| (id, was.and_then(key)));
            entries.hidden.extend(hidden);
        }
        Ok(Mutex::new(entries))
    }

    /// From now on the pages are complete: told when the destination is made, before anything is stored.
    pub(crate) async fn begin(&self) -> Result<()> {
        let mut entries = self.entries().await?;
        if !entries.complete {
            self.notebook.write(PAGE, Some("1".to_owned())).await?;
            entries.complete = true;
        }
        Ok(())
    }

    /// Changes the alias of a key and what places mean, here and on the pages.
    pub(crate) async fn note(
        &self,
        entries: &mut Entries,
        key: &Key,
        alias: Option<Alias>,
        places: &[(&str, Place)],
    ) -> Result<()> {
        let before = entries.aliases.get(key).cloned();
        if before != alias {
            entries.unwritten.insert(shard(key.as_bytes()));
            entries.remove(key);
            if let Some(alias) = alias {
                entries.insert(key.clone(), alias);
            }
        }
        for (id, place) in places {
            let before = match place {
                Place::Counts => entries.hidden.remove(*id),
                Place::Hidden(was) => entries.hidden.insert((*id).to_owned(), was.clone()),
            };
            let after = entries.hidden.get(*id);
            if before.as_ref() != after {
                entries.unwritten.insert(shard(id.as_bytes()));
            }
        }
        // First what places mean: of an alias whose node counts under its own name as well, the key would be there
        // twice for whoever comes after a death between two pages.
        let mut first: Vec<_> = places.iter().map(|(id, _)| shard(id.as_bytes())).collect();
        first.retain(|shard| entries.unwritten.contains(shard));
        while let Some(shard) = first.pop().or_else(|| entries.unwritten.first().copied()) {
            self.notebook.write(&page_name(shard), entries.page(shard)?).await?;
            entries.unwritten.remove(&shard);
        }
        Ok(())
    }
}

impl Entries {
    pub(crate) fn alias(&self, key: &Key) -> Option<&Alias> {
        self.aliases.get(key)
    }

    /// The keys that stand under a node by an alias.
    pub(crate) fn keys(&self, id: &str) -> impl Iterator<Item = &Key> {
        self.keys.get(id).into_iter().flatten()
    }

    /// All aliases at or below a key.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&Key, &Alias)> {
        self.aliases.iter()
    }

    /// Whether the place of a node is no key of ours.
    pub(crate) fn is_hidden(&self, id: &str) -> bool {
        self.hidden.contains_key(id)
    }

    /// Whether a node that stands where `key` belongs is there for other keys only.
    pub(crate) fn is_occupied(&self, key: &Key) -> bool {
        self.hidden.values().any(|was| was.as_ref() == Some(key))
    }

    /// A node that stands where `key` belongs and is there for no key at all.
    pub(crate) fn leftover(&self, key: &Key) -> Option<String> {
        let of_key = |(_, was): &(&String, &Option<Key>)| was.as_ref() == Some(key);
        let mut left = self.hidden.iter().filter(of_key).map(|(id, _)| id);
        left.find(|id| self.complete && !self.keys.contains_key(*id)).cloned()
    }

    /// Whether it is known which keys share a node.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    fn insert(&mut self, key: Key, alias: Alias) {
        self.keys.entry(alias.id.clone()).or_default().insert(key.clone());
        self.aliases.insert(key, alias);
    }

    fn remove(&mut self, key: &Key) {
        let Some(alias) = self.aliases.remove(key) else { return };
        if let Some(keys) = self.keys.get_mut(&alias.id) {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&alias.id);
            }
        }
    }

    fn page(&self, wanted: u32) -> Result<Option<String>> {
        let text = |key: &Key| escape(key.as_bytes(), |_, _| false);
        let aliases = self.aliases.iter().filter(|(key, _)| shard(key.as_bytes()) == wanted);
        let aliases =
            aliases.map(|(key, alias)| (text(key), alias.id.clone(), alias.folder.clone()));
        let hidden = self.hidden.iter().filter(|(id, _)| shard(id.as_bytes()) == wanted);
        let hidden = hidden.map(|(id, was)| (id.clone(), was.as_ref().map(text)));
        let page = Page { aliases: aliases.collect(), hidden: hidden.collect() };
        if page.aliases.is_empty() && page.hidden.is_empty() {
            return Ok(None);
        }
        let unwritable = |error| Error::new(Kind::Internal, "a page of aliases").source(error);
        serde_json::to_string(&page).map(Some).map_err(unwritable)
    }
}

fn page_name(shard: u32) -> String {
    format!("aliases/{shard:02}")
}

/// Spreads entries over pages, so that one more does not write all of them again.
fn shard(bytes: &[u8]) -> u32 {
    let mix = |sum: u32, byte: &u8| (sum ^ u32::from(*byte)).wrapping_mul(16_777_619);
    (bytes.iter().fold(2_166_136_261, mix) >> 8) % SHARDS
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use safelight_core::notebook::Loose;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn what_was_noted_is_there_after_a_new_start() {
        let notebook: Arc<dyn Notebook> = Arc::new(Loose::default());
        let (a, b) = (Key::new(b"a/\xff.jpg").unwrap(), Key::new("b.jpg").unwrap());
        let alias = Alias { id: "N".to_owned(), folder: Some("F".to_owned()) };
        {
            let ledger = Ledger::new(notebook.clone());
            assert!(!ledger.entries().await.unwrap().is_complete());
            ledger.begin().await.unwrap();
            let mut entries = ledger.entries().await.unwrap();
            let hidden = [("N", Place::Hidden(Some(b.clone())))];
            ledger.note(&mut entries, &a, Some(alias.clone()), &hidden).await.unwrap();
        }
        let ledger = Ledger::new(notebook.clone());
        let mut entries = ledger.entries().await.unwrap();
        assert!(entries.is_complete());
        assert_eq!(entries.alias(&a), Some(&alias));
        assert_eq!(entries.keys("N").collect::<Vec<_>>(), [&a]);
        assert!(entries.is_hidden("N") && entries.is_occupied(&b) && !entries.is_occupied(&a));
        ledger.note(&mut entries, &a, None, &[("N", Place::Counts)]).await.unwrap();
        drop(entries);
        let ledger = Ledger::new(notebook);
        let entries = ledger.entries().await.unwrap();
        assert!(entries.alias(&a).is_none() && !entries.is_hidden("N"));
    }

    /// A notebook whose writer dies after so many pages.
    struct Dying(Loose, AtomicU32);

    #[async_trait]
    impl Notebook for Dying {
        async fn read(&self, page: &str) -> Result<Option<String>> {
            self.0.read(page).await
        }

        async fn write(&self, page: &str, text: Option<String>) -> Result<()> {
            if self.1.fetch_sub(1, Ordering::Relaxed) == 0 {
                return Err(Error::new(Kind::Cancelled, "died"));
            }
            self.0.write(page, text).await
        }
    }

    #[tokio::test]
    async fn whoever_dies_while_noting_leaves_no_place_that_counts_besides_an_alias() {
        let key = Key::new("a.jpg").unwrap();
        let mut orders = [0, 0];
        for n in 0..20 {
            let id = format!("N{n}");
            if shard(id.as_bytes()) == shard(key.as_bytes()) {
                continue;
            }
            let earlier = shard(id.as_bytes()) < shard(key.as_bytes());
            orders[usize::from(earlier)] += 1;
            let notebook = Arc::new(Dying(Loose::default(), 1.into()));
            let ledger = Ledger::new(notebook.clone());
            let mut entries = ledger.entries().await.unwrap();
            let alias = Alias { id: id.clone(), folder: None };
            let hidden = [(id.as_str(), Place::Hidden(None))];
            ledger.note(&mut entries, &key, Some(alias), &hidden).await.unwrap_err();
            notebook.1.store(u32::MAX, Ordering::Relaxed);
            let after = Ledger::new(notebook);
            let after = after.entries().await.unwrap();
            assert!(after.is_hidden(&id) && after.alias(&key).is_none(), "{id}");
        }
        assert!(orders.iter().all(|count| *count > 0));
    }
}
