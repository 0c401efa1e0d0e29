//! What the service says about one node, read leniently: whatever is missing or of another kind is missing.

use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Version};
use safelight_core::key::Key;
use serde_json::Value;

use crate::about::About;

/// An MD5 digest.
pub(crate) type Md5 = [u8; 16];

/// A file, a folder, or something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) name: Option<String>,
    pub(crate) owner: Option<String>,
    /// The folders it stands in; usually one.
    pub(crate) folders: Vec<String>,
    /// When the service made it, as it writes that.
    pub(crate) created: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) md5: Option<Md5>,
    pub(crate) content_type: Option<String>,
    content_version: Option<u64>,
    pub(crate) about: About,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// The movie of a live photo.
    Asset,
    /// It refers to files and holds none.
    Album,
    /// What is not known.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is there, or will be as soon as the service has looked at it.
    There,
    Trash,
    Gone,
}

impl Node {
    /// `None` if id or kind are missing or make no sense.
    pub(crate) fn read(told: &Value) -> Option<Self> {
        let text = |field: &str| told.get(field).and_then(Value::as_str);
        let id = text("id").filter(|id| is_id(id))?.to_owned();
        let kind = match text("kind")? {
            "FILE" => Kind::File,
            "FOLDER" => Kind::Folder,
            "ASSET" => Kind::Asset,
            "VISUAL_COLLECTION" => Kind::Album,
            _ => Kind::Other,
        };
        let status = match text("status") {
            None | Some("AVAILABLE" | "PENDING") => Status::There,
            Some("TRASH") => Status::Trash,
            Some(_) => Status::Gone,
        };
        // Parents may be albums too; where folders are told apart, only those count.
        let folders = told.get("parentMap").and_then(|map| map.get("FOLDER"));
        let folders = folders.or_else(|| told.get("parents")).and_then(Value::as_array);
        let folders = folders.into_iter().flatten().filter_map(Value::as_str);
        let content = told.get("contentProperties").unwrap_or(&Value::Null);
        // Long ago these stood outside.
        let inner = |field: &str| content.get(field).or_else(|| told.get(field));
        let mut md5 = Md5::default();
        let digest = inner("md5").and_then(Value::as_str);
        let digest = digest.and_then(|text| hex::decode_to_slice(text, &mut md5).ok());
        Some(Self {
            id,
            kind,
            status,
            name: text("name").map(str::to_owned),
            owner: text("ownerId").map(str::to_owned),
            folders: folders.filter(|id| is_id(id)).map(str::to_owned).collect(),
            created: text("createdDate").filter(|date| is_date(date)).map(str::to_owned),
            size: inner("size").and_then(number),
            md5: digest.map(|()| md5),
            content_type: inner("contentType").and_then(Value::as_str).map(str::to_owned),
            content_version: content.get("version").and_then(number),
            about: About::read(told),
        })
    }

    pub(crate) fn is_file(&self) -> bool {
        self.kind == Kind::File && self.status == Status::There
    }

    /// Whether it is there and has bytes of its own.
    pub(crate) fn has_bytes(&self) -> bool {
        matches!(self.kind, Kind::File | Kind::Asset) && self.status == Status::There
    }

    /// Whether its bytes can still be had.
    pub(crate) fn is_readable(&self) -> bool {
        matches!(self.kind, Kind::File | Kind::Asset) && self.status != Status::Gone
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.kind == Kind::Folder && self.status == Status::There
    }

    /// Whether the service has told what it holds.
    pub(crate) fn is_complete(&self) -> bool {
        self.size.is_some() && self.md5.is_some()
    }

    /// Changes with the bytes, and with them only: a new name is no new version.
    pub(crate) fn version(&self) -> Option<Version> {
        match (self.md5, self.content_version) {
            (Some(md5), _) => Some(version(&self.id, md5)),
            (None, Some(number)) => Some(Version::new(format!("{}/{number}", self.id))),
            (None, None) => None,
        }
    }

    /// What core calls it; `key` says under which name.
    pub(crate) fn entry(&self, key: Key) -> Entry {
        Entry {
            version: self.version(),
            digests: Digests { md5: self.md5, ..Digests::default() },
            remote_id: Some(self.id.as_str().into()),
            ..Entry::new(key, self.size.unwrap_or(0))
        }
    }

    /// The same for what does not stand under its key: it is read by its id, which the version tells.
    pub(crate) fn entry_by_id(&self, key: Key) -> Entry {
        let entry = self.entry(key);
        let version = entry.version.map(|version| Version::new(format!("{BY_ID}{}", version.0)));
        Entry { version, ..entry }
    }
}

/// What stands in front of the version of something that is asked for by its id, whatever stands under its key.
const BY_ID: char = '@';

/// The id, if this is such a version.
pub(crate) fn id_of(version: &Version) -> Option<&str> {
    let (id, _) = version.0.strip_prefix(BY_ID)?.split_once('/')?;
    is_id(id).then_some(id)
}

/// The version of the content with this digest under this id.
pub(crate) fn version(id: &str, md5: Md5) -> Version {
    Version::new(format!("{id}/{}", hex::encode(md5)))
}

/// Ids stand in addresses and filters, so nothing else is taken for one.
pub(crate) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// Dates stand in filters.
fn is_date(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || b"TZ:.+-".contains(&byte);
    (10..=40).contains(&text.len()) && text.bytes().all(plain)
}

/// Numbers come as numbers or as text.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A page of a listing.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// How many there are in all.
    pub(crate) count: Option<u64>,
    pub(crate) nodes: Vec<Node>,
    /// How many entries of the page made no sense.
    pub(crate) odd: usize,
}

impl Listing {
    /// `None` if it is no page at all.
    pub(crate) fn read(told: &Value) -> Option<Self> {
        let data = told.get("data")?.as_array()?;
        let nodes: Vec<_> = data.iter().filter_map(Node::read).collect();
        let odd = data.len() - nodes.len();
        Some(Self { count: told.get("count").and_then(number), nodes, odd })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_node_needs_nothing_but_id_and_kind() {
        let bare = Node::read(&json!({"id": "-a_1", "kind": "FILE"})).unwrap();
        assert!(bare.is_file() && !bare.is_complete() && bare.version().is_none());
        let odd = json!({"id": "x", "kind": "HOLOGRAM", "name": 7, "parents": "p", "size": "12",
            "contentProperties": [], "createdDate": "\" OR kind:FILE"});
        let odd = Node::read(&odd).unwrap();
        assert_eq!((odd.kind, odd.size, odd.created), (Kind::Other, Some(12), None));
        for wrong in [json!({"id": "x"}), json!({"id": "a/b", "kind": "FILE"}), json!(3)] {
            assert_eq!(Node::read(&wrong), None);
        }
    }

    #[test]
    fn folders_are_told_from_albums_where_the_answer_does() {
        let node = json!({"id": "x", "kind": "FILE", "status": "PENDING", "parents": ["album", "folder"],
            "parentMap": {"VISUAL_COLLECTION": ["album"], "FOLDER": ["folder"]},
            "contentProperties": {"size": 3, "md5": "2902cf254d6928c4c8629ceb2d45b156", "version": 2}});
        let node = Node::read(&node).unwrap();
        assert_eq!(node.folders, ["folder"]);
        assert!(node.is_file() && node.is_complete());
        assert_eq!(&*node.version().unwrap().0, "x/2902cf254d6928c4c8629ceb2d45b156");
    }
}
