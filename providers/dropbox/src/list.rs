//! Listings: everything below a folder in one go, or what changed since.
//!
//! Dropbox spells only the last part of a path as it is; so the spelling of a folder is taken from the folder's
//! own entry. What was removed has no word in core's listings: a listing of changes leaves it out.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::codes;
use safelight_core::entry::{Listed, Page, Scope};
use safelight_core::error::{Error, Kind, Result, Retry};
use safelight_core::key::{Key, printable};
use serde_json::json;

use crate::names::{Found, decode, fold};
use crate::store::Store;
use crate::trouble::Trouble;
use crate::wire::{ListFolder, Metadata};

/// Most entries that Dropbox puts on a page.
const LIMIT: u32 = 2000;
/// Smaller pages are not asked for, however long they take.
const LEAST: u32 = 125;
const TRIES: u32 = 5;
/// Pages without an entry that are believed one after the other.
const EMPTY: u32 = 10_000;
const DOING: &str = "listing";

struct Walk {
    store: Arc<Store>,
    scope: Scope,
    at: At,
    limit: u32,
    /// How the folders below the root are spelled, by their folded paths.
    folders: HashMap<String, String>,
    empty: u32,
}

enum At {
    Begin,
    On(String),
    End,
}

/// Everything in the scope, in no order.
pub(crate) fn pages(store: Arc<Store>, scope: Scope) -> BoxStream<'static, Result<Page>> {
    let at = scope.cursor.clone().map_or(At::Begin, At::On);
    let walk = Walk { store, scope, at, limit: LIMIT, folders: HashMap::new(), empty: 0 };
    stream::unfold(walk, |mut walk| async move {
        if matches!(walk.at, At::End) {
            return None;
        }
        let page = walk.page().await;
        if page.is_err() {
            walk.at = At::End;
        }
        Some((page, walk))
    })
    .boxed()
}

impl Walk {
    async fn page(&mut self) -> Result<Page> {
        let answer = match &self.at {
            At::Begin => match self.begin().await? {
                Ok(answer) => answer,
                Err(page) => {
                    self.at = At::End;
                    return Ok(page);
                }
            },
            At::On(cursor) => self.go_on(cursor.clone()).await?,
            At::End => return Ok(Page::default()),
        };
        self.empty = if answer.entries.is_empty() { self.empty + 1 } else { 0 };
        let endless = matches!(&self.at, At::On(before) if *before == answer.cursor);
        if answer.has_more && answer.entries.is_empty() && (endless || self.empty > EMPTY) {
            return Err(Error::new(Kind::Protocol, "listing: it does not come to an end"));
        }
        // Folders may stand behind what they hold.
        answer.entries.iter().filter(|found| found.is_folder()).for_each(|found| self.learn(found));
        let mut page = Page::default();
        for found in answer.entries.iter().filter(|found| found.is_file()) {
            page.entries.extend(self.listed(found));
        }
        if answer.has_more {
            self.at = At::On(answer.cursor);
        } else {
            page.cursor = Some(answer.cursor);
            self.at = At::End;
        }
        Ok(page)
    }

    /// The first page, or what the listing consists of where there is no folder.
    async fn begin(&mut self) -> Result<std::result::Result<ListFolder, Page>> {
        let paths: Vec<String> = match &self.scope.below {
            None => vec![self.store.names.root().to_owned()],
            Some(key) => self.store.names.spot(key)?.paths().collect(),
        };
        for path in paths {
            match self.first(&path).await {
                Ok(answer) => return Ok(Ok(answer)),
                Err(trouble) if trouble.has("not_folder") => return self.alone().await.map(Err),
                Err(trouble) if matches!(trouble.error.kind(), Kind::NotFound | Kind::Name) => {}
                Err(trouble) => return Err(trouble.error),
            }
        }
        // Some tell of a file as of nothing.
        self.alone().await.map(Err)
    }

