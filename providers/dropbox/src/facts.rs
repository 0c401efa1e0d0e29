//! What stands at many paths, found out with few calls.

use std::collections::HashMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::json;

use crate::finish::LOOKS;
use crate::names::fold;
use crate::store::Store;
use crate::trouble::Trouble;
use crate::wire::{ListFolder, Metadata};

/// Fewer paths than this are looked at one by one.
const FEW: usize = 8;
/// A listing may take one call for so many paths before it is given up.
const SHARE: usize = 20;

/// Files by their folded paths; what is missing is not there.
pub(crate) type Facts = HashMap<String, Metadata>;

impl Store {
    /// The files at these paths.
    pub(crate) async fn facts(&self, paths: &[String], doing: &str) -> Result<Facts, Trouble> {
        let (mut facts, complete) = if paths.len() < FEW {
            (Facts::new(), false)
        } else {
            self.facts_by_listing(paths, doing).await?
        };
        if complete {
            return Ok(facts);
        }
        let left = paths.iter().filter(|path| !facts.contains_key(&fold(path))).cloned();
        let looks: Vec<_> = left
            .map(|path| async move {
                Ok::<_, Trouble>((fold(&path), self.look_at(&path, doing).await?))
            })
            .collect();
        let looked: Vec<_> = stream::iter(looks).buffer_unordered(LOOKS).try_collect().await?;
        facts.extend(looked.into_iter().filter_map(|(path, found)| Some((path, found?))));
        Ok(facts)
    }

    /// Lists the folder that all paths have in common; answers also whether that was seen whole.
    async fn facts_by_listing(
        &self,
        paths: &[String],
        doing: &str,
    ) -> Result<(Facts, bool), Trouble> {
        let wanted: std::collections::HashSet<_> = paths.iter().map(|path| fold(path)).collect();
        let folder = common(wanted.iter().map(String::as_str));
        let argument = json!({"path": folder, "recursive": true, "limit": 2000});
        let mut answer = self.api.rpc::<ListFolder>("files/list_folder", &argument, doing).await;
        let mut facts = Facts::new();
        for calls in 1.. {
            let page = match answer {
                Ok(page) => page,
                Err(trouble) if trouble.has("not_found") => return Ok((facts, true)),
                // One by one still works.
                Err(trouble) if trouble.may_pass() => break,
                Err(trouble) => return Err(trouble),
            };
            for found in page.entries.into_iter().filter(Metadata::is_file) {
                if let Some(path) = found.path_lower.clone().filter(|path| wanted.contains(path)) {
                    facts.insert(path, found);
                }
            }
            if !page.has_more || facts.len() == wanted.len() {
                return Ok((facts, true));
            }
            if calls * SHARE > paths.len() {
                break;
            }
            let argument = json!({"cursor": page.cursor});
            answer = self.api.rpc("files/list_folder/continue", &argument, doing).await;
        }
        Ok((facts, false))
    }
}

/// The deepest folder that holds all paths; empty for the top.
fn common<'a>(mut paths: impl Iterator<Item = &'a str>) -> String {
    let first = paths.next().unwrap_or_default();
    let mut folder = first.rsplit_once('/').map_or("", |(folder, _)| folder);
    for path in paths {
        while !path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) {
            folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        }
    }
    folder.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_folder_holds_all() {
        assert_eq!(common(["/a/b/c", "/a/b/d/e"].into_iter()), "/a/b");
        assert_eq!(common(["/a/b/c", "/a/bc"].into_iter()), "/a");
        assert_eq!(common(["/a/b", "/c"].into_iter()), "");
        assert_eq!(common(["/a/b"].into_iter()), "/a");
    }
}
