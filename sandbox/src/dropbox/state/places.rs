//! Which key a path means, and where its bytes are.

use std::path::PathBuf;

use super::{Root, Store};
use crate::dropbox::errors::Lookup;
use crate::dropbox::names;

impl Store {
    /// The keys of everything below `key` that is not gone, parents first.
    pub(in crate::dropbox) fn below(&self, key: &str) -> Vec<String> {
        let (from, to) = (format!("{key}/"), format!("{key}0"));
        let range = self.nodes.range(from..to).filter(|(_, node)| !node.is_gone());
        range.map(|(key, _)| key.clone()).collect()
    }

    /// The key that a client's path means; whether something is there is another question.
    pub(in crate::dropbox) fn key(&self, root: &Root, path: &str) -> Result<String, Lookup> {
        if path.starts_with("id:") {
            let (id, rest) =
                path.split_once('/').map_or((path, ""), |(id, _)| (id, &path[id.len()..]));
            let key = self.ids.get(id).ok_or(Lookup::NotFound)?;
            return Ok(format!("{key}{}", names::for_lookup(rest)?));
        }
        if let Some(rev) = path.strip_prefix("rev:") {
            return self.revs.get(rev).cloned().ok_or(Lookup::NotFound);
        }
        if let Some(rest) = path.strip_prefix("ns:") {
            let (namespace, rest) =
                rest.find('/').map_or((rest, ""), |at| (&rest[..at], &rest[at..]));
            let known = namespace == root.namespace;
            let inner = names::for_lookup(rest)?;
            return if known {
                Ok(format!("{}{inner}", root.prefix))
            } else {
                Err(Lookup::NotFound)
            };
        }
        Ok(format!("{}{}", root.prefix, names::for_lookup(path)?))
    }

    /// The components of `key` in the case they were made with.
    pub(super) fn names(&self, key: &str) -> Vec<String> {
        let ends = key.match_indices('/').map(|(at, _)| at).skip(1).chain([key.len()]);
        let mut names = Vec::new();
        for end in ends.filter(|_| !key.is_empty()) {
            let made = self.nodes.get(&key[..end]).map(|node| node.name.clone());
            let folded = || key[..end].rsplit('/').next().unwrap_or_default().to_owned();
            names.push(made.unwrap_or_else(folded));
        }
        names
    }

    /// Where the bytes of the file at `key` are.
    pub(in crate::dropbox) fn on_disk(&self, key: &str) -> PathBuf {
        let names = self.names(key);
        names.iter().fold(self.files.clone(), |path, name| path.join(names::on_disk(name)))
    }

    /// Where the bytes of an earlier revision are.
    pub(in crate::dropbox) fn revision_on_disk(&self, rev: &str) -> PathBuf {
        self.state.join("revisions").join(rev)
    }
}
