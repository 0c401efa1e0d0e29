//! Keys for what no key of ours leads to, in listings that are for taking everything out: others call things as we never
//! would.
//!
//! Such a thing is told under a key that shows its name, and is read by what its service knows it by. Its turn comes when all
//! keys of ours are known. Invariant: it is never in their way, nor in that of another such thing; and the same things
//! get the same keys, in whatever order they are listed.

use std::collections::{BTreeMap, HashSet};

use crate::digest::{Algorithms, Hasher};
use crate::entry::Listed;
use crate::key::Key;

/// What no key leads to, gathered while a listing is made.
#[derive(Debug)]
pub struct Literal<T> {
    /// By what identifies them, with what they are called.
    found: BTreeMap<String, (String, T)>,
    /// All keys, as the service compares them.
    known: HashSet<String>,
    spelling: fn(&Key) -> String,
}

impl<T> Literal<T> {
    /// Nothing yet. `spelling` is the same for two keys if they are one at the service.
    pub fn new(spelling: fn(&Key) -> String) -> Self {
        Self { found: BTreeMap::new(), known: HashSet::new(), spelling }
    }

    /// Takes up something that is called `shown`, a path. Of two with the same identity the later counts.
    pub fn take_up(&mut self, identity: String, shown: String, thing: T) {
        self.found.insert(identity, (shown, thing));
    }

    /// Knows a key of ours.
    pub fn know(&mut self, listed: &Listed) {
        if let Listed::File(entry) = listed {
            self.known.insert((self.spelling)(&entry.key));
        }
    }

    /// All of them in the order of their identities, each with its key if there is one for it.
    pub fn told(self) -> Vec<(Option<Key>, T)> {
        let Self { found, mut known, spelling } = self;
        let tell = |(identity, (shown, thing)): (String, (String, T))| {
            let mut free = |key: &Key| known.insert(spelling(key));
            let plain = path(&shown);
            let key = plain.clone().filter(&mut free);
            let key = key.or_else(|| plain.and_then(|key| another(&key, &identity)).filter(free));
            (key, thing)
        };
        found.into_iter().map(tell).collect()
    }
}

/// A key that shows a path which need not be one.
pub fn path(shown: &str) -> Option<Key> {
    Key::new(shown.split('/').map(segment).collect::<Vec<_>>().join("/")).ok()
}

/// A segment that shows a name which need not be one.
pub fn segment(name: &str) -> String {
    match name.replace(['/', '\0'], "_") {
        dots if matches!(dots.as_str(), "" | "." | "..") => "_".repeat(dots.len().max(1)),
        name => name,
    }
}

/// A second key in the same folder that follows from `seed`, for what cannot have its own.
pub fn another(key: &Key, seed: &str) -> Option<Key> {
    let name = key.name();
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    let (stem, ending) = name.split_at(dot.unwrap_or(name.len()));
    let name = [stem, tag(seed).as_bytes(), ending].concat();
    match key.parent() {
        Some(folder) => folder.join(name).ok(),
        None => Key::new(name).ok(),
    }
}

/// What tells a second name from the first; it follows from `seed`.
pub fn tag(seed: &str) -> String {
    let digest = Hasher::of(seed.as_bytes(), Algorithms::default()).sha256.unwrap_or_default();
    format!(" ({})", hex::encode(&digest[..4]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::entry::Entry;

    fn key(path: &str) -> Key {
        Key::new(path).unwrap()
    }

    #[test]
    fn whatever_a_path_is_some_key_shows_it() {
        for (shown, expected) in [
            ("a/%41.jpg", "a/%41.jpg"),
            ("a//../b\0", "a/_/__/b_"),
            ("../../etc", "__/__/etc"),
            ("/a/", "_/a/_"),
            ("", "_"),
            (".", "_"),
            ("a\nb", "a\nb"),
        ] {
            assert_eq!(path(shown), Some(key(expected)));
        }
        assert_eq!(segment("../a\0"), ".._a_");
    }

    #[test]
    fn a_second_key_stands_beside_the_first_and_keeps_the_ending() {
        for (first, second) in [
            ("a.b/%41", "a.b/%41 (e3b0c442)"),
            ("a/%41.jpg", "a/%41 (e3b0c442).jpg"),
            (".jpg", ".jpg (e3b0c442)"),
        ] {
            assert_eq!(another(&key(first), ""), Some(key(second)));
        }
        assert_ne!(another(&key("a"), "1"), another(&key("a"), "2"));
    }

    #[test]
    fn nothing_is_in_the_way_of_our_keys_and_the_order_does_not_matter() {
        let lower = |key: &Key| key.to_string().to_lowercase();
        let things = ["a//B", "a/./b", "a/_/b"];
        let told = |order: [usize; 3]| {
            let mut literal = Literal::new(lower);
            literal.know(&Listed::File(Entry::new(key("A/_/b"), 1)));
            for at in order {
                literal.take_up(things[at].to_owned(), things[at].to_owned(), at);
            }
            literal.told()
        };
        let first = told([0, 1, 2]);
        assert_eq!(first, told([2, 1, 0]));
        let keys: HashSet<_> = first.iter().map(|(key, _)| lower(key.as_ref().unwrap())).collect();
        assert_eq!(keys.len(), 3);
        assert!(!keys.contains("a/_/b"));
    }
}
