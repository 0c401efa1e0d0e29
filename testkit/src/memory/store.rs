//! What is stored, and which names are the same.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use safelight_core::capability::NameRules;
use safelight_core::class::MediaClass;
use safelight_core::codes::Code;
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::Root;
use safelight_core::time::Timestamp;
use unicode_normalization::UnicodeNormalization;

use super::Options;
use crate::content;

/// Everything behind the lock.
pub(super) struct State {
    rules: NameRules,
    /// In key order, as listings need it.
    pub(super) nodes: BTreeMap<Key, Node>,
    /// From the folded to the stored name; only where names fold.
    folded: HashMap<Vec<u8>, Key>,
    /// What was removed or replaced into a trash of our own.
    pub(super) trash: Vec<(Key, Object)>,
    pub(super) absent: bool,
    pub(super) root: Root,
    pub(super) volume: Option<String>,
    /// The listing as a whole fails to see anything.
    pub(super) blind: Option<Kind>,
    stamp: u64,
}

/// What stands under a key.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Object(Object),
    Passed(Code),
    Unseen(Kind),
    Mount(String),
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) content: Content,
    pub(super) class: MediaClass,
    pub(super) modified: Option<Timestamp>,
    pub(super) changed: Timestamp,
    pub(super) file_id: u64,
    pub(super) stamp: u64,
    pub(super) digests: Digests,
    pub(super) quirk: Option<Quirk>,
}

/// How an object behaves when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quirk {
    Unreadable(Kind),
    ChangesWhileRead,
    VanishesWhenRead,
}

/// Bytes that are kept, or made when they are asked for.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Kept(Bytes),
    Made { seed: u64, length: u64 },
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Kept(bytes) => bytes.len() as u64,
            Self::Made { length, .. } => *length,
        }
    }

    /// At most `most` bytes from `start` on; none at the end.
    pub(super) fn part(&self, start: u64, most: usize) -> Bytes {
        let rest = self.length().saturating_sub(start);
        let length = usize::try_from(rest).unwrap_or(usize::MAX).min(most);
        match self {
            Self::Made { seed, .. } => content::part(*seed, start, length),
            Self::Kept(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                bytes.slice(start..start + length)
            }
        }
    }
}

impl Object {
    pub(super) fn version(&self) -> Version {
        Version::new(format!("v{}", self.stamp))
    }

    /// What it is asked for by once it is in the trash.
    pub(super) fn trash_version(&self) -> Version {
        Version::new(format!("trash v{}", self.stamp))
    }

    pub(super) fn entry(&self, key: &Key, options: &Options) -> Entry {
        let disk = options.reports_file_ids;
        Entry {
            modified: self.modified,
            changed: disk.then_some(self.changed),
            file_id: disk.then_some(self.file_id),
            version: Some(self.version()),
            digests: if options.reports_digests { self.digests } else { Digests::default() },
            ..Entry::new(key.clone(), self.content.length())
        }
    }
}

impl State {
    pub(super) fn new(rules: NameRules) -> Self {
        Self {
            rules,
            nodes: BTreeMap::new(),
            folded: HashMap::new(),
            trash: Vec::new(),
            absent: false,
            root: Root::Ready,
            volume: None,
            blind: None,
            stamp: 0,
        }
    }

    /// A number that was never given out before.
    pub(super) fn next_stamp(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    fn folds(&self) -> bool {
        self.rules.case_blind || self.rules.normalises
    }

    fn fold(&self, key: &Key) -> Vec<u8> {
        let Some(text) = key.as_str() else { return key.as_bytes().to_ascii_lowercase() };
        let composed: String =
            if self.rules.normalises { text.nfc().collect() } else { text.to_owned() };
        let folded = if self.rules.case_blind { composed.to_lowercase() } else { composed };
        folded.into_bytes()
    }

    /// Under which name `key` is stored, if anything is.
    pub(super) fn stored_name(&self, key: &Key) -> Option<Key> {
        let name =
            if self.folds() { self.folded.get(&self.fold(key)).cloned()? } else { key.clone() };
        self.nodes.contains_key(&name).then_some(name)
    }

    pub(super) fn object(&self, key: &Key) -> Option<&Object> {
        match self.nodes.get(&self.stored_name(key)?)? {
            Node::Object(object) => Some(object),
            Node::Passed(_) | Node::Unseen(_) | Node::Mount(_) => None,
        }
    }

    pub(super) fn object_mut(&mut self, key: &Key) -> Option<&mut Object> {
        let name = self.stored_name(key)?;
        match self.nodes.get_mut(&name)? {
            Node::Object(object) => Some(object),
            Node::Passed(_) | Node::Unseen(_) | Node::Mount(_) => None,
        }
    }

    /// Puts something under the key, in place of what has the same name.
    pub(super) fn insert(&mut self, key: &Key, node: Node) {
        let name = self.stored_name(key).unwrap_or_else(|| key.clone());
        if self.folds() {
            self.folded.insert(self.fold(key), name.clone());
        }
        self.nodes.insert(name, node);
    }

    pub(super) fn take(&mut self, key: &Key) -> Option<Node> {
        let name = self.stored_name(key)?;
        if self.folds() {
            self.folded.remove(&self.fold(key));
        }
        self.nodes.remove(&name)
    }

    /// What is in the trash, as it is told there.
    pub(super) fn trashed(&self, options: &Options) -> Vec<Entry> {
        let entry = |(key, object): &(Key, Object)| Entry {
            version: Some(object.trash_version()),
            ..object.entry(key, options)
        };
        self.trash.iter().map(entry).collect()
    }

    /// The object of this version in the trash.
    pub(super) fn in_trash(&self, key: &Key, version: &Version) -> Option<&Object> {
        let found =
            self.trash.iter().find(|(at, object)| at == key && object.trash_version() == *version);
        found.map(|(_, object)| object)
    }

    /// All objects with their keys.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&Key, &Object)> {
        self.nodes.iter().filter_map(|(key, node)| match node {
            Node::Object(object) => Some((key, object)),
            Node::Passed(_) | Node::Unseen(_) | Node::Mount(_) => None,
        })
    }
}
