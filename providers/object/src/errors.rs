//! What a failure means, told from status and error code, never from the words of a message.
//!
//! Invariant: nothing of what OpenDAL says about an error is repeated. Its messages carry addresses, headers
//! and whatever the service wrote.

use std::time::Duration;

use http::StatusCode;
use opendal::ErrorKind;
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Retry, Scope};

use crate::call::{Call, Failure};

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The service's own word for it, `NoSuchBucket`.
    pub(crate) code: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

/// The error for an operation of ours that OpenDAL ended with `error`. `doing` says what was tried.
pub(crate) fn translate(call: &Call, error: &opendal::Error, doing: &str) -> Error {
    match call.failure() {
        Some(Failure::Refused(refusal)) => classify(&refusal, doing),
        Some(Failure::Broken(cause)) => again(&cause, doing),
        None => unspoken(error.kind(), doing),
    }
}

/// The same error, told of another thing.
pub(crate) fn again(cause: &Error, doing: &str) -> Error {
    Error::new(cause.kind(), format!("{doing}: {cause}"))
        .retry(cause.retry_advice())
        .scope(cause.reach())
        .code(cause.id())
}

/// What an answer means.
pub(crate) fn classify(refusal: &Refusal, doing: &str) -> Error {
    let code = refusal.code.as_deref().unwrap_or_default();
    let status = refusal.status.as_u16();
    let context = if code.is_empty() {
        format!("{doing}: the service answered {status}")
    } else {
        format!("{doing}: the service answered {status} {code}")
    };
    let kind = by_code(code).unwrap_or_else(|| by_status(status));
    let mut error = Error::new(kind, context);
    if code == "NoSuchBucket" || code == "ContainerNotFound" {
        error = error.code(codes::NOT_FOUND_CONTAINER);
    }
    match (kind, status) {
        // Wrong region, wrong endpoint, a sign-in page: a person must correct the config.
        (Kind::Protocol, 300..=399) => {
            error = error.retry(Retry::NeedsPerson).scope(Scope::Destination);
        }
        // Two writers met, or the object is locked: only this item waits.
        (Kind::Unavailable, 409 | 423) => error = error.scope(Scope::Item),
        _ => {}
    }
    match refusal.retry_after {
        Some(span) if matches!(kind, Kind::RateLimited | Kind::Unavailable) => {
            error.retry(Retry::After(span)).scope(Scope::Destination)
        }
        _ => error,
    }
}

fn by_code(code: &str) -> Option<Kind> {
    Some(match code {
        "NoSuchBucket" | "ContainerNotFound" => Kind::Absent,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "RequestTimeTooSkewed"
        | "NotSignedUp"
        | "AccountProblem"
        | "InvalidSecurity"
        | "AuthenticationFailed" => Kind::SignIn,
        "AccessDenied" | "AllAccessDisabled" | "InvalidObjectState" => Kind::Denied,
        "SlowDown" | "TooManyRequests" | "RequestLimitExceeded" | "Throttling" | "ServerBusy" => {
            Kind::RateLimited
        }
        "BadDigest"
        | "InvalidDigest"
        | "XAmzContentChecksumMismatch"
        | "IncompleteBody"
        | "XAmzContentSHA256Mismatch" => Kind::Corrupt,
        "RequestTimeout" => Kind::Timeout,
        "EntityTooLarge" => Kind::TooLarge,
        "KeyTooLongError" => Kind::Name,
        "QuotaExceeded" | "XMinioStorageFull" | "StorageQuotaExceeded" => Kind::NoRoom,
        "AuthorizationHeaderMalformed" | "PermanentRedirect" => Kind::Protocol,
        _ => return None,
    })
}

fn by_status(status: u16) -> Kind {
    match status {
        401 => Kind::SignIn,
        403 => Kind::Denied,
        404 | 410 => Kind::NotFound,
        405 | 501 => Kind::Unsupported,
        408 => Kind::Timeout,
        304 | 412 => Kind::Changed,
        413 => Kind::TooLarge,
        414 => Kind::Name,
        429 => Kind::RateLimited,
        507 => Kind::NoRoom,
        // The first two: somebody else works on the same object.
        409 | 423 | 500..=599 => Kind::Unavailable,
        _ => Kind::Protocol,
    }
}

