//! The state on disk: one JSON line per change.
//!
//! Invariant: at every moment the file is a complete history; a last line that was torn by a crash is not looked
//! at. At the start the history is replaced by the present state, in one rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::node::Node;

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Record {
    /// A node as it is from now on.
    Node(Box<Node>),
    /// The node is gone for good.
    Gone(String),
    /// The number of the next node.
    Next(u64),
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
    /// Begins anew in `folder` with the present state.
    pub(super) fn begin(folder: &Path, present: &[Record]) -> io::Result<Self> {
        let fresh = folder.join("state.new");
        fs::write(&fresh, lines(present)?)?;
        fs::rename(&fresh, path(folder))?;
        Ok(Self { file: OpenOptions::new().append(true).open(path(folder))? })
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
