//! Uploads by both routes.

use http::Request;
use serde_json::json;

use crate::support::{Web, md5, photo, photo_taken, video};

/// The status and the code of an upload with this query, header and body.
async fn attempt(web: &Web, query: &str, md5: Option<&str>, body: &[u8]) -> (u16, String) {
    let url = format!("{}/v2/upload?{query}", web.sandbox.content_url());
    let mut request = Request::post(url);
    if let Some(md5) = md5 {
        request = request.header("x-amzn-file-md5", md5);
    }
    let reply = web.send(request, body.to_vec()).await;
    let code = reply.json()["errorCode"].as_str().unwrap_or("").to_owned();
    (reply.status, code)
}

#[tokio::test]
async fn an_upload_is_answered_with_its_node_and_is_a_plain_file() {
    let web = Web::start().await;
    let pictures = web.list("nodes", "name:Pictures", "").await.ids().remove(0);
    let bytes = photo_taken("2019:09:06 16:30:09", "x");
    let reply = web.upload(&pictures, "IMG 1.JPG", &bytes, "&isFavorite=true").await;
    let told = reply.json();
    assert_eq!(
        (reply.status, &told["kind"], &told["status"]),
        (201, &json!("FILE"), &json!("AVAILABLE"))
    );
    let content = &told["contentProperties"];
    assert_eq!(content["md5"], md5(&bytes));
    assert_eq!(content["size"], bytes.len());
    assert_eq!(
        (&content["contentType"], &content["extension"]),
        (&json!("image/jpeg"), &json!("jpg"))
    );
    assert_eq!(content["contentDate"], "2019-09-06T16:30:09.000Z");
    assert_ne!(content["contentSignatures"][0]["contentSignature"], content["md5"]);
    assert_eq!(told["createdDate"], told["modifiedDate"]);
    assert!(told["createdDate"].as_str().unwrap().starts_with("2024-07-01T12:00:"));
    assert_eq!((&told["parents"], &told["properties"]), (&json!([pictures]), &json!({})));
    assert_eq!(told["settings"]["favorite"], true);
    assert_eq!(std::fs::read(web.plain("Pictures/IMG 1.JPG")).unwrap(), bytes);
    let counters = web.sandbox.counters();
    assert_eq!((counters.content, counters.stored), (1, 1));
    assert_eq!(counters.bytes_uploaded, bytes.len() as u64);
}

#[tokio::test]
async fn the_current_route_checks_what_it_is_told() {
    let web = Web::start().await;
    let root = web.root().await;
    let body = photo("a");
    let sum = md5(&body);
    let good = format!("name=a.jpg&fileSize=5&parentNodeId={root}");
    let parent = |id: &str| format!("name=a.jpg&fileSize=5&parentNodeId={id}");
    let other = web.upload(&root, "other.jpg", &photo("other"), "").await.id();
    let with = |more: &str| format!("{good}{more}");
    let sum = Some(sum.as_str());
    for (query, md5, body, code) in [
        ("fileSize=5".to_owned(), sum, &body[..], "MissingContentName"),
        ("name=a.jpg".to_owned(), sum, &body, "MissingFileSize"),
        ("name=a.jpg&fileSize=many".to_owned(), sum, &body, "InvalidFileSize"),
        (good.clone(), None, &body, "MissingFileMd5"),
        (good.clone(), Some("ABCDEF"), &body, "InvalidContentMd5Error"),
        (good.clone(), Some("d41d8cd98f00b204e9800998ecf8427e"), &body, "Md5MismatchError"),
        (good.clone(), sum, b"", "MissingFileContent"),
        (good.clone(), sum, &body[..4], "FileSizeSmallerThanExpected"),
        (good.clone(), sum, b"\xff\xd8\xff\xe0ab", "FileSizeLargerThanExpected"),
        (with("&contentDate=2019-09-06T16:30:09%2B02:00"), sum, &body, "DateTimeNotInUTC"),
        (with("&contentDate=yesterday"), sum, &body, "InvalidDateTimeFormat"),
        (parent("AAAAAAAAAAAAAAAAAAAAAA"), sum, &body, "ParentNodeIdNotFound"),
        (parent(&other), sum, &body, "InvalidParent"),
    ] {
        assert_eq!(attempt(&web, &query, md5, body).await, (400, code.to_owned()), "{query}");
    }
    web.sandbox.behave(|behaviour| behaviour.largest_file = Some(4));
    assert_eq!(attempt(&web, &good, sum, &body).await.1, "FileSizeTooLarge");
    web.sandbox.behave(|behaviour| behaviour.largest_file = None);
    // Nothing of all that left anything behind.
    assert_eq!(web.sandbox.counters().stored, 1);
    let incoming = web.folder.path().join(".state/incoming");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
    assert_eq!(attempt(&web, &good, sum, &body).await.0, 201);
}

