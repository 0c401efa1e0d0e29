//! Moves and copies.

use std::fs;
use std::io;

use serde_json::Value;

use super::remove::MOST;
use super::watch::stamp_of;
use super::{File, Node, Root, Store, What, id_of, rev_of};
use crate::dropbox::errors::{Lookup, Refusal, Trouble};
use crate::dropbox::json::{date, tag};
use crate::dropbox::names;

/// Whether the source stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dropbox) enum Relocation {
    Move,
    Copy,
}

impl Store {
    /// Moves or copies; the answer is what came to be. Lookups speak of `from`, writes of `to`.
    pub(in crate::dropbox) fn relocate(
        &mut self,
        root: &Root,
        (from, to): (&str, &str),
        autorename: bool,
        how: Relocation,
    ) -> Result<Value, Trouble> {
        let source = self.key(root, from)?;
        if source == root.prefix {
            return Err(Lookup::Malformed.into());
        }
        self.refresh_below(&source)?;
        let is_folder = self.live(&source).ok_or(Lookup::NotFound)?.file().is_none();
        let (mut names, mut target) = self.target(root, to)?;
        if target.starts_with(&format!("{source}/")) {
            return Err(Trouble::Other(tag("cant_move_folder_into_itself")));
        }
        let tree = [source.clone()].into_iter().chain(self.below(&source));
        let tree: Vec<(String, Node)> =
            tree.filter_map(|key| Some((key.clone(), self.live(&key)?.clone()))).collect();
        let files = tree.iter().filter_map(|(_, node)| node.file());
        let (count, bytes) = files.fold((0, 0), |(n, sum), file| (n + 1, sum + file.size));
        if count > MOST {
            return Err(Trouble::Other(tag("too_many_files")));
        }
        if how == Relocation::Copy && !self.has_room(bytes) {
            return Err(Trouble::Other(tag("insufficient_quota")));
        }
        self.refresh(&target)?;
        // A change of nothing but case ends here too: the service does not do it.
        if let Some(there) = self.live(&target) {
            let file = there.file().is_some();
            if !autorename {
                return Err(if file { Refusal::File } else { Refusal::Folder }.into());
            }
            (names, target) = self.free_name(&names, names::numbered);
        }
        self.make_parents(&names)?;
        for (from, node) in tree {
            let to = format!("{target}{}", &from[source.len()..]);
            let name = if from == source { names.last() } else { Some(&node.name) };
            let name = name.cloned().unwrap_or_default();
            self.bring((&from, &to), node, name, how)?;
        }
        if how == Relocation::Move {
            if is_folder {
                fs::remove_dir_all(self.on_disk(&source))?;
            }
            self.bury(&source);
        }
        Ok(self.metadata(root, &target))
    }

    fn bring(
        &mut self,
        (from, to): (&str, &str),
        node: Node,
        name: String,
        how: Relocation,
    ) -> io::Result<()> {
        // First the name alone, so that the place on disk has its case.
        self.put(to, name.clone(), What::Gone);
        let path = self.on_disk(to);
        let what = match (node.what, how) {
            (What::File(mut file), Relocation::Move) => {
                self.set_aside(from)?;
                let kept = self.revision_on_disk(&file.rev);
                fs::hard_link(&kept, &path).or_else(|_| fs::copy(&kept, &path).map(drop))?;
                file.rev = rev_of(self.change + 1);
                What::File(File { stamp: stamp_of(&path)?, ..file })
            }
            (What::File(file), Relocation::Copy) => {
                fs::copy(self.on_disk(from), &path)?;
                let (id, rev) = (id_of(self.change + 1), rev_of(self.change + 1));
                let server_modified = date(self.clock.now());
                What::File(File { id, rev, server_modified, stamp: stamp_of(&path)?, ..file })
            }
            (What::Folder { id }, Relocation::Move) => {
                fs::create_dir_all(&path)?;
                What::Folder { id }
            }
            (What::Folder { .. }, Relocation::Copy) => {
                fs::create_dir_all(&path)?;
                What::Folder { id: id_of(self.change + 1) }
            }
            (What::Gone, _) => return Ok(()),
        };
        self.put(to, name, what);
        Ok(())
    }
}