/// OpenDAL found fault although every answer was a success: a failure told inside of one, or an answer that
/// it could not read.
fn unspoken(kind: ErrorKind, doing: &str) -> Error {
    let (kind, what) = match kind {
        ErrorKind::NotFound => (Kind::NotFound, "not found"),
        ErrorKind::PermissionDenied => (Kind::Denied, "denied"),
        ErrorKind::AlreadyExists => (Kind::Exists, "something is there"),
        ErrorKind::ConditionNotMatch => (Kind::Changed, "another version is there"),
        ErrorKind::RateLimited => (Kind::RateLimited, "too many requests"),
        ErrorKind::Conflict => (Kind::Unavailable, "another writer is busy there"),
        ErrorKind::Unsupported => (Kind::Unsupported, "the service has no such operation"),
        ErrorKind::ConfigInvalid => (Kind::Internal, "a setting is wrong"),
        _ => (Kind::Protocol, "the answer makes no sense"),
    };
    Error::new(kind, format!("{doing}: {what}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn status_and_code_tell_kind_retry_and_scope() {
        use Retry::{After, BackOff, NeedsPerson, Never, Now};
        use Scope::{Destination, Item};
        let nine = Duration::from_secs(9);
        let cases = [
            (301, "PermanentRedirect", None, Kind::Protocol, NeedsPerson, Destination),
            (307, "", None, Kind::Protocol, NeedsPerson, Destination),
            (400, "", None, Kind::Protocol, BackOff, Item),
            (400, "BadDigest", None, Kind::Corrupt, Now, Item),
            (400, "ExpiredToken", None, Kind::SignIn, NeedsPerson, Destination),
            (400, "EntityTooLarge", None, Kind::TooLarge, Never, Item),
            (400, "KeyTooLongError", None, Kind::Name, Never, Item),
            (400, "RequestTimeout", None, Kind::Timeout, BackOff, Item),
            (401, "", None, Kind::SignIn, NeedsPerson, Destination),
            (403, "", None, Kind::Denied, Never, Item),
            (403, "AccessDenied", None, Kind::Denied, Never, Item),
            (403, "InvalidAccessKeyId", None, Kind::SignIn, NeedsPerson, Destination),
            (403, "RequestTimeTooSkewed", None, Kind::SignIn, NeedsPerson, Destination),
            (404, "NoSuchKey", None, Kind::NotFound, Never, Item),
            (404, "NoSuchBucket", None, Kind::Absent, NeedsPerson, Destination),
            (405, "", None, Kind::Unsupported, Never, Item),
            (409, "OperationAborted", None, Kind::Unavailable, BackOff, Item),
            (412, "PreconditionFailed", None, Kind::Changed, Never, Item),
            (413, "", None, Kind::TooLarge, Never, Item),
            (423, "", None, Kind::Unavailable, BackOff, Item),
            (429, "", None, Kind::RateLimited, BackOff, Destination),
            (429, "", Some(nine), Kind::RateLimited, After(nine), Destination),
            (500, "InternalError", None, Kind::Unavailable, BackOff, Destination),
            (501, "NotImplemented", None, Kind::Unsupported, Never, Item),
            (503, "SlowDown", None, Kind::RateLimited, BackOff, Destination),
            (503, "", Some(nine), Kind::Unavailable, After(nine), Destination),
            (507, "", None, Kind::NoRoom, NeedsPerson, Destination),
            (599, "", None, Kind::Unavailable, BackOff, Destination),
        ];
        for (status, code, retry_after, kind, retry, scope) in cases {
            let refusal = Refusal {
                status: StatusCode::from_u16(status).unwrap(),
                code: Some(code.to_owned()),
                retry_after,
            };
            let error = classify(&refusal, "storing a.jpg");
            let found = (error.kind(), error.retry_advice(), error.reach());
            assert_eq!(found, (kind, retry, scope), "{status} {code}");
        }
    }
}
