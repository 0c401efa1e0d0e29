//! What others call as we never would, in listings that are for taking everything out: told under a key that shows its
//! name, and read by its id. Its turn comes when all keys of ours are known, and it is never in their way.

use std::collections::HashSet;

use safelight_core::entry::{Listed, Page};
use safelight_core::error::Result;
use safelight_core::literal::another;

use super::{Listing, Todo, spelling};
use crate::names::literal;
use crate::node::Node;

impl Listing {
    /// Takes up a node to which no key leads.
    pub(super) async fn tell_literally(
        &mut self,
        todo: &Todo,
        name: String,
        node: Node,
        entries: &mut Vec<Listed>,
    ) -> Result<()> {
        let Some(key) = literal(todo.key.as_ref(), &name) else { return Ok(()) };
        if node.is_folder() {
            entries.extend(self.descend(todo, key, name, node.id, true));
            return Ok(());
        }
        if !node.is_file() || self.store.fresh.is_trashed(&node.id) {
            return Ok(());
        }
        // Bytes that an item of ours shares.
        if let Some(keys) = self.expected.remove(&node.id) {
            return self.tell_as(keys.into_keys().collect(), false, node, entries).await;
        }
        let hidden = self.store.ledger.entries().await?.is_hidden(&node.id);
        if !hidden && self.wanted(&key) {
            self.literal.push((key, node));
        }
        Ok(())
    }

    /// All of them, each once.
    pub(super) async fn literal(&mut self) -> Result<Page> {
        let mut found = std::mem::take(&mut self.literal);
        found.sort_by(|(key, node), (other, twin)| (key, &node.id).cmp(&(other, &twin.id)));
        let (mut entries, mut ids) = (Vec::new(), HashSet::new());
        for (key, node) in found {
            if !ids.insert(node.id.clone()) {
                continue;
            }
            let free = !self.told.contains(&spelling(&key));
            let key = if free { key } else { another(&key, &node.id).unwrap_or(key) };
            self.tell_as(vec![key], true, node, &mut entries).await?;
        }
        self.live.sort();
        Ok(Page { entries })
    }
}
