//! The catalog's promises, written down a second time in the plainest way: maps and loops.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use safelight_core::catalog::{
    Amount, Content, DestinationId, DestinationSurvey, Finding, Freshness, GoneCopy, GroupDetail,
    Grouped, Held, Holding, ItemDetail, ItemId, Keeping, Known, Leg, LegDetail, Places, Presence,
    Record, Retained, RetainedId, RunId, SafetyRules, Sibling, Stat, Survey, Tally, Wanted, Work,
    WorkQuery,
};
use safelight_core::class::MediaClass;
use safelight_core::group::Role;
use safelight_core::key::Key;
use safelight_core::taken::Taken;
use safelight_core::time::Timestamp;
use safelight_core::traits::Traits;

#[derive(Debug, Clone)]
pub struct Item {
    pub key: Key,
    stat: Stat,
    class: MediaClass,
    presence: Presence,
    freshness: Freshness,
    content: Option<[u8; 32]>,
    inspected: bool,
    traits: Option<Traits>,
}

#[derive(Debug, Clone)]
struct Membership {
    first: ItemId,
    group: Grouped,
    role: Role,
}

#[derive(Debug, Clone, Default)]
struct ModelLeg {
    todo: bool,
    hold: Option<safelight_core::codes::Code>,
    tried: Option<RunId>,
    held: Option<Held>,
    assigned: Option<Key>,
    fold: Option<Vec<u8>>,
}

impl ModelLeg {
    fn sha256(&self) -> Option<[u8; 32]> {
        self.held.as_ref().and_then(|held| held.content.digests.sha256)
    }
}

#[derive(Debug, Default)]
pub struct Model {
    pub destinations: Vec<String>,
    pub items: BTreeMap<ItemId, Item>,
    legs: BTreeMap<(ItemId, DestinationId), ModelLeg>,
    contents: BTreeMap<[u8; 32], Content>,
    retained: BTreeMap<RetainedId, Retained>,
    groups: BTreeMap<ItemId, Membership>,
    regroup: BTreeSet<Option<Key>>,
}

impl Model {
    pub fn places(&self) -> Vec<DestinationId> {
        (1..).map(DestinationId).take(self.destinations.len()).collect()
    }

    pub fn enroll(&mut self, name: &str) {
        if self.destinations.iter().any(|known| known == name) {
            return;
        }
        self.destinations.push(name.to_owned());
        let place = self.places()[self.destinations.len() - 1];
        for (id, item) in &self.items {
            let todo = item.presence == Presence::Present;
            if todo || item.presence == Presence::Suspect {
                self.legs.insert((*id, place), ModelLeg { todo, ..ModelLeg::default() });
            }
        }
    }

    pub fn apply(&mut self, finding: Finding) {
        match finding {
            Finding::Found { key, stat, class } => {
                let known = self.items.iter().find(|(_, item)| item.key == key);
                let next = ItemId(i64::try_from(self.items.len()).unwrap() + 1);
                let (id, content) = known.map_or((next, None), |(id, item)| (*id, item.content));
                let (presence, freshness) = (Presence::Present, Freshness::Stale);
                let traits = self.items.get(&id).and_then(|item| item.traits.clone());
                let inspected = false;
                let item =
                    Item { key, stat, class, presence, freshness, content, inspected, traits };
                self.items.insert(id, item);
                self.raise(id);
            }
            Finding::Altered { item: id, stat, freshness } => {
                let item = self.items.get_mut(&id).unwrap();
                item.stat = stat;
                item.presence = Presence::Present;
                if item.freshness != Freshness::Stale {
                    item.freshness = freshness;
                }
                item.inspected &= item.freshness != Freshness::Stale;
                self.raise(id);
            }
            Finding::Suspected { item } => self.leave(item, Presence::Suspect),
            Finding::Excluded { item } => {
                self.leave(item, Presence::Excluded);
                self.ungroup(item);
            }
            Finding::Gone { item, at } => {
                if !matches!(self.items[&item].presence, Presence::Gone(_)) {
                    self.leave(item, Presence::Gone(at));
                }
                self.ungroup(item);
                self.legs.retain(|(owner, _), leg| *owner != item || leg.held.is_some());
            }
        }
    }

