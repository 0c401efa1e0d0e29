//! What others call as we never would, in listings that are for taking everything out: told under a key that shows its
//! path, and read by its revision. Its turn comes when all keys of ours are known, and it is never in their way.

use std::collections::{BTreeMap, HashSet};

use safelight_core::entry::Listed;
use safelight_core::error::{Error, Kind};
use safelight_core::key::Key;

use crate::names::{fold, literal};
use crate::wire::Metadata;

/// Gathered while a listing is made.
#[derive(Debug, Default)]
pub(crate) struct Literal {
    /// By their paths as they identify them, with those that are shown.
    found: BTreeMap<String, (String, Metadata)>,
    /// All keys, as they are compared.
    known: HashSet<String>,
}

impl Literal {
    /// Takes up a file to which no key leads.
    pub(crate) fn take_up(&mut self, shown: String, file: &Metadata) {
        let identity = file.path_lower.clone().unwrap_or_default();
        self.found.insert(identity, (shown, file.clone()));
    }

    /// Knows a key.
    pub(crate) fn know(&mut self, listed: &Listed) {
        if let Listed::File(entry) = listed {
            self.known.insert(spelling(&entry.key));
        }
    }

    /// All of them.
    pub(crate) fn told(mut self) -> Vec<Listed> {
        let found = std::mem::take(&mut self.found);
        let tell = |(identity, (shown, file)): (String, (String, Metadata))| {
            self.tell(&identity, &shown, &file)
        };
        found.into_iter().map(tell).collect()
    }

    fn tell(&mut self, identity: &str, shown: &str, file: &Metadata) -> Listed {
        let mut free = |seed| {
            let free = |key: &Key| self.known.insert(spelling(key));
            literal(shown, seed).filter(free)
        };
        match free(None).or_else(|| free(Some(identity))) {
            Some(key) if file.rev.is_some() => Listed::File(file.entry_by_rev(key)),
            key => {
                let context = "listing: nothing leads to a file that is there";
                Listed::Unseen { key, error: Error::new(Kind::Protocol, context) }
            }
        }
    }
}

/// The same for two keys if they are one there.
fn spelling(key: &Key) -> String {
    fold(&String::from_utf8_lossy(key.as_bytes()))
}
