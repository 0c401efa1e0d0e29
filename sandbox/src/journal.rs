//! The state of a stand-in on disk: one JSON line per change.
//!
//! Invariant: at every moment the file is a complete history; a last line that was torn by a crash is not
//! looked at. At the start the history is replaced by the present state, in one rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The file that is added to.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

/// What an earlier stand-in wrote into `folder`.
pub(crate) fn read<R: DeserializeOwned>(folder: &Path) -> io::Result<Vec<R>> {
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
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path(folder))? })
    }

    /// Begins anew in `folder` with the present state.
    pub(crate) fn begin<R: Serialize>(folder: &Path, present: &[R]) -> io::Result<Self> {
        let fresh = folder.join("state.new");
        fs::write(&fresh, lines(present)?)?;
        fs::rename(&fresh, path(folder))?;
        Self::open(folder)
    }

    /// Adds changes.
    pub(crate) fn add<R: Serialize>(&mut self, changes: &[R]) -> io::Result<()> {
        self.file.write_all(&lines(changes)?)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("state.jsonl")
}

fn lines<R: Serialize>(records: &[R]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
