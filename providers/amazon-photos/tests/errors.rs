//! What scripted answers turn into, and that no secret is ever told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Quick, SECRET, key, photo, put, read, scripted};
use safelight_core::digest::{Algorithm, Algorithms, Hasher};
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::{Error, Kind, Retry, Scope as Reach};
use safelight_core::provider::Provider;
use serde_json::{Value, json};
use wiremock::matchers::{any, method, path, path_regex, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn md5_of(bytes: &[u8]) -> String {
    let digests = Hasher::of(bytes, Algorithms::default().with(Algorithm::Md5));
    hex::encode(digests.md5.unwrap())
}

async fn answering(answer: ResponseTemplate) -> (MockServer, Arc<dyn Provider>) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let provider = scripted(&server.uri(), Quick::start(1000)).await;
    (server, provider)
}

fn keeps_quiet(error: &Error) {
    let told = format!("{error} {error:?}");
    assert!(!told.contains("canary") && !told.contains("Atza"), "{told}");
}

#[tokio::test]
async fn every_status_has_its_meaning() {
    use Reach::{Destination, Item};
    use Retry::{After, BackOff, NeedsPerson, Never};
    let empty = ResponseTemplate::new;
    let html = |status: u16| {
        let body = format!("<html>{SECRET}</html>");
        empty(status).set_body_raw(body, "text/html;charset=UTF-8")
    };
    let told = |status: u16, code: &str| {
        empty(status).set_body_json(json!({"logref": "x", "message": SECRET, "code": code}))
    };
    let nobody = empty(401).set_body_json(json!({"Message": "No Auth Method Provided"}));
    let led = empty(302).insert_header("location", "https://www.amazon.com/ap/signin?x");
    let hour = Duration::from_hours(1);
    let cases = [
        (nobody, Kind::SignIn, NeedsPerson, Destination),
        (empty(403), Kind::SignIn, NeedsPerson, Destination),
        (html(403), Kind::SignIn, NeedsPerson, Destination),
        (html(200), Kind::SignIn, NeedsPerson, Destination),
        (led, Kind::SignIn, NeedsPerson, Destination),
        (told(400, "INVALID_REQUEST"), Kind::Protocol, Never, Item),
        (told(400, ""), Kind::Unavailable, BackOff, Item),
        (empty(429), Kind::RateLimited, BackOff, Destination),
        (
            empty(429).insert_header("retry-after", "3600"),
            Kind::RateLimited,
            After(hour),
            Destination,
        ),
        (html(500), Kind::Unavailable, BackOff, Destination),
        (empty(502), Kind::Unavailable, BackOff, Destination),
        (empty(200).set_body_raw("<x/>", "application/xml"), Kind::Protocol, BackOff, Item),
        (empty(200).set_body_raw("{\"data\"", "application/json"), Kind::Protocol, BackOff, Item),
        (empty(200).set_body_json(json!({"data": 3})), Kind::Protocol, BackOff, Item),
        (empty(200).set_body_json(json!({"data": []})), Kind::Protocol, BackOff, Item),
    ];
    for (answer, kind, retry, reach) in cases {
        let (_server, provider) = answering(answer).await;
        let error = provider.stat(&key("a.jpg")).await.unwrap_err();
        let found = (error.kind(), error.retry_advice(), error.reach());
        // Of a pause that is announced, some has passed already.
        let found = match found.1 {
            After(left) if left > Duration::from_mins(50) => (found.0, After(hour), found.2),
            _ => found,
        };
        assert_eq!(found, (kind, retry, reach), "{error}");
        keeps_quiet(&error);
    }
}

