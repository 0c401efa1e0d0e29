//! What a failure means, told from status and tags, never from the words of a message.
//!
//! Invariant: of what the service wrote only tags, its request id and its message to the user are repeated, and
//! those made harmless.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Retry};
use safelight_core::key::printable;
use serde_json::Value;

use crate::meaning::classify;

/// Longest piece of a foreign text that is repeated.
const REPEATED: usize = 200;

/// A call or one entry of it that failed.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What it means.
    pub(crate) error: Error,
    /// The tags of the answer from the outside in: `path/conflict/file`.
    pub(crate) tags: String,
    /// The status, if an answer came.
    pub(crate) status: Option<u16>,
    /// Where a session stands, if the answer says so.
    pub(crate) correct_offset: Option<u64>,
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        trouble.error
    }
}

/// For a failure on our own side, before or without an answer.
impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self { error, tags: String::new(), status: None, correct_offset: None }
    }
}

impl Trouble {
    /// From an answer that is no success. `doing` says what was tried.
    pub(crate) fn of_answer(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        doing: &str,
    ) -> Self {
        let json = is_json(headers).then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
        let json = json.unwrap_or_default();
        let error = json.get("error").unwrap_or(&Value::Null);
        let tags = tags(error);
        let mut context = format!("{doing}: Dropbox answered {}", status.as_u16());
        for piece in [Some(tags.as_str()), told(error, &json).as_deref()].into_iter().flatten() {
            if !piece.is_empty() {
                context.push(' ');
                context.push_str(piece);
            }
        }
        if let Some(id) = request_id(headers) {
            context = format!("{context} (request {id})");
        }
        let wait = retry_after(headers, error);
        let error_of = classify(status.as_u16(), &tags, context, wait);
        let correct_offset = find_offset(error);
        Self { error: error_of, tags, status: Some(status.as_u16()), correct_offset }
    }

    /// From the failure of one entry of a batch.
    pub(crate) fn of_entry(failure: &Value, doing: &str) -> Self {
        let tags = tags(failure);
        let error = classify(409, &tags, format!("{doing}: Dropbox says {tags}"), None);
        Self { error, tags, status: Some(409), correct_offset: find_offset(failure) }
    }

    /// Whether one of the tags is `tag`.
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.tags.split('/').any(|one| one == tag)
    }

    /// Whether the service may have done what was asked although it did not say so.
    pub(crate) fn unknown(&self) -> bool {
        let passing =
            matches!(self.error.kind(), Kind::Unavailable | Kind::Timeout | Kind::Protocol);
        passing && self.status.is_none_or(|status| !(300..500).contains(&status))
    }

    /// Whether the same call may well succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self.error.retry_advice(), Retry::Never | Retry::NeedsPerson)
    }

    /// Whether the route is not known there.
    pub(crate) fn unknown_route(&self) -> bool {
        matches!(self.status, Some(400 | 404))
    }
}

/// The id under which Dropbox's support finds a request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-dropbox-request-id")?.to_str().ok()?;
    Some(id.chars().filter(char::is_ascii_alphanumeric).take(64).collect())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.contains("json") || kind.contains("javascript"))
}

/// The tags of an error from the outside in. What follows a tag stands in a member of the same name, or in
/// `reason` where the members of the inner error were flattened.
fn tags(error: &Value) -> String {
    let mut found = Vec::new();
    let mut at = error;
    while found.len() < 8 {
        let tag = match at {
            Value::String(tag) => tag,
            Value::Object(members) => match members.get(".tag") {
                Some(Value::String(tag)) => tag,
                _ => match members.get("reason") {
                    Some(reason) => {
                        at = reason;
                        continue;
                    }
                    None => break,
                },
            },
            _ => break,
        };
        let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
        found.push(tag.chars().filter(plain).take(48).collect::<String>());
        match at.get(tag.as_str()).or_else(|| at.get("reason")) {
            Some(inner) => at = inner,
            None => break,
        }
    }
    found.join("/")
}

/// What the service wants a person to know.
fn told(error: &Value, whole: &Value) -> Option<String> {
    let text = error
        .get("required_scope")
        .or_else(|| whole.get("user_message")?.get("text"))
        .and_then(Value::as_str)?;
    let cut: String = text.chars().take(REPEATED).collect();
    Some(format!("\"{}\"", printable(cut.as_bytes())))
}

fn find_offset(error: &Value) -> Option<u64> {
    let members = error.as_object()?;
    match members.get("correct_offset") {
        Some(offset) => offset.as_u64(),
        None => members.values().find_map(find_offset),
    }
}

fn retry_after(headers: &HeaderMap, error: &Value) -> Option<Duration> {
    let header = headers.get(header::RETRY_AFTER).and_then(|wait| wait.to_str().ok());
    let header = header.and_then(|wait| wait.trim().parse().ok());
    let seconds = header.or_else(|| error.get("retry_after")?.as_u64())?;
    Some(Duration::from_secs(seconds))
}

/// Somebody else's version is there.
pub(crate) fn foreign(doing: &str) -> Error {
    Error::new(Kind::Changed, format!("{doing}: another version is there"))
        .code(codes::FOREIGN_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_found_however_they_are_nested() {
        let cases = [
            (
                json!({".tag":"path","path":{".tag":"conflict","conflict":{".tag":"file"}}}),
                "path/conflict/file",
            ),
            (
                json!({".tag":"path","reason":{".tag":"conflict","conflict":{".tag":"file"}},
                    "upload_session_id":"x"}),
                "path/conflict/file",
            ),
            (json!({"reason":{".tag":"too_many_requests"},"retry_after":3}), "too_many_requests"),
            (
                json!({".tag":"lookup_failed","lookup_failed":{".tag":"incorrect_offset",
                    "correct_offset":7}}),
                "lookup_failed/incorrect_offset",
            ),
            (
                json!({".tag":"lookup_failed","lookup_failed":"not_found"}),
                "lookup_failed/not_found",
            ),
            (json!("other"), "other"),
            (json!({".tag":"\u{1b}[31mred/"}), "31mred"),
            (json!(null), ""),
        ];
        for (error, expected) in cases {
            assert_eq!(tags(&error), expected, "{error}");
        }
    }

    #[test]
    fn offsets_are_found_wherever_they_stand() {
        let outer = json!({".tag":"incorrect_offset","correct_offset":4_194_304});
        let inner = json!({".tag":"lookup_failed","lookup_failed":outer});
        assert_eq!(Trouble::of_entry(&inner, "x").correct_offset, Some(4_194_304));
    }
}
