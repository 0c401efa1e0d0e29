//! What killed runs left is cleared away, and nothing else.
//!
//! The S3 server of the other tests (s3s-fs 0.14.1) does not list unfinished uploads: it answers 501. So S3 is
//! scripted here, after the description of ListMultipartUploads and AbortMultipartUpload that Amazon publishes;
//! that the requests are signed rightly is tested beside the code, against that server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use common::{context, put};
use futures::FutureExt;
use futures::future::{BoxFuture, pending, ready};
use safelight_core::provider::Provider;
use safelight_core::registry::Factory;
use safelight_core::time::{Clock, SystemClock, Timestamp};
use safelight_object::S3Factory;
use safelight_sandbox::{Fault, Rule, S3Sandbox};
use safelight_testkit::clock::SimClock;
use wiremock::matchers::{method, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Noon of 2024-07-01 on the test's clock; what was begun before the 28th of June is old.
const OLD: &str = "2024-06-28T11:59:00.000Z";
const YOUNG: &str = "2024-06-28T12:01:00.000Z";
const AHEAD: &str = "2031-01-01T00:00:00.000Z";

fn upload(path: &str, id: &str, initiated: &str) -> String {
    format!(
        "<Upload><Key>{path}</Key><UploadId>{id}</UploadId><StorageClass>STANDARD</StorageClass>\
         <Initiated>{initiated}</Initiated></Upload>"
    )
}

fn page(uploads: &[String], next: Option<(&str, &str)>) -> ResponseTemplate {
    let (path, id) = next.unwrap_or_default();
    let (goes_on, uploads) = (next.is_some(), uploads.concat());
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Bucket>photos</Bucket><NextKeyMarker>{path}</NextKeyMarker>\
         <NextUploadIdMarker>{id}</NextUploadIdMarker><IsTruncated>{goes_on}</IsTruncated>{uploads}\
         </ListMultipartUploadsResult>"
    );
    ResponseTemplate::new(200).set_body_raw(body, "application/xml")
}

/// A server that stores whatever it is sent, below which `list` answers for unfinished uploads.
async fn server(list: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(query_param("uploads", ""))
        .and(query_param_is_missing("key-marker"))
        .respond_with(list)
        .mount(&server)
        .await;
    let vouching = |request: &wiremock::Request| {
        let checksum = request.headers["x-amz-checksum-crc32c"].clone();
        ResponseTemplate::new(200).insert_header("x-amz-checksum-crc32c", checksum)
    };
    Mock::given(method("PUT")).respond_with(vouching).mount(&server).await;
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(204))
        .with_priority(9)
        .mount(&server)
        .await;
    server
}

/// Below the root `lib`, on the test's clock.
async fn opened(server: &MockServer) -> Arc<dyn Provider> {
    let settings = common::scripted_settings(&server.uri()).with_text("root", "lib");
    S3Factory.open(settings, context(Arc::new(SimClock::start()))).await.unwrap()
}

async fn lines(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let line = |request: &wiremock::Request| {
        let url = &request.url;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{} {}{query}", request.method, url.path())
    };
    requests.iter().map(line).collect()
}

#[tokio::test]
async fn only_old_uploads_below_our_root_are_aborted() {
    let found = [
        upload("lib/2024/a &amp; b+c.mov", "old/1", OLD),
        upload("lib/young.mov", "young", YOUNG),
        upload("lib/ahead.mov", "ahead", AHEAD),
        upload("lib/dateless.mov", "dateless", "lately"),
        upload("library/theirs.mov", "theirs", OLD),
        upload("outside.mov", "outside", OLD),
    ];
    let server = server(page(&found, None)).await;
    let provider = opened(&server).await;
    put(&*provider, "a.jpg", b"picture").await.unwrap();
    let expected = [
        "GET /photos?uploads&prefix=lib/",
        "DELETE /photos/lib/2024/a%20%26%20b%2Bc.mov?uploadId=old/1",
        "PUT /photos/lib/a.jpg",
    ];
    assert_eq!(lines(&server).await, expected);
}

#[tokio::test]
async fn it_is_done_once_and_not_before_something_is_stored() {
    let server = server(page(&[], None)).await;
    let provider = opened(&server).await;
    let _ = provider.check().await;
    assert!(lines(&server).await.iter().all(|line| !line.contains("uploads")));
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        put(&*provider, name, b"picture").await.unwrap();
    }
    let lines = lines(&server).await;
    assert_eq!(lines.iter().filter(|line| line.contains("?uploads")).count(), 1, "{lines:?}");
}