    pub fn record(&mut self, record: Record) {
        match record {
            Record::Read { item: id, stat, content } => {
                let sha256 = self.learn(content);
                let item = self.items.get_mut(&id).unwrap();
                item.inspected &=
                    item.stat.size == stat.size && item.stat.modified == stat.modified;
                item.stat = stat;
                item.presence = Presence::Present;
                item.freshness = Freshness::Fresh;
                item.content = Some(sha256);
                for place in self.places() {
                    let leg = self.legs.entry((id, place)).or_default();
                    leg.todo |= leg.sha256() != Some(sha256);
                }
            }
            Record::Inspected { item: id, traits } => {
                let item = self.items.get_mut(&id).unwrap();
                item.class = traits.class;
                item.inspected = true;
                item.traits = Some(traits);
                self.regroup.insert(item.key.parent());
            }
            Record::Grouped { folder, groups } => {
                let items = &self.items;
                self.groups.retain(|id, _| items[id].key.parent() != folder);
                for group in groups {
                    let first = group.members[0].0;
                    for (item, role) in group.members.clone() {
                        self.groups.insert(item, Membership { first, group: group.clone(), role });
                    }
                }
                self.regroup.remove(&folder);
            }
            Record::Stored { item: id, destination, held, .. } => {
                let sha256 = self.learn(held.content);
                let item = &self.items[&id];
                let overtaken = item.presence == Presence::Present
                    && item.freshness == Freshness::Fresh
                    && item.content != Some(sha256);
                let leg = self.legs.entry((id, destination)).or_default();
                leg.todo = overtaken;
                leg.hold = None;
                leg.tried = None;
                leg.held = Some(held);
            }
            Record::Unchanged { item, destination } => {
                let content = self.items[&item].content;
                if let Some(leg) = self.legs.get_mut(&(item, destination))
                    && leg.held.is_some()
                    && leg.sha256() == content
                {
                    leg.todo = false;
                    leg.hold = None;
                    leg.tried = None;
                }
            }
            Record::Planned { item, destination, hold } => {
                if let Some(leg) = self.legs.get_mut(&(item, destination))
                    && leg.todo
                {
                    leg.hold = hold;
                }
            }
            Record::Assigned { item, destination, key, fold } => {
                let leg = self.legs.get_mut(&(item, destination)).unwrap();
                leg.assigned = Some(key);
                leg.fold = Some(fold);
            }
            Record::Failed { item, destination, run, .. } => self.tried(item, destination, run),
            Record::Suspected { item, run } => {
                self.leave(item, Presence::Suspect);
                self.tried(item, None, run);
            }
            Record::Dropped { item, destination } => match self.items[&item].presence {
                Presence::Gone(_) => {
                    self.legs.remove(&(item, destination));
                }
                presence => {
                    if let Some(leg) = self.legs.get_mut(&(item, destination)) {
                        leg.held = None;
                        leg.hold = None;
                        leg.todo = presence == Presence::Present;
                    }
                }
            },
            Record::Retained(mut retained) => {
                self.learn(retained.content);
                let last = self.retained.last_key_value().map_or(0, |(id, _)| id.0);
                retained.id = RetainedId(last + 1);
                self.retained.insert(retained.id, retained);
            }
            Record::Purged(id) => {
                self.retained.remove(&id);
            }
            Record::Problem(_) => {}
        }
    }

    /// Whether a leg can be given this fold.
    pub fn may_assign(&self, item: ItemId, place: DestinationId, fold: &[u8]) -> bool {
        let holder = self.fold_holder(place, fold);
        self.legs.contains_key(&(item, place)) && holder.is_none_or(|holder| holder == item)
    }

    pub fn newest_retained(&self) -> Option<RetainedId> {
        self.retained.last_key_value().map(|(id, _)| *id)
    }

    fn learn(&mut self, content: Content) -> [u8; 32] {
        let sha256 = content.digests.sha256.unwrap();
        let known = self.contents.entry(sha256).or_insert(content);
        known.digests = known.digests.merged(content.digests);
        sha256
    }

    fn raise(&mut self, item: ItemId) {
        for place in self.places() {
            let leg = self.legs.entry((item, place)).or_default();
            leg.todo = true;
            leg.hold = None;
        }
    }

    fn leave(&mut self, id: ItemId, presence: Presence) {
        self.items.get_mut(&id).unwrap().presence = presence;
        for ((_, _), leg) in self.legs.iter_mut().filter(|((item, _), _)| *item == id) {
            leg.todo = false;
            leg.hold = None;
        }
    }

    fn ungroup(&mut self, id: ItemId) {
        self.groups.remove(&id);
        self.regroup.insert(self.items[&id].key.parent());
    }

    fn tried(&mut self, id: ItemId, place: Option<DestinationId>, run: RunId) {
        for ((item, at), leg) in &mut self.legs {
            if *item == id && place.is_none_or(|place| place == *at) {
                leg.tried = Some(run);
            }
        }
    }

