//! Storing a new version in place of an old one.
//!
//! It is sent under a second name; once it stands and is noted, the old version goes to the trash, and then the new
//! one gets its name.
//!
//! Invariant: at every moment one of the two stands under the key.

use http::Method;
use safelight_core::entry::Version;
use safelight_core::error::{Result, Retry};
use safelight_core::key::Key;
use safelight_core::provider::Receipt;
use serde_json::json;

use crate::goods::Goods;
use crate::ledger::Place;
use crate::names::{Spot, fold};
use crate::node::Node;
use crate::put::{already, receipt};
use crate::store::{Standing, Store, pinned};
use crate::trouble::missing;

impl Store {
    pub(crate) async fn replace(
        &self,
        key: &Key,
        old: &Version,
        spot: &Spot,
        goods: &mut Goods,
        doing: &str,
    ) -> Result<Receipt> {
        let found = self.locate(key, doing).await?.ok_or_else(|| missing(doing))?;
        pinned(&found.node, Some(old), doing)?;
        if let Some(receipt) = already(&found.node, goods) {
            return Ok(receipt);
        }
        let folder = self.folder_for(spot).await?;
        let (new, proof, ours) = self.send_aside(&folder, spot, &old.0, goods, doing).await?;
        if new.id == found.node.id {
            return Ok(receipt(&new, goods, proof));
        }
        // It took a while; nobody else may have changed it meanwhile.
        let still = self.there(&found.node.id, doing).await?.ok_or_else(|| missing(doing))?;
        pinned(&still, Some(old), doing)?;
        let found = Standing { node: still, ..found };
        let before = self.ledger.entries().await?.alias(key).cloned();
        self.adopt(key, spot, &folder, &new, ours).await?;
        // From here on the key is the new version; should this end now, the old one is known to be left over.
        self.retire(key, &found).await?;
        if let Err(error) = self.release(key, &found, None, doing).await {
            let mut entries = self.ledger.entries().await?;
            let counts = [(found.node.id.as_str(), Place::Counts)];
            let places = if found.by_alias { &[][..] } else { &counts };
            self.ledger.note(&mut entries, key, before, places).await?;
            return Err(error.retry(Retry::Never));
        }
        self.clear(key, doing).await?;
        // What was brought back from the trash may stand elsewhere.
        if ours && new.folders.contains(&folder) {
            self.name(key, spot, &new, doing).await?;
        }
        Ok(receipt(&new, goods, proof))
    }

    /// Notes that the old version's place is no key any more.
    async fn retire(&self, key: &Key, old: &Standing) -> Result<()> {
        let mut entries = self.ledger.entries().await?;
        let id = old.node.id.as_str();
        // What is somebody's, or another item's, is none of ours.
        if old.by_alias && (!entries.is_hidden(id) || entries.keys(id).next().is_some()) {
            return Ok(());
        }
        let alias = entries.alias(key).cloned();
        let place = [(id, Place::Hidden(Some(key.clone())))];
        self.ledger.note(&mut entries, key, alias, &place).await
    }

    /// Trashes what a replacement left in the place of a key when it ended half-way. Should that not work, it is
    /// tried again with the next one.
    async fn clear(&self, key: &Key, doing: &str) -> Result<()> {
        let Some(id) = self.ledger.entries().await?.leftover(key) else { return Ok(()) };
        if let Ok(Some(node)) = self.there(&id, doing).await {
            let left = Standing { node, by_alias: false };
            let _ = self.release(key, &left, None, doing).await;
        }
        Ok(())
    }

    /// Gives a node the name of its key, now that it is free. Should that not work, the note stays.
    async fn name(&self, key: &Key, spot: &Spot, node: &Node, doing: &str) -> Result<()> {
        let argument = json!({"name": spot.name, "resourceVersion": "V2", "ContentType": "JSON"});
        let path = format!("nodes/{}", node.id);
        let answer = self.api.tell(Method::PATCH, &path, &argument, doing).await;
        let Ok(Some(named)) = answer else { return Ok(()) };
        if named.name.as_deref().is_none_or(|name| fold(name) != fold(&spot.name)) {
            return Ok(());
        }
        let mut entries = self.ledger.entries().await?;
        let alone = entries.alias(key).is_some_and(|alias| alias.id == node.id);
        if alone {
            self.fresh.stored(key, &node.id);
            self.ledger.note(&mut entries, key, None, &[(&node.id, Place::Counts)]).await?;
        }
        Ok(())
    }
}
