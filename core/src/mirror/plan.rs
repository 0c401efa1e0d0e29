//! Plan: for every item and destination an action or a stated reason.
//!
//! What decides is pure ([`decide`], [`choose`]); the rest fetches candidates and writes decisions down. A dry
//! run and a real run share all of it.
//!
//! Invariant: nothing is left out silently, and a limited pool is never planned over its room by a byte.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::lane::Lane;
use crate::capability::Capabilities;
use crate::catalog::{Amount, Freshness, ItemId, Leg, Record, Work, WorkQuery};
use crate::class::MediaClass;
use crate::codes::{self, Code};
use crate::error::Result;
use crate::job::{DestinationRules, KeepFree, Pool, PoolLimit, Tools, WhenFull};
use crate::key::Key;
use crate::monitor::Event;
use crate::names;
use crate::provider::{Provider, Room};

const PAGE: usize = 2048;

/// What a run is going to do.
#[derive(Debug, Default)]
pub struct Planned {
    /// Per lane, in the order of lanes.
    pub lanes: Vec<LanePlan>,
    /// Items with at least one leg to send, each counted once.
    pub new: Amount,
    /// Of these: as large as something that is gone, so perhaps only moved.
    pub perhaps_moved: u64,
    /// Items that newly do not fit at a lane, while others of their group are there or go there.
    pub parted: Vec<(usize, Key)>,
}

/// What a run is going to do at one destination.
#[derive(Debug, Clone, Default)]
pub struct LanePlan {
    /// To be sent.
    pub send: Amount,
    /// Held back, by reason.
    pub held: BTreeMap<Code, Amount>,
}

/// A lane and its rules.
pub type Planning<'a> = (Arc<Lane>, &'a DestinationRules);

/// Why an item may not go to a destination, quota aside.
pub fn decide(work: &Work, leg: &Leg, capabilities: &Capabilities) -> Option<Code> {
    let named = leg.held.is_some()
        || leg.assigned.is_some()
        || names::fit(&work.key, capabilities.names).is_some();
    if work.key.is_reserved() {
        Some(codes::RESERVED_NAME)
    } else if !capabilities.classes.contains(&work.class) {
        Some(codes::CLASS_NOT_ACCEPTED)
    } else if capabilities.max_item_bytes.is_some_and(|max| work.stat.size > max) {
        Some(codes::TOO_LARGE)
    } else if named {
        None
    } else {
        Some(codes::NAME_REFUSED)
    }
}

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

