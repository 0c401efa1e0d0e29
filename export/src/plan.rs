//! What an export is going to do: which items, under which names, how much room and time it takes.
//!
//! Invariant: planning changes nothing anywhere. What was once chosen stays chosen, so that an export that is repeated
//! shows the engine the same items.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use safelight_core::catalog::{Amount, Catalog};
use safelight_core::class::MediaClass;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::job::Destination;
use safelight_core::key::Key;
use safelight_core::provider::{Provider, Room};
use safelight_core::template::Template;
use safelight_core::time::Timestamp;

use crate::inventory::Inventory;
use crate::layout::{Known, Layout, Placed, lay_out};
use crate::papers::{albums, bag, checksums, index};
use crate::weigh::Standing;

const PAGE: usize = 4096;

/// How albums are written down, besides `albums.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlbumForm {
    /// Not.
    #[default]
    Json,
    /// As `.m3u8` lists.
    Lists,
    /// As lists, and as folders with a second name for each file, where a target copies by itself: on a disk that is a
    /// hard link, which takes no room.
    Links,
}

/// What somebody wants of an export.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Also what is proven elsewhere.
    pub everything: bool,
    /// Only these classes; all if empty.
    pub classes: Vec<MediaClass>,
    /// Folders and names; the service's own without.
    pub template: Option<Template>,
    /// A plain folder instead of a bag.
    pub plain: bool,
    /// How albums are written down.
    pub albums: AlbumForm,
    /// XMP beside the files, for what only the service knew.
    pub sidecars: bool,
}

impl Wishes {
    pub(crate) fn layout(&self) -> Layout {
        let reserved = if self.plain {
            [checksums::NAME, index::NAME, albums::NAME, albums::LISTS].map(str::to_owned).to_vec()
        } else {
            Vec::new()
        };
        let below = (!self.plain).then_some(bag::DATA);
        Layout { template: self.template.clone(), below, reserved }
    }
}

/// An export: what there is, how it stands, where it goes.
pub struct Export {
    /// The name of the job.
    pub name: String,
    /// The service; only read.
    pub service: Arc<dyn Provider>,
    /// What it holds.
    pub inventory: Arc<Inventory>,
    /// How its items stand, in the order of the inventory.
    pub standings: Arc<Vec<Standing>>,
    /// Where it goes: each a place of its own, empty or written by this export before.
    pub targets: Vec<Destination>,
    /// What is wanted.
    pub wishes: Wishes,
    /// How many bytes of items may be in memory at once.
    pub memory_bytes: u64,
}

/// What an export is going to do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// All items of the wanted classes with their keys, in the order of keys.
    pub placed: Vec<Placed>,
    /// Which of them are taken out: by their place in `placed`.
    pub chosen: Vec<usize>,
    /// Items that are still to be fetched for some target, each counted once.
    pub send: Amount,
    /// Items that every target has.
    pub done: Amount,
    /// Items that are proven elsewhere and not fetched.
    pub elsewhere: Amount,
    /// Items of classes that were not asked for.
    pub left_out: Amount,
    /// How each target stands, in their order.
    pub rooms: Vec<RoomFor>,
    pub(crate) known: Remembered,
}

/// What a target needs and has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomFor {
    /// The target.
    pub target: String,
    /// What is still to be stored there.
    pub send: Amount,
    /// The quotas that are too small: what is needed of them, and what is free.
    pub short: Vec<(u64, u64)>,
}

/// What the catalog of this export knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    pub(crate) files: Known,
    /// The dates that items were given.
    pub(crate) dates: HashMap<Key, Timestamp>,
    /// At which targets an item is stored.
    stored: HashMap<Key, Vec<String>>,
}

impl Plan {
    /// Whether every target has room for it, as far as they say.
    pub fn fits(&self) -> bool {
        self.rooms.iter().all(|room| room.short.is_empty())
    }

    /// How long it takes at so many bytes per second.
    pub fn time_at(&self, bytes_per_second: u64) -> Duration {
        Duration::from_secs(self.send.bytes / bytes_per_second.max(1))
    }

    /// Chosen items that get another name than they have at the service: that name and the new key.
    pub fn renamed<'a>(
        &'a self,
        inventory: &'a Inventory,
    ) -> impl Iterator<Item = (&'a Key, &'a Key)> {
        let chosen = self.chosen.iter().map(|at| &self.placed[*at]);
        let changed = chosen.filter(|placed| placed.changed);
        changed.map(|placed| (&inventory.items[placed.item].entry.key, &placed.key))
    }
}

