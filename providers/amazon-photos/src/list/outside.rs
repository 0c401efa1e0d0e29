//! Keys whose node was not met where folders were walked through.

use std::collections::BTreeMap;

use safelight_core::entry::{Listed, Page};
use safelight_core::error::Result;

use super::{DOING, Listing};
use crate::node::Node;
use crate::walk::{Question, Walk};

/// Up to so many nodes of a folder outside are looked at one by one.
const FEW: usize = 4;

impl Listing {
    /// Keys whose node was not met: it stands outside of what was walked through, or is gone.
    pub(super) async fn outside(&mut self) -> Result<Page> {
        let mut entries = Vec::new();
        let mut by_folder: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
        for (id, keys) in &self.expected {
            let folder = keys.values().flatten().next().cloned();
            by_folder.entry(folder).or_default().push(id.clone());
        }
        for (folder, ids) in by_folder {
            let Some(folder) = folder.filter(|_| ids.len() > FEW) else {
                self.one_by_one(ids, &mut entries).await?;
                continue;
            };
            let mut walk = Walk::new(Question::Folder(folder));
            while walk.end().is_none() {
                for node in walk.page(&self.store.api, DOING).await? {
                    let gone = !node.is_file() || self.store.fresh.is_trashed(&node.id);
                    let keys = self.expected.remove(&node.id).filter(|_| !gone);
                    if let Some(keys) = keys {
                        self.tell_as(keys.into_keys().collect(), false, node, &mut entries).await?;
                    }
                }
            }
            // What was moved from there meanwhile.
            let left = ids.into_iter().filter(|id| self.expected.contains_key(id)).collect();
            self.one_by_one(left, &mut entries).await?;
        }
        Ok(Page { entries })
    }

    async fn one_by_one(&mut self, ids: Vec<String>, entries: &mut Vec<Listed>) -> Result<()> {
        for id in ids {
            let Some(keys) = self.expected.remove(&id) else { continue };
            let node = self.store.api.node(&id, DOING).await?.filter(Node::has_bytes);
            if let Some(node) = node.filter(|node| !self.store.fresh.is_trashed(&node.id)) {
                self.tell_as(keys.into_keys().collect(), false, node, entries).await?;
            }
        }
        Ok(())
    }
}
