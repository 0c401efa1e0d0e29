//! Choose: which items go into a pool that has not room for all of them.
//!
//! Invariant: what is chosen fits to the byte, and what belongs together is chosen together or not at all.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::catalog::ItemId;
use crate::job::WhenFull;

/// Something that would like to go into a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The item.
    pub item: ItemId,
    /// Its size.
    pub bytes: u64,
    /// When it was taken: local time in nanoseconds since 1970.
    pub date: i64,
    /// The group that it is in.
    pub group: Option<ItemId>,
}

/// What does not fit at one lane.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    items: HashSet<ItemId>,
    /// How many of them are in each group.
    of_group: HashMap<ItemId, usize>,
}

impl Refused {
    /// Whether there is no room for this item.
    pub fn contains(&self, item: ItemId) -> bool {
        self.items.contains(&item)
    }

    /// For how many members of this group there is no room.
    pub fn of_group(&self, group: ItemId) -> usize {
        self.of_group.get(&group).copied().unwrap_or(0)
    }

    /// Adds what does not fit into a pool with `room` bytes left.
    pub fn add(&mut self, candidates: Vec<Candidate>, room: u64, order: WhenFull) {
        let groups: HashMap<ItemId, ItemId> =
            candidates.iter().filter_map(|one| Some((one.item, one.group?))).collect();
        for item in choose(candidates, room, order) {
            if let Some(group) = groups.get(&item) {
                *self.of_group.entry(*group).or_default() += 1;
            }
            self.items.insert(item);
        }
    }
}

/// Those candidates that do not fit into `room` bytes. Those of one group fit together or not at all.
fn choose(candidates: Vec<Candidate>, mut room: u64, order: WhenFull) -> HashSet<ItemId> {
    if total(&candidates) <= room {
        return HashSet::new();
    }
    let mut units: BTreeMap<ItemId, Unit> = BTreeMap::new();
    for one in candidates {
        let unit = units.entry(one.group.unwrap_or(one.item)).or_default();
        unit.bytes = unit.bytes.saturating_add(one.bytes);
        unit.date = unit.date.max(Some(one.date));
        unit.items.push(one.item);
    }
    // In the order of items; sorting keeps it among equals.
    let mut units: Vec<Unit> = units.into_values().collect();
    match order {
        WhenFull::NewestFirst => units.sort_by_key(|unit| std::cmp::Reverse(unit.date)),
        WhenFull::SmallestFirst => units.sort_by_key(|unit| unit.bytes),
        WhenFull::Stop => {}
    }
    let mut refused = HashSet::new();
    for unit in units {
        let stopped = order == WhenFull::Stop && !refused.is_empty();
        if unit.bytes <= room && !stopped {
            room -= unit.bytes;
        } else {
            refused.extend(unit.items);
        }
    }
    refused
}

/// The bytes of all candidates.
pub fn total(candidates: &[Candidate]) -> u64 {
    candidates.iter().fold(0, |sum, one| sum.saturating_add(one.bytes))
}

/// What goes into a pool together.
#[derive(Default)]
struct Unit {
    items: Vec<ItemId>,
    bytes: u64,
    date: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(item: i64, bytes: u64, date: i64) -> Candidate {
        Candidate { item: ItemId(item), bytes, date, group: None }
    }

    fn refused(all: &[Candidate], room: u64, order: WhenFull) -> Vec<i64> {
        let mut refused: Vec<_> =
            choose(all.to_vec(), room, order).into_iter().map(|item| item.0).collect();
        refused.sort_unstable();
        refused
    }

    #[test]
    fn a_full_pool_takes_what_the_rule_says_and_not_a_byte_more() {
        let all = [candidate(1, 60, 10), candidate(2, 50, 30), candidate(3, 40, 20)];
        for (room, order, expected) in [
            (150, WhenFull::Stop, &[][..]),
            (149, WhenFull::NewestFirst, &[1]),
            (95, WhenFull::NewestFirst, &[1]),
            (89, WhenFull::NewestFirst, &[1, 3]),
            (95, WhenFull::SmallestFirst, &[1]),
            (100, WhenFull::Stop, &[2, 3]),
            (0, WhenFull::SmallestFirst, &[1, 2, 3]),
        ] {
            assert_eq!(refused(&all, room, order), expected, "{room} {order:?}");
        }
    }

    #[test]
    fn what_belongs_together_fits_together_or_not_at_all() {
        let member = |item, bytes, date| Candidate {
            group: Some(ItemId(1)),
            ..candidate(item, bytes, date)
        };
        let all = [member(1, 60, 10), candidate(2, 50, 20), member(3, 40, 30)];
        for (room, order, expected) in [
            (149, WhenFull::NewestFirst, &[2][..]),
            (99, WhenFull::NewestFirst, &[1, 3]),
            (99, WhenFull::SmallestFirst, &[1, 3]),
            (99, WhenFull::Stop, &[1, 2, 3]),
        ] {
            assert_eq!(refused(&all, room, order), expected, "{room} {order:?}");
        }
    }
}
