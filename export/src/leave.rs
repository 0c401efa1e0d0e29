//! May the membership end? The answer as a value.
//!
//! Invariant: "safe to cancel" is said only of a service that was seen completely and of which every item has a proven
//! copy elsewhere. Fewer copies than wanted are advice, not a refusal.

use std::collections::BTreeMap;

use safelight_core::catalog::Amount;
use safelight_core::class::MediaClass;
use safelight_core::job::{Pool, PoolLimit};
use safelight_core::provider::Room;

use crate::inventory::{Inventory, Item};
use crate::weigh::{Rules, Standing};

/// What is asked beyond the inventory.
#[derive(Debug, Clone)]
pub struct Question {
    /// What counts.
    pub rules: Rules,
    /// The quotas without membership, where they are known.
    pub afterwards: Vec<Pool>,
    /// Whether what was listed is all of the account, so that the service's own numbers must agree.
    pub whole_account: bool,
    /// At most so many items are named; all are counted.
    pub name_at_most: usize,
}

/// What would be lost with the service although the bytes are safe.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Losses {
    /// Albums, empty ones included.
    pub albums: u64,
    /// Of these: empty.
    pub empty_albums: u64,
    /// Favourites.
    pub favourites: u64,
    /// Captions.
    pub captions: u64,
    /// Items with words that somebody filed them under.
    pub keywords: u64,
    /// Hidden items.
    pub hidden: u64,
    /// Dates that no file elsewhere tells.
    pub dates: u64,
    /// Stills whose film the service keeps with them.
    pub live_pairs: u64,
}

impl Losses {
    /// Whether there is anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A quota and what is beyond it without membership.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Beyond {
    /// The classes that count against it.
    pub counts: Vec<MediaClass>,
    /// Its limit in bytes.
    pub limit: u64,
    /// What is there now, in bytes.
    pub there: u64,
}

impl Beyond {
    /// How many bytes are too many.
    pub fn bytes(&self) -> u64 {
        self.there.saturating_sub(self.limit)
    }
}

/// A number of the service's own, and ours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reckoning {
    /// The classes that it is about.
    pub counts: Vec<MediaClass>,
    /// Bytes that the service counts.
    pub service: u64,
    /// Bytes that were listed.
    pub listed: u64,
}

impl Reckoning {
    /// Whether the service counts more than it listed, beyond what rounding and its own files explain.
    pub fn lacks(&self) -> bool {
        let slack = (self.listed / 100).max(1 << 20);
        self.service > self.listed.saturating_add(slack)
    }
}

/// Why it is not safe to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Some items are proven nowhere else.
    OnlyThere,
    /// Parts of the service were not seen.
    NotSeen,
    /// Albums name objects that no listing shows.
    Unlisted,
    /// The service counts more than it lists.
    CountsMore,
}

/// An item that is named in the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Its place in the inventory.
    pub item: usize,
    /// Something of its size is known elsewhere, but nothing that could be compared.
    pub perhaps: bool,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// What is at the service, by class.
    pub classes: BTreeMap<MediaClass, Amount>,
    /// All of it.
    pub all: Amount,
    /// Items with as many other proven copies as are wanted.
    pub enough: Amount,
    /// Items with at least one, but fewer than are wanted.
    pub fewer: Amount,
    /// Items that are proven nowhere else.
    pub only_there: Amount,
    /// Of these: something of the same size is known elsewhere, but nothing that could be compared.
    pub perhaps: u64,
    /// The first of them.
    pub named: Vec<Named>,
    /// Items of which the service gives other bytes than it says.
    pub flagged: u64,
    /// What would be lost besides.
    pub losses: Losses,
    /// Quotas that are exceeded without membership.
    pub beyond: Vec<Beyond>,
    /// The service's own numbers.
    pub reckonings: Vec<Reckoning>,
    /// Why it is not safe to cancel; nothing if it is.
    pub reasons: Vec<Reason>,
}

