//! Everything in one folder, beyond the window of 9,999 and under drift; albums and the trash in the same way.
//!
//! A listing is not a snapshot: when something comes or goes between two pages, all that follows shifts. So each page
//! begins with the last node of the page before; what is past the window is reached by the date at which the window
//! ended; and at the end the number of distinct nodes is compared with the count, and the folder is gone through
//! again if they differ.
//!
//! Invariant: each node is handed out once; a folder that was not seen whole is told to be so.

use std::collections::HashSet;

use crate::api::{Api, Window};
use crate::filter::{self, in_folder};
use crate::node::{Listing, Node};
use crate::trouble::Trouble;

/// Most nodes on a page.
const LIMIT: u64 = 200;
/// Offset and limit together may not pass it.
const WINDOW: u64 = 9999;
/// How far to step back when a page does not follow on the one before.
const STEP_BACK: u64 = 20;
/// How often in one round.
const MENDS: u32 = 50;
/// How often a folder is gone through.
const ROUNDS: u32 = 3;
/// More pages of one folder than twenty million items take are nonsense.
const PAGES: u32 = 100_000;
/// Pages without a node that are believed one after the other although more is said to follow.
const EMPTY: u32 = 3;

/// What is walked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// What stands in a folder.
    Folder(String),
    Albums,
    /// What an album refers to, in its order; only as far as the window reaches.
    Members(String),
    /// What is below any node, the oldest first.
    Below(String),
    Trash,
}

impl Question {
    fn path(&self) -> String {
        match self {
            Self::Folder(_) | Self::Albums => "nodes".to_owned(),
            Self::Members(id) | Self::Below(id) => format!("nodes/{id}/children"),
            Self::Trash => "trash".to_owned(),
        }
    }

    fn filter(&self, since: Option<&str>) -> Option<String> {
        let what = match self {
            Self::Folder(id) => Some(in_folder(id)),
            Self::Albums => Some(filter::ALBUMS.to_owned()),
            Self::Members(_) | Self::Below(_) => None,
            Self::Trash => Some(filter::TRASHED.to_owned()),
        };
        let parts: Vec<_> = what.into_iter().chain(since.map(filter::since)).collect();
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }

    /// Whether the oldest comes first.
    fn is_by_date(&self) -> bool {
        !matches!(self, Self::Members(_))
    }
}

#[derive(Debug)]
pub(crate) struct Walk {
    question: Question,
    seen: HashSet<String>,
    /// The date from which on is listed now.
    since: Option<String>,
    /// Where the next page begins, but for the overlap.
    offset: u64,
    /// The last node of the page before.
    last: Option<String>,
    /// When that was made.
    last_created: Option<String>,
    /// How many nodes the folder has, as it said last.
    total: Option<u64>,
    /// Entries that made no sense, in this round.
    odd: u64,
    mends: u32,
    empty: u32,
    pages: u32,
    round: u32,
    end: Option<bool>,
}

impl Walk {
    pub(crate) fn new(question: Question) -> Self {
        Self {
            question,
            seen: HashSet::new(),
            since: None,
            offset: 0,
            last: None,
            last_created: None,
            total: None,
            odd: 0,
            mends: 0,
            empty: 0,
            pages: 0,
            round: 1,
            end: None,
        }
    }

    /// Whether it is at its end, and if so, whether everything was seen.
    pub(crate) fn end(&self) -> Option<bool> {
        self.end
    }

    /// One page: those of its nodes that were not handed out before.
    pub(crate) async fn page(&mut self, api: &Api, doing: &str) -> Result<Vec<Node>, Trouble> {
        let (from, limit) = self.next();
        let filter = self.question.filter(self.since.as_deref());
        let by_date = self.question.is_by_date();
        let window = Window { offset: from, limit, by_date };
        let page = api.page(&self.question.path(), filter.as_deref(), window, doing).await?;
        Ok(self.take(from, page))
    }

    /// Where the next page begins and how long it may be. It overlaps the page before by one.
    fn next(&self) -> (u64, u64) {
        let from = self.offset.saturating_sub(u64::from(self.last.is_some()));
        (from, LIMIT.min(WINDOW - from))
    }

    fn take(&mut self, from: u64, page: Listing) -> Vec<Node> {
        let length = page.nodes.len() as u64 + page.odd as u64;
        if self.since.is_none() {
            self.total = page.count;
        }
        let shifted = self.last.is_some()
            && page.odd == 0
            && page.nodes.first().map(|node| &node.id) != self.last.as_ref();
        if let Some(last) = page.nodes.last() {
            self.last = Some(last.id.clone());
            self.last_created.clone_from(&last.created);
        }
        self.odd += page.odd as u64;
        let fresh = page.nodes.into_iter().filter(|node| self.seen.insert(node.id.clone()));
        let fresh: Vec<_> = fresh.collect();
        self.advance(from, length, page.count, shifted);
        self.pages += 1;
        if self.pages == PAGES {
            self.end.get_or_insert(false);
        }
        fresh
    }

