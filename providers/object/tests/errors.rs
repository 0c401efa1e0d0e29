//! What scripted answers turn into, and that no secret is ever told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{SECRET, context, key, put, scripted};
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use safelight_core::entry::Scope;
use safelight_core::error::{Error, Kind, Retry, Scope as Reach};
use safelight_core::provider::{Proof, Provider};
use safelight_core::registry::Factory;
use safelight_core::time::{Clock, SystemClock, Timestamp};
use safelight_object::S3Factory;
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A clock on which every wait is over at once.
#[derive(Debug, Default)]
struct Impatient(Mutex<Duration>);

impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        Timestamp::default().plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        // Deadlines are a minute and more; only pauses are shorter.
        if span >= Duration::from_mins(1) {
            return futures::future::pending().boxed();
        }
        *self.0.lock().unwrap() += span;
        futures::future::ready(()).boxed()
    }
}

async fn answering(answer: ResponseTemplate) -> (MockServer, Arc<dyn Provider>) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let provider = scripted(&server.uri(), context(Arc::new(SystemClock::start()))).await;
    (server, provider)
}

fn xml(status: u16, code: &str) -> ResponseTemplate {
    let body = format!("<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>");
    ResponseTemplate::new(status).set_body_raw(body, "application/xml")
}

async fn puts(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.method == "PUT").count()
}

fn keeps_quiet(error: &Error) {
    let told = format!("{error} {error:?}");
    assert!(!told.contains(SECRET) && !told.contains("AKIDEXAMPLE"), "{told}");
    assert!(!told.contains("Authorization") && !told.contains("X-Amz"), "{told}");
}

#[tokio::test]
async fn every_answer_to_a_put_has_its_meaning() {
    use Reach::{Destination, Item};
    use Retry::{BackOff, NeedsPerson, Never, Now};
    let empty = ResponseTemplate::new;
    let cases = [
        (empty(401), Kind::SignIn, NeedsPerson, Destination),
        (xml(403, "AccessDenied"), Kind::Denied, Never, Item),
        (xml(403, "SignatureDoesNotMatch"), Kind::SignIn, NeedsPerson, Destination),
        (xml(404, "NoSuchBucket"), Kind::Absent, NeedsPerson, Destination),
        (xml(409, "ConditionalRequestConflict"), Kind::Unavailable, BackOff, Item),
        (xml(412, "PreconditionFailed"), Kind::Exists, Never, Item),
        (xml(400, "BadDigest"), Kind::Corrupt, Now, Item),
        (xml(400, "EntityTooLarge"), Kind::TooLarge, Never, Item),
        (empty(429), Kind::RateLimited, BackOff, Destination),
        (empty(500), Kind::Unavailable, BackOff, Destination),
        (xml(503, "SlowDown"), Kind::RateLimited, BackOff, Destination),
        (empty(507), Kind::NoRoom, NeedsPerson, Destination),
        (empty(302), Kind::Protocol, NeedsPerson, Destination),
    ];
    for (answer, kind, retry, reach) in cases {
        let (server, provider) = answering(answer.clone()).await;
        let error = put(&*provider, "a.jpg", b"picture").await.unwrap_err();
        let found = (error.kind(), error.retry_advice(), error.reach());
        assert_eq!(found, (kind, retry, reach), "{error}");
        assert_eq!(puts(&server).await, 1, "nothing is retried here");
        keeps_quiet(&error);
    }
}

#[tokio::test]
async fn a_check_costs_little_and_says_what_is_wrong() {
    let garbage = ResponseTemplate::new(200).set_body_string("<html>sign in, please</html>");
    let cases = [
        // The look at the marker brings no error document, so the listing is asked too.
        (ResponseTemplate::new(401), Kind::SignIn, "auth/expired", 2),
        (xml(403, "AccessDenied"), Kind::SignIn, "auth/expired", 2),
        (xml(400, "ExpiredToken"), Kind::SignIn, "auth/expired", 2),
        (xml(404, "NoSuchBucket"), Kind::Absent, "destination/no-such-bucket", 2),
        (ResponseTemplate::new(500), Kind::Unavailable, "destination/unavailable", 1),
        (ResponseTemplate::new(429), Kind::RateLimited, "destination/rate-limited", 1),
        (garbage, Kind::Protocol, "destination/bad-answer", 2),
        (ResponseTemplate::new(200), Kind::Protocol, "destination/bad-answer", 2),
    ];
    for (answer, kind, code, requests) in cases {
        let (server, provider) = answering(answer).await;
        let error = provider.check().await.unwrap_err();
        assert_eq!((error.kind(), error.id().0, error.reach()), (kind, code, Reach::Destination));
        assert_eq!(server.received_requests().await.unwrap().len(), requests);
        keeps_quiet(&error);
    }
}

