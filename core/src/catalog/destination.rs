//! Destinations, and sums over their legs.

use std::collections::BTreeMap;

use super::DestinationId;
use crate::codes::Code;
use crate::time::Timestamp;

/// What the catalog remembers of a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationRecord {
    /// Its number.
    pub id: DestinationId,
    /// Its name in the config.
    pub name: String,
    /// The id in its marker file.
    pub marker: Option<String>,
    /// The file system it was seen on.
    pub volume: Option<String>,
    /// When a run last reached it.
    pub last_seen: Option<Timestamp>,
    /// When a run last finished everything there.
    pub last_done: Option<Timestamp>,
}

/// How the legs of one destination stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Items that are present in the library.
    pub listed: u64,
    /// Legs with nothing to do, of items that are present.
    pub settled: u64,
    /// Legs to do: their number and bytes.
    pub todo: Amount,
    /// Legs held back, by reason.
    pub held: BTreeMap<Code, Amount>,
    /// Items held back everywhere because they look damaged.
    pub suspect: u64,
}

/// A number of files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Amount {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    /// Adds one file.
    pub fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}
