//! What a client is told about a node.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::status::Status;
use super::{Content, Kind, Node, OWNER, Store};
use crate::amazon::dates::text;
use crate::amazon::names;
use crate::amazon::sniff::Class;

impl Store {
    /// The node as it is.
    pub(in crate::amazon) fn told(&self, id: &str) -> Value {
        self.known(id).map_or(Value::Null, |node| self.tell(node, self.status(node)))
    }

    /// The node as a listing shows it, which may know less.
    pub(in crate::amazon) fn told_in_list(&self, id: &str) -> Value {
        let Some(node) = self.known(id) else { return Value::Null };
        self.tell(node, self.listed_status(node).unwrap_or_else(|| self.status(node)))
    }

    fn tell(&self, node: &Node, status: Status) -> Value {
        let mut told = json!({
            "id": node.id, "kind": node.kind.word(), "status": status.word(), "ownerId": OWNER,
            "parents": node.parents(), "parentMap": {}, "isShared": false,
            "createdDate": text(node.created), "modifiedDate": text(node.modified),
            "createdBy": "sandbox", "version": node.version,
            "eTagResponse": format!("{}{}", &node.id[..8], node.version),
            "labels": [], "keywords": node.keywords, "transforms": [], "subKinds": [], "accessRuleIds": [],
            "groupPermissions": [], "childAssetTypeInfo": [], "restricted": false,
            "protectedFolder": false, "xAccntParents": [], "xAccntParentMap": {},
            "settings": {"favorite": node.favorite, "hidden": node.hidden},
        });
        if node.kind == Kind::Root {
            told["isRoot"] = true.into();
        } else {
            told["isRoot"] = false.into();
            told["name"] = node.name.as_str().into();
        }
        let parent = node.parent.as_slice();
        for (kind, ids) in [("VISUAL_COLLECTION", &node.albums[..]), ("FOLDER", parent)] {
            if !ids.is_empty() && node.kind != Kind::Asset {
                told["parentMap"][kind] = ids.into();
            }
        }
        if let Some(description) = &node.description {
            told["description"] = description.as_str().into();
        }
        match node.kind {
            Kind::Album => {
                told["collectionProperties"] = json!({"covers": node.members.first().as_slice()});
            }
            Kind::Asset => told["assetProperties"] = json!({"assetType": "LIVE_VIDEO"}),
            Kind::File if !self.children_of(&node.id).is_empty() => {
                told["childAssetTypeInfo"] = json!([{"assetType": "LIVE_VIDEO"}]);
            }
            Kind::Root | Kind::Folder | Kind::File => {}
        }
        if let Some(content) = node.content.as_ref().filter(|_| status != Status::Pending) {
            told["contentProperties"] = tell_content(content, &node.name);
        }
        told
    }
}

fn tell_content(content: &Content, name: &str) -> Value {
    // A digest of something else than the bytes.
    let signature = hex::encode(Md5::digest(format!("without metadata {}", content.md5)));
    let mut told = json!({
        "size": content.size, "version": content.version, "md5": content.md5,
        "contentType": content.mime, "extension": names::extension(name).to_lowercase(),
        "contentSignatures": [{"contentSignatureType": "MD5", "contentSignature": signature}],
    });
    if let Some(date) = content.date {
        told["contentDate"] = text(date).into();
    }
    match content.class {
        Class::Photo => told["image"] = json!({"orientation": "1"}),
        Class::Video => told["video"] = json!({}),
        Class::Doc | Class::Other => {}
    }
    told
}
