//! Notices what somebody did to the plain files behind the stand-in's back: a file that is gone is deleted, one
//! with other bytes has them.

use std::fs;
use std::io;
use std::path::Path;

use safelight_core::time::Timestamp;

use super::{File, Store, What, rev_of};
use crate::dropbox::hash;
use crate::dropbox::json::date;

impl Store {
    /// Looks at what is on disk for `key` and for the folders above it.
    pub(in crate::dropbox) fn refresh_with_parents(&mut self, key: &str) -> io::Result<()> {
        let ends = key.match_indices('/').map(|(at, _)| at).skip(1).chain([key.len()]);
        ends.filter(|_| !key.is_empty()).try_for_each(|end| self.refresh(&key[..end]))
    }

    /// Looks at what is on disk for `key`.
    pub(in crate::dropbox) fn refresh(&mut self, key: &str) -> io::Result<()> {
        let Some(node) = self.live(key).cloned() else { return Ok(()) };
        let path = self.on_disk(key);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => Some(found),
            Err(error) if is_absence(&error) => None,
            Err(error) => return Err(error),
        };
        match (node.what, found) {
            (What::File(file), Some(found)) if found.is_file() => {
                let stamp = stamp(&found);
                if file.size != found.len() || file.stamp != stamp {
                    self.take_over(key, node.name, file, stamp)?;
                }
            }
            (What::Folder { .. }, Some(found)) if found.is_dir() => {}
            _ => self.bury(key),
        }
        Ok(())
    }

    fn take_over(&mut self, key: &str, name: String, file: File, stamp: i64) -> io::Result<()> {
        let (size, content_hash) = hash::of_file(&self.on_disk(key))?;
        let same = content_hash == file.content_hash;
        let rev = if same { file.rev.clone() } else { rev_of(self.change + 1) };
        let server_modified =
            if same { file.server_modified.clone() } else { date(self.clock.now()) };
        let file = File { rev, size, content_hash, server_modified, stamp, ..file };
        self.put(key, name, What::File(file));
        Ok(())
    }

    /// Looks at everything below `key` and at `key` itself.
    pub(in crate::dropbox) fn refresh_below(&mut self, key: &str) -> io::Result<()> {
        self.refresh(key)?;
        self.below(key).iter().try_for_each(|key| self.refresh(key))
    }

    /// What is at `key` and below is gone.
    pub(super) fn bury(&mut self, key: &str) {
        let below = self.below(key);
        for key in [key.to_owned()].into_iter().chain(below) {
            if let Some(node) = self.live(&key) {
                let name = node.name.clone();
                self.put(&key, name, What::Gone);
            }
        }
    }
}

/// The mtime in nanoseconds.
pub(super) fn stamp(found: &fs::Metadata) -> i64 {
    found.modified().map(|time| Timestamp::from(time).as_nanos()).unwrap_or_default()
}

/// The mtime of the file at `path`.
pub(super) fn stamp_of(path: &Path) -> io::Result<i64> {
    fs::symlink_metadata(path).map(|found| stamp(&found))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
