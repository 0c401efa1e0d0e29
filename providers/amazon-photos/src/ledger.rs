//! Which key stands under which node where that does not follow from names: the service keeps equal bytes once.
//!
//! Two items with the same bytes become one node, so a key may stand under a node of another name (an *alias*), and
//! a node may stand under a name that is no key of ours any more (it is *hidden*).
//!
//! Invariant: an alias is on its page before the key is told to be stored. Should the pages get lost, a key that was
//! an alias is found missing and stored again, without sending bytes; but until then nothing may be trashed, since
//! another key may need it: that is what the page `aliases` is for.

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
    /// Nodes that are on their way to the trash.
    leaving: BTreeSet<String>,
    /// Whether all that was ever noted is here.
    complete: bool,
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
        let mut entries = Entries::default();
        entries.complete = self.notebook.read(PAGE).await?.is_some();
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

    /// From now on the pages are complete. Told before anything is stored.
    pub(crate) async fn begin(&self) -> Result<()> {
        let mut entries = self.entries().await?;
        if !entries.complete {
            self.notebook.write(PAGE, Some("1".to_owned())).await?;
            entries.complete = true;
        }
        Ok(())
    }

    /// Changes the alias of a key and what is hidden, here and on the pages.
    pub(crate) async fn note(
        &self,
        entries: &mut Entries,
        key: &Key,
        alias: Option<Alias>,
        hidden: &[(&str, Option<Option<Key>>)],
    ) -> Result<()> {
        let mut shards = BTreeSet::new();
        let before = entries.aliases.get(key).cloned();
        if before != alias {
            shards.insert(shard(key.as_bytes()));
            entries.remove(key);
            if let Some(alias) = alias {
                entries.insert(key.clone(), alias);
            }
        }
        for (id, change) in hidden {
            let now = entries.hidden.get(*id).cloned();
            if now != *change {
                shards.insert(shard(id.as_bytes()));
                match change {
                    Some(was) => entries.hidden.insert((*id).to_owned(), was.clone()),
                    None => entries.hidden.remove(*id),
                };
            }
        }
        for shard in shards {
            self.notebook.write(&page_name(shard), entries.page(shard)?).await?;
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

    /// Marks a node that goes to the trash; `false` if another does that already.
    pub(crate) fn leaves(&mut self, id: &str) -> bool {
        self.leaving.insert(id.to_owned())
    }

    /// The node is in the trash, or was left after all.
    pub(crate) fn left(&mut self, id: &str) {
        self.leaving.remove(id);
    }

    pub(crate) fn is_leaving(&self, id: &str) -> bool {
        self.leaving.contains(id)
    }

    /// # Errors
    /// [`Kind::Denied`] if it is not known which keys share a node.
    pub(crate) fn must_be_complete(&self, doing: &str) -> Result<()> {
        if self.complete {
            return Ok(());
        }
        let context = format!(
            "{doing}: the notes on which items share their bytes are lost, so nothing is removed; \
             the next item that is stored begins them anew"
        );
        Err(Error::new(Kind::Denied, context))
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
        let aliases = aliases.map(|(key, alias)| (text(key), alias.id.clone(), alias.folder.clone()));
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
    use safelight_core::notebook::Loose;

    #[tokio::test]
    async fn what_was_noted_is_there_after_a_new_start() {
        let notebook: Arc<dyn Notebook> = Arc::new(Loose::default());
        let (a, b) = (Key::new(b"a/\xff.jpg").unwrap(), Key::new("b.jpg").unwrap());
        let alias = Alias { id: "N".to_owned(), folder: Some("F".to_owned()) };
        {
            let ledger = Ledger::new(notebook.clone());
            assert!(ledger.entries().await.unwrap().must_be_complete("x").is_err());
            ledger.begin().await.unwrap();
            let mut entries = ledger.entries().await.unwrap();
            let hidden = [("N", Some(Some(b.clone())))];
            ledger.note(&mut entries, &a, Some(alias.clone()), &hidden).await.unwrap();
        }
        let ledger = Ledger::new(notebook.clone());
        let mut entries = ledger.entries().await.unwrap();
        assert!(entries.must_be_complete("x").is_ok());
        assert_eq!(entries.alias(&a), Some(&alias));
        assert_eq!(entries.keys("N").collect::<Vec<_>>(), [&a]);
        assert!(entries.is_hidden("N") && entries.is_occupied(&b) && !entries.is_occupied(&a));
        ledger.note(&mut entries, &a, None, &[("N", None)]).await.unwrap();
        drop(entries);
        let ledger = Ledger::new(notebook);
        let entries = ledger.entries().await.unwrap();
        assert!(entries.alias(&a).is_none() && !entries.is_hidden("N"));
    }
}
