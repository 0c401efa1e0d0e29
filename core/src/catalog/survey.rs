//! "Are my photos safe?": what counts, and the answer.

use std::collections::BTreeMap;

use super::Amount;
use crate::class::MediaClass;
use crate::codes::Code;
use crate::time::Timestamp;

/// What counts as safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafetyRules {
    /// Copies, the library counting as one.
    pub copies: u32,
    /// How many of them outside the house.
    pub offsite: u32,
    /// A proof older than this no longer counts.
    pub checked_since: Timestamp,
}

/// What is special about destinations when copies are counted; all by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Those outside the house.
    pub offsite: Vec<String>,
    /// Those that are best effort: a copy there counts only beside one at another destination.
    pub never_alone: Vec<String>,
}

/// The answer to "are my photos safe?".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survey {
    /// Items present in the library.
    pub files: Amount,
    /// Items that fulfil the rules.
    pub safe: u64,
    /// Items by number of counting copies, the library being one.
    pub by_copies: BTreeMap<u32, u64>,
    /// Items that look damaged in the library.
    pub suspect: u64,
    /// Per destination.
    pub destinations: Vec<DestinationSurvey>,
}

/// One destination in a [`Survey`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DestinationSurvey {
    /// Its name.
    pub name: String,
    /// Stored files of present items, by class.
    pub stored: BTreeMap<MediaClass, Amount>,
    /// Present items whose leg is to do.
    pub behind: Amount,
    /// Present items held back, by reason.
    pub held: BTreeMap<Code, Amount>,
    /// The oldest proof among its copies.
    pub oldest_proof: Option<Timestamp>,
    /// Copies whose proof does not count (too weak or too old).
    pub unproved: u64,
    /// When a run last reached it.
    pub last_seen: Option<Timestamp>,
    /// When a run last finished everything there.
    pub last_done: Option<Timestamp>,
}
