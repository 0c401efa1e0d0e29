//! Where the bytes of a node are on this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use safelight_core::time::Timestamp;

use super::{Kind, Node, Store};
use crate::amazon::names;

impl Store {
    /// The plain file or folder of a node.
    pub(in crate::amazon) fn path(&self, node: &Node) -> PathBuf {
        let name = names::on_disk(&node.name);
        match (node.kind, node.trashed, &node.parent) {
            (Kind::Asset, _, Some(still)) => self.folder.join("assets").join(still).join(name),
            (_, Some(_), _) => self.folder.join("trash").join(&node.id),
            (Kind::Root, ..) => self.folder.join("files"),
            (_, None, parent) => match parent.as_ref().and_then(|id| self.nodes.get(id)) {
                Some(parent) => self.path(parent).join(name),
                None => self.folder.join("files").join(name),
            },
        }
    }

    /// A place for bytes on their way in.
    pub(in crate::amazon) fn incoming(&self) -> PathBuf {
        self.folder.join(".state").join("incoming")
    }

    /// Takes the bytes at `from` for those of `node`.
    pub(super) fn install(&self, from: &Path, node: &Node) -> io::Result<()> {
        let to = self.path(node);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(from, to)
    }
}

/// Length and mtime of a plain file; none if there is none.
pub(super) fn stamp(path: &Path) -> io::Result<Option<(u64, i64)>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {
            Ok(Some((found.len(), Timestamp::from(found.modified()?).as_nanos())))
        }
        Ok(_) => Ok(None),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
