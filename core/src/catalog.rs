//! The catalog as the engine sees it: claims with evidence, and what is left to do.
//!
//! The catalog knows three tables of things: *items* of the library, their *content*, and for every item and
//! every enrolled destination one *leg*: what is stored there, how we know, and whether something is to be
//! done. Because every pair has a row, nothing can be left out silently, and "nothing to do" is one look into
//! an index.
//!
//! Invariant: a claim enters the catalog only after the destination committed durably, and [`Catalog::record`]
//! returns only after the claim itself is durable.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;

use crate::class::MediaClass;
use crate::codes::Code;
use crate::digest::{Algorithm, Digests};
use crate::entry::Version;
use crate::error::Result;
use crate::group::{Evidence, Kind, Role};
use crate::key::Key;
use crate::provider::Proof;
use crate::taken::Taken;
use crate::time::Timestamp;
use crate::traits::Traits;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
    };
}
id!(
    /// An item of the library. Ids grow in the order in which items were first seen.
    ItemId
);
id!(
    /// A destination that the catalog knows.
    DestinationId
);
id!(
    /// One run of a job.
    RunId
);
id!(
    /// Something kept in a destination's trash or among its versions.
    RetainedId
);

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

/// What is written down.
#[derive(Debug, Clone)]
pub enum Record {
    /// An item was read: its content, and the stat that belongs to it. It becomes present and fresh, and is to be
    /// inspected again if size or date are not those that were known.
    Read {
        /// The item.
        item: ItemId,
        /// The stat of what was read.
        stat: Stat,
        /// What was read.
        content: Content,
    },
    /// An item was inspected; nothing else of it changes but its class. The groups of its folder are to be found.
    Inspected {
        /// The item.
        item: ItemId,
        /// What was found out, with the class that it counts as from now on.
        traits: Traits,
    },
    /// The groups of a folder, instead of those that were known.
    Grouped {
        /// The folder; `None` is the root.
        folder: Option<Key>,
        /// All of them; no item is in two.
        groups: Vec<Grouped>,
    },
    /// A leg is done: a copy is stored and durable.
    Stored {
        /// The item.
        item: ItemId,
        /// The destination.
        destination: DestinationId,
        /// What is stored there.
        held: Held,
        /// In which run.
        run: RunId,
    },
    /// A leg is done because what is stored there already is the content of the item.
    Unchanged {
        /// The item.
        item: ItemId,
        /// The destination.
        destination: DestinationId,
    },
    /// A leg was held back by the plan, or (with `None`) is free to go again.
    Planned {
        /// The item.
        item: ItemId,
        /// The destination.
        destination: DestinationId,
        /// Why it is held back.
        hold: Option<Code>,
    },
    /// A key was chosen for an item at a destination that folds names or limits their length.
    Assigned {
        /// The item.
        item: ItemId,
        /// The destination.
        destination: DestinationId,
        /// Under which key it goes.
        key: Key,
        /// What that key folds to; no two legs of a destination share it.
        fold: Vec<u8>,
    },
    /// A leg failed; it stays to do for a later run.
    Failed {
        /// The item.
        item: ItemId,
        /// The destination; `None` if the item could not be read at all, which fails all its legs.
        destination: Option<DestinationId>,
        /// In which run.
        run: RunId,
        /// Why.
        code: Code,
        /// What was tried, for people.
        message: String,
    },
    /// The item looks damaged: it becomes suspect and its legs stop being to do.
    Suspected {
        /// The item.
        item: ItemId,
        /// In which run.
        run: RunId,
    },
    /// The copy that `item` had at `destination` is not there any more (moved for another item, or removed).
    Dropped {
        /// The item.
        item: ItemId,
        /// The destination.
        destination: DestinationId,
    },
    /// Something now stands in the trash or among the versions.
    Retained(Retained),
    /// Something kept was purged.
    Purged(RetainedId),
    /// A problem that belongs to no leg.
    Problem(Problem),
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

/// Everything the catalog knows of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDetail {
    /// The item.
    pub item: ItemId,
    /// Where it stands.
    pub key: Key,
    /// As last recorded.
    pub stat: Stat,
    /// What kind of thing.
    pub class: MediaClass,
    /// How it stands in the library.
    pub presence: Presence,
    /// Its content as last read.
    pub content: Option<Content>,
    /// What its content told, with the class above; `None` until it was inspected in its present form.
    pub traits: Option<Traits>,
    /// The group that it is in.
    pub group: Option<GroupDetail>,
    /// All its legs, with the destination's name and whether the leg is to do.
    pub legs: Vec<LegDetail>,
}

