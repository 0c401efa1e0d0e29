//! Listings of a [`MemoryProvider`], page by page from where the last page ended.

use std::ops::Bound;

use futures::stream::{BoxStream, Stream, StreamExt, once, unfold};
use safelight_core::codes;
use safelight_core::entry::{Listed, Page, Scope};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;

use super::MemoryProvider;
use super::count::one;
use super::store::{Node, State};

/// Where a listing goes on.
enum At {
    After(Option<Key>),
    /// The keys that are left, last first.
    Left(Vec<Key>),
    End,
}

impl MemoryProvider {
    /// Ignores the advice which folders need not be listed, as a provider may.
    pub(super) fn pages(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        one(&self.shared.counters.list);
        let start = if self.shared.capabilities.sorted_listing {
            At::After(None)
        } else {
            At::Left(scattered(&self.state()))
        };
        if scope.trashed {
            return self.trash_page(scope).boxed();
        }
        let me = self.clone();
        let pages = unfold((me, scope, start), |(me, scope, at)| async move {
            tokio::task::yield_now().await;
            let (page, next) = me.page(&scope, at)?;
            Some((page, (me, scope, next)))
        });
        pages.boxed()
    }

    fn trash_page(&self, scope: Scope) -> impl Stream<Item = Result<Page>> + use<> {
        let me = self.clone();
        once(async move {
            tokio::task::yield_now().await;
            let mut entries = me.present()?.trashed(&me.shared.options);
            let below = |key: &Key| scope.below.as_ref().is_none_or(|below| key.is_within(below));
            entries
                .retain(|entry| below(&entry.key) && (scope.reserved || !entry.key.is_reserved()));
            let entries = entries.into_iter().map(Listed::File).collect();
            Ok(Page { entries })
        })
    }

    fn page(&self, scope: &Scope, at: At) -> Option<(Result<Page>, At)> {
        let state = self.state();
        if matches!(at, At::End) {
            return None;
        }
        one(&self.shared.counters.pages);
        if state.absent {
            return Some((Err(Error::new(Kind::Absent, "listing")), At::End));
        }
        if let Some(kind) = state.blind {
            let unseen = Listed::Unseen { key: None, error: Error::new(kind, "listing the root") };
            return Some((Ok(Page { entries: vec![unseen] }), At::End));
        }
        let hidden = unseen_folders(&state);
        let wanted = |key: &Key| {
            scope.below.as_ref().is_none_or(|below| key.is_within(below))
                && (scope.reserved || !key.is_reserved())
                && !hidden.iter().any(|folder| key.is_within(folder) && key != folder)
        };
        let most = self.shared.options.page;
        let listed = |(key, node): (&Key, &Node)| self.listed(key, node);
        match at {
            At::After(last) => {
                let from = last.map_or(Bound::Unbounded, Bound::Excluded);
                let range = state.nodes.range((from, Bound::Unbounded));
                let found: Vec<_> = range.filter(|(key, _)| wanted(key)).take(most).collect();
                let next = match found.last() {
                    Some((key, _)) if found.len() == most => At::After(Some((*key).clone())),
                    _ => At::End,
                };
                let entries = found.into_iter().map(listed).collect();
                Some((Ok(Page { entries }), next))
            }
            At::Left(mut keys) => {
                let rest = keys.split_off(keys.len().saturating_sub(most));
                let found = rest.iter().rev().filter(|key| wanted(key));
                let entries =
                    found.filter_map(|key| state.nodes.get_key_value(key)).map(listed).collect();
                let next = if keys.is_empty() { At::End } else { At::Left(keys) };
                Some((Ok(Page { entries }), next))
            }
            At::End => None,
        }
    }

    fn listed(&self, key: &Key, node: &Node) -> Listed {
        match node {
            Node::Object(object) => Listed::File(object.entry(key, &self.shared.options)),
            Node::Passed(code) => Listed::Passed { key: key.clone(), code: *code },
            Node::Mount(volume) => Listed::Mount { key: key.clone(), volume: volume.clone() },
            Node::Unseen(kind) => {
                let error = Error::new(*kind, format!("listing {key}")).code(codes::UNREADABLE);
                Listed::Unseen { key: Some(key.clone()), error }
            }
        }
    }
}

fn unseen_folders(state: &State) -> Vec<Key> {
    let unseen = state.nodes.iter().filter(|(_, node)| matches!(node, Node::Unseen(_)));
    unseen.map(|(key, _)| key.clone()).collect()
}

/// All keys in an order that is surely not theirs, and always the same.
fn scattered(state: &State) -> Vec<Key> {
    let mut keys: Vec<_> = state.nodes.keys().cloned().collect();
    keys.sort_by_cached_key(|key| key.as_bytes().iter().rev().copied().collect::<Vec<u8>>());
    keys
}
