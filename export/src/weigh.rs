//! What of an inventory is proven elsewhere, where, and how well.
//!
//! Invariant: a copy is proven only by a strong digest that both sides know, or by bytes that were read for it. A size, a
//! name or a date never prove anything.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use safelight_core::catalog::{
    Catalog, Content, Freshness, Holding, ItemId, Likeness, Presence, Wanted,
};
use safelight_core::digest::Digests;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::job::Stop;
use safelight_core::key::Key;
use safelight_core::provider::{Proof, Provider};
use safelight_core::taken::Taken;
use safelight_core::time::Timestamp;

use crate::flags::Flags;
use crate::inventory::{Inventory, Item};
use crate::layout::content_number;
use crate::settle::{can_tell, settle_by_reading};

const BATCH: usize = 16 * 1024;

/// A catalog that may know of other copies.
pub struct Shelf {
    /// The catalog: that of the library, or of an earlier export.
    pub catalog: Arc<dyn Catalog>,
    /// The name under which the library's own files count; `None` if they do not (the library of an export is the service
    /// that is to be left).
    pub library: Option<String>,
    /// The library itself, so that "perhaps" can be settled by reading it.
    pub reader: Option<Arc<dyn Provider>>,
    /// Destinations that do not count: the service that is to be left, under whatever name.
    pub not: Vec<String>,
}

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Copies that are wanted, the library counting as one.
    pub copies: u32,
    /// A proof older than this does not count.
    pub checked_since: Timestamp,
}

/// A copy somewhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The library's or the destination's name.
    pub name: String,
    /// Where it stands there.
    pub key: Key,
    /// How we know; `None` for the library's own file, whose content was hashed when it was read.
    pub proof: Option<(Proof, Timestamp)>,
    /// Its SHA-256.
    pub sha256: Option<[u8; 32]>,
    /// Whether it counts.
    pub counts: bool,
}

/// How one item stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Where else it is, proven or not.
    pub places: Vec<Place>,
    /// Something of its size is known, and nothing says whether it is the same.
    pub perhaps: bool,
    /// The service gives other bytes than it says, and what it says is nowhere else; places are those of what it gives.
    pub flagged: bool,
    /// A file elsewhere tells the date that the service tells.
    pub date_told: bool,
}

impl Standing {
    /// In how many other places a proven copy is.
    pub fn copies(&self) -> u32 {
        let names: BTreeSet<_> =
            self.places.iter().filter(|place| place.counts).map(|place| &place.name).collect();
        u32::try_from(names.len()).unwrap_or(u32::MAX)
    }

    /// Whether it is proven anywhere else.
    pub fn is_elsewhere(&self) -> bool {
        self.copies() > 0
    }
}

/// How every item of the inventory stands, in its order. With a reader, what is "perhaps" and nowhere else is settled by
/// reading the library's file.
///
/// # Errors
/// Those of the catalogs; [`Kind::Cancelled`].
pub async fn weigh(
    inventory: &Inventory,
    shelves: &[Shelf],
    rules: Rules,
    stop: &Stop,
) -> Result<Vec<Standing>> {
    let mut flags = Vec::with_capacity(shelves.len());
    for shelf in shelves {
        flags.push(Flags::load(&*shelf.catalog).await?);
    }
    let mut standings = Vec::with_capacity(inventory.items.len());
    for items in inventory.items.chunks(BATCH) {
        if stop.gently.is_cancelled() {
            return Err(Error::new(Kind::Cancelled, "copies were being looked for"));
        }
        standings.extend(weigh_some(items, shelves, &flags, rules, stop).await?);
    }
    Ok(standings)
}