    fn advance(&mut self, from: u64, length: u64, count: Option<u64>, shifted: bool) {
        if shifted && self.mends < MENDS {
            self.mends += 1;
            self.offset = from.saturating_sub(STEP_BACK);
            self.last = None;
            return;
        }
        let further = from + length > self.offset;
        self.empty = if further { 0 } else { self.empty + 1 };
        self.offset = self.offset.max(from + length);
        // A short page is no end; that nothing follows is.
        let over = match count {
            Some(count) => self.offset >= count || self.empty > EMPTY,
            None => !further,
        };
        if over {
            self.round_over();
        } else if self.offset >= WINDOW {
            match self.last_created.take() {
                Some(date) if self.question.is_by_date() && self.since.as_ref() != Some(&date) => {
                    self.since = Some(date);
                    self.offset = 0;
                    self.last = None;
                }
                // More than a window full was made in one moment, or nobody says when.
                _ => self.end = Some(false),
            }
        } else if !further {
            // The overlap was all there was.
            self.last = None;
        }
    }

    fn round_over(&mut self) {
        let seen = self.seen.len() as u64;
        let whole = self.odd == 0 && self.total.is_none_or(|total| seen >= total);
        let exact = self.total.is_none_or(|total| seen == total);
        if (whole && exact) || self.round == ROUNDS {
            self.end = Some(whole);
            return;
        }
        self.round += 1;
        self.since = None;
        self.offset = 0;
        self.last = None;
        self.odd = 0;
        self.mends = 0;
        self.empty = 0;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A folder of the service: ids in the order in which they were made, some in the same moment.
    struct Folder {
        ids: Vec<u64>,
        calls: u64,
        short: bool,
        /// Before every so many pages the oldest node goes.
        shrinks: Option<u64>,
    }

    impl Folder {
        fn with(count: u64) -> Self {
            Self { ids: (0..count).collect(), calls: 0, short: false, shrinks: None }
        }

        fn date(id: u64) -> String {
            format!("2020-01-01T{:02}:{:02}:{:02}.000Z", id / 36_000, id / 600 % 60, id / 10 % 60)
        }

        fn page(&mut self, walk: &Walk) -> (u64, Listing) {
            let (from, limit) = walk.next();
            assert!(limit >= 1 && from + limit <= WINDOW, "{from} + {limit}");
            self.calls += 1;
            if self.shrinks.is_some_and(|every| self.calls.is_multiple_of(every)) {
                self.ids.remove(0);
            }
            let since =
                |id: &&u64| walk.since.as_ref().is_none_or(|date| Self::date(**id) >= *date);
            let all: Vec<_> = self.ids.iter().filter(since).collect();
            let limit = if self.short && self.calls.is_multiple_of(3) { limit / 2 } else { limit };
            let page = all.iter().skip(usize::try_from(from).unwrap());
            let page = page.take(usize::try_from(limit.max(1)).unwrap());
            let node = |id: &&&u64| json!({"id": format!("n{id}"), "kind": "FILE", "createdDate": Self::date(***id)});
            let data: Vec<_> = page.map(|id| node(&id)).collect();
            let told = json!({"count": all.len(), "data": data});
            (from, Listing::read(&told).unwrap())
        }

        fn walk(&mut self) -> (HashSet<String>, bool) {
            let (mut walk, mut all) = (Walk::new(Question::Folder("F".to_owned())), HashSet::new());
            while walk.end().is_none() {
                let (from, page) = self.page(&walk);
                for node in walk.take(from, page) {
                    assert!(all.insert(node.id), "handed out twice");
                }
                assert!(self.calls < 2000, "no end");
            }
            (all, walk.end().unwrap())
        }
    }

    #[test]
    fn a_folder_is_seen_whole_whatever_its_size() {
        for count in [0, 1, 199, 200, 201, 9_998, 9_999, 10_000, 10_001, 30_000] {
            let mut folder = Folder::with(count);
            let (all, whole) = folder.walk();
            assert_eq!((all.len() as u64, whole), (count, true), "{count}");
            assert!(folder.calls <= count / 199 + count / 5000 + 2, "{count}: {}", folder.calls);
        }
    }

    #[test]
    fn short_pages_are_no_end() {
        let mut folder = Folder { short: true, ..Folder::with(12_000) };
        let (all, whole) = folder.walk();
        assert_eq!((all.len(), whole), (12_000, true));
        assert!(folder.calls <= 12_000 / 200 * 3 / 2);
    }

    #[test]
    fn nothing_is_missed_while_the_folder_shrinks() {
        let mut folder = Folder { shrinks: Some(7), ..Folder::with(5_000) };
        let (all, whole) = folder.walk();
        assert!(whole && folder.ids.iter().all(|id| all.contains(&format!("n{id}"))));
    }

    #[test]
    fn a_count_that_is_never_reached_is_told() {
        let mut walk = Walk::new(Question::Folder("F".to_owned()));
        let mut pages = 0;
        while walk.end().is_none() {
            let (from, _) = walk.next();
            let data = if from == 0 { json!([{"id": "a", "kind": "FILE"}]) } else { json!([]) };
            walk.take(from, Listing::read(&json!({"count": 2, "data": data})).unwrap());
            pages += 1;
            assert!(pages < 100);
        }
        assert_eq!(walk.end(), Some(false));
    }
}
