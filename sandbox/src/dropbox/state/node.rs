//! Files, folders, and the traces of what is gone; how they are told to a client.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Root, Store};
use crate::dropbox::json::tag;

/// What stands, or stood, at a path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dropbox) struct Node {
    /// The last component in the case it was made with.
    pub(in crate::dropbox) name: String,
    /// The number of the change that made it so.
    pub(in crate::dropbox) change: u64,
    pub(in crate::dropbox) what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dropbox) enum What {
    File(File),
    Folder { id: String },
    Gone,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::dropbox) struct File {
    pub(in crate::dropbox) id: String,
    pub(in crate::dropbox) rev: String,
    pub(in crate::dropbox) size: u64,
    pub(in crate::dropbox) content_hash: String,
    pub(in crate::dropbox) client_modified: String,
    pub(in crate::dropbox) server_modified: String,
    /// The mtime of the plain file, by which a change behind our back is noticed.
    pub(in crate::dropbox) stamp: i64,
}

/// An earlier state of a file. Its bytes are kept under its rev.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dropbox) struct Revision {
    pub(in crate::dropbox) key: String,
    pub(in crate::dropbox) name: String,
    pub(in crate::dropbox) file: File,
}

impl Node {
    pub(in crate::dropbox) fn file(&self) -> Option<&File> {
        match &self.what {
            What::File(file) => Some(file),
            What::Folder { .. } | What::Gone => None,
        }
    }

    pub(in crate::dropbox) fn is_gone(&self) -> bool {
        matches!(self.what, What::Gone)
    }
}

impl Store {
    /// What a client is told about the node at `key`, with its tag.
    pub(in crate::dropbox) fn metadata(&self, root: &Root, key: &str) -> Value {
        let Some(node) = self.any(key) else { return tag("deleted") };
        match &node.what {
            What::File(file) => self.file_metadata(root, key, &node.name, file),
            What::Folder { id } => {
                let mut told = self.place(root, key, &node.name, "folder");
                told["id"] = id.as_str().into();
                told
            }
            What::Gone => self.place(root, key, &node.name, "deleted"),
        }
    }

    /// What a client is told about a file, current or not.
    pub(in crate::dropbox) fn file_metadata(
        &self,
        root: &Root,
        key: &str,
        name: &str,
        file: &File,
    ) -> Value {
        let mut told = self.place(root, key, name, "file");
        for (field, text) in [
            ("id", &file.id),
            ("rev", &file.rev),
            ("content_hash", &file.content_hash),
            ("client_modified", &file.client_modified),
            ("server_modified", &file.server_modified),
        ] {
            told[field] = text.as_str().into();
        }
        told["size"] = file.size.into();
        let closed = self.behaviour.not_downloadable.contains(root.inside(key));
        told["is_downloadable"] = (!closed).into();
        if closed {
            told["export_info"] = json!({"export_as": "html"});
        }
        told
    }

    fn place(&self, root: &Root, key: &str, name: &str, tag: &str) -> Value {
        let inside = root.inside(key);
        let display = if self.behaviour.parents_in_other_case {
            format!("{}/{name}", crate::dropbox::names::parent(inside).unwrap_or(""))
        } else {
            let depth = root.prefix.matches('/').count();
            let names = self.names(key);
            crate::dropbox::names::path_of(&names[depth.min(names.len())..])
        };
        json!({".tag": tag, "name": name, "path_lower": inside, "path_display": display})
    }
}
