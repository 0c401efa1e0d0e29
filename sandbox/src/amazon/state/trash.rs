//! The trash: what is in it keeps its bytes for thirty days.

use std::fs;
use std::io;

use super::place::is_absence;
use super::{Kind, Refusal, Store};

/// Thirty days, in milliseconds.
const TRASH_LIFE: i64 = 30 * 86_400_000;

impl Store {
    /// Lets go of what has been in the trash for too long.
    pub(in crate::amazon) fn tidy(&mut self) -> io::Result<()> {
        let now = self.now();
        while let Some((at, id)) = self.trashed.first().cloned() {
            if at + TRASH_LIFE > now {
                break;
            }
            self.purge(&id)?;
        }
        Ok(())
    }

    /// Moves nodes to the trash, folders with everything in them.
    pub(in crate::amazon) fn trash(&mut self, ids: &[String]) -> Result<(), Refusal> {
        for id in ids {
            if self.node(id)?.kind == Kind::Root {
                return Err(Refusal::Bad("The root cannot be trashed".to_owned()));
            }
        }
        ids.iter().try_for_each(|id| self.trash_one(id))
    }

    fn trash_one(&mut self, id: &str) -> Result<(), Refusal> {
        let Some(node) = self.known(id).filter(|node| node.trashed.is_none()).cloned() else {
            return Ok(());
        };
        if node.kind.is_folder() {
            self.children_of(id).iter().try_for_each(|child| self.trash_one(child))?;
            // What a person has put there stays.
            let _ = fs::remove_dir(self.path(&node));
        }
        let now = self.now();
        let mut trashed = node.clone();
        trashed.trashed = Some(now);
        if node.kind == Kind::File {
            self.install(&self.path(&node), &trashed)?;
        }
        self.change(id, |node| {
            node.trashed = Some(now);
            node.turned = now;
        });
        Ok(())
    }

    /// Brings nodes back to where they were; `rename` gives them another name if theirs is taken by now.
    pub(in crate::amazon) fn restore(
        &mut self,
        ids: &[String],
        rename: bool,
    ) -> Result<(), Refusal> {
        for id in ids {
            self.node(id)?;
        }
        ids.iter().try_for_each(|id| self.restore_one(id, rename))
    }

    fn restore_one(&mut self, id: &str, rename: bool) -> Result<(), Refusal> {
        let Some(node) = self.known(id).filter(|node| node.trashed.is_some()).cloned() else {
            return Ok(());
        };
        let mut back = node.clone();
        back.trashed = None;
        if let Some(parent) = &node.parent {
            if self.known(parent).is_none_or(|parent| parent.trashed.is_some()) {
                return Err(Refusal::ParentTrashed(parent.clone()));
            }
            back.name = self.free_name(parent, &node.name, rename)?;
        }
        match node.kind {
            Kind::File => self.install(&self.path(&node), &back)?,
            Kind::Folder => fs::create_dir_all(self.path(&back))?,
            Kind::Root | Kind::Asset | Kind::Album => {}
        }
        let now = self.now();
        self.change(id, |node| {
            node.name = back.name;
            node.trashed = None;
            node.turned = now;
        });
        if node.kind.is_folder() {
            self.children_of(id).iter().try_for_each(|child| self.restore_one(child, rename))?;
        }
        Ok(())
    }

    /// Deletes nodes for good. Only what is in the trash; with `recurse`, folders with everything in them.
    pub(in crate::amazon) fn purge_all(
        &mut self,
        ids: &[String],
        recurse: bool,
    ) -> Result<(), Refusal> {
        for id in ids {
            if self.node(id)?.trashed.is_none() {
                return Err(Refusal::Bad(format!("Node {id} is not in the trash")));
            }
            if !recurse && self.known(id).is_some_and(|node| node.kind.is_folder()) {
                let purged = |child: &String| ids.contains(child);
                if !self.children_of(id).iter().all(purged) {
                    return Err(Refusal::Bad(format!("Node {id} has children")));
                }
            }
        }
        ids.iter().try_for_each(|id| self.purge(id)).map_err(Refusal::from)
    }

    /// Forgets a node and everything below it, and removes its bytes.
    pub(super) fn purge(&mut self, id: &str) -> io::Result<()> {
        for child in self.children_of(id) {
            self.purge(&child)?;
        }
        let Some(node) = self.known(id) else { return Ok(()) };
        let path = self.path(node);
        let removed = match node.kind {
            Kind::File | Kind::Asset => fs::remove_file(&path),
            Kind::Root | Kind::Folder | Kind::Album => Ok(()),
        };
        self.forget(id);
        removed.or_else(|error| if is_absence(&error) { Ok(()) } else { Err(error) })
    }
}
