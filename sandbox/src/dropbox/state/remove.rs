//! Deletes.

use std::fs;

use serde_json::Value;

use super::{Root, Store};
use crate::dropbox::args::Rev;
use crate::dropbox::errors::{Lookup, Refusal, Trouble};
use crate::dropbox::json::tag;

/// The most files that one delete, move or copy may touch.
pub(super) const MOST: usize = 10_000;

impl Store {
    /// Deletes what is at `path`; the answer is what it was.
    pub(in crate::dropbox) fn delete(
        &mut self,
        root: &Root,
        path: &str,
        parent_rev: Option<&Rev>,
    ) -> Result<Value, Trouble> {
        let key = self.key(root, path)?;
        if key == root.prefix {
            return Err(Lookup::Malformed.into());
        }
        self.refresh_below(&key)?;
        let node = self.live(&key).ok_or(Lookup::NotFound)?;
        if let Some(Rev(rev)) = parent_rev {
            let file = node.file().ok_or(Lookup::NotFile)?;
            if file.rev != *rev {
                return Err(Refusal::File.into());
            }
        }
        let (metadata, is_file) = (self.metadata(root, &key), node.file().is_some());
        let below = self.below(&key);
        if below.len() > MOST {
            return Err(Trouble::Other(tag("too_many_files")));
        }
        for key in [&key].into_iter().chain(&below) {
            self.set_aside(key)?;
        }
        if !is_file {
            fs::remove_dir_all(self.on_disk(&key))?;
        }
        self.bury(&key);
        Ok(metadata)
    }
}
