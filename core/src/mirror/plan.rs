//! Plan: for every item and destination an action or a stated reason.
//!
//! What decides is pure ([`decide`], and [`choose`](super::choose)); the rest fetches candidates and writes decisions
//! down. A dry run and a real run share all of it.
//!
//! Invariant: nothing is left out silently, and a limited pool is never planned over its room by a byte.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::choose::{Candidate, Refused, total};
use super::lane::Lane;
use super::ledger::{Ledger, LimitedPool};
use crate::capability::Capabilities;
use crate::catalog::{Amount, Freshness, ItemId, Leg, Record, Work, WorkQuery};
use crate::class::MediaClass;
use crate::codes::{self, Code};
use crate::error::Result;
use crate::job::Tools;
use crate::key::Key;
use crate::monitor::Event;
use crate::names;

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

/// A lane, and the room in its pools.
pub struct Planning {
    /// The lane.
    pub lane: Arc<Lane>,
    /// The room.
    pub ledger: Arc<Ledger>,
}

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

/// Decides for everything that is to do at these lanes and writes down what changed. `choosy` is the answer of
/// [`is_choosy`]. With `hold_changed`, files whose content changed under their name are held back. `tell` names every
/// decision to the monitor.
///
/// # Errors
/// The catalog's.
pub async fn plan(
    lanes: &[Planning],
    tools: &Tools,
    choosy: bool,
    tell: bool,
    hold_changed: bool,
) -> Result<Planned> {
    let gone_sizes = tools.catalog.gone_sizes().await?;
    let refused =
        if choosy { refusals(lanes, tools).await? } else { vec![Refused::default(); lanes.len()] };
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
                let Some(at) = lanes.iter().position(|one| one.lane.id == leg.destination) else {
                    continue;
                };
                let lane = &*lanes[at].lane;
                let mut hold = decide(work, leg, lane.provider.capabilities());
                let changed = work.content.is_some() && work.freshness == Freshness::Stale;
                if hold_changed && changed {
                    hold = Some(codes::GUARD_CHANGES);
                }
                if hold.is_none() && refused[at].contains(work.item) {
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

async fn page(lanes: &[Planning], tools: &Tools, after: Option<ItemId>) -> Result<Vec<Work>> {
    let destinations = lanes.iter().map(|one| one.lane.id).collect();
    let query = WorkQuery { destinations, after, not_tried_in: None, with_held: true, limit: PAGE };
    tools.catalog.work(query).await
}

/// Whether others of its group are not refused as well.
async fn parted(work: &Work, refused: &Refused, tools: &Tools) -> Result<bool> {
    let Some(group) = work.group else { return Ok(false) };
    let detail = tools.catalog.item(&work.key).await?.and_then(|item| item.group);
    let members = detail.map_or(0, |group| group.members.len());
    Ok(members > refused.of_group(group))
}

/// Whether it has to be known for sure what new items are, before it is decided what goes where: where some class is
/// not taken, or a pool has not room for all.
///
/// # Errors
/// The catalog's.
pub async fn is_choosy(lanes: &[Planning], tools: &Tools) -> Result<bool> {
    for planning in lanes {
        let accepted = &planning.lane.provider.capabilities().classes;
        if !MediaClass::ALL.iter().all(|class| accepted.contains(class)) {
            return Ok(true);
        }
        let wanted = candidates(planning, tools).await?;
        if wanted.iter().any(|(pool, candidates)| total(candidates) > pool.room) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Per lane, the items that do not fit into its pools.
async fn refusals(lanes: &[Planning], tools: &Tools) -> Result<Vec<Refused>> {
    let mut refused = vec![Refused::default(); lanes.len()];
    for (planning, refused) in lanes.iter().zip(&mut refused) {
        for (pool, candidates) in candidates(planning, tools).await? {
            refused.add(candidates, pool.room, pool.when_full);
        }
    }
    Ok(refused)
}

/// What would like to go into each limited pool of a lane.
async fn candidates(
    planning: &Planning,
    tools: &Tools,
) -> Result<Vec<(LimitedPool, Vec<Candidate>)>> {
    let lane = &planning.lane;
    let limited = planning.ledger.limited().into_iter();
    let mut found: Vec<_> = limited.map(|pool| (pool, Vec::new())).collect();
    let mut after = None;
    while !found.is_empty() {
        let works = page(std::slice::from_ref(planning), tools, after).await?;
        let Some(last) = works.last() else { break };
        after = Some(last.item);
        for work in &works {
            let at = planning.ledger.limited_pool(work.class);
            let Some((_, candidates)) = found.iter_mut().find(|(pool, _)| Some(pool.at) == at)
            else {
                continue;
            };
            let mut legs = work.legs.iter();
            if legs.all(|leg| decide(work, leg, lane.provider.capabilities()).is_none()) {
                let modified = work.stat.modified.as_nanos();
                candidates.push(Candidate {
                    item: work.item,
                    bytes: work.stat.size,
                    date: work.taken.map_or(modified, |taken| taken.wall()),
                    group: work.group,
                });
            }
        }
    }
    Ok(found)
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
