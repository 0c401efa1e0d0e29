//! What scripted answers turn into, and that no secret is ever told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::{Quick, SECRET, key, put, read, scripted};
use safelight_core::entry::Scope;
use safelight_core::error::{Error, Kind, Retry, Scope as Reach};
use safelight_core::provider::Provider;
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn answering(answer: ResponseTemplate) -> (MockServer, Arc<dyn Provider>) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let provider = scripted(&server.uri(), Quick::start(1000)).await;
    (server, provider)
}

fn refusal(status: u16, error: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("x-dropbox-request-id", "abc123")
        .set_body_json(json!({"error_summary": format!("{SECRET}/.."), "error": error}))
}

fn keeps_quiet(error: &Error) {
    let told = format!("{error} {error:?}");
    assert!(!told.contains("canary") && !told.contains("Bearer"), "{told}");
}

#[tokio::test]
async fn every_status_has_its_meaning() {
    use Reach::{Destination, Item};
    use Retry::{After, BackOff, NeedsPerson, Never};
    let empty = ResponseTemplate::new;
    let nine = Duration::from_secs(9);
    let auth = |tag: &str| refusal(401, &json!({".tag": tag}));
    let scope = json!({".tag": "missing_scope", "required_scope": "files.content.write"});
    let team = json!({".tag": "invalid_account_type", "invalid_account_type": {".tag": "feature"}});
    let busy = json!({"reason": {".tag": "too_many_write_operations"}});
    let many = json!({"reason": {".tag": "too_many_requests"}, "retry_after": 9});
    let cases = [
        (empty(302), Kind::Protocol, NeedsPerson, Destination),
        (empty(400).set_body_string(SECRET), Kind::Protocol, Never, Item),
        (auth("expired_access_token"), Kind::SignIn, NeedsPerson, Destination),
        (auth("invalid_access_token"), Kind::SignIn, NeedsPerson, Destination),
        (auth("user_suspended"), Kind::SignIn, NeedsPerson, Destination),
        (refusal(401, &scope), Kind::SignIn, NeedsPerson, Destination),
        (refusal(403, &team), Kind::Denied, NeedsPerson, Destination),
        (empty(404), Kind::Protocol, Never, Item),
        (refusal(422, &json!({".tag": "invalid_root"})), Kind::Absent, NeedsPerson, Destination),
        (empty(429), Kind::RateLimited, BackOff, Destination),
        (empty(429).insert_header("retry-after", "9"), Kind::RateLimited, After(nine), Destination),
        (refusal(429, &many), Kind::RateLimited, After(nine), Destination),
        (refusal(429, &busy), Kind::RateLimited, After(Duration::from_secs(1)), Item),
        (empty(500).set_body_string("<html>"), Kind::Unavailable, BackOff, Destination),
        (empty(503).insert_header("retry-after", "9"), Kind::Unavailable, After(nine), Destination),
        (empty(200).set_body_string("<html>"), Kind::Protocol, BackOff, Item),
    ];
    for (answer, kind, retry, reach) in cases {
        let (_server, provider) = answering(answer).await;
        let error = provider.stat(&key("a.jpg")).await.unwrap_err();
        let found = (error.kind(), error.retry_advice(), error.reach());
        assert_eq!(found, (kind, retry, reach), "{error}");
        keeps_quiet(&error);
    }
}

#[tokio::test]
async fn what_a_person_needs_to_know_is_told() {
    let scope = json!({".tag": "missing_scope", "required_scope": "files.content.write"});
    let (_server, provider) = answering(refusal(401, &scope)).await;
    let error = provider.stat(&key("a.jpg")).await.unwrap_err();
    assert!(error.context().contains("files.content.write"), "{error}");
    assert!(error.context().contains("(request abc123)"), "{error}");
    let body = json!({
        "error": {".tag": "invalid_account_type"},
        "user_message": {"text": "No more calls\u{1b}[31m until the 1st", "locale": "en"},
    });
    let (_server, provider) = answering(ResponseTemplate::new(403).set_body_json(body)).await;
    let error = provider.stat(&key("a.jpg")).await.unwrap_err();
    assert!(error.context().contains("No more calls\\u{1b}[31m until"), "{error}");
}