    fn whole(&self, held: &Held) -> Held {
        let content = self.contents[&held.content.digests.sha256.unwrap()];
        Held { content, ..held.clone() }
    }

    fn leg(&self, place: DestinationId, leg: &ModelLeg) -> Leg {
        Leg {
            destination: place,
            held: leg.held.as_ref().map(|held| self.whole(held)),
            assigned: leg.assigned.clone(),
            hold: leg.hold,
        }
    }

    fn by_key(&self) -> BTreeMap<&Key, (ItemId, &Item)> {
        self.items.iter().map(|(id, item)| (&item.key, (*id, item))).collect()
    }

    fn is_there(item: &Item) -> bool {
        matches!(item.presence, Presence::Present | Presence::Suspect)
    }

    // --- what the catalog must answer

    pub fn known(&self) -> Vec<Known> {
        self.by_key()
            .into_iter()
            .map(|(key, (id, item))| Known {
                item: id,
                key: key.clone(),
                stat: item.stat,
                presence: item.presence,
            })
            .collect()
    }

    pub fn details(&self) -> Vec<ItemDetail> {
        let details = self.by_key().into_iter().map(|(key, (id, item))| ItemDetail {
            item: id,
            key: key.clone(),
            stat: item.stat,
            class: item.class,
            presence: item.presence,
            content: item.content.map(|sha256| self.contents[&sha256]),
            traits: item
                .traits
                .clone()
                .filter(|_| item.inspected)
                .map(|traits| Traits { class: item.class, ..traits }),
            group: self.group(id),
            legs: (self.legs.iter().filter(|((owner, _), _)| *owner == id))
                .map(|((_, place), leg)| LegDetail {
                    destination: self.destinations[usize::try_from(place.0).unwrap() - 1].clone(),
                    leg: self.leg(*place, leg),
                    todo: leg.todo,
                })
                .collect(),
        });
        details.collect()
    }

    fn taken(item: &Item) -> Option<Taken> {
        item.traits.as_ref().and_then(|traits| traits.taken)
    }

    fn group(&self, id: ItemId) -> Option<GroupDetail> {
        let own = self.groups.get(&id)?;
        let members = self.by_key().into_values().filter_map(|(id, item)| {
            let one = self.groups.get(&id).filter(|one| one.first == own.first)?;
            Some((item.key.clone(), one.role))
        });
        let members = members.collect();
        let Grouped { kind, by, complete, taken, .. } = own.group;
        Some(GroupDetail { kind, by, complete, taken, members })
    }

    pub fn uninspected(&self, to_send: bool) -> Vec<Known> {
        let waited_for = |id: ItemId| {
            let mut legs = self.legs.iter().filter(|((owner, _), _)| *owner == id);
            legs.any(|(_, leg)| leg.todo && leg.hold.is_none())
        };
        let mut known = self.known();
        known.retain(|one| one.presence == Presence::Present && !self.items[&one.item].inspected);
        known.retain(|one| to_send || !waited_for(one.item));
        known
    }

    pub fn ungrouped(&self) -> BTreeSet<Option<Key>> {
        self.regroup.clone()
    }

    pub fn siblings(&self, folder: Option<&Key>) -> Vec<Sibling> {
        let there = self.by_key().into_values();
        let there =
            there.filter(|(_, item)| Self::is_there(item) && item.key.parent().as_ref() == folder);
        let sibling = |(id, item): (ItemId, &Item)| Sibling {
            item: id,
            key: item.key.clone(),
            class: item.class,
            taken: Self::taken(item),
            content_id: item.traits.as_ref().and_then(|traits| traits.content_id.clone()),
        };
        there.map(sibling).collect()
    }

    pub fn work(&self, query: &WorkQuery) -> Vec<Work> {
        let wanted = |place: DestinationId, leg: &ModelLeg| {
            leg.todo
                && query.destinations.contains(&place)
                && (query.with_held || leg.hold.is_none())
                && (query.not_tried_in.is_none() || leg.tried != query.not_tried_in)
        };
        let mut work = Vec::new();
        for (id, item) in &self.items {
            let legs: Vec<Leg> = (self.legs.iter())
                .filter(|((owner, place), leg)| owner == id && wanted(*place, leg))
                .map(|((_, place), leg)| self.leg(*place, leg))
                .collect();
            if query.after.is_none_or(|after| *id > after) && !legs.is_empty() {
                work.push(Work {
                    item: *id,
                    key: item.key.clone(),
                    stat: item.stat,
                    class: item.class,
                    freshness: item.freshness,
                    content: item.content.map(|sha256| self.contents[&sha256]),
                    inspected: item.inspected,
                    taken: Self::taken(item).map(|own| {
                        own.or_better(self.groups.get(id).and_then(|one| one.group.taken))
                    }),
                    group: self.groups.get(id).map(|one| one.first),
                    legs,
                });
            }
        }
        work.truncate(query.limit);
        work
    }

