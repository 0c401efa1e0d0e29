//! Nodes: folders, files, albums, and the films of live photos.

use serde::{Deserialize, Serialize};

use crate::amazon::names;
use crate::amazon::sniff::Class;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::amazon) enum Kind {
    Root,
    Folder,
    File,
    /// The film of a live photo; its parent is the still.
    Asset,
    Album,
}

impl Kind {
    /// The word for it on the wire.
    pub(in crate::amazon) fn word(self) -> &'static str {
        match self {
            Self::Root | Self::Folder => "FOLDER",
            Self::File => "FILE",
            Self::Asset => "ASSET",
            Self::Album => "VISUAL_COLLECTION",
        }
    }

    pub(in crate::amazon) fn is_folder(self) -> bool {
        matches!(self, Self::Root | Self::Folder)
    }
}

/// The bytes of a file and what is told of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::amazon) struct Content {
    pub(in crate::amazon) size: u64,
    pub(in crate::amazon) md5: String,
    pub(in crate::amazon) class: Class,
    pub(in crate::amazon) mime: String,
    /// When it was taken, in milliseconds.
    pub(in crate::amazon) date: Option<i64>,
    pub(in crate::amazon) version: u64,
    /// Length and mtime of the plain file, by which a change behind our back is noticed.
    pub(in crate::amazon) stamp: (u64, i64),
}

/// One node. Times are in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::amazon) struct Node {
    pub(in crate::amazon) id: String,
    pub(in crate::amazon) number: u64,
    pub(in crate::amazon) kind: Kind,
    pub(in crate::amazon) name: String,
    pub(in crate::amazon) parent: Option<String>,
    pub(in crate::amazon) albums: Vec<String>,
    /// What an album refers to, in its order.
    pub(in crate::amazon) members: Vec<String>,
    pub(in crate::amazon) created: i64,
    pub(in crate::amazon) modified: i64,
    /// When it was last created, trashed or restored: from then on listings lag.
    pub(in crate::amazon) turned: i64,
    pub(in crate::amazon) trashed: Option<i64>,
    pub(in crate::amazon) version: u64,
    pub(in crate::amazon) favorite: bool,
    pub(in crate::amazon) hidden: bool,
    pub(in crate::amazon) description: Option<String>,
    #[serde(default)]
    pub(in crate::amazon) keywords: Vec<String>,
    pub(in crate::amazon) content: Option<Content>,
}

/// The id of the `number`th node: 22 characters, now and then with `-` in front.
pub(super) fn id_of(seed: u64, number: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (first, second) = (scramble(seed ^ number), scramble(seed ^ number ^ (1 << 63)));
    let bits = u128::from(first) << 64 | u128::from(second);
    let letter = |n: u32| {
        let at = usize::try_from(bits >> (6 * n) & 63).unwrap_or(0);
        char::from(LETTERS[at])
    };
    let start = if number % 8 == 3 { '-' } else { letter(0) };
    [start].into_iter().chain((1..=20).map(letter)).chain(['Q']).collect()
}

/// A number that looks like chance and is the same every time.
pub(in crate::amazon) fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

impl Node {
    /// The key under which its parent knows it; albums have no such place.
    pub(super) fn place(&self) -> Option<(String, String)> {
        let named = matches!(self.kind, Kind::Folder | Kind::File) && self.trashed.is_none();
        let parent = self.parent.clone().filter(|_| named)?;
        Some((parent, names::fold(&self.name)))
    }

    /// Every parent; albums come first.
    pub(in crate::amazon) fn parents(&self) -> Vec<&str> {
        self.albums.iter().chain(&self.parent).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_22_characters_and_may_begin_with_a_dash() {
        let ids: BTreeSet<_> = (0..1000).map(|number| id_of(7, number)).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 22));
        assert!(ids.iter().any(|id| id.starts_with('-')));
    }
}
