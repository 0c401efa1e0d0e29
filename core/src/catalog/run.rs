//! Runs, their problems, and what is remembered of the library.

use super::RunId;
use crate::codes::Code;
use crate::key::Key;
use crate::time::Timestamp;

/// A named problem of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// In which run.
    pub run: RunId,
    /// The destination's name, if it concerns one.
    pub destination: Option<String>,
    /// The item or folder, if it concerns one.
    pub key: Option<Key>,
    /// Why.
    pub code: Code,
    /// What was tried, for people.
    pub message: String,
}

/// A run as the catalog remembers it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// The job's name.
    pub job: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` if it is running or died.
    pub ended: Option<Timestamp>,
    /// Its exit code.
    pub exit: Option<i32>,
    /// The report as JSON, as the run printed it.
    pub report: Option<String>,
}

/// What the catalog remembers of the library as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LibraryRecord {
    /// The file system of its root.
    pub volume: Option<String>,
    /// Folders at which other file systems were mounted.
    pub mounts: Vec<(Key, String)>,
    /// Items present.
    pub present: u64,
}
