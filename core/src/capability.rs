//! What a destination can do, declared as data.
//!
//! Invariant: what is declared is proven by the conformance suite; what is not declared answers
//! [`Kind::Unsupported`](crate::error::Kind::Unsupported).

use crate::class::MediaClass;
use crate::digest::Algorithms;

/// What a destination can do.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Capabilities {
    /// It can store, not only be read.
    pub writes: bool,
    /// Digests that it compares or reports, so that computing them while reading pays.
    pub digests: Algorithms,
    /// A new version replaces the old one in one step. Otherwise the old one may be gone for a moment.
    pub atomic_replace: bool,
    /// `relocate` can move.
    pub moves: bool,
    /// `relocate` can copy on the destination's own side.
    pub copies: bool,
    /// It copies, and that leaves the version tag of the original as it was. Not so where the tag tells of every touch (a hard
    /// link changes the record of a file).
    pub copies_untouched: bool,
    /// What `put` replaces goes to the service's own trash and stays there for a time: it is listed there
    /// ([`Scope::trashed`](crate::entry::Scope::trashed)) and can be read. Nothing is lost then by replacing where
    /// nothing can be set aside.
    pub replaced_to_trash: bool,
    /// `read` serves ranges.
    pub ranges: bool,
    /// Listings arrive in key order.
    pub sorted_listing: bool,
    /// A listing shows every change whose `put` or `remove` has returned.
    pub listing_is_current: bool,
    /// Keeps the modification time that it was given, to within [`Self::time_granularity_ns`].
    pub keeps_modified: bool,
    /// Smallest step of the modification times it keeps, in nanoseconds.
    pub time_granularity_ns: u64,
    /// Gives back exactly the bytes it was given.
    pub keeps_bytes: bool,
    /// Largest item in bytes, if there is a limit.
    pub max_item_bytes: Option<u64>,
    /// What names mean there.
    pub names: NameRules,
    /// Media classes it takes.
    pub classes: Vec<MediaClass>,
    /// How many `put`s at once are sensible when the user sets nothing.
    pub concurrency: usize,
    /// How many reads at once are sensible to begin with.
    pub reads: usize,
    /// How many reads at once it takes where that pays: between `reads` and this it is found out while reading. With 0
    /// it always is `reads`.
    pub most_reads: usize,
    /// How many more `put`s may be waiting inside the provider so that commits can be coalesced; 0 where
    /// every `put` commits for itself.
    pub batch: usize,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            writes: true,
            digests: Algorithms::default(),
            atomic_replace: true,
            moves: false,
            copies: false,
            copies_untouched: false,
            replaced_to_trash: false,
            ranges: true,
            sorted_listing: false,
            listing_is_current: true,
            keeps_modified: false,
            time_granularity_ns: 1,
            keeps_bytes: true,
            max_item_bytes: None,
            names: NameRules::default(),
            classes: MediaClass::ALL.to_vec(),
            concurrency: 4,
            reads: 8,
            most_reads: 0,
            batch: 0,
        }
    }
}

/// Which names are the same there, and how long they may be. Characters that a storage cannot hold are the
/// provider's own business: it escapes them reversibly (see [`crate::escape`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameRules {
    /// `IMG.JPG` and `img.jpg` are one file.
    pub case_blind: bool,
    /// Composed and decomposed spellings (NFC, NFD) are one file.
    pub normalises: bool,
    /// Longest segment.
    pub max_segment: Option<Length>,
    /// Longest key in bytes.
    pub max_key_bytes: Option<usize>,
}

/// A length and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Bytes.
    Bytes(usize),
    /// UTF-16 code units.
    Utf16(usize),
}
