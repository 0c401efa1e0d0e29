//! The S3 stand-in, asked by hand-written requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::time::SystemClock;
use safelight_http::ReqwestTransport;
use safelight_sandbox::{Fault, Rule, S3Sandbox};

async fn status(url: &str) -> Option<StatusCode> {
    let transport = ReqwestTransport::new(Arc::new(SystemClock::start())).unwrap();
    let request = Request::get(url).body(HttpBody::empty()).unwrap();
    Some(transport.send(request).await.ok()?.status())
}

#[tokio::test]
async fn it_serves_on_loopback_only_whoever_has_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    assert!(sandbox.endpoint().starts_with("http://127.0.0.1:"));
    assert!(folder.path().join("photos").is_dir());
    let url = format!("{}/photos/?list-type=2", sandbox.endpoint());
    assert_eq!(status(&url).await, Some(StatusCode::FORBIDDEN));
    assert_eq!(sandbox.traffic().count(&Method::GET), 1);
    assert!(!format!("{sandbox:?}").contains(sandbox.secret_access_key().expose()));
}

#[tokio::test]
async fn faults_come_where_they_were_asked_for_and_then_stop() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    let busy = Fault::Status { status: 503, retry_after: Some(7), body: "" };
    sandbox.traffic().inject(Rule::next(busy).after(1).times(2).method(Method::GET));
    sandbox.traffic().inject(Rule::next(Fault::Reset).containing("lost"));
    let url = sandbox.endpoint();
    let busy = Some(StatusCode::SERVICE_UNAVAILABLE);
    let usual = Some(StatusCode::FORBIDDEN);
    assert_eq!(status(&url).await, usual);
    assert_eq!((status(&url).await, status(&url).await), (busy, busy));
    assert_eq!(status(&format!("{url}/photos/lost")).await, None);
    assert_eq!(status(&format!("{url}/photos/lost")).await, usual);
    assert_eq!(sandbox.traffic().total(), 5);
    sandbox.traffic().forget();
    assert_eq!(sandbox.traffic().total(), 0);
}

#[tokio::test]
async fn it_ends_when_told_and_when_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let first = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    let url = first.endpoint();
    assert!(status(&url).await.is_some());
    first.stop().await;
    assert_eq!(status(&url).await, None);
    let second = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    let url = second.endpoint();
    drop(second);
    // The port closes as soon as the runtime gets round to dropping the task.
    tokio::task::yield_now().await;
    assert_eq!(status(&url).await, None);
}

#[tokio::test]
async fn a_bucket_cannot_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    for bad in ["", "..", "a/b", "../a", "A b"] {
        assert!(S3Sandbox::start(folder.path(), bad).await.is_err(), "{bad:?}");
    }
}