impl Answer {
    /// Safe to cancel.
    pub fn is_safe(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Answers from an inventory and how its items stand. `each` is told of every item, in order.
    pub fn of(
        inventory: &Inventory,
        standings: &[Standing],
        question: &Question,
        mut each: impl FnMut(&Item, &Standing),
    ) -> Self {
        let mut answer = Self::default();
        let unknown = Standing::default();
        for (at, item) in inventory.items.iter().enumerate() {
            let standing = standings.get(at).unwrap_or(&unknown);
            answer.count(at, item, standing, question);
            each(item, standing);
        }
        answer.losses.albums = inventory.albums.len() as u64;
        let empty = inventory.albums.iter().filter(|album| album.members.is_empty());
        answer.losses.empty_albums = empty.count() as u64;
        answer.beyond = question.afterwards.iter().filter_map(|pool| answer.beyond(pool)).collect();
        answer.reckonings = reckon(inventory, &answer.classes);
        answer.reasons = answer.judge(inventory, question);
        answer
    }

    fn count(&mut self, at: usize, item: &Item, standing: &Standing, question: &Question) {
        let bytes = item.entry.size;
        self.classes.entry(item.class).or_default().add(bytes);
        self.all.add(bytes);
        self.flagged += u64::from(standing.flagged);
        match standing.copies() {
            0 => {
                self.only_there.add(bytes);
                self.perhaps += u64::from(standing.perhaps);
                if self.named.len() < question.name_at_most {
                    self.named.push(Named { item: at, perhaps: standing.perhaps });
                }
            }
            copies if copies < question.rules.copies => self.fewer.add(bytes),
            _ => self.enough.add(bytes),
        }
        let losses = &mut self.losses;
        losses.live_pairs += u64::from(item.film_of.is_some());
        if let Some(remark) = &item.remark {
            losses.favourites += u64::from(remark.favourite);
            losses.captions += u64::from(remark.caption.is_some());
            losses.keywords += u64::from(!remark.keywords.is_empty());
            losses.hidden += u64::from(remark.hidden);
            losses.dates += u64::from(remark.taken.is_some() && !standing.date_told);
        }
    }

    fn beyond(&self, pool: &Pool) -> Option<Beyond> {
        let PoolLimit::Bytes(limit) = pool.limit else { return None };
        let there = self.bytes_of(&pool.counts);
        let beyond = Beyond { counts: pool.counts.clone(), limit, there };
        (beyond.bytes() > 0).then_some(beyond)
    }

    fn bytes_of(&self, classes: &[MediaClass]) -> u64 {
        let of_class =
            |class: &MediaClass| self.classes.get(class).map_or(0, |amount| amount.bytes);
        classes.iter().map(of_class).sum()
    }

    fn judge(&self, inventory: &Inventory, question: &Question) -> Vec<Reason> {
        let counts_more = question.whole_account && self.reckonings.iter().any(Reckoning::lacks);
        let reasons = [
            (self.only_there.files > 0, Reason::OnlyThere),
            (!inventory.unseen.is_empty(), Reason::NotSeen),
            (!inventory.unlisted.is_empty(), Reason::Unlisted),
            (counts_more, Reason::CountsMore),
        ];
        reasons.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect()
    }
}

/// The service's own numbers beside what was listed.
pub fn reckon(inventory: &Inventory, classes: &BTreeMap<MediaClass, Amount>) -> Vec<Reckoning> {
    let reckoning = |usage: &safelight_core::provider::PoolUsage| {
        let Room::Limited { used: service, .. } = usage.room else { return None };
        let of_class = |class: &MediaClass| classes.get(class).map_or(0, |amount| amount.bytes);
        let listed = usage.counts.iter().map(of_class).sum();
        Some(Reckoning { counts: usage.counts.clone(), service, listed })
    };
    inventory.usage.iter().filter_map(reckoning).collect()
}
