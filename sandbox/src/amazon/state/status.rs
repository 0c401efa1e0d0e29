//! The status of a node, as it is and as listings know it.

use std::time::Duration;

use super::{Node, Store};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Available,
    Pending,
    Trash,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Pending => "PENDING",
            Self::Trash => "TRASH",
        }
    }
}

impl Store {
    pub(super) fn status(&self, node: &Node) -> Status {
        if node.trashed.is_some() {
            Status::Trash
        } else if node.content.is_some() && self.within(node.created, self.behaviour.pending) {
            Status::Pending
        } else {
            Status::Available
        }
    }

    /// The status that listings know of; none if they do not know the node yet.
    pub(super) fn listed_status(&self, node: &Node) -> Option<Status> {
        let behind = self.within(node.turned, self.behaviour.listing_lag);
        match (node.trashed, behind) {
            (Some(_), true) => Some(Status::Available),
            (None, true) => None,
            (_, false) => Some(self.status(node)),
        }
    }

    fn within(&self, since: i64, span: Duration) -> bool {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.now() < since.saturating_add(span)
    }
}
