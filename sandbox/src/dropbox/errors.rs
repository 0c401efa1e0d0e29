//! What can go wrong, and the answer that says so.

use std::io;

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::json::{nested, summary, tag};
use crate::loopback::{Answer, whole};

/// A call that gets no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// 400 with plain text: the request itself is wrong.
    Bad(String),
    /// 400 with the JSON of OAuth.
    OAuth(&'static str, String),
    /// 401 with this error.
    SignIn(Value),
    /// 409 with the error of this route.
    Route(Value),
    /// 422 with this error.
    PathRoot(Value),
    /// 429 with this reason and these seconds to wait.
    TooMany(&'static str, u64),
    /// 500.
    Broken(String),
}

/// Why something cannot be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    Malformed,
    NotFound,
    NotFile,
    NotFolder,
    Restricted,
}

/// Why something cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Malformed,
    Disallowed,
    File,
    Folder,
    FileAncestor,
    NoSpace,
}

/// What the store says; the routes wrap it in their own words.
#[derive(Debug)]
pub(super) enum Trouble {
    Lookup(Lookup),
    Write(Refusal),
    /// An error of the operation, already in its JSON.
    Other(Value),
    /// The folder of the stand-in failed.
    Io(io::Error),
}

impl From<Lookup> for Trouble {
    fn from(lookup: Lookup) -> Self {
        Self::Lookup(lookup)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Write(refusal)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Lookup {
    fn json(self) -> Value {
        tag(match self {
            Self::Malformed => "malformed_path",
            Self::NotFound => "not_found",
            Self::NotFile => "not_file",
            Self::NotFolder => "not_folder",
            Self::Restricted => "restricted_content",
        })
    }
}

impl Refusal {
    pub(super) fn json(self) -> Value {
        match self {
            Self::Malformed => tag("malformed_path"),
            Self::Disallowed => tag("disallowed_name"),
            Self::File => nested("conflict", tag("file")),
            Self::Folder => nested("conflict", tag("folder")),
            Self::FileAncestor => nested("conflict", tag("file_ancestor")),
            Self::NoSpace => tag("insufficient_space"),
        }
    }
}

impl Trouble {
    /// In the words of a route that calls failed lookups and writes so.
    ///
    /// # Errors
    /// What is no answer of the route but of the server.
    pub(super) fn json(self, lookup: &str, write: &str) -> Result<Value, Failure> {
        match self {
            Self::Lookup(why) => Ok(nested(lookup, why.json())),
            Self::Write(why) => Ok(nested(write, why.json())),
            Self::Other(value) => Ok(value),
            Self::Io(error) => Err(error.into()),
        }
    }

    /// The same as the failure of the whole call.
    pub(super) fn failure(self, lookup: &str, write: &str) -> Failure {
        self.json(lookup, write).map_or_else(|failure| failure, Failure::Route)
    }
}

impl Failure {
    /// The answer; `salt` decides about the dots that end a summary.
    pub(super) fn answer(self, salt: u64) -> Answer {
        let dots = &"...."[..usize::try_from(salt % 4).unwrap_or(0)];
        let described = |status, error: Value| {
            let summary = summary(&error) + dots;
            reply(status, &json!({"error_summary": summary, "error": error}))
        };
        match self {
            Self::Bad(why) => text(StatusCode::BAD_REQUEST, why),
            Self::OAuth(error, why) => {
                reply(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": why}))
            }
            Self::SignIn(error) => described(StatusCode::UNAUTHORIZED, error),
            Self::Route(error) => described(StatusCode::CONFLICT, error),
            Self::PathRoot(error) => described(StatusCode::UNPROCESSABLE_ENTITY, error),
            Self::TooMany(reason, wait) => {
                let error = json!({"reason": tag(reason), "retry_after": wait});
                let summary = format!("{reason}/{dots}");
                let body = json!({"error_summary": summary, "error": error});
                let mut answer = reply(StatusCode::TOO_MANY_REQUESTS, &body);
                answer.headers_mut().insert(header::RETRY_AFTER, wait.into());
                answer
            }
            Self::Broken(why) => text(StatusCode::INTERNAL_SERVER_ERROR, why),
        }
    }
}

/// An answer of JSON.
pub(super) fn reply(status: StatusCode, body: &Value) -> Answer {
    let mut answer = text(status, body.to_string());
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

/// An answer of plain text.
pub(super) fn text(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}
