//! What comes back: told from pages for people before anything is parsed, and read within limits.

use http::{Response, header};
use safelight_core::error::Error;
use safelight_core::http::HttpBody;
use serde_json::Value;

use crate::pace::Slot;
use crate::trouble::{Content, Trouble, content};

/// Longest JSON that is read: 200 nodes of about 4 KB each.
pub(crate) const JSON_LIMIT: usize = 16 * 1024 * 1024;
/// Longest answer that tells of a failure.
const FAILURE_LIMIT: usize = 256 * 1024;

/// An answer, and the right to have it under way.
pub(crate) type Answer = (Response<HttpBody>, Slot);

/// The answer, if it is one of success: no page for people, and a redirect only where one may be.
pub(crate) async fn judged(
    answer: Response<HttpBody>,
    may_redirect: bool,
    doing: &str,
) -> Result<Response<HttpBody>, Trouble> {
    let status = answer.status();
    if status.is_success() && content(answer.headers()) == Content::Page && !named_file(&answer) {
        return Err(Trouble::page(status, doing));
    }
    if status.is_success() || (may_redirect && status.is_redirection() && leads(&answer)) {
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    // A failure that is not told to its end is one all the same.
    let body = body.collect(FAILURE_LIMIT).await.unwrap_or_default();
    Err(Trouble::of_answer(head.status, &head.headers, &body, doing))
}

/// Whether a redirect leads anywhere but to a page that asks to sign in; those stand below `/ap/`.
fn leads(answer: &Response<HttpBody>) -> bool {
    let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    to.is_some_and(|to| !to.contains("/ap/"))
}

/// Whether the answer is a file to be kept, whatever its content.
fn named_file(answer: &Response<HttpBody>) -> bool {
    let kept = answer.headers().get(header::CONTENT_DISPOSITION);
    kept.is_some_and(|kept| kept.as_bytes().starts_with(b"attachment"))
}

pub(crate) async fn read_json((answer, _slot): Answer, doing: &str) -> Result<Value, Trouble> {
    let (head, body) = answer.into_parts();
    if content(&head.headers) != Content::Json {
        return Err(Trouble::nonsense(head.status, doing));
    }
    let body = body.collect(JSON_LIMIT).await.map_err(|error| at(&error, doing))?;
    serde_json::from_slice(&body).map_err(|_| Trouble::nonsense(head.status, doing))
}

/// The same error, told of what was being done.
pub(crate) fn at(error: &Error, doing: &str) -> Trouble {
    let told = Error::new(error.kind(), format!("{doing}: {error}"))
        .retry(error.retry_advice())
        .scope(error.reach())
        .code(error.id());
    told.into()
}