#[tokio::test]
async fn all_pages_are_looked_at() {
    let first = [upload("lib/a.mov", "one", OLD)];
    let server = server(page(&first, Some(("lib/a.mov", "one")))).await;
    // This page says that it goes on after itself, which would never end.
    let second = page(&[upload("lib/b.mov", "two", OLD)], Some(("lib/a.mov", "one")));
    Mock::given(method("GET"))
        .and(query_param("key-marker", "lib/a.mov"))
        .and(query_param("upload-id-marker", "one"))
        .respond_with(second)
        .expect(1)
        .mount(&server)
        .await;
    put(&*opened(&server).await, "a.jpg", b"picture").await.unwrap();
    let lines = lines(&server).await;
    let aborted: Vec<_> = lines.iter().filter(|line| line.starts_with("DELETE")).collect();
    assert_eq!(
        aborted,
        ["DELETE /photos/lib/a.mov?uploadId=one", "DELETE /photos/lib/b.mov?uploadId=two"]
    );
}

#[tokio::test]
async fn a_server_that_refuses_harms_nothing() {
    let xml = |status, code| {
        let body = format!("<Error><Code>{code}</Code></Error>");
        ResponseTemplate::new(status).set_body_raw(body, "application/xml")
    };
    let refusals = [
        xml(501, "NotImplemented"),
        xml(405, "MethodNotAllowed"),
        xml(403, "AccessDenied"),
        xml(503, "SlowDown").insert_header("retry-after", "3600"),
        ResponseTemplate::new(200).set_body_string("<html>sign in, please"),
        ResponseTemplate::new(200),
    ];
    for refusal in refusals {
        let server = server(refusal).await;
        put(&*opened(&server).await, "a.jpg", b"picture").await.unwrap();
        assert_eq!(lines(&server).await.len(), 2);
    }
}

#[tokio::test]
async fn an_upload_that_may_not_be_aborted_ends_the_try() {
    let found = [upload("lib/a.mov", "one", OLD), upload("lib/b.mov", "two", OLD)];
    let server = server(page(&found, None)).await;
    let denied = ResponseTemplate::new(403);
    Mock::given(method("DELETE")).respond_with(denied).with_priority(1).mount(&server).await;
    put(&*opened(&server).await, "a.jpg", b"picture").await.unwrap();
    let lines = lines(&server).await;
    assert_eq!(lines.iter().filter(|line| line.starts_with("DELETE")).count(), 1, "{lines:?}");
}

/// A clock on which the first wait is over at once, and no other ever.
#[derive(Debug, Default)]
struct FirstWaitIsOver(AtomicBool);

impl Clock for FirstWaitIsOver {
    fn now(&self) -> Timestamp {
        SimClock::NOON
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        let first = !self.0.swap(true, Ordering::Relaxed);
        if first { ready(()).boxed() } else { pending().boxed() }
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    sandbox.traffic().inject(Rule::next(Fault::Stall).containing("uploads"));
    let clock = Arc::new(FirstWaitIsOver::default());
    let provider = S3Factory.open(common::s3_settings(&sandbox), context(clock)).await.unwrap();
    put(&*provider, "a.jpg", b"picture").await.unwrap();
}

#[tokio::test]
async fn old_temporary_objects_of_a_webdav_folder_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = common::dav(folder.path()).await;
    let staging = folder.path().join("backup/lib/.safelight/tmp");
    std::fs::create_dir_all(&staging).unwrap();
    let days = |days: u64| SystemTime::now() - Duration::from_hours(24 * days);
    let (old, young) = ("0123456789abcdef01234567", "76543210fedcba9876543210");
    for (name, age) in [(old, 4), (young, 2), ("keep me.jpg", 400)] {
        let file = File::create(staging.join(name)).unwrap();
        file.set_modified(days(age)).unwrap();
    }
    let clock = Arc::new(SystemClock::start());
    let provider = common::webdav(&server.url(), context(clock)).await;
    provider.check().await.unwrap();
    assert!(staging.join(old).exists(), "looking changes nothing");
    put(&*provider, "a.jpg", b"picture").await.unwrap();
    let mut left: Vec<_> =
        std::fs::read_dir(&staging).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [young, "keep me.jpg"]);
    File::create(staging.join(old)).unwrap().set_modified(days(4)).unwrap();
    put(&*provider, "b.jpg", b"picture").await.unwrap();
    assert!(staging.join(old).exists(), "once is enough");
}

#[tokio::test]
async fn a_webdav_folder_that_cannot_be_listed_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (server, traffic) = common::dav(folder.path()).await;
    let refuse = Fault::status(403);
    let propfind = http::Method::from_bytes(b"PROPFIND").unwrap();
    traffic.inject(Rule::next(refuse).method(propfind).containing("/tmp/"));
    let provider = common::webdav(&server.url(), context(Arc::new(SystemClock::start()))).await;
    put(&*provider, "a.jpg", b"picture").await.unwrap();
}
