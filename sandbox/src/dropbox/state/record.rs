//! What is written down of a Dropbox: one change at a time.

use serde::{Deserialize, Serialize};

use super::grants::Grant;
use super::node::{Node, Revision};
use super::sessions::Session;

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Record {
    /// What stands at this key from now on.
    Node(String, Node),
    /// A revision that is no longer the current one.
    Revision(Revision),
    /// An upload session.
    Session(String, Session),
    /// The session is over.
    SessionEnd(String),
    /// Somebody signed in.
    Grant(String, Grant),
    /// The sign-in is no longer good.
    GrantEnd(String),
    /// Cursors of earlier generations are no longer good.
    Generation(u64),
}