impl ItemDetail {
    /// When it was taken: by itself, or by a better date that its group has.
    pub fn taken(&self) -> Option<Taken> {
        let of_group = self.group.as_ref().and_then(|group| group.taken);
        self.traits.as_ref()?.taken.map(|own| own.or_better(of_group))
    }
}

/// A group, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDetail {
    /// The closest tie in it.
    pub kind: Kind,
    /// The evidence for it.
    pub by: Evidence,
    /// Whether nothing is missing that its members say exists.
    pub complete: bool,
    /// The date that its sidecar gives to all of them.
    pub taken: Option<Taken>,
    /// All its members in the order of their keys.
    pub members: Vec<(Key, Role)>,
}

/// One leg in an [`ItemDetail`].
#[derive(Debug, Clone, PartialEq)]
pub struct LegDetail {
    /// The destination's name.
    pub destination: String,
    /// The leg.
    pub leg: Leg,
    /// Whether something is to be done.
    pub todo: bool,
}

/// Content that is looked for, as somebody else describes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Its size in bytes.
    pub size: u64,
    /// What is known of it; perhaps nothing.
    pub digests: Digests,
}

impl Wanted {
    /// How `content` compares with what is looked for; `None` if it is surely something else.
    pub fn likeness(&self, content: &Content) -> Option<Likeness> {
        if self.size != content.size {
            return None;
        }
        match self.digests.compare(&content.digests) {
            Err(_) => None,
            // Thirty-two bits and a size meet by chance among a million photos.
            Ok(None | Some(Algorithm::Crc32c)) => Some(Likeness::Perhaps),
            Ok(Some(algorithm)) => Some(Likeness::Same(algorithm)),
        }
    }
}

/// How content that the catalog knows compares with content that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// It is the same, by this digest.
    Same(Algorithm),
    /// The size is the same and no strong digest is known of both.
    Perhaps,
}

/// An item that has, or has copies of, content that is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// Which of the wanted, by its place in the question.
    pub wanted: usize,
    /// How the content compares.
    pub likeness: Likeness,
    /// The content as the catalog knows it.
    pub content: Content,
    /// The item.
    pub item: ItemId,
    /// Where it stands in the library.
    pub key: Key,
    /// As last recorded.
    pub stat: Stat,
    /// How it stands in the library.
    pub presence: Presence,
    /// Whether the library's own file has this content, as far as recorded; `None` if the item's recorded content is
    /// another or none.
    pub freshness: Option<Freshness>,
    /// When the item was taken, as an inspection of it told.
    pub taken: Option<Taken>,
    /// Its copies with this content: the name of the destination, and what is claimed.
    pub copies: Vec<(String, Held)>,
}

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