#[tokio::test]
async fn what_is_not_signed_in_is_asked_once() {
    let (server, provider) = answering(ResponseTemplate::new(401)).await;
    for _ in 0..3 {
        assert_eq!(provider.stat(&key("a.jpg")).await.unwrap_err().kind(), Kind::SignIn);
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

/// A service that has a root folder and nothing else.
async fn service() -> (MockServer, Arc<dyn Provider>) {
    let server = MockServer::start().await;
    let root = json!({"count": 1, "data": [{"id": "root", "kind": "FOLDER", "ownerId": "me"}]});
    Mock::given(method("GET"))
        .and(path("/nodes"))
        .and(query_param("filters", "isRoot:true"))
        .respond_with(ResponseTemplate::new(200).set_body_json(root))
        .mount(&server)
        .await;
    let provider = scripted(&server.uri(), Quick::start(1000)).await;
    (server, provider)
}

async fn on(server: &MockServer, verb: &str, pattern: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path_regex(pattern)).respond_with(answer).mount(server).await;
}

fn node(id: &str, name: &str, bytes: &[u8]) -> Value {
    json!({"id": id, "kind": "FILE", "status": "AVAILABLE", "name": name, "ownerId": "me",
        "parents": ["root"], "contentProperties": {"size": bytes.len(), "md5": md5_of(bytes)}})
}

#[tokio::test]
async fn uploads_are_refused_for_the_reason_that_the_code_gives() {
    for (status, code, kind, reach) in [
        (400, "InsufficientStorage", Kind::NoRoom, Reach::Item),
        (409, "NoActiveSubscriptionFound", Kind::NoRoom, Reach::Destination),
        (400, "FileSizeTooLarge", Kind::TooLarge, Reach::Item),
        (400, "Md5MismatchError", Kind::Corrupt, Reach::Item),
        (409, "NameAlreadyExists", Kind::Exists, Reach::Item),
        (400, "AuthenticationError", Kind::SignIn, Reach::Destination),
        (409, "FamilyConflict", Kind::Refused, Reach::Item),
    ] {
        let (server, provider) = service().await;
        let told = json!({"message": SECRET, "errorCode": code, "errorDetails": {}});
        on(&server, "POST", "/v2/upload", ResponseTemplate::new(status).set_body_json(told)).await;
        let nothing = json!({"count": 0, "data": []});
        on(&server, "GET", "/nodes", ResponseTemplate::new(200).set_body_json(nothing)).await;
        let error = put(&*provider, "a.jpg", &photo(1, 100)).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (kind, reach), "{error}");
        keeps_quiet(&error);
    }
}

