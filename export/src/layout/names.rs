//! Giving keys to items so that no two meet.

use std::collections::{BTreeMap, HashMap, HashSet};

use safelight_core::key::Key;
use safelight_core::template::Facts;

use super::safe::{self, fold};
use super::{Known, Layout, TRASH, content_number, tag_of};
use crate::inventory::{Inventory, Item};

/// An item and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The item, by its place in the inventory.
    pub item: usize,
    /// Where it goes.
    pub key: Key,
    /// The number of its [content](content_number).
    pub content: u64,
    /// Its name is not quite that at the service, or that the template asks for.
    pub changed: bool,
}

/// A still and its films, or a single item: they share folder and stem.
struct Unit {
    /// The still, or the item itself; it need not be chosen.
    head: usize,
    folder: Vec<String>,
    stem: String,
    /// Item and ending, with its dot.
    members: Vec<(usize, String)>,
    /// The names asked for are not safe as they are.
    changed: bool,
}

/// Keys for the chosen items, in the order of keys.
pub fn lay_out(
    inventory: &Inventory,
    chosen: &[usize],
    layout: &Layout,
    known: &Known,
) -> Vec<Placed> {
    let mut units = units(inventory, chosen, layout);
    let folders = settle_folders(&mut units, known);
    let mut desk = Desk { inventory, known, folders, given: HashSet::new(), placed: Vec::new() };
    desk.given.extend(layout.reserved.iter().filter_map(|name| Some(fold(&Key::new(name).ok()?))));
    // What was given before stays; only then come the others.
    let (old, new): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| desk.is_known(unit));
    for unit in old {
        desk.place(&unit);
    }
    for unit in new {
        desk.place(&unit);
    }
    let mut placed = desk.placed;
    placed.sort_by(|one, other| one.key.cmp(&other.key));
    placed
}

/// In the order of the inventory.
fn units(inventory: &Inventory, chosen: &[usize], layout: &Layout) -> Vec<Unit> {
    let mut units: BTreeMap<usize, Unit> = BTreeMap::new();
    for at in chosen {
        let Some(item) = inventory.items.get(*at) else { continue };
        let still = item.film_of.filter(|still| *still < inventory.items.len());
        let head = still.unwrap_or(*at);
        let unit = units.entry(head).or_insert_with(|| wished(inventory, head, layout));
        let (_, ending) = split(item.entry.key.name());
        let ending = safe_ending(ending);
        let used =
            |ending: &str| unit.members.iter().any(|(_, used)| used.eq_ignore_ascii_case(ending));
        let head_ending = split(inventory.items[head].entry.key.name()).1;
        let mut unique = ending.clone();
        let mut number = 2;
        while used(&unique) || (*at != head && unique.as_bytes().eq_ignore_ascii_case(head_ending))
        {
            unique = format!("-{number}{ending}");
            number += 1;
        }
        unit.members.push((*at, unique));
    }
    units.into_values().collect()
}

/// Where an item would like to go.
fn wished(inventory: &Inventory, at: usize, layout: &Layout) -> Unit {
    let item = &inventory.items[at];
    let (own_folders, own_stem) = own(item);
    let (folders, stem) = match &layout.template {
        None => (own_folders, String::from_utf8_lossy(own_stem).into_owned()),
        Some(template) => {
            let (stem, ending) =
                (String::from_utf8_lossy(own_stem), split(item.entry.key.name()).1);
            let ending = String::from_utf8_lossy(ending.strip_prefix(b".").unwrap_or(ending));
            template.render(&Facts {
                taken: item.taken(),
                stem: &stem,
                ext: &ending,
                folder: &own_folders,
                class: item.class,
                album: inventory.titles(item).next(),
            })
        }
    };
    let mut folder: Vec<String> =
        folders.iter().map(|name| safe::segment(name.as_bytes())).collect();
    let mut changed = folder != folders || std::str::from_utf8(item.entry.key.as_bytes()).is_err();
    if item.trashed {
        folder.insert(0, TRASH.to_owned());
    }
    if let Some(below) = layout.below {
        folder.insert(0, below.to_owned());
    } else if folder.first().is_some_and(|first| first.eq_ignore_ascii_case(".safelight")) {
        folder[0].insert(0, '_');
        changed = true;
    }
    Unit { head: at, folder, stem, members: Vec::new(), changed }
}

fn own(item: &Item) -> (Vec<String>, &[u8]) {
    let key = &item.entry.key;
    let mut segments: Vec<_> =
        key.segments().map(|one| String::from_utf8_lossy(one).into_owned()).collect();
    segments.pop();
    (segments, split(key.name()).0)
}

