//! Everything about one item, for people.

use super::{Content, ItemId, Leg, Presence, Stat};
use crate::class::MediaClass;
use crate::group::{Evidence, Kind, Role};
use crate::key::Key;
use crate::taken::Taken;
use crate::traits::Traits;

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
