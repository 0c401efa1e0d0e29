//! Arguments: strict as the service is. What does not fit is a 400 that names the field.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::json::is_date;

/// Reads an argument; the error is the text of a 400.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string().replace('`', "'"))
}

/// The path of something that is there: `/...`, `id:...`, `ns:...`, `rev:...`, or empty for the root.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ReadPath(pub String);

impl TryFrom<String> for ReadPath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        if path == "/" {
            return Err("Specify the root folder as an empty string rather than as \"/\".".into());
        }
        let starts = ["/", "id:", "ns:", "rev:"];
        if path.is_empty() || starts.iter().any(|start| path.starts_with(start)) {
            return Ok(Self(path));
        }
        Err(mismatch(&path, "(/(.|[\\r\\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/.*)?)"))
    }
}

/// The path of something to write: `/...`, `id:...` or `ns:...`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct WritePath(pub String);

impl TryFrom<String> for WritePath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        if ["/", "id:", "ns:"].iter().any(|start| path.starts_with(start)) {
            return Ok(Self(path));
        }
        Err(mismatch(&path, "(/(.|[\\r\\n])*)|(ns:[0-9]+(/.*)?)|(id:.*)"))
    }
}

/// A `content_hash`: 64 hex digits.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Hash(pub String);

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(hash: String) -> Result<Self, String> {
        if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(hash.to_ascii_lowercase()));
        }
        Err(mismatch(&hash, "[0-9a-f]{64}"))
    }
}

/// A revision: at least 9 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Rev(pub String);

impl TryFrom<String> for Rev {
    type Error = String;

    fn try_from(rev: String) -> Result<Self, String> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if rev.len() >= 9 && rev.bytes().all(hex) {
            return Ok(Self(rev));
        }
        Err(mismatch(&rev, "[0-9a-f]{9,}"))
    }
}

/// A date as the service writes them.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Date(pub String);

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(date: String) -> Result<Self, String> {
        if is_date(&date) {
            return Ok(Self(date));
        }
        Err(format!("time data '{date}' does not match format '%Y-%m-%dT%H:%M:%SZ'"))
    }
}

fn mismatch(text: &str, pattern: &str) -> String {
    format!("'{text}' did not match pattern '{pattern}'")
}

/// What a commit does with what is already there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Mode {
    #[default]
    Add,
    Overwrite,
    Update(Rev),
}

impl TryFrom<Value> for Mode {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let name = tag_of(&value).ok_or("mode: expected a union")?;
        match name {
            "add" => Ok(Self::Add),
            "overwrite" => Ok(Self::Overwrite),
            "update" => match value.get("update").and_then(Value::as_str) {
                Some(rev) => Rev::try_from(rev.to_owned()).map(Self::Update),
                None => Err("mode: missing 'update' key".into()),
            },
            other => Err(format!("mode: invalid tag '{other}'")),
        }
    }
}

/// The tag of a union; a member without a value may be written as bare text.
pub(super) fn tag_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get(".tag").and_then(Value::as_str))
}

/// One of a few members without values.
pub(super) fn one_of<'a>(value: &Value, members: &[&'a str]) -> Result<&'a str, String> {
    let name = tag_of(value).ok_or("expected a union")?;
    let known = members.iter().find(|member| **member == name);
    known.copied().ok_or_else(|| format!("invalid tag '{name}'"))
}

/// The type of an upload session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, Deserialize)]
pub(super) enum SessionType {
    #[default]
    Sequential,
    Concurrent,
}

/// Reads a session type from its union.
pub(super) fn session_type<'de, D: Deserializer<'de>>(from: D) -> Result<SessionType, D::Error> {
    let value = Option::<Value>::deserialize(from)?;
    let Some(value) = value else { return Ok(SessionType::Sequential) };
    match one_of(&value, &["sequential", "concurrent"]) {
        Ok("concurrent") => Ok(SessionType::Concurrent),
        Ok(_) => Ok(SessionType::Sequential),
        Err(error) => Err(serde::de::Error::custom(format!("session_type: {error}"))),
    }
}

/// Where the next bytes of a session go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    pub session_id: String,
    pub offset: u64,
}

/// How bytes become a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommitInfo {
    pub path: WritePath,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub autorename: bool,
    pub client_modified: Option<Date>,
    #[serde(default, rename = "mute")]
    pub _mute: bool,
    #[serde(rename = "property_groups")]
    pub _property_groups: Option<Vec<Value>>,
    #[serde(default)]
    pub strict_conflict: bool,
}
