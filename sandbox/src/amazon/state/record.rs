//! What is written down of an account: one change at a time.

use serde::{Deserialize, Serialize};

use super::node::Node;

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Record {
    /// A node as it is from now on.
    Node(Box<Node>),
    /// The node is gone for good.
    Gone(String),
    /// The number of the next node.
    Next(u64),
}
