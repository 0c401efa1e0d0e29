//! The films of live photos in a listing: last, when all other names are known.

use safelight_core::entry::{Listed, Page};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;

use super::{Listing, Step, spelling};
use crate::films::beside;
use crate::node::Node;

/// Films of so many live photos are one page.
const AT_ONCE: usize = 50;

impl Listing {
    /// The films of some live photos, each under a key of its own beside its still.
    pub(super) async fn films(&mut self) -> Result<Page> {
        let rest = self.live.split_off(self.live.len().min(AT_ONCE));
        let stills = std::mem::replace(&mut self.live, rest);
        if self.live.is_empty() {
            self.step = Step::End;
        }
        let ids: Vec<_> = stills.iter().map(|(_, id)| id.clone()).collect();
        let films = self.store.films(&ids).await?;
        let mut entries = Vec::new();
        for ((key, still), films) in stills.into_iter().zip(films) {
            for film in films {
                // It may be an item's place as well, and was told as that.
                let is_item = self.store.ledger.entries().await?.keys(&film.id).next().is_some();
                if !is_item {
                    entries.extend(self.film(&key, &film));
                }
                if let Some(seen) = &mut self.seen {
                    seen.push((film, Some(still.clone())));
                }
            }
        }
        Ok(Page { entries })
    }

    fn film(&mut self, still: &Key, film: &Node) -> Option<Listed> {
        let plain = beside(still, film, false)?;
        let free = !self.told.contains(&spelling(&plain));
        let key = if free { plain } else { beside(still, film, true)? };
        self.told.insert(spelling(&key));
        Some(if film.size.is_some() {
            Listed::File(film.entry_by_id(key))
        } else {
            let context = format!("listing: Amazon Photos does not tell the size of {key}");
            let error = Error::new(Kind::Unavailable, context);
            Listed::Unseen { key: Some(key), error }
        })
    }
}
