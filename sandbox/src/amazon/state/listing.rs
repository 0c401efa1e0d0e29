//! Listings: which nodes, in which order, which of them on this page. No listing is a snapshot.

use std::cmp::Ordering;
use std::io;
use std::sync::Arc;

use super::status::Status;
use super::{Kind, Node, Store};
use crate::amazon::filter::{Filter, Pattern};

/// What is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::amazon) enum Scope {
    Nodes,
    Children(String),
    Search,
    Trash,
}

/// By what a listing is sorted, the first before the others; the flag is for descending.
pub(in crate::amazon) type Sort = Vec<(SortKey, bool)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::amazon) enum SortKey {
    Created,
    Modified,
    Taken,
    Name,
    Size,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub(in crate::amazon) struct Request {
    pub(in crate::amazon) scope: Scope,
    pub(in crate::amazon) filter: Option<Filter>,
    /// None: as an album is ordered, or the newest first.
    pub(in crate::amazon) sort: Option<Sort>,
    pub(in crate::amazon) offset: usize,
    pub(in crate::amazon) limit: usize,
}

impl Store {
    /// How many nodes there are in all, and the ids on this page. Only ids whose bytes are still on disk.
    pub(in crate::amazon) fn page(
        &mut self,
        request: &Request,
    ) -> io::Result<(usize, Vec<String>)> {
        let (offset, limit) = self.window(request);
        loop {
            let all = self.all(request);
            let page: Vec<_> = all.iter().skip(offset).take(limit).cloned().collect();
            let mut found_news = false;
            for id in &page {
                found_news |= self.refresh(id)?;
            }
            if !found_news {
                return Ok((all.len(), page));
            }
        }
    }

    /// Offset and limit as they are used, after the service's moods.
    fn window(&mut self, request: &Request) -> (usize, usize) {
        self.pages += 1;
        let turn =
            |every: Option<u64>| every.is_some_and(|every| self.pages.is_multiple_of(every.max(1)));
        let mut offset = request.offset;
        if offset > 0 && turn(self.behaviour.drift) {
            let odd = (self.pages / self.behaviour.drift.unwrap_or(1).max(1)) % 2 == 1;
            offset = if odd { offset + 1 } else { offset - 1 };
        }
        let short = turn(self.behaviour.short_pages);
        (offset, if short { (request.limit / 2).max(1) } else { request.limit })
    }

    /// Every id that the listing has, in its order.
    pub(in crate::amazon) fn all(&mut self, request: &Request) -> Arc<Vec<String>> {
        let Request { scope, filter, sort, .. } = request;
        // While time alone changes what is listed, nothing can be kept.
        let timeless = self.behaviour.pending.is_zero() && self.behaviour.listing_lag.is_zero();
        let question = format!("{scope:?} {filter:?} {sort:?}");
        if let Some(known) = self.lists.get(&question).filter(|_| timeless) {
            return known.clone();
        }
        let mut found: Vec<&Node> = self.candidates(scope, filter.as_ref());
        found.retain(|node| self.belongs(node, scope, filter.as_ref()));
        let in_order = matches!(scope, Scope::Children(id) if self.is_album(id));
        match sort {
            Some(sort) => found.sort_by(|a, b| order(a, b, sort)),
            None if in_order => {}
            None => found.sort_by(|a, b| order(a, b, &[(SortKey::Created, true)])),
        }
        let ids = Arc::new(found.into_iter().map(|node| node.id.clone()).collect::<Vec<_>>());
        self.lists.insert(question, ids.clone());
        ids
    }

    fn is_album(&self, id: &str) -> bool {
        self.known(id).is_some_and(|node| node.kind == Kind::Album)
    }

    fn candidates(&self, scope: &Scope, filter: Option<&Filter>) -> Vec<&Node> {
        let of = |ids: Vec<String>| ids.iter().filter_map(|id| self.nodes.get(id)).collect();
        let parent = filter.and_then(Filter::parent);
        match scope {
            // What is asked for most, so nothing else is looked at.
            Scope::Nodes | Scope::Search
                if let Some(id) = parent.filter(|id| !self.is_album(id)) =>
            {
                of(self.children_of(id))
            }
            Scope::Nodes | Scope::Search => self.nodes.values().collect(),
            Scope::Trash => of(self.trashed.iter().map(|(_, id)| id.clone()).collect()),
            Scope::Children(id) if self.is_album(id) => {
                of(self.known(id).map(|album| album.members.clone()).unwrap_or_default())
            }
            Scope::Children(id) => {
                let mut ids = self.children_of(id);
                if self.behaviour.strays {
                    let elsewhere =
                        |node: &&Node| node.kind == Kind::File && node.parent.as_ref() != Some(id);
                    let stray =
                        self.nodes.values().filter(elsewhere).min_by_key(|node| node.number);
                    ids.extend(stray.map(|node| node.id.clone()));
                }
                of(ids)
            }
        }
    }

    fn belongs(&self, node: &Node, scope: &Scope, filter: Option<&Filter>) -> bool {
        let Some(status) = self.listed_status(node) else { return false };
        let fields = filter.map(Filter::fields).unwrap_or_default();
        let asks = |wanted: &str| fields.iter().any(|(field, _)| *field == wanted);
        let strays = self.behaviour.strays && matches!(scope, Scope::Children(_));
        if status == Status::Trash && !asks("status") && *scope != Scope::Trash && !strays {
            return false;
        }
        let fits_scope = match scope {
            Scope::Nodes => node.kind != Kind::Asset,
            Scope::Children(_) => true,
            Scope::Trash => status == Status::Trash,
            Scope::Search => {
                node.media_type().is_some()
                    && status != Status::Pending
                    && (asks("hidden") || !node.hidden)
            }
        };
        fits_scope
            && !combines_kinds_with_parents(&fields)
            && filter.is_none_or(|filter| filter.fits(&|field| node.values(status, field)))
    }
}

/// Several kinds together with parents find nothing, as on the old interface.
fn combines_kinds_with_parents(fields: &[(&str, &Pattern)]) -> bool {
    let kinds = fields.iter().filter(|(field, _)| *field == "kind").count();
    kinds > 1 && fields.iter().any(|(field, _)| field.starts_with("parent"))
}

fn order(a: &Node, b: &Node, sort: &[(SortKey, bool)]) -> Ordering {
    let taken = |node: &Node| node.content.as_ref().and_then(|content| content.date);
    let size = |node: &Node| node.content.as_ref().map_or(0, |content| content.size);
    for (key, descending) in sort {
        let order = match key {
            SortKey::Created => a.created.cmp(&b.created),
            SortKey::Modified => a.modified.cmp(&b.modified),
            SortKey::Taken => taken(a).cmp(&taken(b)),
            SortKey::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
            SortKey::Size => size(a).cmp(&size(b)),
        };
        let order = if *descending { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.id.cmp(&b.id)
}