async fn weigh_some(
    items: &[Item],
    shelves: &[Shelf],
    flags: &[Flags],
    rules: Rules,
    stop: &Stop,
) -> Result<Vec<Standing>> {
    let mut standings = vec![Standing::default(); items.len()];
    let wanted: Vec<Wanted> = items
        .iter()
        .map(|item| Wanted { size: item.entry.size, digests: item.entry.digests })
        .collect();
    let mut open: HashMap<usize, Vec<(usize, Holding)>> = HashMap::new();
    for (at, shelf) in shelves.iter().enumerate() {
        for holding in shelf.catalog.holders(wanted.clone()).await? {
            let place = holding.wanted;
            match holding.likeness {
                Likeness::Same(_) => {
                    standings[place].learn(&items[place], &holding, shelf, rules);
                }
                Likeness::Perhaps => open.entry(place).or_default().push((at, holding)),
            }
        }
    }
    // Each file of the library is read once, whatever the number of items that are as large.
    let mut read: HashMap<(usize, ItemId), Option<Content>> = HashMap::new();
    for (place, holdings) in open {
        if standings[place].is_elsewhere() {
            continue;
        }
        standings[place].perhaps = true;
        for (at, holding) in holdings {
            if stop.gently.is_cancelled() {
                return Err(Error::new(Kind::Cancelled, "the library was being read"));
            }
            let (shelf, wanted) = (&shelves[at], &wanted[place]);
            let Some(reader) = &shelf.reader else { continue };
            if !can_tell(&holding, &wanted.digests) {
                continue;
            }
            let content = match read.entry((at, holding.item)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => {
                    let catalog = &*shelf.catalog;
                    let content = settle_by_reading(&**reader, catalog, &holding, &wanted.digests);
                    *place.insert(content.await?)
                }
            };
            let Some(content) = content else { continue };
            if let Some(Likeness::Same(_)) = wanted.likeness(&content) {
                standings[place].learn(&items[place], &holding, shelf, rules);
            }
        }
        standings[place].perhaps = !standings[place].is_elsewhere();
    }
    weigh_flagged(items, &mut standings, shelves, flags, rules).await?;
    Ok(standings)
}

/// Of what the service gives out other than it says, what it gives is looked for, unless what it says is somewhere.
async fn weigh_flagged(
    items: &[Item],
    standings: &mut [Standing],
    shelves: &[Shelf],
    flags: &[Flags],
    rules: Rules,
) -> Result<()> {
    let (mut wanted, mut places) = (Vec::new(), Vec::new());
    for (place, item) in items.iter().enumerate() {
        let number = content_number(&item.entry);
        let given = flags.iter().find_map(|flags| flags.get(number));
        if let Some(sha256) = given.filter(|_| !standings[place].is_elsewhere()) {
            let digests = Digests { sha256: Some(sha256), ..Digests::default() };
            wanted.push(Wanted { size: item.entry.size, digests });
            places.push(place);
            standings[place].flagged = true;
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    for shelf in shelves {
        for holding in shelf.catalog.holders(wanted.clone()).await? {
            let place = places[holding.wanted];
            if let Likeness::Same(_) = holding.likeness {
                standings[place].learn(&items[place], &holding, shelf, rules);
            }
        }
    }
    Ok(())
}

impl Standing {
    fn learn(&mut self, item: &Item, found: &Holding, source: &Shelf, rules: Rules) {
        let sha256 = found.content.digests.sha256;
        if let Some(name) = &source.library
            && let Some(freshness) = found.freshness
            && matches!(found.presence, Presence::Present | Presence::Suspect)
        {
            let counts = freshness == Freshness::Fresh && found.presence == Presence::Present;
            let (name, key) = (name.clone(), found.key.clone());
            self.places.push(Place { name, key, proof: None, sha256, counts });
        }
        let copies = found.copies.iter().filter(|(name, _)| !source.not.contains(name));
        for (name, held) in copies {
            let counts = held.proof.counts() && held.proved_at >= rules.checked_since;
            let (name, key) = (name.clone(), held.key.clone());
            let proof = Some((held.proof, held.proved_at));
            self.places.push(Place { name, key, proof, sha256, counts });
        }
        let told = item.remark.as_ref().and_then(|remark| remark.taken);
        self.date_told |= told.zip(found.taken).is_some_and(|(told, own)| same_moment(told, own));
    }
}

/// Whether two dates are the same to the second, by the clock on the wall or as points in time.
fn same_moment(one: Taken, other: Taken) -> bool {
    const SECOND: u64 = 1_000_000_000;
    let wall = one.wall().abs_diff(other.wall()) < SECOND;
    let point = one.instant().zip(other.instant());
    wall || point.is_some_and(|(one, other)| one.as_nanos().abs_diff(other.as_nanos()) < SECOND)
}