#[tokio::test]
async fn other_bytes_than_were_sent_do_not_stay() {
    let (server, provider) = service().await;
    let wrong = node("N", "a.jpg", b"other");
    on(&server, "POST", "/v2/upload", ResponseTemplate::new(201).set_body_json(wrong)).await;
    on(&server, "PATCH", "/trash", ResponseTemplate::new(200)).await;
    let error = put(&*provider, "a.jpg", &photo(1, 100)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    let requests = server.received_requests().await.unwrap();
    let trashed = requests.iter().find(|request| request.url.path() == "/trash").unwrap();
    assert!(String::from_utf8_lossy(&trashed.body).contains("\"value\":[\"N\"]"));
}

#[tokio::test]
async fn a_name_that_was_given_way_to_is_taken() {
    let (server, provider) = service().await;
    let bytes = photo(1, 100);
    let renamed = node("N", "a (1).jpg", &bytes);
    on(&server, "POST", "/v2/upload", ResponseTemplate::new(201).set_body_json(renamed)).await;
    on(&server, "PATCH", "/trash", ResponseTemplate::new(200)).await;
    assert_eq!(put(&*provider, "a.jpg", &bytes).await.unwrap_err().kind(), Kind::Exists);
}

#[tokio::test]
async fn a_duplicate_is_believed_only_if_it_is_one() {
    let bytes = photo(1, 100);
    let mut foreign = node("N", "b.jpg", &bytes);
    foreign["ownerId"] = "somebody".into();
    let mut pending = node("N", "b.jpg", &bytes);
    pending.as_object_mut().unwrap().remove("contentProperties");
    let wrong = [node("N", "b.jpg", b"other"), foreign, pending];
    for (there, good) in
        wrong.into_iter().map(|node| (node, false)).chain([(node("N", "b.jpg", &bytes), true)])
    {
        let (server, provider) = service().await;
        let told = json!({"errorCode": "DuplicatesConflictError", "errorDetails": {"conflictNodeIds": ["N"]}});
        on(&server, "POST", "/v2/upload", ResponseTemplate::new(409).set_body_json(told)).await;
        on(&server, "GET", "/nodes/N", ResponseTemplate::new(200).set_body_json(there)).await;
        let done = put(&*provider, "a.jpg", &bytes).await;
        assert_eq!(done.is_ok(), good);
    }
}

#[tokio::test]
async fn links_are_followed_with_care() {
    let bytes = photo(1, 100);
    let page = || ResponseTemplate::new(200).set_body_raw("<html>sign in</html>", "text/html");
    let led = |to: &str| ResponseTemplate::new(302).insert_header("location", to);
    let (server, provider) = service().await;
    let listed = json!({"count": 1, "data": [node("N", "a.jpg", &bytes)]});
    on(&server, "GET", "/nodes$", ResponseTemplate::new(200).set_body_json(listed)).await;
    for (to, kind) in [
        ("file:///etc/passwd".to_owned(), Kind::Protocol),
        ("http://169.254.169.254/latest".to_owned(), Kind::Protocol),
        ("https://www.amazon.com/ap/signin".to_owned(), Kind::SignIn),
    ] {
        let once = Mock::given(method("GET")).and(path("/nodes/N/contentRedirection"));
        once.respond_with(led(&to)).up_to_n_times(1).mount(&server).await;
        let fresh = scripted(&server.uri(), Quick::start(1000)).await;
        let error = read(&*fresh, "a.jpg").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{to}");
        keeps_quiet(&error);
    }
    on(&server, "GET", "/nodes/N/contentRedirection", led(&format!("{}/store", server.uri())))
        .await;
    Mock::given(path("/store")).respond_with(page()).up_to_n_times(1).mount(&server).await;
    assert_eq!(read(&*provider, "a.jpg").await.unwrap_err().kind(), Kind::SignIn);
    let good = ResponseTemplate::new(200).set_body_raw(bytes.to_vec(), "image/jpeg");
    on(&server, "GET", "/store", good).await;
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), bytes);
    let requests = server.received_requests().await.unwrap();
    for request in requests.iter().filter(|request| request.url.path() == "/store") {
        for name in ["cookie", "x-amzn-sessionid", "x-amz-access-token", "authorization"] {
            assert!(!request.headers.contains_key(name), "{name}");
        }
    }
}

#[tokio::test]
async fn hostile_listings_give_no_bad_keys() {
    let (server, provider) = service().await;
    let names = ["../../etc/passwd", "..", "", "a/b", "\u{0}", "ok.jpg", "%41.jpg"];
    let mut data: Vec<_> =
        names.iter().enumerate().map(|(n, name)| node(&format!("n{n}"), name, b"x")).collect();
    data.push(json!({"id": "../x", "kind": "FILE", "parents": ["root"]}));
    data.push(json!({"id": "loop", "kind": "FOLDER", "name": "loop", "parents": ["root"]}));
    data.push(
        json!({"id": "album", "kind": "VISUAL_COLLECTION", "name": "album", "parents": ["root"]}),
    );
    let mut again = json!({"id": "root", "kind": "FOLDER", "name": "again", "parents": ["loop"]});
    again["isRoot"] = true.into();
    let listed = json!({"count": data.len(), "data": data});
    Mock::given(path("/nodes"))
        .and(query_param("filters", "parents:\"root\""))
        .respond_with(ResponseTemplate::new(200).set_body_json(listed))
        .mount(&server)
        .await;
    let inner = json!({"count": 1, "data": [again]});
    on(&server, "GET", "/nodes", ResponseTemplate::new(200).set_body_json(inner)).await;
    let listed = common::list(&*provider, Scope::default()).await.unwrap();
    let (mut files, mut passed, mut unseen) = (Vec::new(), 0, 0);
    for one in listed {
        match one {
            Listed::File(entry) => files.push(entry.key.to_string()),
            Listed::Passed { .. } => passed += 1,
            Listed::Unseen { .. } => unseen += 1,
            Listed::Mount { .. } => panic!("a mount"),
        }
    }
    assert_eq!((files, passed), (vec!["ok.jpg".to_owned()], 1));
    assert!(unseen >= 5, "{unseen}");
}
