//! Listing: every file below the root in the order of keys, page by page.
//!
//! Invariants: findings arrive sorted as [`Key`] sorts whole paths. Memory is bounded by the largest folders
//! on one path from the root and a fixed look-ahead, not by the number of files. A folder that cannot be
//! read, wholly or in part, is reported as unseen; a root that is gone is an error, never an empty listing.

mod ahead;
mod folder;

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use rustix::io::Errno;
use safelight_core::codes::{self, Code};
use safelight_core::entry::{Listed, Page, Scope};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;

use crate::facts::What;
use crate::feed::{Outlet, feed};
use crate::tree::{Tree, Use, is_private};
use crate::volume;
use ahead::{Ahead, Slot};
use folder::{Finding, Folder, Reader};

/// Findings in one page.
const PAGE: usize = 1000;
/// Pages that wait for the listener.
const WINDOW: usize = 2;

/// Lists what is in `scope`.
pub(crate) fn list(tree: Arc<Tree>, scope: Scope) -> BoxStream<'static, Result<Page>> {
    if scope.trashed {
        // A file system has no trash; those of desktops are folders like others.
        return stream::empty().boxed();
    }
    feed(WINDOW, move |outlet| {
        tree.still_there()?;
        let mut pages = Pages { outlet, page: Vec::with_capacity(PAGE) };
        match start(&tree, &scope) {
            Start::Nothing => {}
            Start::One(listed) => pages.push(listed)?,
            Start::Folder(key) => {
                let reader = Reader { tree: &tree, scope: &scope };
                ahead::run(&reader, |ahead| {
                    Walk { tree: &tree, ahead, pages: &mut pages }.go(key)
                })?;
            }
        }
        tree.still_there()?;
        pages.flush()
    })
}

/// Why something that is neither a file nor a folder is passed over.
fn reason(what: What) -> Code {
    if what == What::Link { codes::LINK_SKIPPED } else { codes::NOT_A_FILE }
}

enum Start {
    Nothing,
    One(Listed),
    Folder(Option<Key>),
}

fn start(tree: &Tree, scope: &Scope) -> Start {
    let Some(key) = &scope.below else {
        return Start::Folder(None);
    };
    let stored = tree.stored(key);
    if is_private(&stored) || (key.is_reserved() && !scope.reserved) {
        return Start::Nothing;
    }
    match tree.root.stat(&stored) {
        Ok(facts) => match facts.what {
            What::Folder => Start::Folder(Some(key.clone())),
            What::File => Start::One(Listed::File(tree.entry(key.clone(), &facts.stamp))),
            other => Start::One(Listed::Passed { key: key.clone(), code: reason(other) }),
        },
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Start::Nothing,
        Err(errno) => Start::One(unseen(tree, key.clone(), errno)),
    }
}

fn unseen(tree: &Tree, key: Key, errno: Errno) -> Listed {
    let error = tree.read_fault(errno, format!("looking into {key}"));
    let error = if error.kind() == Kind::Denied { error.code(codes::UNREADABLE) } else { error };
    Listed::Unseen { key: Some(key), error }
}

/// Collects findings into pages.
struct Pages<'a> {
    outlet: &'a Outlet<Page>,
    page: Vec<Listed>,
}

impl Pages<'_> {
    fn push(&mut self, listed: Listed) -> Result<()> {
        self.page.push(listed);
        if self.page.len() == PAGE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.page.is_empty() {
            return Ok(());
        }
        let entries = std::mem::replace(&mut self.page, Vec::with_capacity(PAGE));
        self.outlet.give(Page { entries })
    }
}

/// One folder on the way from the root to where the walk is.
struct Level {
    /// The path of the folder with a `/` behind it; empty at the root.
    prefix: Vec<u8>,
    folder: Folder,
    at: usize,
    /// The sub-folders, which others may be reading already.
    slots: Vec<Arc<Slot>>,
    /// Sub-folders that were announced and not yet entered.
    opened: HashMap<usize, Folder>,
}

struct Walk<'a, 'b> {
    tree: &'a Tree,
    ahead: &'a Ahead<'a>,
    pages: &'a mut Pages<'b>,
}

impl Walk<'_, '_> {
    fn go(mut self, top: Option<Key>) -> Result<()> {
        let slot = Slot::new(top);
        let folder = match (self.ahead.read(&slot), &slot.key) {
            (Ok(folder), _) => folder,
            (Err(errno), Some(key)) => {
                return self.pages.push(unseen(self.tree, key.clone(), errno));
            }
            (Err(errno), None) => {
                let context = format!("listing {}", self.tree.path().display());
                return Err(self.tree.read_fault(errno, context));
            }
        };
        let mut levels = vec![self.level(slot.key.as_ref(), folder)];
        while let Some(level) = levels.last_mut() {
            if level.at == level.folder.len() {
                levels.pop();
                continue;
            }
            let (name, finding) = level.folder.get(level.at);
            level.at += 1;
            if let Finding::Inside(index) = finding {
                if let Some(folder) = level.opened.remove(&index) {
                    let key = level.slots[index].key.clone();
                    let next = self.level(key.as_ref(), folder);
                    levels.push(next);
                }
                continue;
            }
            let key = Key::new([&level.prefix, name].concat())
                .map_err(|bad| Error::new(Kind::Internal, "a name that cannot be").source(bad))?;
            match finding {
                Finding::File(stamp) => {
                    self.pages.push(Listed::File(self.tree.entry(key, &stamp)))?;
                }
                Finding::Passed(code) => self.pages.push(Listed::Passed { key, code })?,
                Finding::Unseen(errno) => self.pages.push(unseen(self.tree, key, errno))?,
                Finding::Folder(index) => self.announce(level, index, key)?,
                Finding::Inside(_) => {}
            }
        }
        Ok(())
    }

    fn level(&self, key: Option<&Key>, folder: Folder) -> Level {
        let mut prefix = key.map_or_else(Vec::new, |key| key.as_bytes().to_vec());
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let slot = |name: &[u8]| Arc::new(Slot::new(Key::new([&prefix, name].concat()).ok()));
        let slots: Vec<_> = folder.folders().map(slot).collect();
        self.ahead.offer(folder.visits().map(|number| Arc::clone(&slots[number])));
        Level { prefix, folder, at: 0, slots, opened: HashMap::new() }
    }

    /// A folder has its own place in the order, before its content: there is said what is to be said of it.
    fn announce(&mut self, level: &mut Level, index: usize, key: Key) -> Result<()> {
        match self.ahead.read(&level.slots[index]) {
            Ok(folder) => {
                if folder.device != level.folder.device {
                    let volume = volume::identity(folder.device, &self.tree.root, &self.tree.rules)
                        .unwrap_or_else(|| format!("device:{}", folder.device));
                    self.pages.push(Listed::Mount { key, volume })?;
                }
                level.opened.insert(index, folder);
                Ok(())
            }
            // It went away, or something else took its name: the next listing tells what.
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => self.pages.push(unseen(self.tree, key, errno)),
        }
    }
}

/// What a listing says of a name at the top that is reserved.
fn reserved(tree: &Tree, scope: &Scope) -> Option<Finding> {
    match (scope.reserved, tree.usage) {
        (false, Use::Library) => Some(Finding::Passed(codes::RESERVED_NAME)),
        _ => None,
    }
}
