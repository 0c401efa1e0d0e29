//! Listings: everything below a folder in one go. Of the root, only what has changed since it was listed last is
//! asked for.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::entry::{Listed, Page, Scope};
use safelight_core::error::{Error, Kind, Result, Retry};
use safelight_core::key::Key;
use serde_json::json;

use crate::literal::{self, Literal};
use crate::names::fold;
use crate::remembered::{Recorder, Remembered};
use crate::spelling::Spelling;
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
    /// Who writes this listing down, if it is of everything.
    recorder: Option<Recorder>,
    /// What is not called as we would have called it, where that is told too.
    literal: Option<Literal>,
    empty: u32,
}

enum At {
    Begin,
    On(String),
    /// At a page of what is remembered.
    Remembered(Box<Remembered>, u32),
    End,
}

/// Everything in the scope, in no order. Nobody can list the trash.
pub(crate) fn pages(store: Arc<Store>, scope: Scope) -> BoxStream<'static, Result<Page>> {
    let at = if scope.trashed { At::End } else { At::Begin };
    let folders = HashMap::new();
    let literal = scope.attached.then(literal::gathering);
    let walk = Walk { store, scope, at, limit: LIMIT, folders, recorder: None, literal, empty: 0 };
    stream::unfold(walk, |mut walk| async move {
        if matches!(walk.at, At::End) {
            return None;
        }
        let mut page = walk.page().await;
        match &mut page {
            Ok(page) if matches!(walk.at, At::End) => page.entries.extend(walk.last()),
            Ok(_) => {}
            Err(_) => walk.at = At::End,
        }
        Some((page, walk))
    })
    .boxed()
}

impl Walk {
    async fn page(&mut self) -> Result<Page> {
        let answer = match std::mem::replace(&mut self.at, At::End) {
            At::Begin => {
                if self.scope.below.is_none() {
                    if let Some(page) = self.catch_up().await? {
                        return Ok(page);
                    }
                    let root = self.store.names.folded_root();
                    let now = self.store.api.pace.clock().now();
                    self.recorder = Some(Recorder::begin(&*self.store.notebook, root, now).await?);
                }
                match self.begin().await? {
                    Ok(answer) => answer,
                    Err(page) => return Ok(page),
                }
            }
            At::On(cursor) => self.go_on(cursor).await?,
            At::Remembered(known, number) => return self.recall(known, number).await,
            At::End => return Ok(Page::default()),
        };
        // Folders may stand behind what they hold.
        answer.entries.iter().filter(|found| found.is_folder()).for_each(|found| self.learn(found));
        let files: Vec<_> = answer.entries.iter().filter(|found| found.is_file()).collect();
        let page = self.told(files.iter().copied());
        if let Some(recorder) = &mut self.recorder {
            recorder.page(&*self.store.notebook, &files).await?;
        }
        if answer.has_more {
            self.at = At::On(answer.cursor);
        } else if let Some(recorder) = self.recorder.take() {
            recorder.end(&*self.store.notebook, &self.folders, answer.cursor).await?;
        }
        Ok(page)
    }

    /// Asks for what has changed since the listing that is remembered. `None` if there is none, or Dropbox wants
    /// everything to be listed anew.
    async fn catch_up(&mut self) -> Result<Option<Page>> {
        let notebook = Arc::clone(&self.store.notebook);
        let (root, now) = (self.store.names.folded_root(), self.store.api.pace.clock().now());
        let Some(mut known) = Remembered::find(&*notebook, root, now).await? else {
            return Ok(None);
        };
        let Some(folders) = known.folders(&*notebook).await? else { return Ok(None) };
        loop {
            match self.go_on(known.cursor.clone()).await {
                Ok(answer) => {
                    answer.entries.into_iter().for_each(|told| known.since.learn(told));
                    known.cursor = answer.cursor;
                    if known.is_worn() {
                        return Ok(None);
                    }
                    if !answer.has_more {
                        break;
                    }
                }
                Err(error) if is_final(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        known.keep(&*notebook).await?;
        self.folders = folders;
        known.since.now().filter(|one| one.is_folder()).for_each(|folder| self.learn(folder));
        let page = self.told(known.since.now().filter(|one| one.is_file()));
        self.at = At::Remembered(Box::new(known), 0);
        Ok(Some(page))
    }

    /// One page of what is remembered.
    async fn recall(&mut self, known: Box<Remembered>, number: u32) -> Result<Page> {
        if number == known.pages() {
            return Ok(Page::default());
        }
        let Some(files) = known.page(&*self.store.notebook, number).await? else {
            Remembered::forget(&*self.store.notebook).await?;
            let context = "listing: what was remembered of it is lost";
            return Err(Error::new(Kind::Changed, context).retry(Retry::Now));
        };
        self.at = At::Remembered(known, number + 1);
        Ok(self.told(files.iter()))
    }

    fn learn(&mut self, folder: &Metadata) {
        Spelling { names: &self.store.names, folders: &mut self.folders }.learn(folder);
    }

    /// Files as core knows them, as far as they are wanted.
    fn told<'f>(&mut self, files: impl Iterator<Item = &'f Metadata>) -> Page {
        let spelling = Spelling { names: &self.store.names, folders: &mut self.folders };
        let mut literal = self.literal.as_mut();
        let listed = |file: &Metadata| match (&mut literal, spelling.foreign(file)) {
            (Some(literal), Some(shown)) => {
                literal::take_up(literal, shown, file);
                None
            }
            _ => spelling.listed(file),
        };
        let mut entries: Vec<Listed> = files.filter_map(listed).collect();
        if let Some(literal) = literal {
            for listed in &entries {
                literal.know(listed);
            }
        }
        entries.retain(|listed| match listed {
            Listed::File(entry) => self.wanted(&entry.key),
            Listed::Passed { key, .. } => self.wanted(key),
            _ => true,
        });
        Page { entries }
    }

    /// What has to wait until everything else is known.
    fn last(&mut self) -> Vec<Listed> {
        let told = self.literal.take().into_iter().flat_map(literal::told);
        let wanted = |listed: &Listed| match listed {
            Listed::File(entry) => self.wanted(&entry.key),
            _ => true,
        };
        told.filter(wanted).collect()
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

    async fn go_on(&mut self, cursor: String) -> Result<ListFolder> {
        let mut tries = 0;
        loop {
            tries += 1;
            let argument = json!({"cursor": cursor});
            match self.store.api.rpc("files/list_folder/continue", &argument, DOING).await {
                Ok(answer) => {
                    let answer: ListFolder = answer;
                    self.empty = if answer.entries.is_empty() { self.empty + 1 } else { 0 };
                    let endless = argument["cursor"] == answer.cursor || self.empty > EMPTY;
                    if answer.has_more && answer.entries.is_empty() && endless {
                        let context = "listing: it does not come to an end";
                        return Err(Error::new(Kind::Protocol, context));
                    }
                    return Ok(answer);
                }
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
        Ok(Page { entries: found.map(Listed::File).into_iter().collect() })
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

/// Whether only a listing from the start can help.
fn is_final(error: &Error) -> bool {
    use Kind::{Absent, Changed, NotFound, Protocol, Refused, Unsupported};
    matches!(error.kind(), Absent | Changed | NotFound | Protocol | Refused | Unsupported)
}

fn passing(trouble: &Trouble) -> bool {
    matches!(trouble.error.kind(), Kind::Unavailable | Kind::Timeout | Kind::Protocol)
        && trouble.may_pass()
}
