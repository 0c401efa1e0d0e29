//! An opened root together with what its file system can hold: from keys to stored paths and back.

use std::path::{Path, PathBuf};

use rustix::io::Errno;
use safelight_core::codes;
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::{Key, RESERVED};

use crate::facts::{Facts, Stamp, What};
use crate::fault::{Act, fault};
use crate::filesystem::Rules;
use crate::findings::{Findings, Note};
use crate::names::Spelling;
use crate::place::absent;
use crate::root::Root;

/// What the folder is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Only read. Every change that `stat` can show makes another version.
    Library,
    /// Also written to. The times of the record (`ctime`) do not count, since linking and renaming a stored
    /// file moves them without touching its content.
    Destination,
}

/// An opened root folder and its rules.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: Root,
    pub(crate) rules: Rules,
    pub(crate) usage: Use,
    path: PathBuf,
    note: Option<Note>,
}

impl Tree {
    /// Opens the folder at `path`.
    pub(crate) fn open(path: &Path, usage: Use) -> Result<Self, Errno> {
        let root = Root::open(path)?;
        let (rules, note) = Self::rules(&root, usage)?;
        Ok(Self { root, rules, usage, path: path.to_owned(), note })
    }

    /// What holds for names below `root`: what its kind of file system promises, and the note of what was found
    /// by trial.
    pub(crate) fn rules(root: &Root, usage: Use) -> Result<(Rules, Option<Note>), Errno> {
        let mut rules = Rules::of(root.handle())?;
        if usage == Use::Library {
            rules.spelling = Spelling::Bytes;
            return Ok((rules, None));
        }
        let note = Note::recall(root, &rules);
        Ok((note.map_or(rules.clone(), |note| rules.and(&note.findings)), note))
    }

    /// The note of what was found by trial, as it was when the root was opened.
    pub(crate) fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// The same root with `findings` taken into account.
    pub(crate) fn with(&self, findings: Findings) -> Result<Self, Errno> {
        let root = self.root.again()?;
        let note = Some(Note { findings, certain: true });
        let rules = self.rules.clone().and(&findings);
        Ok(Self { root, rules, usage: self.usage, path: self.path.clone(), note })
    }

    /// The path that led here.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to the folder that is open.
    pub(crate) fn is_in_its_place(&self) -> bool {
        rustix::fs::stat(&self.path)
            .is_ok_and(|stat| Facts::from(stat).is_same_thing(self.root.facts()))
    }

    /// Nothing is found below a root that was removed while it was open; that must not look like files that
    /// were removed.
    ///
    /// # Errors
    /// [`Kind::Absent`] if the root is gone.
    pub(crate) fn still_there(&self) -> Result<()> {
        if self.root.is_gone() {
            return Err(absent(self.usage, format!("{} was removed", self.path.display())));
        }
        Ok(())
    }

    /// The stored path of `key`.
    pub(crate) fn stored(&self, key: &Key) -> Vec<u8> {
        self.rules.spelling.write_path(key.as_bytes())
    }

    /// What stands under `key`; `None` for nothing and for what is no file.
    pub(crate) fn stat(&self, key: &Key) -> Result<Option<Facts>> {
        match self.root.stat(&self.stored(key)) {
            Ok(facts) => Ok(Some(facts).filter(|facts| facts.what == What::File)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => self.still_there().map(|()| None),
            Err(errno) => Err(self.read_fault(errno, format!("looking at {key}"))),
        }
    }

    /// The version tag of a file.
    pub(crate) fn tag(&self, stamp: &Stamp) -> Version {
        use std::fmt::Write as _;
        let mut tag = String::with_capacity(64);
        let step = i64::try_from(self.rules.granularity_ns).unwrap_or(1).max(1);
        // Writing to a string cannot fail.
        let _ = write!(tag, "{:x}-{:x}", stamp.size, stamp.modified.as_nanos().div_euclid(step));
        if self.rules.stable_inodes {
            let _ = write!(tag, "-i{:x}", stamp.inode);
        }
        if self.usage == Use::Library {
            let _ = write!(tag, "-c{:x}", stamp.changed.as_nanos());
        }
        Version::new(tag)
    }

    /// A file as listings show it.
    pub(crate) fn entry(&self, key: Key, stamp: &Stamp) -> Entry {
        Entry {
            key,
            size: stamp.size,
            modified: Some(stamp.modified),
            changed: Some(stamp.changed),
            file_id: self.rules.stable_inodes.then_some(stamp.inode),
            version: Some(self.tag(stamp)),
            digests: Digests::default(),
            remote_id: None,
        }
    }

    /// The error for something that could not be looked at or read.
    pub(crate) fn read_fault(&self, errno: Errno, context: impl Into<String>) -> Error {
        let error = fault(errno, Act::Read, context);
        if error.kind() == Kind::NotFound
            && let Err(gone) = self.still_there()
        {
            return gone;
        }
        match (self.usage, error.kind()) {
            (Use::Library, Kind::Denied) => error.code(codes::UNREADABLE),
            (Use::Library, Kind::NotFound) => error.code(codes::VANISHED),
            _ => error,
        }
    }
}

/// Whether a stored path is in the part of the reserved folder that only this crate uses.
pub(crate) fn is_private(path: &[u8]) -> bool {
    let mut names = path.split(|byte| *byte == b'/');
    let reserved = names.next() == Some(RESERVED.as_bytes());
    reserved && matches!(names.next(), Some(b"tmp" | b"disk"))
}