#[tokio::test]
async fn equal_bytes_anywhere_in_the_account_are_a_conflict_that_names_them() {
    let web = Web::start().await;
    let root = web.root().await;
    let first = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    let folder = web.make_folder(&root, "2024").await.id();
    for more in ["", "&conflictResolution=RENAME", "&suppress=DEDUPLICATION"] {
        let second = web.upload(&folder, "b.jpg", &photo("a"), more).await;
        let told = second.json();
        assert_eq!((second.status, &told["errorCode"]), (409, &json!("DuplicatesConflictError")));
        assert_eq!(told["errorDetails"]["conflictNodeIds"], json!([first]));
    }
    let older = web.upload_older(&folder, "b.jpg", &photo("a")).await;
    assert_eq!((older.status, &older.json()["code"]), (409, &json!("MD5_DUPLICATE")));
    assert_eq!(older.json()["info"]["nodeId"], first);
    web.patch("trash", json!({"op": "add", "value": [first]})).await;
    assert_eq!(web.upload(&folder, "b.jpg", &photo("a"), "").await.status, 409);
    web.sandbox.behave(|behaviour| {
        behaviour.trash_counts_as_duplicate = false;
        behaviour.may_suppress_deduplication = true;
    });
    assert_eq!(web.upload(&folder, "b.jpg", &photo("a"), "").await.status, 201);
    let more = "&suppress=DEDUPLICATION";
    assert_eq!(web.upload(&folder, "c.jpg", &photo("a"), more).await.status, 201);
}

#[tokio::test]
async fn empty_files_are_never_equal() {
    let web = Web::start().await;
    let root = web.root().await;
    assert_eq!(web.upload(&root, "a", b"", "").await.status, 201);
    assert_eq!(web.upload(&root, "b", b"", "").await.status, 201);
}

#[tokio::test]
async fn of_racing_uploads_of_equal_bytes_one_wins() {
    let web = Web::start().await;
    let root = web.root().await;
    let names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"];
    let bytes = photo("same");
    let sent = names.iter().map(|name| web.upload(&root, name, &bytes, ""));
    let mut statuses: Vec<_> =
        futures::future::join_all(sent).await.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_or_gets_a_number() {
    let web = Web::start().await;
    let root = web.root().await;
    let first = web.upload(&root, "a.jpg", &photo("1"), "").await.id();
    let taken = web.upload(&root, "A.JPG", &photo("2"), "").await;
    assert_eq!((taken.status, &taken.json()["errorCode"]), (409, &json!("NameAlreadyExists")));
    assert_eq!(taken.json()["errorDetails"]["conflictNodeIds"], json!([first]));
    let other = web.upload(&root, "A.JPG", &photo("2"), "&conflictResolution=RENAME").await;
    assert_eq!((other.status, &other.json()["name"]), (201, &json!("A (1).JPG")));
    let older = web.upload_older(&root, "a.jpg", &photo("3")).await;
    assert_eq!((older.status, &older.json()["info"]["nodeId"]), (409, &json!(first)));
}

#[tokio::test]
async fn the_older_route_takes_whatever_comes() {
    let web = Web::start().await;
    let root = web.root().await;
    let made = web.upload_older(&root, "a.jpg", &photo("a")).await;
    assert_eq!((made.status, &made.json()["contentProperties"]["size"]), (201, &json!(5)));
    let url = format!("{}/cdproxy/nodes?name=b.jpg&kind=FILE", web.sandbox.content_url());
    let rootless = web.send(Request::post(url), photo("b")).await.json();
    assert_eq!(rootless["parents"], json!([root]));
    let missing = web.upload_older("AAAAAAAAAAAAAAAAAAAAAA", "c.jpg", &photo("c")).await;
    assert_eq!(missing.json()["code"], "PARENT_NODE_ID_NOT_FOUND");
}

#[tokio::test]
async fn content_can_be_replaced() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("1"), "").await.id();
    let url = format!("{}/v2/upload/{id}?fileSize=6", web.sandbox.content_url());
    let request = Request::put(url).header("x-amzn-file-md5", md5(&photo("22")));
    let told = web.send(request, photo("22")).await.json();
    assert_eq!((&told["id"], &told["contentProperties"]["version"]), (&json!(id), &json!(2)));
    assert_eq!(std::fs::read(web.plain("a.jpg")).unwrap(), photo("22"));
    assert_eq!(web.upload(&root, "b.jpg", &photo("1"), "").await.status, 201);
    assert_eq!(web.upload(&root, "c.jpg", &photo("22"), "").await.status, 409);
}

#[tokio::test]
async fn dates_that_the_bytes_do_not_say_can_be_told() {
    let web = Web::start().await;
    let root = web.root().await;
    let date = |reply: crate::support::Reply| {
        reply.json()["contentProperties"]["contentDate"].as_str().map(str::to_owned)
    };
    assert_eq!(date(web.upload(&root, "a.jpg", &photo("a"), "").await), None);
    let fallback = "&fallbackContentDate=2001-02-03T04:05:06.000Z";
    let bytes = photo_taken("2019:09:06 16:30:09", "");
    let found = date(web.upload(&root, "b.jpg", &bytes, fallback).await);
    assert_eq!(found.as_deref(), Some("2019-09-06T16:30:09.000Z"));
    let found = date(web.upload(&root, "c.mov", &video(99, 1), fallback).await);
    assert_eq!(found.as_deref(), Some("2001-02-03T04:05:06.000Z"));
}
