//! The state on disk: one JSON line per change.
//!
//! Invariant: at every moment the file is a complete history; a last line that was torn by a crash is not
//! looked at. At the start the history is replaced by the present state, in one rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::grants::Grant;
use super::node::{Node, Revision};
use super::sessions::Session;

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Record {
    /// What stands at this key from now on.
    Node(String, Node),
    /// A revision that is no longer the current one.
    Revision(Revision),
    /// An upload session.
    Session(String, Session),
    /// The session is over.
    SessionEnd(String),
    /// Somebody signed in.
    Grant(String, Grant),
    /// The sign-in is no longer good.
    GrantEnd(String),
    /// Cursors of earlier generations are no longer good.
    Generation(u64),
}

/// The file that is added to.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

/// What an earlier stand-in wrote into `folder`.
pub(super) fn read(folder: &Path) -> io::Result<Vec<Record>> {
    match fs::read(path(folder)) {
        Ok(bytes) => Ok(bytes
            .split(|byte| *byte == b'\n')
            .map_while(|line| serde_json::from_slice(line).ok())
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

impl Journal {
    /// Goes on with the one in `folder`, or begins it.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path(folder))? })
    }

    /// Begins anew in `folder` with the present state.
    pub(super) fn begin(folder: &Path, present: &[Record]) -> io::Result<Self> {
        let fresh = folder.join("state.new");
        fs::write(&fresh, lines(present)?)?;
        fs::rename(&fresh, path(folder))?;
        Self::open(folder)
    }

    /// Adds changes.
    pub(super) fn add(&mut self, changes: &[Record]) -> io::Result<()> {
        self.file.write_all(&lines(changes)?)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("state.jsonl")
}

fn lines(records: &[Record]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
