//! What is lost with the account besides the bytes: albums, favourites, captions, dates, which film belongs to which
//! still.
//!
//! Invariant: it tells of the objects that a listing tells, of each once, and of no others.

use std::collections::BTreeMap;
use std::sync::Arc;

use safelight_core::entry::Scope;
use safelight_core::error::Result;
use safelight_core::extras::Extras;

use crate::list::Listing;
use crate::store::Store;

impl Store {
    /// Everything of what is listed. Albums of others than these objects are left out where the destination is a part
    /// of the account.
    pub(crate) async fn extras(self: &Arc<Self>) -> Result<Extras> {
        let scope = Scope { attached: true, ..Scope::default() };
        let mut listing = Listing::new(Arc::clone(self), scope);
        let mut known = BTreeMap::new();
        while let Some(nodes) = listing.nodes().await? {
            for (node, still) in nodes {
                // Films come last: one that is an item as well was told before.
                if still.is_some() || !known.contains_key(&node.id) {
                    let remark = node.about.remark(&node.id, still.as_deref());
                    known.insert(node.id, remark);
                }
            }
        }
        let part = !self.names.root().is_empty();
        let mut albums = self.albums().await?;
        albums.retain_mut(|album| {
            let was_empty = album.members.is_empty();
            album.members.retain(|member| known.contains_key(&**member));
            was_empty || !part || !album.members.is_empty()
        });
        let remarks = known.into_values().flatten().collect();
        Ok(Extras { albums, remarks })
    }
}
