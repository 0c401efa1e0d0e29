//! What a failure means, told from status, content type and code, never from the words of a message.
//!
//! Invariant: of what the service wrote only its code is repeated, and that made harmless.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Retry};
use serde_json::Value;

use crate::meaning::{DUPLICATE, NO_PARENT, TAKEN, classify, plain};
use crate::node::is_id;

/// A call that failed.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What it means.
    pub(crate) error: Error,
    /// The status, if an answer came.
    pub(crate) status: Option<u16>,
    /// The code, as [`plain`] writes it.
    code: String,
    /// The node that is in the way.
    pub(crate) node: Option<String>,
    /// For how long the service wants to be left alone.
    pub(crate) wait: Option<Duration>,
    /// It was no JSON that said so.
    wordless: bool,
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        trouble.error
    }
}

/// For a failure on our own side, before or without an answer.
impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let code = String::new();
        Self { error, status: None, code, node: None, wait: None, wordless: true }
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
        let json = (content(headers) == Content::Json)
            .then(|| serde_json::from_slice::<Value>(body).ok())
            .flatten();
        let told = json.as_ref().unwrap_or(&Value::Null);
        let text = |field: &str| told.get(field).and_then(Value::as_str);
        let code = text("errorCode").or_else(|| text("code")).map(plain).unwrap_or_default();
        let node = told
            .get("info")
            .and_then(|info| info.get("nodeId"))
            .or_else(|| told.get("errorDetails")?.get("conflictNodeIds")?.get(0))
            .and_then(Value::as_str);
        let node = node.filter(|id| is_id(id)).map(str::to_owned);
        let mut context = format!("{doing}: Amazon Photos answered {}", status.as_u16());
        if !code.is_empty() {
            context = format!("{context} {code}");
        }
        let wait = retry_after(headers);
        Self {
            error: classify(status.as_u16(), &code, context, wait),
            status: Some(status.as_u16()),
            code,
            node,
            wait,
            wordless: json.is_none(),
        }
    }

    /// An answer of success whose content is a page for people.
    pub(crate) fn page(status: StatusCode, doing: &str) -> Self {
        let context = format!("{doing}: a page that asks to sign in came instead of an answer");
        let error = Error::new(Kind::SignIn, context);
        Self { status: Some(status.as_u16()), ..Self::from(error) }
    }

    /// An answer of success that makes no sense.
    pub(crate) fn nonsense(status: StatusCode, doing: &str) -> Self {
        let context = format!("{doing}: an answer that makes no sense");
        let error = Error::new(Kind::Protocol, context);
        Self { status: Some(status.as_u16()), ..Self::from(error) }
    }

    /// The same content stands somewhere in the account already.
    pub(crate) fn duplicate(&self) -> bool {
        DUPLICATE.contains(&self.code.as_str())
    }

    /// The name is taken.
    pub(crate) fn taken(&self) -> bool {
        TAKEN.contains(&self.code.as_str())
    }

    /// The folder is not there any more.
    pub(crate) fn no_parent(&self) -> bool {
        NO_PARENT.contains(&self.code.as_str())
    }

    /// Whether the service may have done what was asked although it did not say so.
    pub(crate) fn unknown(&self) -> bool {
        let passing =
            matches!(self.error.kind(), Kind::Unavailable | Kind::Timeout | Kind::Protocol);
        let told = self.status.is_some_and(|status| (300..500).contains(&status));
        // What was refused without a code (`Cannot complete upload`) is as good as not answered.
        passing && !self.no_parent() && (!told || self.code.is_empty())
    }

    /// Whether the same call may well succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self.error.retry_advice(), Retry::Never | Retry::NeedsPerson)
    }

    /// Whether the service asked to slow down.
    pub(crate) fn refused(&self) -> bool {
        matches!(self.status, Some(429 | 503)) || self.error.kind() == Kind::RateLimited
    }

    /// Whether the route is not known there.
    pub(crate) fn unknown_route(&self) -> bool {
        self.wordless && matches!(self.status, Some(404 | 405 | 501))
    }
}

/// What an answer says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// JSON, or nothing is said.
    Json,
    /// A page for people.
    Page,
    /// Anything else.
    Other,
}

/// Asked before anything is parsed.
pub(crate) fn content(headers: &HeaderMap) -> Content {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Content::Json };
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    if kind.contains("json") {
        Content::Json
    } else if kind.contains("html") {
        Content::Page
    } else {
        Content::Other
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let wait = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(wait.trim().parse().ok()?))
}

/// Somebody else's version is there.
pub(crate) fn foreign(doing: &str) -> Error {
    Error::new(Kind::Changed, format!("{doing}: another version is there"))
        .code(codes::FOREIGN_VERSION)
}

/// Nothing is there.
pub(crate) fn missing(doing: &str) -> Error {
    Error::new(Kind::NotFound, format!("{doing}: nothing is there"))
}