    pub fn tally(&self, place: DestinationId) -> Tally {
        let mut tally = Tally::default();
        for (id, item) in &self.items {
            tally.listed += u64::from(Self::is_there(item));
            tally.suspect += u64::from(item.presence == Presence::Suspect);
            let Some(leg) = self.legs.get(&(*id, place)) else { continue };
            match (item.presence, leg.todo, leg.hold) {
                (Presence::Present, false, _) => tally.settled += 1,
                (Presence::Present, true, None) => tally.todo.add(item.stat.size),
                (Presence::Present, true, Some(code)) => {
                    tally.held.entry(code).or_default().add(item.stat.size);
                }
                _ => {}
            }
        }
        tally
    }

    pub fn stored(&self, place: DestinationId) -> BTreeMap<MediaClass, Amount> {
        let mut stored: BTreeMap<MediaClass, Amount> = BTreeMap::new();
        for ((item, at), leg) in &self.legs {
            if let (true, Some(held)) = (*at == place, &leg.held) {
                stored.entry(self.items[item].class).or_default().add(held.content.size);
            }
        }
        stored
    }

    fn counting(&self, id: ItemId, rules: SafetyRules) -> Vec<DestinationId> {
        let item = &self.items[&id];
        let comparable = item.freshness == Freshness::Fresh || item.presence == Presence::Suspect;
        let legs = self.legs.iter().filter(|((owner, _), _)| *owner == id);
        let counting = legs.filter(|(_, leg)| {
            let proved = leg
                .held
                .as_ref()
                .is_some_and(|held| held.proof.counts() && held.proved_at >= rules.checked_since);
            comparable && proved && leg.sha256() == item.content
        });
        counting.map(|((_, place), _)| *place).collect()
    }

    pub fn who_has(&self, wanted: &[Wanted]) -> Vec<Holding> {
        let mut holdings = Vec::new();
        for (place, wanted) in wanted.iter().enumerate() {
            for (id, item) in &self.items {
                for (sha256, content) in &self.contents {
                    let Some(likeness) = wanted.likeness(content) else { continue };
                    let legs = self.legs.iter().filter(|((owner, _), _)| owner == id);
                    let copies = legs.filter(|(_, leg)| leg.sha256() == Some(*sha256));
                    let copies: Vec<_> = copies
                        .filter_map(|((_, at), leg)| {
                            let name = &self.destinations[usize::try_from(at.0).unwrap() - 1];
                            Some((name.clone(), self.whole(leg.held.as_ref()?)))
                        })
                        .collect();
                    let own = item.content == Some(*sha256);
                    if own || !copies.is_empty() {
                        holdings.push(Holding {
                            wanted: place,
                            likeness,
                            content: *content,
                            item: *id,
                            key: item.key.clone(),
                            stat: item.stat,
                            presence: item.presence,
                            freshness: own.then_some(item.freshness),
                            taken: Self::taken(item),
                            copies,
                        });
                    }
                }
            }
        }
        holdings
    }

    /// The places whose copies count, with what is special about some of them.
    fn counted(&self, id: ItemId, rules: SafetyRules, special: &Places) -> Vec<String> {
        let name =
            |place: DestinationId| self.destinations[usize::try_from(place.0).unwrap() - 1].clone();
        let names: Vec<_> = self.counting(id, rules).into_iter().map(name).collect();
        let stands = names.iter().any(|name| !special.never_alone.contains(name));
        if stands { names } else { Vec::new() }
    }

