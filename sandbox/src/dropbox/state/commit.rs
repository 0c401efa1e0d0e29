//! Makes bytes a file.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::record::Record;
use super::watch::stamp_of;
use super::{File, Revision, Root, Store, What, id_of, rev_of};
use crate::dropbox::args::{CommitInfo, Mode, Rev};
use crate::dropbox::errors::{Refusal, Trouble};
use crate::dropbox::json::date;
use crate::dropbox::names;

/// Bytes that wait to become a file.
#[derive(Debug)]
pub(in crate::dropbox) struct Content {
    pub(in crate::dropbox) path: PathBuf,
    pub(in crate::dropbox) size: u64,
    pub(in crate::dropbox) hash: String,
}

enum Target {
    Write(Vec<String>, String),
    Same(String),
}

impl Store {
    /// Commits `content` as `info` says; the answer is the key of the file. After success the bytes are no longer
    /// where they were; after a refusal they still are.
    pub(in crate::dropbox) fn commit(
        &mut self,
        root: &Root,
        info: &CommitInfo,
        content: &Content,
    ) -> Result<String, Trouble> {
        let (names, key) = match self.decide(root, info, &content.hash)? {
            Target::Write(names, key) => (names, key),
            Target::Same(key) => {
                fs::remove_file(&content.path)?;
                return Ok(key);
            }
        };
        let freed = self.file(&key).map_or(0, |file| file.size);
        if content.size > freed && !self.has_room(content.size - freed) {
            return Err(Refusal::NoSpace.into());
        }
        self.make_parents(&names)?;
        let modified = info.client_modified.as_ref().map(|date| date.0.clone());
        self.install(&names, &key, content, modified)?;
        Ok(key)
    }

    fn decide(&mut self, root: &Root, info: &CommitInfo, hash: &str) -> Result<Target, Trouble> {
        let (names, key) = self.target(root, &info.path.0)?;
        self.check_parents(&names)?;
        self.refresh(&key)?;
        let Some(there) = self.live(&key) else {
            // An update of a file that was deleted makes it anew, unless strictness was asked for.
            if matches!(info.mode, Mode::Update(_)) && info.strict_conflict {
                return self.elsewhere(info, &names);
            }
            return Ok(Target::Write(names, key));
        };
        let Some(file) = there.file() else { return Err(Refusal::Folder.into()) };
        if file.content_hash == hash && !info.strict_conflict {
            return Ok(Target::Same(key));
        }
        let may = match &info.mode {
            Mode::Add => false,
            Mode::Overwrite => true,
            Mode::Update(Rev(rev)) => *rev == file.rev,
        };
        if may { Ok(Target::Write(names, key)) } else { self.elsewhere(info, &names) }
    }

    fn elsewhere(&self, info: &CommitInfo, names: &[String]) -> Result<Target, Trouble> {
        if !info.autorename {
            return Err(Refusal::File.into());
        }
        let other = match info.mode {
            Mode::Update(_) => names::conflicted,
            Mode::Add | Mode::Overwrite => names::numbered,
        };
        let (names, key) = self.free_name(names, other);
        Ok(Target::Write(names, key))
    }

    fn install(
        &mut self,
        names: &[String],
        key: &str,
        content: &Content,
        client_modified: Option<String>,
    ) -> io::Result<()> {
        let (number, server_modified) = (self.change + 1, date(self.clock.now()));
        let mut file = File {
            id: id_of(number),
            rev: rev_of(number),
            size: content.size,
            content_hash: content.hash.clone(),
            client_modified: client_modified.unwrap_or_else(|| server_modified.clone()),
            server_modified,
            stamp: 0,
        };
        let mut name = names.last().cloned().unwrap_or_default();
        if let Some(old) = self.live(key) {
            // The name keeps its case and the file its id.
            name.clone_from(&old.name);
            if let Some(old) = old.file() {
                file.id.clone_from(&old.id);
            }
            self.set_aside(key)?;
        }
        // What is gone may have had another case.
        self.put(key, name.clone(), What::Gone);
        let path = self.on_disk(key);
        fs::rename(&content.path, &path)?;
        file.stamp = stamp_of(&path)?;
        file.rev = rev_of(self.change + 1);
        self.put(key, name, What::File(file));
        Ok(())
    }

    /// Keeps the bytes of the file at `key` as an earlier revision.
    pub(super) fn set_aside(&mut self, key: &str) -> io::Result<()> {
        let Some(node) = self.live(key) else { return Ok(()) };
        let Some(file) = node.file().cloned() else { return Ok(()) };
        let (name, rev) = (node.name.clone(), file.rev.clone());
        fs::rename(self.on_disk(key), self.revision_on_disk(&rev))?;
        self.remember(Revision { key: key.to_owned(), name, file });
        Ok(())
    }

    /// Makes `revision` an earlier one; its bytes are already under its rev.
    pub(super) fn remember(&mut self, revision: Revision) {
        self.note(Record::Revision(revision.clone()));
        self.earlier.insert(revision.file.rev.clone(), revision);
    }

    /// Makes an earlier revision the current one again, at `path`; the answer is the key of the file.
    pub(in crate::dropbox) fn restore(
        &mut self,
        root: &Root,
        path: &str,
        Rev(rev): &Rev,
    ) -> Result<String, Trouble> {
        let key = self.key(root, path)?;
        self.refresh(&key)?;
        if self.file(&key).is_some_and(|file| file.rev == *rev) {
            return Ok(key);
        }
        let Some(revision) = self.earlier.get(rev).filter(|old| old.key == key).cloned() else {
            return Err(Trouble::Other(crate::dropbox::json::tag("invalid_revision")));
        };
        if self.live(&key).is_some_and(|node| node.file().is_none()) {
            return Err(Refusal::Folder.into());
        }
        let mut names = self.names(&key);
        if let Some(last) = names.last_mut() {
            *last = revision.name;
        }
        let freed = self.file(&key).map_or(0, |file| file.size);
        if !self.has_room(revision.file.size.saturating_sub(freed)) {
            return Err(Refusal::NoSpace.into());
        }
        self.make_parents(&names)?;
        let path = self.scratch();
        fs::copy(self.revision_on_disk(rev), &path)?;
        let content = Content { path, size: revision.file.size, hash: revision.file.content_hash };
        self.install(&names, &key, &content, Some(revision.file.client_modified))?;
        Ok(key)
    }

    /// A place for bytes on their way; used under the lock of the store only.
    pub(in crate::dropbox) fn scratch(&self) -> PathBuf {
        self.state.join("scratch")
    }
}
