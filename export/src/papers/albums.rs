//! Albums: `albums.json`, and on request a list per album that players and viewers read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use safelight_core::key::Key;
use serde_json::json;

use super::Paper;
use crate::inventory::Inventory;
use crate::layout::{fold, safe_key, safe_segment};
use crate::weigh::Standing;

/// The paper's name.
pub const NAME: &str = "albums.json";
/// The folder of the lists.
pub const LISTS: &str = "albums";

/// What is needed to say where the members of albums are.
#[derive(Clone)]
pub struct Members {
    inventory: Arc<Inventory>,
    standings: Arc<Vec<Standing>>,
    /// Where each item stands in this export, if it does.
    exported: Arc<Vec<Option<Key>>>,
    by_id: Arc<HashMap<Arc<str>, usize>>,
}

impl Members {
    /// `exported` says where each item of the inventory stands in this export, if it does.
    pub fn new(
        inventory: &Arc<Inventory>,
        standings: &Arc<Vec<Standing>>,
        exported: Vec<Option<Key>>,
    ) -> Self {
        let items = inventory.items.iter().enumerate();
        let by_id = items.filter_map(|(at, item)| Some((item.entry.remote_id.clone()?, at)));
        Self {
            inventory: Arc::clone(inventory),
            standings: Arc::clone(standings),
            exported: Arc::new(exported),
            by_id: Arc::new(by_id.collect()),
        }
    }

    /// The items of an album, in its order.
    fn of(&self, album: usize) -> Vec<usize> {
        let members = &self.inventory.albums[album].members;
        members.iter().filter_map(|id| self.by_id.get(id).copied()).collect()
    }

    /// Title and id of every album.
    pub fn titles(&self) -> impl Iterator<Item = (&str, &str)> {
        self.inventory.albums.iter().map(|album| (album.title.as_str(), &*album.remote_id))
    }

    /// Id and file of the members of an album that stand in this export, in its order.
    pub fn files(&self, album: usize) -> Vec<(String, &Key)> {
        let file = |item: usize| {
            let key = self.exported.get(item)?.as_ref()?;
            Some((self.inventory.items[item].remote_id(), key))
        };
        self.of(album).into_iter().filter_map(file).collect()
    }

    fn elsewhere(&self, item: usize) -> Vec<String> {
        let places = self.standings.get(item).map(|standing| standing.places.as_slice());
        let told = |place: &crate::weigh::Place| format!("{}: {}", place.name, place.key);
        places.unwrap_or_default().iter().map(told).collect()
    }
}

/// All albums, empty ones included, in the order of the service.
pub fn paper(members: &Members) -> Option<Paper> {
    let members = members.clone();
    let lines = move || {
        let members = members.clone();
        let count = members.inventory.albums.len();
        let albums = (0..count).map(move |at| {
            let album = &members.inventory.albums[at];
            let listed = members.of(at);
            let shown: Vec<_> = listed.iter().map(|item| json!({
                "remote_id": members.inventory.items[*item].remote_id(),
                "file": members.exported.get(*item).and_then(Option::as_ref).map(ToString::to_string),
                "elsewhere": members.elsewhere(*item),
            })).collect();
            let mut line = json!({
                "remote_id": album.remote_id.as_ref(), "title": album.title,
                "description": album.description, "items": shown,
            })
            .to_string();
            line.push_str(if at + 1 < count { ",\n" } else { "\n" });
            line.into_bytes()
        });
        let head = std::iter::once(b"{\"v\":1,\"albums\":[\n".to_vec());
        let end = std::iter::once(b"]}\n".to_vec());
        Box::new(head.chain(albums).chain(end)) as super::Lines
    };
    Key::new(NAME).ok().map(|key| Paper::new(key, lines))
}

/// An `.m3u8` list for each album that has something in this export.
pub fn lists(members: &Members) -> Vec<Paper> {
    let mut given = HashSet::new();
    let mut papers = Vec::new();
    for (at, album) in members.inventory.albums.iter().enumerate() {
        let files = members.files(at);
        if files.is_empty() {
            continue;
        }
        let head = [format!("#EXTM3U\n#PLAYLIST:{}\n", one_line(&album.title))];
        let lines = files.into_iter().map(|(_, file)| format!("../{file}\n"));
        let text: String = head.into_iter().chain(lines).collect();
        let plain = [LISTS.to_owned(), safe_segment(format!("{}.m3u8", album.title).as_bytes())];
        let tag = crate::layout::tag_of(album.remote_id.as_bytes());
        let other = format!("{} ({tag}).m3u8", album.title);
        let other = [LISTS.to_owned(), safe_segment(other.as_bytes())];
        let free = [plain, other].iter().find_map(|names| {
            let key = safe_key(names)?;
            given.insert(fold(&key)).then_some(key)
        });
        papers.extend(free.map(|key| Paper::short(key, text)));
    }
    papers
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
