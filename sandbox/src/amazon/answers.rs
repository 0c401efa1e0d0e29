//! Answers: JSON, the two shapes of errors, and the pages that are no JSON at all.

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::gate::TooMany;
use crate::loopback::{Answer, whole};

/// An answer that ends a call early.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Box<Answer>);

impl From<Answer> for Failure {
    fn from(answer: Answer) -> Self {
        Self(Box::new(answer))
    }
}

impl From<std::io::Error> for Failure {
    fn from(broken: std::io::Error) -> Self {
        error(500, "INTERNAL_SERVER_ERROR", &broken.to_string())
    }
}

/// JSON.
pub(super) fn reply(status: u16, body: &Value) -> Answer {
    typed(status, "application/json", body.to_string())
}

/// Anything.
pub(super) fn typed(status: u16, kind: &'static str, body: impl Into<bytes::Bytes>) -> Answer {
    let mut answer = Response::new(whole(body));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// An error of the metadata host and of the older content route.
pub(super) fn error(status: u16, code: &str, message: &str) -> Failure {
    error_with(status, code, message, &json!({}))
}

/// The same with more to say.
pub(super) fn error_with(status: u16, code: &str, message: &str, info: &Value) -> Failure {
    let body = json!({"logref": LOGREF, "message": message, "code": code, "info": info});
    reply(status, &body).into()
}

/// An error of the current content route.
pub(super) fn upload_error(status: u16, code: &str, message: &str, conflicts: &[&str]) -> Failure {
    let mut body = json!({
        "message": message, "errorCode": code, "timeStamp": "", "requestId": LOGREF, "errorDetails": {},
    });
    if !conflicts.is_empty() {
        body["errorDetails"]["conflictNodeIds"] = conflicts.into();
    }
    reply(status, &body).into()
}

/// There is no such node.
pub(super) fn no_node(id: &str) -> Failure {
    error(404, "NODE_NOT_FOUND", &format!("Node {id} not found"))
}

/// A malformed request.
pub(super) fn bad(message: &str) -> Failure {
    error(400, "INVALID_REQUEST", message)
}

/// There is no such call.
pub(super) fn unknown() -> Failure {
    typed(404, "application/xml", "<UnknownOperationException/>").into()
}

/// Too many calls.
pub(super) fn too_many(refusal: TooMany) -> Failure {
    let mut answer = reply(refusal.status, &json!({"message": "Rate exceeded"}));
    answer.headers_mut().insert(header::RETRY_AFTER, refusal.retry_after.into());
    answer.into()
}

/// The page that asks to sign in.
pub(super) fn sign_in_page() -> Answer {
    let page = "<!doctype html><html><head><title>Amazon Sign-In</title></head><body>\
                <form name=\"signIn\"></form></body></html>";
    typed(200, "text/html;charset=UTF-8", page)
}

const LOGREF: &str = "00000000-0000-4000-8000-000000000000";
const NO_METHOD: &str = "No Auth Method Provided";

/// 401 of the metadata host.
pub(super) fn no_auth_metadata() -> Answer {
    reply(401, &json!({"Message": NO_METHOD}))
}

/// 401 of the content host.
pub(super) fn no_auth_content() -> Answer {
    reply(401, &json!({"logref": LOGREF, "message": NO_METHOD, "code": ""}))
}