    async fn first(&mut self, path: &str) -> Result<ListFolder, Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            let argument = json!({"path": path, "recursive": true, "limit": self.limit});
            match self.store.api.rpc("files/list_folder", &argument, DOING).await {
                Err(trouble) if passing(&trouble) && tries < TRIES => {
                    // Large folders take longer than the service allows itself.
                    self.limit = (self.limit / 2).max(LEAST);
                    self.store.api.pace.back_off(tries, &trouble.error).await?;
                }
                answer => return answer,
            }
        }
    }

    async fn go_on(&self, cursor: String) -> Result<ListFolder> {
        let mut tries = 0;
        loop {
            tries += 1;
            let argument = json!({"cursor": cursor});
            match self.store.api.rpc("files/list_folder/continue", &argument, DOING).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) if passing(&trouble) && tries < TRIES => {
                    self.store.api.pace.back_off(tries, &trouble.error).await?;
                }
                Err(trouble) if trouble.has("not_found") => {
                    let context = "listing: the folder is not there any more";
                    return Err(Error::new(Kind::Absent, context));
                }
                // What was listed so far does not count; a listing from the start does.
                Err(trouble) if trouble.has("reset") => {
                    let context = "listing: Dropbox wants it listed from the start";
                    return Err(Error::new(Kind::Changed, context).retry(Retry::Now));
                }
                Err(trouble) => return Err(trouble.error),
            }
        }
    }

    /// What stands at the scope's own key, where that is no folder.
    async fn alone(&self) -> Result<Page> {
        let Some(key) = &self.scope.below else { return Ok(Page::default()) };
        let found = self.store.stat(key).await?.filter(|_| self.wanted(key));
        Ok(Page { entries: found.map(Listed::File).into_iter().collect(), cursor: None })
    }

    /// The path below the root as it identifies an entry; `None` for the root and what is outside.
    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.store.names.folded_root())?;
        rest.strip_prefix('/').filter(|rest| !rest.is_empty())
    }

    fn learn(&mut self, folder: &Metadata) {
        let Some(path) = folder.path_lower.as_deref().and_then(|path| self.below(path)) else {
            return;
        };
        let path = path.to_owned();
        self.folders.insert(path, folder.name.clone());
    }

    /// The path below the root as it is spelled.
    fn spelled(&self, found: &Metadata, identity: &str) -> String {
        let segments = identity.split('/').count();
        let shown = found.path_display.as_deref().unwrap_or_default();
        let mut shown: Vec<&str> = shown.rsplit('/').take(segments).collect();
        shown.reverse();
        let ends = identity.match_indices('/').map(|(at, _)| at);
        let mut spelled = String::with_capacity(identity.len());
        for (index, end) in ends.enumerate() {
            let folder = &identity[..end];
            let name = self.folders.get(folder).map(String::as_str);
            // A folder that was not listed (yet) is spelled as the entry has it.
            let name = name.or_else(|| shown.get(index).copied());
            spelled.push_str(name.unwrap_or_else(|| last(folder)));
            spelled.push('/');
        }
        spelled + if found.name.is_empty() { last(identity) } else { &found.name }
    }

    fn listed(&self, found: &Metadata) -> Option<Listed> {
        let path = found.path_lower.as_deref()?;
        let Some(identity) = self.below(path) else {
            return (!path.starts_with(self.store.names.folded_root())).then(|| outside(path));
        };
        let mut spelled = self.spelled(found, identity);
        if fold(&spelled) != fold(identity) {
            // The parts do not belong together: what identifies it is right in any case.
            identity.clone_into(&mut spelled);
        }
        match decode(&spelled) {
            Found::Key(key) if !self.wanted(&key) => None,
            Found::Key(key) => Some(Listed::File(found.entry(key))),
            Found::Foreign(key) if !self.wanted(&key) => None,
            Found::Foreign(key) => Some(Listed::Passed { key, code: codes::NAME_REFUSED }),
            Found::Nonsense => Some(outside(path)),
        }
    }

    fn wanted(&self, key: &Key) -> bool {
        (self.scope.reserved || !key.is_reserved())
            && self.scope.below.as_ref().is_none_or(|below| is_within(key, below))
    }
}

/// Whether `key` stands at or below `folder`, whatever the spelling.
fn is_within(key: &Key, folder: &Key) -> bool {
    let (mut inner, mut outer) = (key.segments(), folder.segments());
    outer.all(|name| {
        inner.next().is_some_and(|other| {
            name == other
                || fold(&String::from_utf8_lossy(name)) == fold(&String::from_utf8_lossy(other))
        })
    })
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// An entry that has no business in this listing. What it is must not be taken for deleted.
fn outside(path: &str) -> Listed {
    let context = format!("listing: {} makes no sense", printable(path.as_bytes()));
    Listed::Unseen { key: None, error: Error::new(Kind::Protocol, context) }
}

fn passing(trouble: &Trouble) -> bool {
    matches!(trouble.error.kind(), Kind::Unavailable | Kind::Timeout | Kind::Protocol)
        && trouble.may_pass()
}