impl Export {
    /// Plans it.
    ///
    /// # Errors
    /// The catalog's. A target that does not answer is no matter here: its room is not known.
    pub async fn plan(&self, catalog: &dyn Catalog) -> Result<Plan> {
        let mut plan = Plan { known: remembered(catalog).await?, ..Plan::default() };
        let wanted = |class: MediaClass| {
            self.wishes.classes.is_empty() || self.wishes.classes.contains(&class)
        };
        let mut all = Vec::with_capacity(self.inventory.items.len());
        for (at, item) in self.inventory.items.iter().enumerate() {
            if wanted(item.class) {
                all.push(at);
            } else {
                plan.left_out.add(item.entry.size);
            }
        }
        // Everything gets its name, chosen or not, so that names do not depend on what is elsewhere.
        plan.placed = lay_out(&self.inventory, &all, &self.wishes.layout(), &plan.known.files);
        let names: Vec<&String> = self.targets.iter().map(|target| &target.name).collect();
        let mut needs: Vec<BTreeMap<MediaClass, Amount>> = vec![BTreeMap::new(); names.len()];
        for (at, placed) in plan.placed.iter().enumerate() {
            let item = &self.inventory.items[placed.item];
            let bytes = item.entry.size;
            let begun = plan.known.files.has(&placed.key, placed.content);
            let elsewhere = self.is_elsewhere(placed.item);
            if !self.wishes.everything && elsewhere && !begun {
                plan.elsewhere.add(bytes);
                continue;
            }
            plan.chosen.push(at);
            let stored = plan.known.stored.get(&placed.key).filter(|_| begun);
            let mut done = true;
            for (name, need) in names.iter().zip(&mut needs) {
                if !stored.is_some_and(|stored| stored.contains(name)) {
                    need.entry(item.class).or_default().add(bytes);
                    done = false;
                }
            }
            if done { plan.done.add(bytes) } else { plan.send.add(bytes) }
        }
        for (target, need) in self.targets.iter().zip(needs) {
            plan.rooms.push(room_for(target, &need).await);
        }
        Ok(plan)
    }

    pub(crate) fn is_elsewhere(&self, item: usize) -> bool {
        self.standings.get(item).is_some_and(Standing::is_elsewhere)
    }

    /// Refuses what cannot fit.
    ///
    /// # Errors
    /// [`Kind::NoRoom`] naming the first target that is too small.
    pub fn check_room(plan: &Plan) -> Result<()> {
        let short = plan.rooms.iter().find_map(|room| Some((room, room.short.first()?)));
        let Some((room, (needed, free))) = short else { return Ok(()) };
        let context = format!("{}: {needed} bytes are needed and {free} are free", room.target);
        Err(Error::new(Kind::NoRoom, context))
    }
}

async fn remembered(catalog: &dyn Catalog) -> Result<Remembered> {
    let mut remembered = Remembered::default();
    let mut after = None;
    loop {
        let items = catalog.browse(None, after, PAGE).await?;
        let Some(last) = items.last() else { return Ok(remembered) };
        after = Some(last.key.clone());
        for item in items {
            let content = item.stat.file_id.unwrap_or_default();
            remembered.files.add(item.key.clone(), content);
            remembered.dates.insert(item.key.clone(), item.stat.modified);
            let stored = item.legs.into_iter().filter(|leg| !leg.todo && leg.leg.held.is_some());
            let names: Vec<_> = stored.map(|leg| leg.destination).collect();
            if !names.is_empty() {
                remembered.stored.insert(item.key, names);
            }
        }
    }
}

async fn room_for(target: &Destination, need: &BTreeMap<MediaClass, Amount>) -> RoomFor {
    let mut send = Amount::default();
    for amount in need.values() {
        send.files += amount.files;
        send.bytes += amount.bytes;
    }
    let mut room = RoomFor { target: target.name.clone(), send, short: Vec::new() };
    let Ok(provider) = &target.opened else { return room };
    if send.bytes == 0 {
        return room;
    }
    for pool in provider.quota().await.unwrap_or_default() {
        let Room::Limited { used, total } = pool.room else { continue };
        let of_class = |class: &MediaClass| need.get(class).map_or(0, |amount| amount.bytes);
        let needed: u64 = pool.counts.iter().map(of_class).sum();
        let free = total.saturating_sub(used);
        if needed > free {
            room.short.push((needed, free));
        }
    }
    room
}
