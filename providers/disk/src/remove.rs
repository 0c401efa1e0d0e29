//! Removing what a permit names.
//!
//! Invariant: exactly the version that the permit names is touched, and the answer comes after the change is
//! durable. Folders that a removal empties are removed too; the root never is.

use std::sync::{PoisonError, RwLock};

use rustix::fs::{AtFlags, unlinkat, utimensat};
use rustix::io::Errno;
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::permit::{Disposal, RemovalPermit};
use safelight_core::provider::Removed;
use safelight_core::time::{Clock, Timestamp};

use crate::facts::{Facts, What};
use crate::fault::{Act, fault};
use crate::root::{look_in, split, stat_in};
use crate::sync;
use crate::temp::{both, rename_new};
use crate::tree::Tree;

/// Removes what `permit` names. Blocks.
pub(crate) fn remove(
    tree: &Tree,
    shape: &RwLock<()>,
    permit: &RemovalPermit,
    clock: &dyn Clock,
) -> Result<Removed> {
    let key = permit.key();
    let failed = |errno| fault(errno, Act::Write, format!("removing {key}"));
    let stored = tree.stored(key);
    let (above, name) = split(&stored);
    let folder = tree.root.folder(above).map_err(|errno| match errno {
        Errno::NOTDIR => Error::new(Kind::NotFound, format!("there is no {key}")),
        errno => failed(errno),
    })?;
    let facts = expect(tree, key, look_in(&folder, name).map_err(failed)?, permit.version())?;
    permit.still_good(clock)?;
    let removed = match permit.disposal() {
        Disposal::Purge => {
            unlinkat(&folder, name, AtFlags::empty()).map_err(failed)?;
            Removed::Gone
        }
        Disposal::Trash(to) => {
            move_to(tree, shape, (&folder, name), to)?;
            keep_time(tree, to, facts.stamp.modified);
            Removed::Kept(to.clone())
        }
    };
    sync::folder(&folder).map_err(failed)?;
    drop(folder);
    prune(tree, shape, above);
    Ok(removed)
}

/// Checks that a file is there, and that it is the version `wanted` if one is asked for.
pub(crate) fn expect(
    tree: &Tree,
    key: &Key,
    found: Option<Facts>,
    wanted: Option<&Version>,
) -> Result<Facts> {
    let Some(facts) = found.filter(|facts| facts.what == What::File) else {
        return Err(Error::new(Kind::NotFound, format!("there is no {key}")));
    };
    if wanted.is_some_and(|wanted| *wanted != tree.tag(&facts.stamp)) {
        return Err(crate::write::replaced_by_another(key));
    }
    Ok(facts)
}

/// Moves a file to the free key `to` and makes that name durable.
pub(crate) fn move_to(
    tree: &Tree,
    shape: &RwLock<()>,
    (from, from_name): (&std::os::fd::OwnedFd, &[u8]),
    to: &Key,
) -> Result<()> {
    let failed = |errno| fault(errno, Act::Write, format!("moving to {to}"));
    let stored = tree.stored(to);
    let (above, name) = split(&stored);
    let _shape = shape.read().unwrap_or_else(PoisonError::into_inner);
    let (folder, grown) = tree.root.make_folder(above).map_err(failed)?;
    rename_new(from, from_name, &folder, name).map_err(failed)?;
    std::iter::once(&folder).chain(&grown).try_for_each(sync::folder).map_err(failed)
}

/// Gives a file that was moved its modification time back, should it have lost it: some programs behind FUSE take
/// a new name for a change of the file. Not a promise, since the file itself is where it should be.
pub(crate) fn keep_time(tree: &Tree, key: &Key, modified: Timestamp) {
    let stored = tree.stored(key);
    let (above, name) = split(&stored);
    let Ok(folder) = tree.root.folder(above) else { return };
    if stat_in(&folder, name).is_ok_and(|facts| facts.stamp.modified != modified) {
        let _ = utimensat(&folder, name, &both(modified), AtFlags::SYMLINK_NOFOLLOW);
    }
}

/// Removes the folder at the stored path and those above it, as long as they are empty. Not a promise: what
/// stays because of an error is an empty folder and nothing worse.
pub(crate) fn prune(tree: &Tree, shape: &RwLock<()>, path: &[u8]) {
    // No new file may be on its way into one of them.
    let _shape = shape.write().unwrap_or_else(PoisonError::into_inner);
    let mut path = path;
    while !path.is_empty() {
        let (above, name) = split(path);
        let Ok(folder) = tree.root.folder(above) else {
            return;
        };
        if unlinkat(&folder, name, AtFlags::REMOVEDIR).is_err() {
            return;
        }
        path = above;
    }
}
