//! What became of an exchange that failed, in core's words.

use std::error::Error as StdError;

use safelight_core::error::{Error, Kind};

/// Nothing moved for too long.
pub(crate) fn silent(host: &str) -> Error {
    Error::new(Kind::Timeout, format!("{host} has gone silent"))
}

/// Maps an error of the client. Only the host and the innermost cause are told: the layers between may hold
/// addresses with secrets in them.
pub(crate) fn of(error: &reqwest::Error, host: &str) -> Error {
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        // The body that was to be sent failed by itself: that is the story, not the connection.
        if let Some(own) = inner.downcast_ref::<Error>() {
            return own.duplicate();
        }
        cause = inner;
    }
    let (kind, what) = if error.is_timeout() {
        (Kind::Timeout, "does not answer")
    } else if error.is_connect() {
        (Kind::Unavailable, "cannot be reached")
    } else if error.is_builder() {
        return Error::new(Kind::Internal, format!("a request to {host} could not be built"));
    } else {
        (Kind::Unavailable, "broke the connection off")
    };
    let failure = Error::new(kind, format!("{host} {what}"));
    // An error without a cause may print its address.
    if error.source().is_some() { failure.source(cause.to_string()) } else { failure }
}