#[tokio::test]
async fn a_sign_in_that_has_ended_is_not_tried_again() {
    let ended = refusal(401, &json!({".tag": "invalid_access_token"}));
    let (server, provider) = answering(ended).await;
    for _ in 0..5 {
        let error = provider.stat(&key("a.jpg")).await.unwrap_err();
        assert_eq!((error.kind(), error.id().0), (Kind::SignIn, "auth/expired"));
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

async fn committing(failure: Value) -> (MockServer, Arc<dyn Provider>) {
    let server = MockServer::start().await;
    let session = ResponseTemplate::new(200).set_body_json(json!({"session_id": "s1"}));
    let start = Mock::given(path("/2/files/upload_session/start")).respond_with(session);
    start.mount(&server).await;
    let entries = json!({"entries": [{".tag": "failure", "failure": failure}]});
    let finish = Mock::given(path("/2/files/upload_session/finish_batch_v2"));
    let answer = ResponseTemplate::new(200).set_body_json(entries);
    finish.respond_with(answer).mount(&server).await;
    let gone = refusal(409, &json!({".tag": "path", "path": {".tag": "not_found"}}));
    Mock::given(path("/2/files/get_metadata")).respond_with(gone).mount(&server).await;
    let provider = scripted(&server.uri(), Quick::start(1000)).await;
    (server, provider)
}

#[tokio::test]
async fn every_failure_of_a_commit_has_its_meaning() {
    use Reach::{Destination, Item};
    use Retry::{BackOff, NeedsPerson, Never, Now};
    let at = |why: Value| json!({".tag": "path", "path": why});
    let lost = |why: &str| json!({".tag": "lookup_failed", "lookup_failed": {".tag": why}});
    let conflict = |what: &str| at(json!({".tag": "conflict", "conflict": {".tag": what}}));
    let simple = |why: &str| at(json!({".tag": why}));
    let cases = [
        (conflict("file"), Kind::Exists, Never, Item),
        (conflict("folder"), Kind::Exists, Never, Item),
        (conflict("file_ancestor"), Kind::Exists, Never, Item),
        (simple("insufficient_space"), Kind::NoRoom, NeedsPerson, Destination),
        (simple("disallowed_name"), Kind::Name, Never, Item),
        (simple("malformed_path"), Kind::Name, Never, Item),
        (simple("no_write_permission"), Kind::Denied, Never, Item),
        (simple("operation_suppressed"), Kind::Denied, Never, Item),
        (simple("access_restricted"), Kind::Denied, Never, Item),
        (lost("not_found"), Kind::Unavailable, Now, Item),
        (lost("incorrect_offset"), Kind::Corrupt, Now, Item),
        (json!({".tag": "content_hash_mismatch"}), Kind::Corrupt, Now, Item),
        (json!({".tag": "encryption_not_supported"}), Kind::Refused, Never, Item),
        (json!({".tag": "concurrent_session_missing_data"}), Kind::Corrupt, Now, Item),
        // These are tried again inside, and often enough.
        (json!({".tag": "too_many_write_operations"}), Kind::RateLimited, Never, Item),
        (json!({".tag": "a_tag_of_2030"}), Kind::Protocol, Never, Item),
    ];
    for (failure, kind, retry, reach) in cases {
        let (_server, provider) = committing(failure.clone()).await;
        let error = put(&*provider, "a.jpg", &Bytes::from_static(b"x")).await.unwrap_err();
        let found = (error.kind(), error.retry_advice(), error.reach());
        assert_eq!(found, (kind, retry, reach), "{failure}: {error}");
        assert_ne!(retry, BackOff);
        keeps_quiet(&error);
    }
}

#[tokio::test]
async fn every_failure_of_a_read_has_its_meaning() {
    let cases = [
        (json!({".tag": "path", "path": {".tag": "not_found"}}), Kind::NotFound),
        (json!({".tag": "path", "path": {".tag": "not_file"}}), Kind::NotFound),
        (json!({".tag": "path", "path": {".tag": "restricted_content"}}), Kind::Refused),
        (json!({".tag": "unsupported_file"}), Kind::Refused),
    ];
    for (error, kind) in cases {
        let (_server, provider) = answering(refusal(409, &error)).await;
        let told = read(&*provider, "a.jpg").await.unwrap_err();
        assert_eq!((told.kind(), told.reach()), (kind, Reach::Item), "{error}");
    }
}

#[tokio::test]
async fn a_listing_that_fails_is_no_listing() {
    let (server, provider) = answering(ResponseTemplate::new(500)).await;
    let error = common::list(&*provider, Scope::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let limits: Vec<_> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["limit"].clone())
        .collect();
    assert_eq!(limits, [2000, 1000, 500, 250, 125]);
}