/// A name without its ending, and the ending with its dot.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 && name.len() - dot <= 10 => name.split_at(dot),
        _ => (name, b""),
    }
}

fn safe_ending(ending: &[u8]) -> String {
    match ending.strip_prefix(b".") {
        None | Some(b"") => String::from_utf8_lossy(ending).into_owned(),
        Some(rest) => format!(".{}", safe::segment(rest)),
    }
}

/// Spells each folder in one way, and leads none through a file that was written before. Answers the folds of all
/// folders.
fn settle_folders(units: &mut [Unit], known: &Known) -> HashSet<Vec<u8>> {
    let mut spellings: HashMap<Vec<u8>, String> = HashMap::new();
    let mut folders = HashSet::new();
    for key in known.keys() {
        let mut folder = key.parent();
        while let Some(at) = folder {
            let fold = fold(&at);
            spellings
                .entry(fold.clone())
                .or_insert_with(|| String::from_utf8_lossy(at.name()).into_owned());
            folders.insert(fold);
            folder = at.parent();
        }
    }
    for unit in units {
        let mut path: Option<Key> = None;
        for segment in &mut unit.folder {
            loop {
                let joined = match &path {
                    None => Key::new(segment.as_bytes()),
                    Some(above) => above.join(segment.as_bytes()),
                };
                // Safe segments make keys.
                let Ok(joined) = joined else { break };
                let fold = fold(&joined);
                let is_file = known.at(&fold).is_some() && !folders.contains(&fold);
                if is_file {
                    segment.push('_');
                    continue;
                }
                *segment = spellings.entry(fold.clone()).or_insert_with(|| segment.clone()).clone();
                folders.insert(fold);
                path = match &path {
                    None => Key::new(segment.as_bytes()).ok(),
                    Some(above) => above.join(segment.as_bytes()).ok(),
                };
                break;
            }
        }
    }
    folders
}

impl Unit {
    /// Its keys with something appended to the stem.
    fn keys(&self, suffix: &str) -> Option<Vec<Key>> {
        let key = |(_, ending): &(usize, String)| {
            let mut segments = self.folder.clone();
            segments.push(safe::segment(format!("{}{suffix}{ending}", self.stem).as_bytes()));
            safe::key(&segments)
        };
        self.members.iter().map(key).collect()
    }
}

struct Desk<'a> {
    inventory: &'a Inventory,
    known: &'a Known,
    folders: HashSet<Vec<u8>>,
    /// Folds that are taken.
    given: HashSet<Vec<u8>>,
    placed: Vec<Placed>,
}

impl Desk<'_> {
    fn content(&self, item: usize) -> u64 {
        content_number(&self.inventory.items[item].entry)
    }

    /// Whether all of a unit was given its plain keys before.
    fn is_known(&self, unit: &Unit) -> bool {
        let Some(keys) = unit.keys("") else { return false };
        unit.members
            .iter()
            .zip(keys)
            .all(|((item, _), key)| self.known.has(&key, self.content(*item)))
    }

    fn is_free(&self, unit: &Unit, keys: &[Key]) -> bool {
        unit.members.iter().zip(keys).all(|((item, _), key)| {
            let fold = fold(key);
            let other = |(_, content): &(Key, u64)| *content != self.content(*item);
            !self.given.contains(&fold)
                && !self.folders.contains(&fold)
                && !self.known.at(&fold).is_some_and(other)
        })
    }

    fn place(&mut self, unit: &Unit) {
        let tag = self.tag(unit);
        let suffixes = std::iter::once(String::new())
            .chain(std::iter::once(format!(" ({tag})")))
            .chain((2..).map(|number| format!(" ({tag}-{number})")));
        for suffix in suffixes {
            let Some(keys) = unit.keys(&suffix) else { continue };
            if !self.is_free(unit, &keys) {
                continue;
            }
            for ((item, _), key) in unit.members.iter().zip(keys) {
                self.given.insert(fold(&key));
                let own = self.inventory.items[*item].entry.key.name();
                let wished = String::from_utf8_lossy(own);
                let safe = unit.stem.is_empty() || safe::segment(own) == wished;
                let changed = unit.changed || !suffix.is_empty() || !safe;
                let content = self.content(*item);
                self.placed.push(Placed { item: *item, key, content, changed });
            }
            return;
        }
    }

    /// From what the item is at the service and what it holds, so that it is the same in every run.
    fn tag(&self, unit: &Unit) -> String {
        let entry = &self.inventory.items[unit.head].entry;
        let id = entry.remote_id.as_ref().map_or(entry.key.as_bytes(), |id| id.as_bytes());
        tag_of(&[id, &content_number(entry).to_le_bytes()].concat())
    }
}
