//! Listings and what has changed since.
//!
//! A cursor says by itself where it stands, so it survives a restart. A first listing walks in the order of
//! keys; later ones walk in the order of changes, from the number of the latest change when the first began.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::Record;
use super::{Root, Store};
use crate::dropbox::errors::{Lookup, Trouble};
use crate::dropbox::json::tag;
use crate::dropbox::names;

/// What is listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dropbox) struct ListFolder {
    /// The key of the folder.
    pub(in crate::dropbox) key: String,
    /// It is what the client sees as its root, which no listing contains.
    pub(in crate::dropbox) is_root: bool,
    pub(in crate::dropbox) recursive: bool,
    pub(in crate::dropbox) deleted: bool,
    pub(in crate::dropbox) limit: usize,
}

/// Where a listing stands: what a cursor says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dropbox) struct Position {
    listing: ListFolder,
    generation: u64,
    /// The latest change that was told, or that the walk began with.
    since: u64,
    /// While the first walk lasts: the last key that was told.
    walked: Option<String>,
    pages: u64,
}

impl Position {
    /// As a cursor.
    pub(in crate::dropbox) fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a cursor; `None` if it is none.
    pub(in crate::dropbox) fn read(cursor: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
    }
}

impl Store {
    /// The beginning of a listing.
    pub(in crate::dropbox) fn list(&mut self, listing: ListFolder) -> Result<Position, Trouble> {
        self.refresh_below(&listing.key)?;
        self.listable(&listing.key)?;
        let (generation, since) = (self.generation, self.latest());
        Ok(Position { listing, generation, since, walked: Some(String::new()), pages: 0 })
    }

    /// Where a listing stands once everything was told.
    pub(in crate::dropbox) fn list_latest(
        &mut self,
        listing: ListFolder,
    ) -> Result<Position, Trouble> {
        Ok(Position { walked: None, ..self.list(listing)? })
    }

    /// The next page: its entries, and whether more follow. `at` moves on.
    pub(in crate::dropbox) fn page(
        &mut self,
        root: &Root,
        at: &mut Position,
    ) -> Result<(Vec<Value>, bool), Trouble> {
        self.still_good(at)?;
        if at.walked.is_none() {
            self.refresh_below(&at.listing.key)?;
        }
        self.listable(&at.listing.key)?;
        at.pages += 1;
        if self.behaviour.empty_pages && at.pages.is_multiple_of(2) {
            return Ok((Vec::new(), true));
        }
        let limit = at.listing.limit.min(self.behaviour.longest_page).max(1);
        let (keys, more) = match at.walked.take() {
            Some(walked) => self.walk(at, &walked, limit),
            None => self.delta(at, limit),
        };
        Ok((keys.iter().map(|key| self.metadata(root, key)).collect(), more))
    }

    /// Whether something has changed that the next page would tell.
    pub(in crate::dropbox) fn has_news(&mut self, at: &Position) -> Result<bool, Trouble> {
        self.still_good(at)?;
        self.refresh_below(&at.listing.key)?;
        Ok(at.walked.is_some() || !self.delta(&mut at.clone(), 1).0.is_empty())
    }

    /// Every cursor that was given out is worthless from now on.
    pub(in crate::dropbox) fn reset_cursors(&mut self) {
        self.generation += 1;
        self.note(Record::Generation(self.generation));
    }

    fn still_good(&self, at: &Position) -> Result<(), Trouble> {
        if at.generation == self.generation {
            return Ok(());
        }
        Err(Trouble::Other(tag("reset")))
    }

    fn listable(&self, key: &str) -> Result<(), Trouble> {
        match self.live(key) {
            _ if key.is_empty() => Ok(()),
            None => Err(Lookup::NotFound.into()),
            Some(node) if node.file().is_some() => Err(Lookup::NotFolder.into()),
            Some(_) => Ok(()),
        }
    }

    fn walk(&self, at: &mut Position, walked: &str, limit: usize) -> (Vec<String>, bool) {
        let listing = &at.listing;
        let first = if walked.is_empty() { listing.key.clone() } else { walked.to_owned() + "\0" };
        let end = format!("{}0", listing.key);
        let told = self
            .nodes
            .range(first..end)
            .filter(|(key, node)| listing.covers(key) && (listing.deleted || !node.is_gone()));
        let mut keys: Vec<String> = told.map(|(key, _)| key.clone()).take(limit + 1).collect();
        let more = keys.len() > limit;
        keys.truncate(limit);
        at.walked = keys.last().filter(|_| more).cloned();
        (keys, more)
    }

    fn delta(&self, at: &mut Position, limit: usize) -> (Vec<String>, bool) {
        let listing = &at.listing;
        let news = self
            .changes
            .range(at.since + 1..)
            .filter(|(_, key)| listing.covers(key) && !self.told_with_its_parent(listing, key));
        let mut news: Vec<_> = news.take(limit + 1).collect();
        let more = news.len() > limit;
        news.truncate(limit);
        let latest = news.last().map_or(0, |(change, _)| **change);
        at.since = if more { latest } else { self.latest() };
        (news.into_iter().map(|(_, key)| key.clone()).collect(), more)
    }

    /// What went with its folder is not told by itself.
    fn told_with_its_parent(&self, listing: &ListFolder, key: &str) -> bool {
        let gone = |key| self.any(key).is_some_and(super::Node::is_gone);
        gone(key) && names::parent(key).is_some_and(|above| gone(above) && listing.covers(above))
    }
}

impl ListFolder {
    fn covers(&self, key: &str) -> bool {
        if !self.recursive {
            return names::parent(key) == Some(self.key.as_str());
        }
        let rest = key.strip_prefix(self.key.as_str());
        rest.is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && !self.is_root))
    }
}