    pub fn survey(&self, rules: SafetyRules, special: &Places) -> Survey {
        let mut survey = Survey::default();
        for (id, item) in self.items.iter().filter(|(_, item)| Self::is_there(item)) {
            let suspect = item.presence == Presence::Suspect;
            let places = self.counted(*id, rules, special);
            let copies = u32::try_from(places.len()).unwrap() + u32::from(!suspect);
            let outside = places.iter().filter(|name| special.offsite.contains(name)).count();
            survey.files.add(item.stat.size);
            survey.suspect += u64::from(suspect);
            *survey.by_copies.entry(copies).or_default() += 1;
            let safe = copies >= rules.copies && outside >= rules.offsite as usize && !suspect;
            survey.safe += u64::from(safe);
        }
        for (place, name) in self.places().into_iter().zip(&self.destinations) {
            let tally = self.tally(place);
            let mut one = DestinationSurvey {
                name: name.clone(),
                behind: tally.todo,
                held: tally.held,
                ..DestinationSurvey::default()
            };
            for ((id, at), leg) in &self.legs {
                let item = &self.items[id];
                if let (true, true, Some(held)) = (*at == place, Self::is_there(item), &leg.held) {
                    one.stored.entry(item.class).or_default().add(held.content.size);
                    let good = held.proof.counts() && held.proved_at >= rules.checked_since;
                    one.unproved += u64::from(!good);
                    let oldest = one.oldest_proof.unwrap_or(held.proved_at);
                    one.oldest_proof = Some(oldest.min(held.proved_at));
                }
            }
            survey.destinations.push(one);
        }
        survey
    }

    pub fn lacking(&self, rules: SafetyRules, special: &Places, fewer_than: u32) -> Vec<Key> {
        let items = self.by_key().into_values().filter(|(id, item)| {
            let library = usize::from(item.presence == Presence::Present);
            let copies = self.counted(*id, rules, special).len() + library;
            Self::is_there(item) && copies < fewer_than as usize
        });
        items.map(|(_, item)| item.key.clone()).collect()
    }

    pub fn fold_holder(&self, place: DestinationId, fold: &[u8]) -> Option<ItemId> {
        let mut legs = self.legs.iter();
        let found = legs.find(|((_, at), leg)| *at == place && leg.fold.as_deref() == Some(fold));
        found.map(|((item, _), _)| *item)
    }

    pub fn holders(&self, place: DestinationId) -> Vec<(Key, ItemId)> {
        let legs = self.legs.iter().filter(|((_, at), _)| *at == place);
        legs.filter_map(|((item, _), leg)| leg.held.as_ref().map(|held| (held.key.clone(), *item)))
            .collect()
    }

    pub fn deletable(&self, place: DestinationId, noticed: Timestamp) -> Vec<GoneCopy> {
        let mut copies = Vec::new();
        for (id, item) in &self.items {
            let Presence::Gone(at) = item.presence else { continue };
            let leg = self.legs.get(&(*id, place));
            if let (true, Some(held)) = (at <= noticed, leg.and_then(|leg| leg.held.as_ref())) {
                copies.push(GoneCopy {
                    item: *id,
                    key: item.key.clone(),
                    noticed: at,
                    destination: place,
                    held: self.whole(held),
                });
            }
        }
        copies
    }

    pub fn gone_copies(&self, place: DestinationId, sha256: [u8; 32]) -> Vec<GoneCopy> {
        let mut copies = self.deletable(place, Timestamp::from_nanos(i64::MAX));
        copies.retain(|copy| {
            copy.held.content.digests.sha256 == Some(sha256)
                && self.items[&copy.item].content == Some(sha256)
        });
        copies
    }

    pub fn gone_sizes(&self) -> HashSet<u64> {
        let all = Timestamp::from_nanos(i64::MAX);
        let places = self.places().into_iter();
        places
            .flat_map(|place| self.deletable(place, all))
            .map(|copy| copy.held.content.size)
            .collect()
    }

    pub fn count_changed(&self) -> u64 {
        let changed = self.items.values().filter(|item| {
            item.presence == Presence::Present
                && item.freshness != Freshness::Fresh
                && item.content.is_some()
        });
        changed.count() as u64
    }

    pub fn purgeable(&self, place: DestinationId, now: Timestamp, keep: usize) -> Vec<RetainedId> {
        let here = || self.retained.values().filter(|retained| retained.destination == place);
        let trash = here().filter(|retained| {
            retained.keeping == Keeping::Trash && retained.until.is_some_and(|until| until <= now)
        });
        let mut due: BTreeSet<_> = trash.map(|retained| (retained.since, retained.id)).collect();
        let mut versions: BTreeMap<&Key, Vec<_>> = BTreeMap::new();
        for retained in here().filter(|retained| retained.keeping == Keeping::Version) {
            versions.entry(&retained.original).or_default().push((retained.since, retained.id));
        }
        for (_, mut ages) in versions {
            ages.sort();
            ages.truncate(ages.len().saturating_sub(keep));
            due.extend(ages);
        }
        due.into_iter().map(|(_, id)| id).collect()
    }
}
