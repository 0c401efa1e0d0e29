//! Makes folders.

use std::fs;
use std::io;

use super::{Root, Store, What, id_of};
use crate::dropbox::errors::{Refusal, Trouble};
use crate::dropbox::names;

impl Store {
    /// The components and the key of a path that is to be written in `root`.
    pub(super) fn target(&self, root: &Root, path: &str) -> Result<(Vec<String>, String), Trouble> {
        let path = if path.starts_with("id:") || path.starts_with("ns:") {
            let key = self.key(root, path)?;
            names::path_of(&self.names(&key))
        } else {
            names::path_of(&self.names(&root.prefix)) + path
        };
        let names = names::for_writing(&path, self.behaviour.emoji_names)?;
        let key = names::key_of(&names);
        Ok((names, key))
    }

    /// Refuses a path that leads through a file.
    pub(super) fn check_parents(&mut self, names: &[String]) -> Result<(), Trouble> {
        for depth in 1..names.len() {
            let key = names::key_of(&names[..depth]);
            self.refresh(&key)?;
            if self.file(&key).is_some() {
                return Err(Refusal::FileAncestor.into());
            }
        }
        Ok(())
    }

    /// Makes the folders above `names`, as far as they are missing.
    pub(super) fn make_parents(&mut self, names: &[String]) -> Result<(), Trouble> {
        self.check_parents(names)?;
        for depth in 1..names.len() {
            self.make_folder(&names[..depth])?;
        }
        Ok(())
    }

    /// Makes the folder at `names` if it is not there; everything above is.
    fn make_folder(&mut self, names: &[String]) -> io::Result<()> {
        let key = names::key_of(names);
        if self.live(&key).is_none() {
            let id = id_of(self.change + 1);
            self.put(&key, names.last().cloned().unwrap_or_default(), What::Folder { id });
            fs::create_dir_all(self.on_disk(&key))?;
        }
        Ok(())
    }

    /// Makes the member's own folder, if there is a team space.
    pub(in crate::dropbox) fn make_home(&mut self) -> io::Result<()> {
        let home = self.behaviour.team_space.as_ref().map(|team| team.home.clone());
        home.map_or(Ok(()), |home| self.make_folder(&[home]))
    }

    /// Makes the folder at `path`; the answer is its key.
    pub(in crate::dropbox) fn create_folder(
        &mut self,
        root: &Root,
        path: &str,
        autorename: bool,
    ) -> Result<String, Trouble> {
        let (mut names, mut key) = self.target(root, path)?;
        self.make_parents(&names)?;
        self.refresh(&key)?;
        if let Some(there) = self.live(&key) {
            if !autorename {
                let file = there.file().is_some();
                return Err(if file { Refusal::File } else { Refusal::Folder }.into());
            }
            (names, key) = self.free_name(&names, names::numbered);
        }
        self.make_folder(&names)?;
        Ok(key)
    }

    /// The first name made by `other` that nothing has.
    pub(super) fn free_name(
        &self,
        names: &[String],
        other: fn(&str, u32) -> String,
    ) -> (Vec<String>, String) {
        let (mut names, mut count) = (names.to_vec(), 1);
        let last = names.pop().unwrap_or_default();
        loop {
            names.push(other(&last, count));
            let key = names::key_of(&names);
            if self.live(&key).is_none() {
                return (names, key);
            }
            names.pop();
            count += 1;
        }
    }
}
