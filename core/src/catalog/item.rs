//! Items of the library: how they stand, what a scan finds, what belongs together.

use super::ItemId;
use crate::class::MediaClass;
use crate::digest::Digests;
use crate::group::{Evidence, Kind, Role};
use crate::key::Key;
use crate::taken::Taken;
use crate::time::Timestamp;

/// What the file system says of an item; equality means "not touched".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Size in bytes.
    pub size: u64,
    /// Modification time.
    pub modified: Timestamp,
    /// Time of the last change of the record, where known.
    pub changed: Option<Timestamp>,
    /// Inode, where known.
    pub file_id: Option<u64>,
}

/// How an item stands in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It was there at the last complete look.
    Present,
    /// It is there, but its content changed in a way that looks like damage. Held back.
    Suspect,
    /// A complete listing did not show it; noticed then.
    Gone(Timestamp),
    /// The filter leaves it out now. Not deleted: its copies stay.
    Excluded,
}

/// Whether the recorded content is that of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Recorded content and recorded stat belong together.
    Fresh,
    /// Size and modification time are as before, but the record was touched: to be read again, and if the
    /// content differs it is suspected damage.
    Touched,
    /// Never read, or size or modification time differ: to be read.
    Stale,
}

/// What the merge of listing and catalog compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The item.
    pub item: ItemId,
    /// Where it stands.
    pub key: Key,
    /// As last recorded.
    pub stat: Stat,
    /// As last recorded.
    pub presence: Presence,
}

/// What a scan found to be different from the catalog.
#[derive(Debug, Clone)]
pub enum Finding {
    /// A new item, or one that was gone or excluded and is back: it becomes present, stale, to be inspected, and
    /// every enrolled destination gets a leg to do.
    Found {
        /// Where.
        key: Key,
        /// As the file system says.
        stat: Stat,
        /// What kind of thing, by its name.
        class: MediaClass,
    },
    /// Its stat differs; every leg becomes to do, and it is to be inspected if it is stale.
    Altered {
        /// The item.
        item: ItemId,
        /// As the file system says now.
        stat: Stat,
        /// [`Freshness::Touched`] or [`Freshness::Stale`].
        freshness: Freshness,
    },
    /// It looks damaged. Recorded content and stat stay as they were; legs stop being to do.
    Suspected {
        /// The item.
        item: ItemId,
    },
    /// A complete listing does not show it.
    Gone {
        /// The item.
        item: ItemId,
        /// When that was noticed.
        at: Timestamp,
    },
    /// The filter leaves it out; its legs stop being to do.
    Excluded {
        /// The item.
        item: ItemId,
    },
}

/// Content that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Content {
    /// Its size in bytes.
    pub size: u64,
    /// What identifies it; SHA-256 is always there.
    pub digests: Digests,
}

/// Items of one folder that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped {
    /// The closest tie in it.
    pub kind: Kind,
    /// The evidence for it.
    pub by: Evidence,
    /// Whether nothing is missing that its members say exists.
    pub complete: bool,
    /// The date that its sidecar gives to all of them: the user's own correction.
    pub taken: Option<Taken>,
    /// Its members in the order of their keys, never empty.
    pub members: Vec<(ItemId, Role)>,
}

/// What grouping needs to know of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Sibling {
    /// The item.
    pub item: ItemId,
    /// Where it stands.
    pub key: Key,
    /// What kind of thing.
    pub class: MediaClass,
    /// When it was taken.
    pub taken: Option<Taken>,
    /// The identifier that both halves of a Live Photo carry.
    pub content_id: Option<String>,
}
