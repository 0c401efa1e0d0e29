//! The table of statuses and codes: what each means for the item, the destination, and another try.

use std::time::Duration;

use safelight_core::codes;
use safelight_core::error::{Error, Kind, Retry, Scope};

/// The same content stands somewhere in the account.
pub(crate) const DUPLICATE: &[&str] =
    &["md5duplicate", "duplicatesconflicterror", "contentsignatureduplicate"];
/// The name is taken in that folder.
pub(crate) const TAKEN: &[&str] = &["namealreadyexists"];
/// The folder is not there any more.
pub(crate) const NO_PARENT: &[&str] =
    &["parentnodeidnotfound", "parentnodeintrash", "invalidparent"];

const NO_ROOM: &[&str] = &["insufficientstorage"];
const OVER_QUOTA: &[&str] = &["noactivesubscriptionfound"];
const SIGNED_OUT: &[&str] =
    &["authenticationerror", "unauthourizedaccess", "unauthorizedaccess", "forbiddenaccess"];
const DAMAGED: &[&str] = &[
    "md5mismatcherror",
    "invalidcontentmd5error",
    "contentsignaturemismatch",
    "filesizelargerthanexpected",
    "filesizesmallerthanexpected",
    "missingfilecontent",
];

/// The error for a status and the code that came with it, the latter as [`plain`] writes it.
pub(crate) fn classify(status: u16, code: &str, context: String, wait: Option<Duration>) -> Error {
    let is = |codes: &[&str]| codes.contains(&code);
    let waiting = |error: Error| match wait {
        Some(wait) => error.retry(Retry::After(wait)),
        None => error,
    };
    // No room comes with some status of 4xx; which one is not known, so the code decides.
    if is(NO_ROOM) {
        // What counts against another pool still fits.
        return Error::new(Kind::NoRoom, context).scope(Scope::Item).code(codes::POOL_FULL);
    }
    if is(OVER_QUOTA) {
        return Error::new(Kind::NoRoom, context);
    }
    match status {
        // What leads elsewhere leads to a page that asks to sign in.
        401 | 403 | 300..=399 => Error::new(Kind::SignIn, context),
        429 => waiting(Error::new(Kind::RateLimited, context)),
        408 => Error::new(Kind::Unavailable, context),
        500..=599 => waiting(Error::new(Kind::Unavailable, context)),
        _ if is(SIGNED_OUT) => Error::new(Kind::SignIn, context),
        _ if is(DUPLICATE) || is(TAKEN) || code == "idalreadyexists" => {
            Error::new(Kind::Exists, context)
        }
        _ if is(NO_PARENT) || code == "concurrentcontentedit" => {
            Error::new(Kind::Unavailable, context).scope(Scope::Item)
        }
        _ if is(DAMAGED) => Error::new(Kind::Corrupt, context),
        _ if code == "filesizetoolarge" => Error::new(Kind::TooLarge, context),
        _ if code == "toomanyrequests" => waiting(Error::new(Kind::RateLimited, context)),
        _ if code == "familyconflict" => Error::new(Kind::Refused, context),
        413 => Error::new(Kind::TooLarge, context),
        404 => Error::new(Kind::NotFound, context),
        // `Cannot complete upload`, `Cannot read from request`: they come in waves and pass.
        400 if code.is_empty() => Error::new(Kind::Unavailable, context).scope(Scope::Item),
        400 | 405 => Error::new(Kind::Protocol, context).retry(Retry::Never),
        409 => Error::new(Kind::Refused, context),
        _ => Error::new(Kind::Protocol, context),
    }
}

/// A code as it is compared: the two routes spell the same ones differently.
pub(crate) fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).take(48);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_before_statuses_where_the_status_is_not_known() {
        for (status, code, kind, scope) in [
            (409, "InsufficientStorage", Kind::NoRoom, Scope::Item),
            (403, "INSUFFICIENT_STORAGE", Kind::NoRoom, Scope::Item),
            (400, "NoActiveSubscriptionFound", Kind::NoRoom, Scope::Destination),
            (401, "", Kind::SignIn, Scope::Destination),
            (403, "", Kind::SignIn, Scope::Destination),
            (400, "UnauthourizedAccess", Kind::SignIn, Scope::Destination),
            (302, "", Kind::SignIn, Scope::Destination),
            (409, "MD5_DUPLICATE", Kind::Exists, Scope::Item),
            (409, "NameAlreadyExists", Kind::Exists, Scope::Item),
            (400, "ParentNodeInTrash", Kind::Unavailable, Scope::Item),
            (400, "Md5MismatchError", Kind::Corrupt, Scope::Item),
            (400, "FileSizeTooLarge", Kind::TooLarge, Scope::Item),
            (404, "NODE_NOT_FOUND", Kind::NotFound, Scope::Item),
            (400, "", Kind::Unavailable, Scope::Item),
            (400, "INVALID_REQUEST", Kind::Protocol, Scope::Item),
            (503, "", Kind::Unavailable, Scope::Destination),
            (429, "", Kind::RateLimited, Scope::Destination),
        ] {
            let error = classify(status, &plain(code), String::new(), None);
            assert_eq!((error.kind(), error.reach()), (kind, scope), "{status} {code}");
        }
    }
}
