//! The table of statuses and tags: what each means for the item, the destination, and another try.

use std::time::Duration;

use safelight_core::error::{Error, Kind, Retry, Scope};

/// The error for a status and the tags that came with it.
pub(crate) fn classify(status: u16, tags: &str, context: String, wait: Option<Duration>) -> Error {
    let has = |tag: &str| tags.split('/').any(|one| one == tag);
    let busy = has("too_many_write_operations");
    match status {
        // A bug of ours or an argument that Dropbox does not know: it would fail again.
        400 | 404 | 405 => Error::new(Kind::Protocol, context).retry(Retry::Never),
        401 => Error::new(Kind::SignIn, context),
        403 => {
            Error::new(Kind::Denied, context).retry(Retry::NeedsPerson).scope(Scope::Destination)
        }
        409 => by_tags(&has, busy, context),
        413 => Error::new(Kind::TooLarge, context),
        // The namespace of `path_root` is not this user's.
        422 => Error::new(Kind::Absent, context),
        429 if busy => {
            by_tags(&has, busy, context).retry(Retry::After(wait.unwrap_or(Duration::from_secs(1))))
        }
        429 => match wait {
            Some(wait) => Error::new(Kind::RateLimited, context).retry(Retry::After(wait)),
            None => Error::new(Kind::RateLimited, context),
        },
        500..=599 => match wait {
            Some(wait) => Error::new(Kind::Unavailable, context).retry(Retry::After(wait)),
            None => Error::new(Kind::Unavailable, context),
        },
        // A sign-in page of a network, a proxy in between.
        300..=399 => {
            Error::new(Kind::Protocol, context).retry(Retry::NeedsPerson).scope(Scope::Destination)
        }
        _ => Error::new(Kind::Protocol, context),
    }
}

fn by_tags(has: &dyn Fn(&str) -> bool, busy: bool, context: String) -> Error {
    let any = |tags: &[&str]| tags.iter().any(|tag| has(tag));
    if busy {
        // Another write holds the lock of the account: only this call waits.
        return Error::new(Kind::RateLimited, context).scope(Scope::Item);
    }
    if any(&["locked", "internal_error"]) {
        return Error::new(Kind::Unavailable, context).scope(Scope::Item);
    }
    if any(&["reset"]) {
        return Error::new(Kind::Changed, context).retry(Retry::Now);
    }
    if any(&["email_not_verified", "email_unverified"]) {
        return Error::new(Kind::Denied, context)
            .retry(Retry::NeedsPerson)
            .scope(Scope::Destination);
    }
    let kind = if any(&["insufficient_space", "insufficient_quota"]) {
        Kind::NoRoom
    } else if any(&["conflict"]) {
        Kind::Exists
    } else if any(&["malformed_path", "disallowed_name"]) {
        Kind::Name
    } else if any(&["not_found", "not_file", "not_folder"]) {
        Kind::NotFound
    } else if any(&[
        "restricted_content",
        "unsupported_file",
        "unsupported_content_type",
        "encryption_not_supported",
        "is_paper_file",
    ]) {
        Kind::Refused
    } else if any(&[
        "no_write_permission",
        "no_permission",
        "access_restricted",
        "operation_suppressed",
        "team_folder",
        "cant_move_shared_folder",
        "cant_copy_shared_folder",
        "cant_nest_shared_folder",
        "cant_transfer_ownership",
        "cant_move_into_vault",
        "cant_move_into_family",
    ]) {
        Kind::Denied
    } else if any(&["payload_too_large", "too_large"]) {
        Kind::TooLarge
    } else if any(&["too_many_files"]) {
        Kind::Unsupported
    } else if any(&[
        "content_hash_mismatch",
        "length_mismatch",
        "incorrect_offset",
        "concurrent_session_missing_data",
        "concurrent_session_invalid_offset",
        "concurrent_session_invalid_data_size",
    ]) {
        Kind::Corrupt
    } else {
        Kind::Protocol
    };
    Error::new(kind, context)
}
