//! Legs: one item at one destination, what is there and what is to be done.

use super::{Content, DestinationId, Freshness, ItemId, RetainedId, RunId, Stat};
use crate::class::MediaClass;
use crate::codes::Code;
use crate::entry::Version;
use crate::key::Key;
use crate::provider::Proof;
use crate::taken::Taken;
use crate::time::Timestamp;

/// A copy as the catalog claims it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Under which key.
    pub key: Key,
    /// Its content.
    pub content: Content,
    /// Its version tag there.
    pub version: Option<Version>,
    /// The service's own name for it.
    pub remote_id: Option<String>,
    /// How we know.
    pub proof: Proof,
    /// Since when we know.
    pub proved_at: Timestamp,
}

/// What is to be done for one item at one destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg {
    /// The destination.
    pub destination: DestinationId,
    /// What is stored there now, perhaps an older version.
    pub held: Option<Held>,
    /// The key assigned to it there, if that is not its own.
    pub assigned: Option<Key>,
    /// Why it was held back last time.
    pub hold: Option<Code>,
}

/// An item with the legs that are to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The item.
    pub item: ItemId,
    /// Where it stands in the library.
    pub key: Key,
    /// As last recorded.
    pub stat: Stat,
    /// What kind of thing.
    pub class: MediaClass,
    /// Whether `content` is that of the file.
    pub freshness: Freshness,
    /// Its content as last read.
    pub content: Option<Content>,
    /// Whether it was inspected in its present form.
    pub inspected: bool,
    /// When it was taken: by itself, or by a better date that its group has. `None` until it was inspected.
    pub taken: Option<Taken>,
    /// The first item of its group, if it is in one.
    pub group: Option<ItemId>,
    /// Where it has to go; never empty.
    pub legs: Vec<Leg>,
}

/// Which work to fetch.
#[derive(Debug, Clone)]
pub struct WorkQuery {
    /// Legs of these destinations.
    pub destinations: Vec<DestinationId>,
    /// Only items after this one.
    pub after: Option<ItemId>,
    /// Leave out legs on which this run already gave up.
    pub not_tried_in: Option<RunId>,
    /// Also legs that the last plan held back.
    pub with_held: bool,
    /// At most so many items.
    pub limit: usize,
}

/// A copy of an item that is gone from the library.
#[derive(Debug, Clone, PartialEq)]
pub struct GoneCopy {
    /// The item.
    pub item: ItemId,
    /// Where it stood in the library.
    pub key: Key,
    /// When its absence was noticed.
    pub noticed: Timestamp,
    /// The destination.
    pub destination: DestinationId,
    /// The copy.
    pub held: Held,
}

/// Why something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Deleted from the library.
    Trash,
    /// Replaced by a newer version.
    Version,
}

/// Something kept at a destination after it was removed or replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Retained {
    /// Set by the catalog; ignored when recording.
    pub id: RetainedId,
    /// The destination.
    pub destination: DestinationId,
    /// Trash or version.
    pub keeping: Keeping,
    /// The key it had.
    pub original: Key,
    /// The key it has now; `None` if it is in the service's own trash.
    pub key: Option<Key>,
    /// Its version tag now.
    pub version: Option<Version>,
    /// Its content.
    pub content: Content,
    /// Since when.
    pub since: Timestamp,
    /// When it may be purged; `None` for versions, which go by their number.
    pub until: Option<Timestamp>,
}
