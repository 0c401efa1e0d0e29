//! What Dropbox answers, read leniently: unknown members are ignored, missing ones are missing.

use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Version};
use safelight_core::key::Key;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dates;
use crate::hash::Digest;

/// A file, a folder, or what is left of one.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Metadata {
    /// Missing where only a file can be meant.
    #[serde(rename = ".tag", default, skip_serializing_if = "String::is_empty")]
    tag: String,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) path_lower: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path_display: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rev: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_modified: Option<String>,
}

impl Metadata {
    pub(crate) fn is_file(&self) -> bool {
        self.tag == "file" || (self.tag.is_empty() && self.rev.is_some())
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.tag == "folder"
    }

    /// What has to be known of a file in a listing whose folders are known.
    pub(crate) fn for_keeping(&self) -> Self {
        Self { path_display: None, ..self.clone() }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size.unwrap_or(0)
    }

    pub(crate) fn hash(&self) -> Option<Digest> {
        let mut digest = Digest::default();
        hex::decode_to_slice(self.content_hash.as_deref()?, &mut digest).ok()?;
        Some(digest)
    }

    pub(crate) fn version(&self) -> Option<Version> {
        self.rev.as_ref().map(Version::new)
    }

    /// The same as [`Self::entry`] for what does not stand under its key: it is read by its revision, which the version
    /// tells.
    pub(crate) fn entry_by_rev(&self, key: Key) -> Entry {
        let version = self.rev.as_ref().map(|rev| Version::new(format!("{BY_REV}{rev}")));
        Entry { version, ..self.entry(key) }
    }

    /// What core calls it; `key` says under which name.
    pub(crate) fn entry(&self, key: Key) -> Entry {
        Entry {
            modified: self.client_modified.as_deref().and_then(dates::read),
            version: self.version(),
            digests: Digests { dropbox: self.hash(), ..Digests::default() },
            remote_id: self.id.as_deref().map(Into::into),
            ..Entry::new(key, self.size())
        }
    }
}

/// What stands in front of the version of something that is asked for by its revision, whatever stands under its key;
/// Dropbox writes such paths itself.
const BY_REV: &str = "rev:";

/// Whether this is such a version, and so a path to what it means.
pub(crate) fn is_by_rev(version: &Version) -> bool {
    let plain = |rev: &str| rev.len() >= 9 && rev.bytes().all(|byte| byte.is_ascii_hexdigit());
    version.0.strip_prefix(BY_REV).is_some_and(plain)
}

/// A page of a listing.
#[derive(Debug, Deserialize)]
pub(crate) struct ListFolder {
    pub(crate) entries: Vec<Metadata>,
    pub(crate) cursor: String,
    pub(crate) has_more: bool,
}

/// Entries of a batch, in the order of its arguments.
#[derive(Debug, Deserialize)]
pub(crate) struct Entries {
    pub(crate) entries: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Session {
    pub(crate) session_id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sessions {
    pub(crate) session_ids: Vec<String>,
}

/// JSON that may stand in a header: everything that is not plain ASCII is escaped.
pub(crate) fn header_safe(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    if json.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    let mut units = [0; 2];
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            safe.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                safe.push_str("\\u");
                safe.push_str(&hex::encode(unit.to_be_bytes()));
            }
        }
    }
    Ok(safe)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_in_a_header_is_plain_ascii_and_means_the_same() {
        let argument = json!({"path": "/Übung \u{7f} 📷 \"x\".jpg"});
        let safe = header_safe(&argument).unwrap();
        assert_eq!(safe, r#"{"path":"/\u00dcbung \u007f \ud83d\udcf7 \"x\".jpg"}"#);
        assert_eq!(serde_json::from_str::<Value>(&safe).unwrap(), argument);
    }

    #[test]
    fn entries_are_read_leniently() {
        let file: Metadata = serde_json::from_value(json!({
            "name": "a", "rev": "1", "size": 3, "content_hash": "zz", "new_in_2030": {"x": []},
        }))
        .unwrap();
        assert!(file.is_file() && file.hash().is_none());
        let odd: Metadata = serde_json::from_value(json!({".tag": "hologram"})).unwrap();
        assert!(!odd.is_file() && !odd.is_folder());
    }
}
