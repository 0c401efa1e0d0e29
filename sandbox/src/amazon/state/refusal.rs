//! Why the account does not do what was asked, in the words of either route.

use std::io;

use serde_json::json;

use crate::amazon::answers::{Failure, bad, error, error_with, no_node, upload_error};
use crate::amazon::behaviour::Behaviour;

/// Why not.
#[derive(Debug)]
pub(in crate::amazon) enum Refusal {
    NoNode(String),
    /// The same content stands under that id.
    Duplicate(String),
    NameTaken {
        parent: String,
        name: String,
        id: String,
    },
    NoParent(String),
    ParentTrashed(String),
    ParentNoFolder(String),
    BadName,
    TooLarge,
    NoRoom,
    /// The account has more than it pays for.
    NoSubscription,
    Bad(String),
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Refusal {
    /// As the metadata host and the older content route say it.
    pub(in crate::amazon) fn into_error(self, behaviour: &Behaviour) -> Failure {
        match self {
            Self::NoNode(id) => no_node(&id),
            Self::Duplicate(id) => {
                let message = format!("Node with the same content already exists. NodeId: {id}");
                error_with(409, "MD5_DUPLICATE", &message, &json!({"nodeId": id}))
            }
            Self::NameTaken { parent, name, id } => {
                let message = taken(&parent, &name, &id);
                error_with(409, "NAME_ALREADY_EXISTS", &message, &json!({"nodeId": id}))
            }
            Self::NoParent(id) => {
                error(404, "PARENT_NODE_ID_NOT_FOUND", &format!("Parent {id} not found"))
            }
            Self::ParentTrashed(id) => {
                error(409, "PARENT_NODE_IN_TRASH", &format!("Parent {id} is in the trash"))
            }
            Self::ParentNoFolder(id) => bad(&format!("Parent {id} cannot have children")),
            Self::BadName => bad("Invalid name"),
            Self::TooLarge => bad("The file is too large"),
            Self::NoRoom => error(behaviour.no_room_status, "INSUFFICIENT_STORAGE", "No room"),
            Self::NoSubscription => error(
                behaviour.no_room_status,
                "NO_ACTIVE_SUBSCRIPTION_FOUND",
                "The account is over its quota",
            ),
            Self::Bad(message) => bad(&message),
            Self::Io(error) => error.into(),
        }
    }

    /// As the current content route says it.
    pub(in crate::amazon) fn into_upload_error(self, behaviour: &Behaviour) -> Failure {
        match self {
            Self::NoNode(id) => {
                upload_error(404, "NodeNotFound", &format!("Node {id} not found"), &[])
            }
            Self::Duplicate(id) => {
                upload_error(409, "DuplicatesConflictError", "Duplicate content", &[&id])
            }
            Self::NameTaken { parent, name, id } => {
                upload_error(409, "NameAlreadyExists", &taken(&parent, &name, &id), &[&id])
            }
            Self::NoParent(id) => {
                upload_error(400, "ParentNodeIdNotFound", &format!("Parent {id} not found"), &[])
            }
            Self::ParentTrashed(id) => {
                upload_error(400, "ParentNodeInTrash", &format!("Parent {id} is in the trash"), &[])
            }
            Self::ParentNoFolder(id) => upload_error(
                400,
                "InvalidParent",
                &format!("Parent {id} cannot have children"),
                &[],
            ),
            Self::BadName => upload_error(400, "InvalidRequest", "Invalid name", &[]),
            Self::TooLarge => upload_error(400, "FileSizeTooLarge", "The file is too large", &[]),
            Self::NoRoom => {
                upload_error(behaviour.no_room_status, "InsufficientStorage", "No room", &[])
            }
            Self::NoSubscription => upload_error(
                behaviour.no_room_status,
                "NoActiveSubscriptionFound",
                "The account is over its quota",
                &[],
            ),
            Self::Bad(message) => upload_error(400, "InvalidRequest", &message, &[]),
            Self::Io(error) => error.into(),
        }
    }
}

/// The service tells the name in lower case.
fn taken(parent: &str, name: &str, id: &str) -> String {
    let name = name.to_lowercase();
    format!(
        "Node with the name {name} already exists under parentId {parent} conflicting NodeId: {id}"
    )
}
