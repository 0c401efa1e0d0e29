//! What all operations share: the account as this destination sees it, and where a key stands in it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::key::Key;
use safelight_core::notebook::Notebook;
use safelight_core::provider::Identity;

use crate::api::Api;
use crate::filter::named;
use crate::folders::Folders;
use crate::fresh::Fresh;
use crate::ledger::Ledger;
use crate::names::{Names, Spot, fold};
use crate::node::Node;
use crate::trash::Bin;
use crate::trouble::{Trouble, foreign};

/// How often something that is to be there soon is looked for.
pub(crate) const LOOKS: u32 = 3;

/// One destination in one account.
pub(crate) struct Store {
    pub(crate) identity: Identity,
    pub(crate) capabilities: Capabilities,
    pub(crate) api: Api,
    pub(crate) names: Names,
    pub(crate) folders: Folders,
    pub(crate) fresh: Fresh,
    pub(crate) ledger: Ledger,
    pub(crate) bin: Bin,
    pub(crate) notebook: Arc<dyn Notebook>,
    /// The current upload route was found to be unknown.
    pub(crate) older_route: AtomicBool,
}

/// Where a key stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) node: Node,
    /// By a note, and not by its own name.
    pub(crate) by_alias: bool,
}

impl Store {
    pub(crate) async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        let doing = format!("looking at {key}");
        let found = self.locate(key, &doing).await?;
        Ok(found.map(|found| found.node.entry(key.clone())))
    }

    /// What stands under a key: by a note, by what was stored a moment ago, or by folder and name.
    pub(crate) async fn locate(&self, key: &Key, doing: &str) -> Result<Option<Standing>, Trouble> {
        let spot = self.names.spot(key)?;
        let alias = self.ledger.entries().await?.alias(key).cloned();
        // A note that leads to nothing stays all the same: one odd answer must not lose it.
        if let Some(alias) = alias
            && let Some(node) = self.there(&alias.id, doing).await?
        {
            return Ok(Some(Standing { node, by_alias: true }));
        }
        if let Some(id) = self.fresh.node(key) {
            if let Some(node) = self.there(&id, doing).await?
                && self.is_visible(&node.id).await?
            {
                return Ok(Some(Standing { node, by_alias: false }));
            }
            self.fresh.forget(key);
        }
        let Some(folder) = self.folders.find(&self.api, &spot.folder).await? else {
            return Ok(None);
        };
        let Some(node) = self.by_name(&folder, &spot, doing).await? else { return Ok(None) };
        let node = self.complete(node, doing).await?;
        Ok(node.map(|node| Standing { node, by_alias: false }))
    }

    /// The file of this name in a folder, if its place counts.
    pub(crate) async fn by_name(
        &self,
        folder: &str,
        spot: &Spot,
        doing: &str,
    ) -> Result<Option<Node>, Trouble> {
        let page = self.api.nodes(&named(folder, &spot.name), 0, 200, doing).await?;
        let mut found = None;
        for node in page.nodes {
            if self.stands_at(&node, folder, &spot.name) && self.is_visible(&node.id).await? {
                // Should there be several spellings, the exact one counts.
                if node.name.as_deref() == Some(&spot.name) {
                    return Ok(Some(node));
                }
                found.get_or_insert(node);
            }
        }
        Ok(found)
    }

    /// Whether a node is the file of this name in a folder.
    pub(crate) fn stands_at(&self, node: &Node, folder: &str, name: &str) -> bool {
        node.is_file()
            && node.folders.iter().any(|parent| parent == folder)
            && node.name.as_deref().is_some_and(|other| fold(other) == fold(name))
            && !self.fresh.is_trashed(&node.id)
    }

    async fn is_visible(&self, id: &str) -> Result<bool> {
        Ok(!self.ledger.entries().await?.is_hidden(id) && !self.fresh.is_trashed(id))
    }

    /// The node of this id, if it is there and is a file.
    pub(crate) async fn there(&self, id: &str, doing: &str) -> Result<Option<Node>, Trouble> {
        if self.fresh.is_trashed(id) {
            return Ok(None);
        }
        match self.api.node(id, doing).await? {
            Some(node) if node.has_bytes() => self.complete(node, doing).await,
            _ => Ok(None),
        }
    }

    /// The node with size and digest: what the service has taken in but not yet looked at tells neither.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] if that takes it too long.
    pub(crate) async fn complete(&self, node: Node, doing: &str) -> Result<Option<Node>, Trouble> {
        self.complete_within(node, LOOKS, doing).await
    }

    /// The same with more or less patience.
    pub(crate) async fn complete_within(
        &self,
        mut node: Node,
        looks: u32,
        doing: &str,
    ) -> Result<Option<Node>, Trouble> {
        for look in 0..=looks {
            if node.is_complete() {
                return Ok(Some(node));
            }
            if look == looks {
                break;
            }
            if look > 0 {
                self.wait(look).await?;
            }
            match self.api.node(&node.id, doing).await? {
                Some(seen) if seen.has_bytes() => node = seen,
                _ => return Ok(None),
            }
        }
        let context = format!("{doing}: Amazon Photos has not finished taking it in");
        let error = Error::new(Kind::Unavailable, context);
        Err(error.scope(Scope::Item).into())
    }

    /// A second, two, four.
    pub(crate) async fn wait(&self, look: u32) -> Result<()> {
        self.api.pace.sleep(Duration::from_secs(1 << look.saturating_sub(1).min(5))).await
    }
}

/// That what was found is the version that was meant, if one was.
pub(crate) fn pinned(found: &Node, pin: Option<&Version>, doing: &str) -> Result<()> {
    if pin.is_some() && found.version().as_ref() != pin { Err(foreign(doing)) } else { Ok(()) }
}
