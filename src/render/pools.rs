//! The room in the pools of a destination, for people and for programs.
//!
//! Invariant: what is left of a pool is its total less what is used and what is to stay free.

use std::collections::BTreeMap;

use safelight_config::{Destination, PoolLimit};
use safelight_core::catalog::Amount;
use safelight_core::class::MediaClass;
use safelight_core::provider::{PoolUsage, Room};
use serde_json::{Value, json};

use super::text::size;

/// Some classes at one destination that share a quota, or have none.
pub struct PoolLine {
    counts: Vec<MediaClass>,
    /// What the catalog counts there.
    pub ours: Amount,
    room: Room,
    /// The service told it; otherwise it follows from the config and the catalog.
    told: bool,
    keep_free: u64,
}

/// The pools of a destination, and what no pool counts; `ours` is what the catalog counts there, `asked` what the service
/// said.
pub fn of(
    destination: &Destination,
    ours: &BTreeMap<MediaClass, Amount>,
    asked: &[PoolUsage],
) -> Vec<PoolLine> {
    let counted =
        |class: &MediaClass| destination.pools.iter().any(|pool| pool.counts.contains(class));
    let rest: Vec<_> = MediaClass::ALL.into_iter().filter(|class| !counted(class)).collect();
    let unlimited = (rest, None);
    let pools = destination.pools.iter().map(|pool| (pool.counts.clone(), Some(pool)));
    let mut lines = Vec::new();
    for (counts, pool) in pools.chain(std::iter::once(unlimited)) {
        if counts.is_empty() {
            continue;
        }
        let amount = sum(ours, &counts);
        let said = asked.iter().find(|one| one.counts.iter().any(|class| counts.contains(class)));
        let limit = pool.map_or(PoolLimit::Ask, |pool| pool.limit);
        let room = room(limit, amount.bytes, said, &counts);
        let keep_free = match (room, pool) {
            (Room::Limited { total, .. }, Some(pool)) => pool.keep_free.of(total),
            _ => 0,
        };
        let told = said.is_some_and(|said| said.room != Room::Unknown);
        lines.push(PoolLine { counts, ours: amount, room, told, keep_free });
    }
    lines
}

fn sum(ours: &BTreeMap<MediaClass, Amount>, counts: &[MediaClass]) -> Amount {
    let counted = counts.iter().filter_map(|class| ours.get(class));
    counted.fold(Amount::default(), |sum, one| Amount {
        files: sum.files + one.files,
        bytes: sum.bytes + one.bytes,
    })
}

/// The room of a pool that counts these classes: the smaller of what the config allows and what the service said.
fn room(limit: PoolLimit, ours: u64, said: Option<&PoolUsage>, counts: &[MediaClass]) -> Room {
    let told = said.map_or(Room::Unknown, |said| said.room);
    match (limit, told) {
        (PoolLimit::Bytes(limit), Room::Limited { used, total }) => {
            let same = said.is_some_and(|said| said.counts.iter().all(|one| counts.contains(one)));
            if same {
                // What others stored counts too, and the service may not have counted all of ours yet.
                Room::Limited { used: used.max(ours), total: total.min(limit.bytes()) }
            } else {
                // The service's pool holds more than this one, so only its free room is of use.
                let most = ours.saturating_add(total.saturating_sub(used));
                Room::Limited { used: ours, total: most.min(limit.bytes()) }
            }
        }
        (PoolLimit::Bytes(limit), _) => Room::Limited { used: ours, total: limit.bytes() },
        (PoolLimit::Unlimited, Room::Unknown) => Room::Unlimited,
        (PoolLimit::Unlimited | PoolLimit::Ask, told) => told,
    }
}

impl PoolLine {
    fn left(&self) -> Option<u64> {
        match self.room {
            Room::Limited { used, total } => {
                Some(total.saturating_sub(used).saturating_sub(self.keep_free))
            }
            Room::Unlimited | Room::Unknown => None,
        }
    }

    fn words(&self) -> Vec<&'static str> {
        self.counts.iter().map(|class| class.word()).collect()
    }

    /// What counts against it.
    pub fn counts_words(&self) -> String {
        match self.counts.len() {
            all if all == MediaClass::ALL.len() => "everything".to_owned(),
            _ => self.words().join(", "),
        }
    }

    /// What is left of it; `None` if nobody knows.
    pub fn room_words(&self) -> Option<String> {
        match self.room {
            Room::Unlimited => Some("unlimited".to_owned()),
            Room::Unknown => None,
            Room::Limited { total, .. } => {
                Some(format!("{} of {}", size(self.left().unwrap_or(0)), size(total)))
            }
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (kind, used, total) = match self.room {
            Room::Unlimited => ("unlimited", None, None),
            Room::Unknown => ("unknown", None, None),
            Room::Limited { used, total } => ("limited", Some(used), Some(total)),
        };
        json!({
            "counts": self.words(), "limit": kind, "used": used, "total": total,
            "keep_free": self.keep_free, "left": self.left(), "ours": self.ours,
            "known_by": match (self.told, self.room) {
                (true, _) => Some("service"),
                (false, Room::Unknown) => None,
                (false, _) => Some("catalog"),
            },
        })
    }
}

/// All pools in a few words: "photo, raw unlimited; video, sidecar, other 4.7 GB of 5.0 GB". `None` if nobody knows.
pub fn words(lines: &[PoolLine]) -> Option<String> {
    let known: Vec<(String, String)> =
        lines.iter().filter_map(|line| Some((line.counts_words(), line.room_words()?))).collect();
    match &known[..] {
        [] => None,
        [(_, room)] if lines.len() == 1 => Some(room.clone()),
        several => {
            let one = |(counts, room): &(String, String)| format!("{counts} {room}");
            Some(several.iter().map(one).collect::<Vec<_>>().join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_config::units::ByteSize;

    const REST: [MediaClass; 3] = [MediaClass::Video, MediaClass::Sidecar, MediaClass::Other];

    fn said(counts: &[MediaClass], used: u64, total: u64) -> PoolUsage {
        PoolUsage { counts: counts.to_vec(), room: Room::Limited { used, total } }
    }

    #[test]
    fn the_smaller_of_limit_and_service_counts_and_the_catalog_where_the_service_is_silent() {
        let five = PoolLimit::Bytes(ByteSize(5));
        let limited = |used, total| Room::Limited { used, total };
        assert_eq!(room(five, 2, None, &REST), limited(2, 5));
        assert_eq!(room(five, 2, Some(&said(&REST, 3, 9)), &REST), limited(3, 5), "others' too");
        assert_eq!(
            room(five, 2, Some(&said(&REST, 1, 4)), &REST),
            limited(2, 4),
            "not yet counted"
        );
        let all = said(&MediaClass::ALL, 90, 92);
        assert_eq!(room(five, 2, Some(&all), &REST), limited(2, 4), "room for two more");
        assert_eq!(room(PoolLimit::Ask, 2, Some(&all), &MediaClass::ALL), limited(90, 92));
        assert_eq!(room(PoolLimit::Ask, 2, None, &REST), Room::Unknown);
        assert_eq!(room(PoolLimit::Unlimited, 2, None, &REST), Room::Unlimited);
        assert_eq!(room(PoolLimit::Unlimited, 2, Some(&all), &REST), limited(90, 92));
    }
}
