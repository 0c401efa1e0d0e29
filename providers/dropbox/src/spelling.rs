//! Spelling: which key a listed path means, with every folder spelled as its own entry has it.

use std::collections::HashMap;

use safelight_core::codes;
use safelight_core::entry::Listed;
use safelight_core::error::{Error, Kind};
use safelight_core::key::printable;

use crate::names::{Found, Names, decode, fold};
use crate::wire::Metadata;

/// How folders are spelled, as far as they were listed.
pub(crate) struct Spelling<'a> {
    pub(crate) names: &'a Names,
    /// By their folded paths below the root.
    pub(crate) folders: &'a mut HashMap<String, String>,
}

impl Spelling<'_> {
    /// The path below the root as it identifies an entry; `None` for the root and what is outside.
    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.names.folded_root())?;
        rest.strip_prefix('/').filter(|rest| !rest.is_empty())
    }

    /// Takes up how a folder is spelled.
    pub(crate) fn learn(&mut self, folder: &Metadata) {
        let Some(path) = folder.path_lower.as_deref().and_then(|path| self.below(path)) else {
            return;
        };
        let path = path.to_owned();
        self.folders.insert(path, folder.name.clone());
    }

    /// The path below the root as it is spelled.
    fn spelled(&self, found: &Metadata, identity: &str) -> String {
        let segments = identity.split('/').count();
        let shown = found.path_display.as_deref().unwrap_or_default();
        let mut shown: Vec<&str> = shown.rsplit('/').take(segments).collect();
        shown.reverse();
        let ends = identity.match_indices('/').map(|(at, _)| at);
        let mut spelled = String::with_capacity(identity.len());
        for (index, end) in ends.enumerate() {
            let folder = &identity[..end];
            let name = self.folders.get(folder).map(String::as_str);
            // A folder that was not listed (yet) is spelled as the entry has it.
            let name = name.or_else(|| shown.get(index).copied());
            spelled.push_str(name.unwrap_or_else(|| last(folder)));
            spelled.push('/');
        }
        spelled + if found.name.is_empty() { last(identity) } else { &found.name }
    }

    /// A file as core knows it; `None` for the root itself.
    pub(crate) fn listed(&self, found: &Metadata) -> Option<Listed> {
        let path = found.path_lower.as_deref()?;
        let Some(shown) = self.shown(found) else {
            return (!path.starts_with(self.names.folded_root())).then(|| outside(path));
        };
        match decode(&shown) {
            Found::Key(key) => Some(Listed::File(found.entry(key))),
            Found::Foreign(key) => Some(Listed::Passed { key, code: codes::NAME_REFUSED }),
            Found::Nonsense => Some(outside(path)),
        }
    }

    /// What a file is called below the root, if that is no key of ours.
    pub(crate) fn foreign(&self, found: &Metadata) -> Option<String> {
        let shown = self.shown(found)?;
        (!matches!(decode(&shown), Found::Key(_))).then_some(shown)
    }

    /// The path below the root, spelled as it is shown if that can be told.
    fn shown(&self, found: &Metadata) -> Option<String> {
        let identity = self.below(found.path_lower.as_deref()?)?;
        let spelled = self.spelled(found, identity);
        // The parts may not belong together: what identifies it is right in any case.
        Some(if fold(&spelled) == fold(identity) { spelled } else { identity.to_owned() })
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// An entry that has no business in this listing. What it is must not be taken for deleted.
fn outside(path: &str) -> Listed {
    let context = format!("listing: {} makes no sense", printable(path.as_bytes()));
    Listed::Unseen { key: None, error: Error::new(Kind::Protocol, context) }
}
