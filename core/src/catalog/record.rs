//! What is written down.

use super::{
    Content, DestinationId, Grouped, Held, ItemId, Problem, Retained, RetainedId, RunId, Stat,
};
use crate::codes::Code;
use crate::key::Key;
use crate::traits::Traits;

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