#[tokio::test]
async fn retry_after_is_told_and_holds_everybody_back() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "7");
    Mock::given(method("PUT")).respond_with(busy).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let clock = Arc::new(Impatient::default());
    let provider = scripted(&server.uri(), context(clock.clone())).await;
    let error = put(&*provider, "a.jpg", b"picture").await.unwrap_err();
    assert_eq!(error.retry_advice(), Retry::After(Duration::from_secs(7)));
    assert_eq!((error.kind(), error.reach()), (Kind::Unavailable, Reach::Destination));
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert_eq!(provider.stat(&key("b.jpg")).await.unwrap(), None);
    assert_eq!(clock.elapsed(), Duration::from_secs(7));
}

#[tokio::test]
async fn a_long_pause_is_told_instead_of_waited_for() {
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "3600");
    let (server, provider) = answering(busy).await;
    for _ in 0..2 {
        let error = put(&*provider, "a.jpg", b"picture").await.unwrap_err();
        assert_eq!(error.kind(), Kind::RateLimited);
        let Retry::After(span) = error.retry_advice() else { panic!("{error}") };
        assert!(span > Duration::from_mins(50) && span <= Duration::from_hours(1));
    }
    assert_eq!(puts(&server).await, 1);
}

#[tokio::test]
async fn a_checksum_that_differs_is_no_copy() {
    let server = MockServer::start().await;
    let wrong = ResponseTemplate::new(200)
        .insert_header("etag", "\"abc\"")
        .insert_header("x-amz-checksum-crc32c", "AAAAAA==");
    Mock::given(method("PUT")).respond_with(wrong).mount(&server).await;
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    let provider = scripted(&server.uri(), context(Arc::new(SystemClock::start()))).await;
    let error = put(&*provider, "a.jpg", b"picture").await.unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (Kind::Corrupt, Retry::Now));
}

#[tokio::test]
async fn an_etag_that_is_no_digest_proves_only_the_size() {
    let server = MockServer::start().await;
    let stored = ResponseTemplate::new(200).insert_header("etag", "\"abc\"");
    Mock::given(method("PUT")).respond_with(stored.clone()).mount(&server).await;
    let found = stored.set_body_bytes(&b"picture"[..]);
    Mock::given(method("HEAD")).respond_with(found).mount(&server).await;
    let settings = common::scripted_settings(&server.uri()).with_text("checksum", "none");
    let context = context(Arc::new(SystemClock::start()));
    let provider = S3Factory.open(settings, context).await.unwrap();
    let receipt = put(&*provider, "a.jpg", b"picture").await.unwrap();
    assert_eq!(receipt.proof, Proof::SizeOnly);
}

#[tokio::test]
async fn a_listing_that_goes_in_circles_ends() {
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>again</NextContinuationToken></ListBucketResult>";
    let (server, provider) =
        answering(ResponseTemplate::new(200).set_body_raw(page, "application/xml")).await;
    let listed = provider.list(Scope::default()).try_collect::<Vec<_>>().await;
    assert_eq!(listed.unwrap_err().kind(), Kind::Protocol);
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_listing_of_absurd_names_ends_without_panic() {
    for length in [5_000, 70_000] {
        let page = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>{}</Key><Size>1</Size>\
            <LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>",
            "x".repeat(length)
        );
        let (_server, provider) =
            answering(ResponseTemplate::new(200).set_body_raw(page, "application/xml")).await;
        let listed = provider.list(Scope::default()).try_collect::<Vec<_>>().await;
        assert_eq!(listed.unwrap_err().kind(), Kind::Protocol);
    }
}

#[tokio::test]
async fn a_broken_connection_is_unavailable_and_keeps_quiet() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let provider = scripted(&url, context(Arc::new(SystemClock::start()))).await;
    for error in [
        put(&*provider, "a.jpg", b"picture").await.unwrap_err(),
        provider.check().await.unwrap_err(),
        provider.stat(&key("a.jpg")).await.unwrap_err(),
        provider.read(&key("a.jpg"), None, None).await.err().unwrap(),
        provider.list(Scope::default()).try_collect::<Vec<_>>().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.reach()), (Kind::Unavailable, Reach::Destination));
        keeps_quiet(&error);
    }
}
