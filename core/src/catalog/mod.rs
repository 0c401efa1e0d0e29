//! The catalog as the engine sees it: claims with evidence, and what is left to do.
//!
//! The catalog knows three tables of things: *items* of the library, their *content*, and for every item and
//! every enrolled destination one *leg*: what is stored there, how we know, and whether something is to be
//! done. Because every pair has a row, nothing can be left out silently, and "nothing to do" is one look into
//! an index.
//!
//! Invariant: a claim enters the catalog only after the destination committed durably, and [`Catalog::record`]
//! returns only after the claim itself is durable.

mod destination;
mod detail;
mod holding;
mod ids;
mod item;
mod leg;
mod record;
mod run;
mod survey;

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;

pub use self::destination::{Amount, DestinationRecord, Tally};
pub use self::detail::{GroupDetail, ItemDetail, LegDetail};
pub use self::holding::{Holding, Likeness, Wanted};
pub use self::ids::{DestinationId, ItemId, RetainedId, RunId};
pub use self::item::{Content, Finding, Freshness, Grouped, Known, Presence, Sibling, Stat};
pub use self::leg::{GoneCopy, Held, Keeping, Leg, Retained, Work, WorkQuery};
pub use self::record::Record;
pub use self::run::{LibraryRecord, Problem, RunRecord};
pub use self::survey::{DestinationSurvey, Places, SafetyRules, Survey};
use crate::class::MediaClass;
use crate::error::Result;
use crate::key::Key;
use crate::time::Timestamp;

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