/// Those candidates that do not fit into `room` bytes. Those of one group fit together or not at all.
pub fn choose(candidates: Vec<Candidate>, mut room: u64, order: WhenFull) -> HashSet<ItemId> {
    if candidates.iter().map(|one| one.bytes).sum::<u64>() <= room {
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

/// What goes into a pool together.
#[derive(Default)]
struct Unit {
    items: Vec<ItemId>,
    bytes: u64,
    date: Option<i64>,
}

/// What does not fit at one lane.
#[derive(Debug, Clone, Default)]
struct Refused {
    items: HashSet<ItemId>,
    /// How many of them are in each group.
    of_group: HashMap<ItemId, usize>,
}

/// Decides for everything that is to do at these lanes and writes down what changed. With `hold_changed`, files
/// whose content changed under their name are held back. `tell` names every decision to the monitor.
pub async fn plan(
    lanes: &[Planning<'_>],
    tools: &Tools,
    tell: bool,
    hold_changed: bool,
) -> Result<Planned> {
    let gone_sizes = tools.catalog.gone_sizes().await?;
    let refused = refusals(lanes, tools).await?;
    let mut planned =
        Planned { lanes: vec![LanePlan::default(); lanes.len()], ..Planned::default() };
    let mut after = None;
    loop {
        let works = page(lanes, tools, after).await?;
        let Some(last) = works.last() else { return Ok(planned) };
        after = Some(last.item);
        let mut records = Vec::new();
        let mut folds = HashMap::new();
        for work in &works {
            let mut sends = false;
            for leg in &work.legs {
                let Some(at) = lanes.iter().position(|(lane, _)| lane.id == leg.destination) else {
                    continue;
                };
                let lane = &*lanes[at].0;
                let mut hold = decide(work, leg, lane.provider.capabilities());
                let changed = work.content.is_some() && work.freshness == Freshness::Stale;
                if hold_changed && changed {
                    hold = Some(codes::GUARD_CHANGES);
                }
                if hold.is_none() && refused[at].items.contains(&work.item) {
                    hold = Some(codes::POOL_FULL);
                    if leg.hold != hold && parted(work, &refused[at], tools).await? {
                        planned.parted.push((at, work.key.clone()));
                    }
                }
                if hold.is_none() && leg.held.is_none() && leg.assigned.is_none() {
                    hold = assign(work, lane, tools, &mut folds, &mut records).await?;
                }
                if hold != leg.hold {
                    let (item, destination) = (work.item, leg.destination);
                    records.push(Record::Planned { item, destination, hold });
                }
                let bytes = work.stat.size;
                if let Some(code) = hold {
                    planned.lanes[at].held.entry(code).or_default().add(bytes);
                } else {
                    planned.lanes[at].send.add(bytes);
                    sends = true;
                }
                if tell {
                    let destination = lane.name.as_str();
                    tools.monitor.event(&Event::Intended {
                        destination,
                        key: &work.key,
                        bytes,
                        hold,
                    });
                }
            }
            if sends {
                planned.new.add(work.stat.size);
                planned.perhaps_moved += u64::from(gone_sizes.contains(&work.stat.size));
            }
        }
        if !records.is_empty() {
            tools.catalog.record(records).await?;
        }
    }
}

async fn page(lanes: &[Planning<'_>], tools: &Tools, after: Option<ItemId>) -> Result<Vec<Work>> {
    let destinations = lanes.iter().map(|(lane, _)| lane.id).collect();
    let query = WorkQuery { destinations, after, not_tried_in: None, with_held: true, limit: PAGE };
    tools.catalog.work(query).await
}

/// Whether others of its group are not refused as well.
async fn parted(work: &Work, refused: &Refused, tools: &Tools) -> Result<bool> {
    let Some(group) = work.group else { return Ok(false) };
    let detail = tools.catalog.item(&work.key).await?.and_then(|item| item.group);
    let members = detail.map_or(0, |group| group.members.len());
    Ok(members > refused.of_group.get(&group).copied().unwrap_or(0))
}

/// Per lane, the items that do not fit into its pools.
async fn refusals(lanes: &[Planning<'_>], tools: &Tools) -> Result<Vec<Refused>> {
    let mut refused = vec![Refused::default(); lanes.len()];
    for (at, (lane, rules)) in lanes.iter().enumerate() {
        let limited: Vec<&Pool> =
            rules.pools.iter().filter(|pool| pool.limit != PoolLimit::Unlimited).collect();
        if limited.is_empty() {
            continue;
        }
        let mut candidates: Vec<Vec<Candidate>> = vec![Vec::new(); limited.len()];
        let only = [(Arc::clone(lane), *rules)];
        let mut after = None;
        loop {
            let works = page(&only, tools, after).await?;
            let Some(last) = works.last() else { break };
            after = Some(last.item);
            for work in &works {
                let Some(pool) = limited.iter().position(|pool| pool.counts.contains(&work.class))
                else {
                    continue;
                };
                let free = work
                    .legs
                    .iter()
                    .all(|leg| decide(work, leg, lane.provider.capabilities()).is_none());
                if free {
                    candidates[pool].push(Candidate {
                        item: work.item,
                        bytes: work.stat.size,
                        date: work
                            .taken
                            .map_or(work.stat.modified.as_nanos(), |taken| taken.wall()),
                        group: work.group,
                    });
                }
            }
        }
        for (pool, candidates) in limited.into_iter().zip(candidates) {
            if candidates.is_empty() {
                continue;
            }
            let room = room_in(pool, lane, tools).await?;
            let groups: HashMap<ItemId, ItemId> =
                candidates.iter().filter_map(|one| Some((one.item, one.group?))).collect();
            for item in choose(candidates, room, pool.when_full) {
                if let Some(group) = groups.get(&item) {
                    *refused[at].of_group.entry(*group).or_default() += 1;
                }
                refused[at].items.insert(item);
            }
        }
    }
    Ok(refused)
}

/// How many more bytes may go into a pool.
async fn room_in(pool: &Pool, lane: &Lane, tools: &Tools) -> Result<u64> {
    let (used, total) = match pool.limit {
        PoolLimit::Unlimited => return Ok(u64::MAX),
        PoolLimit::Bytes(total) => {
            let stored = tools.catalog.stored(lane.id).await?;
            let counts = |class: &MediaClass| pool.counts.contains(class);
            let used =
                stored.iter().filter(|(class, _)| counts(class)).map(|(_, amount)| amount.bytes);
            (used.sum(), total)
        }
        PoolLimit::Ask => match asked(pool, &*lane.provider).await {
            Some((used, total)) => (used, total),
            None => return Ok(u64::MAX),
        },
    };
    Ok(total.saturating_sub(used).saturating_sub(kept_free(pool.keep_free, total)))
}

async fn asked(pool: &Pool, provider: &dyn Provider) -> Option<(u64, u64)> {
    let usage = provider.quota().await.ok()?;
    let counted =
        usage.into_iter().find(|one| one.counts.iter().any(|class| pool.counts.contains(class)));
    match counted?.room {
        Room::Limited { used, total } => Some((used, total)),
        Room::Unlimited | Room::Unknown => None,
    }
}

/// The bytes of `total` that are to stay free.
pub fn kept_free(keep: KeepFree, total: u64) -> u64 {
    match keep {
        KeepFree::Bytes(bytes) => bytes,
        KeepFree::Share(share) => {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let bytes = (total as f64 * share) as u64;
            bytes
        }
    }
}

type Folds = HashMap<(crate::catalog::DestinationId, Vec<u8>), ItemId>;

/// Chooses a key where the item's own may not do; answers why none can be found.
async fn assign(
    work: &Work,
    lane: &Lane,
    tools: &Tools,
    folds: &mut Folds,
    records: &mut Vec<Record>,
) -> Result<Option<Code>> {
    let rules = lane.provider.capabilities().names;
    let Some(own) = names::fit(&work.key, rules) else { return Ok(Some(codes::NAME_REFUSED)) };
    let own_fold = names::fold(&own, rules);
    if own_fold.is_none() && own == work.key {
        return Ok(None);
    }
    let other = names::disambiguate(&work.key, rules);
    for key in [Some(own), other].into_iter().flatten() {
        let fold = names::fold(&key, rules).unwrap_or_else(|| key.as_bytes().to_vec());
        let holder = match folds.get(&(lane.id, fold.clone())) {
            Some(item) => Some(*item),
            None => tools.catalog.fold_holder(lane.id, &fold).await?,
        };
        if holder.is_none_or(|item| item == work.item) {
            folds.insert((lane.id, fold.clone()), work.item);
            let (item, destination) = (work.item, lane.id);
            records.push(Record::Assigned { item, destination, key, fold });
            return Ok(None);
        }
    }
    Ok(Some(codes::NAME_REFUSED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(item: i64, bytes: u64, date: i64) -> Candidate {
        Candidate { item: ItemId(item), bytes, date, group: None }
    }

    fn refused(room: u64, order: WhenFull) -> Vec<i64> {
        let all = vec![candidate(1, 60, 10), candidate(2, 50, 30), candidate(3, 40, 20)];
        let mut refused: Vec<_> = choose(all, room, order).into_iter().map(|item| item.0).collect();
        refused.sort_unstable();
        refused
    }

    #[test]
    fn a_pool_with_room_refuses_nothing() {
        assert!(refused(150, WhenFull::Stop).is_empty());
    }

    #[test]
    fn a_full_pool_takes_what_the_rule_says_and_not_a_byte_more() {
        assert_eq!(refused(149, WhenFull::NewestFirst), [1]);
        assert_eq!(refused(95, WhenFull::NewestFirst), [1]);
        assert_eq!(refused(89, WhenFull::NewestFirst), [1, 3]);
        assert_eq!(refused(95, WhenFull::SmallestFirst), [1]);
        assert_eq!(refused(100, WhenFull::Stop), [2, 3]);
        assert_eq!(refused(0, WhenFull::SmallestFirst), [1, 2, 3]);
    }

    #[test]
    fn what_belongs_together_fits_together_or_not_at_all() {
        let member = |item, bytes, date| Candidate {
            group: Some(ItemId(1)),
            ..candidate(item, bytes, date)
        };
        let all = vec![member(1, 60, 10), candidate(2, 50, 20), member(3, 40, 30)];
        let refused = |room, order| {
            let mut refused: Vec<_> =
                choose(all.clone(), room, order).into_iter().map(|item| item.0).collect();
            refused.sort_unstable();
            refused
        };
        assert_eq!(refused(149, WhenFull::NewestFirst), [2]);
        assert_eq!(refused(99, WhenFull::NewestFirst), [1, 3]);
        assert_eq!(refused(99, WhenFull::SmallestFirst), [1, 3]);
        assert_eq!(refused(99, WhenFull::Stop), [1, 2, 3]);
    }

    #[test]
    fn what_stays_free_may_be_bytes_or_a_share() {
        assert_eq!(kept_free(KeepFree::Bytes(7), 100), 7);
        assert_eq!(kept_free(KeepFree::Share(0.05), 2000), 100);
    }
}