/// The catalog. One value for the whole program; all methods may be called at once.
#[async_trait]
pub trait Catalog: Send + Sync {
    // --- the library
    /// What is remembered of the library.
    async fn library(&self) -> Result<LibraryRecord>;
    /// Remembers volume and mounts (`present` is counted, not set).
    async fn remember_library(&self, library: LibraryRecord) -> Result<()>;
    /// All items in key order, whatever their presence; at most `limit` after `after`.
    async fn known(&self, after: Option<Key>, limit: usize) -> Result<Vec<Known>>;
    /// Writes findings of a scan, all or none.
    async fn apply(&self, findings: Vec<Finding>) -> Result<()>;
    /// Present items that were not inspected since they were found or changed, in key order; at most `limit` after
    /// `after`. Without `to_send`, only those that no destination waits for.
    async fn uninspected(
        &self,
        after: Option<Key>,
        limit: usize,
        to_send: bool,
    ) -> Result<Vec<Known>>;
    /// Folders (`None` is the root) whose groups are to be found anew, because an item of them was inspected or left.
    async fn ungrouped(&self, limit: usize) -> Result<Vec<Option<Key>>>;
    /// The items that stand right in this folder and are in the library, in key order.
    async fn siblings(&self, folder: Option<Key>) -> Result<Vec<Sibling>>;
    /// Everything about one item.
    async fn item(&self, key: &Key) -> Result<Option<ItemDetail>>;
    /// Items at or below a key, in key order, at most `limit` after `after`.
    async fn browse(
        &self,
        below: Option<Key>,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<ItemDetail>>;
    /// Items with fewer counting copies than `fewer_than` (as [`Survey::by_copies`] counts them), in key order.
    async fn lacking(
        &self,
        rules: SafetyRules,
        places: Places,
        fewer_than: u32,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<Key>>;

    // --- destinations
    /// All destinations that were ever used.
    async fn destinations(&self) -> Result<Vec<DestinationRecord>>;
    /// Makes the destination known under its name if it is not, and gives every present item a leg to do there
    /// if it has none.
    async fn enroll(&self, name: &str) -> Result<DestinationRecord>;
    /// Remembers marker, volume and times of a destination.
    async fn remember_destination(&self, record: DestinationRecord) -> Result<()>;
    /// A page of the destination's [notebook](crate::notebook).
    async fn page(&self, destination: &str, page: &str) -> Result<Option<String>>;
    /// Replaces or erases a page of the destination's [notebook](crate::notebook). A destination that is not
    /// known has none; then nothing happens.
    async fn keep_page(&self, destination: &str, page: &str, text: Option<String>) -> Result<()>;
    /// How the legs of a destination stand.
    async fn tally(&self, destination: DestinationId) -> Result<Tally>;
    /// Bytes and number of what is stored at a destination by class, kept things not counted.
    async fn stored(&self, destination: DestinationId) -> Result<BTreeMap<MediaClass, Amount>>;
    /// The item whose leg at `destination` has this fold.
    async fn fold_holder(&self, destination: DestinationId, fold: &[u8]) -> Result<Option<ItemId>>;
    /// The item that is stored under this key at a destination.
    async fn holder(&self, destination: DestinationId, key: &Key) -> Result<Option<ItemId>>;

    // --- work
    /// Work to do, in the order of items.
    async fn work(&self, query: WorkQuery) -> Result<Vec<Work>>;
    /// Writes down what happened, all or none; durable when it returns.
    async fn record(&self, records: Vec<Record>) -> Result<()>;

    // --- what is gone from the library
    /// Sizes of items that are gone but still have copies somewhere.
    async fn gone_sizes(&self) -> Result<HashSet<u64>>;
    /// Copies, at this destination, of gone items with this content.
    async fn gone_copies(
        &self,
        destination: DestinationId,
        sha256: [u8; 32],
    ) -> Result<Vec<GoneCopy>>;
    /// Copies at this destination of items whose absence was noticed at or before `noticed`, in the order of
    /// items, at most `limit` after `after`.
    async fn deletable(
        &self,
        destination: DestinationId,
        noticed: Timestamp,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Vec<GoneCopy>>;
    /// How many copies [`Catalog::deletable`] would give in all.
    async fn count_deletable(&self, destination: DestinationId, noticed: Timestamp) -> Result<u64>;
    /// Present items that are stale or touched although their content was once read: changed under their name.
    async fn count_changed(&self) -> Result<u64>;
    /// Trash that may be purged at `now`, and versions beyond `keep_versions` per original key, oldest first.
    async fn purgeable(
        &self,
        destination: DestinationId,
        now: Timestamp,
        keep_versions: u32,
        limit: usize,
    ) -> Result<Vec<Retained>>;

    // --- looking
    /// Who has this content: items whose file or copies are like it, in the order of what is wanted, then of items. The
    /// whole catalog is gone through once, so one question for thousands is better than thousands of questions.
    async fn holders(&self, wanted: Vec<Wanted>) -> Result<Vec<Holding>>;
    /// Counts for `status`.
    async fn survey(&self, rules: SafetyRules, places: Places) -> Result<Survey>;
    /// Begins a run.
    async fn begin_run(&self, job: &str, at: Timestamp) -> Result<RunId>;
    /// Ends a run.
    async fn end_run(&self, run: RunId, at: Timestamp, exit: i32, report: String) -> Result<()>;
    /// The newest runs first.
    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>>;
    /// The problems of a run in the order in which they were found.
    async fn problems(&self, run: RunId) -> Result<Vec<Problem>>;
}
