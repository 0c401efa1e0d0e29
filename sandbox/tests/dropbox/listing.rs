//! Listings, their pages, and what has changed since.

use http::Request;
use serde_json::{Value, json};

use crate::service::{Reply, Service, displays};

async fn list(service: &Service, argument: Value) -> Value {
    service.rpc("files/list_folder", argument).await.ok()
}

async fn go_on(service: &Service, page: &Value) -> Reply {
    service.rpc("files/list_folder/continue", json!({"cursor": page["cursor"]})).await
}

async fn filled() -> Service {
    let service = Service::start().await;
    for path in ["/A/1.jpg", "/A/2.jpg", "/A/B/3.jpg", "/A!/4.jpg", "/5.jpg"] {
        service.put(path, path.rsplit('/').next().unwrap_or_default().to_owned().leak()).await;
    }
    service
}

#[tokio::test]
async fn a_listing_shows_one_folder_or_everything_below() {
    let service = filled().await;
    let flat = list(&service, json!({"path": "/a"})).await;
    assert_eq!(displays(&flat), ["/A/1.jpg", "/A/2.jpg", "/A/B folder"]);
    let deep = list(&service, json!({"path": "/a", "recursive": true})).await;
    let expected = ["/A folder", "/A/1.jpg", "/A/2.jpg", "/A/B folder", "/A/B/3.jpg"];
    assert_eq!(displays(&deep), expected);
    let root = list(&service, json!({"path": ""})).await;
    assert_eq!(displays(&root), ["/5.jpg", "/A folder", "/A! folder"]);
    let by_id = list(&service, json!({"path": root["entries"][1]["id"]})).await;
    assert_eq!(displays(&by_id), displays(&flat));
}

#[tokio::test]
async fn what_cannot_be_listed() {
    let service = filled().await;
    let list = async |argument| service.rpc("files/list_folder", argument).await;
    list(json!({"path": "/"})).await.bad("empty string");
    list(json!({"path": "/none"})).await.refused("path/not_found");
    list(json!({"path": "/5.jpg"})).await.refused("path/not_folder");
    list(json!({"path": "", "limit": 0})).await.bad("limit");
    list(json!({"path": "", "limit": 2001})).await.bad("limit");
    let cursor = json!({"cursor": "nonsense"});
    service.rpc("files/list_folder/continue", cursor).await.bad("cursor");
}

#[tokio::test]
async fn pages_come_one_after_the_other_and_may_be_empty() {
    let service = filled().await;
    let cases: [(bool, usize, &[usize]); 3] =
        [(false, 2000, &[3, 3, 2]), (false, 5, &[3, 3, 2]), (true, 2, &[2, 0, 2, 0, 2, 0, 2])];
    for (empty, longest, sizes) in cases {
        let change = |behaviour: &mut safelight_sandbox::dropbox::Behaviour| {
            behaviour.empty_pages = empty;
            behaviour.longest_page = longest;
        };
        service.sandbox.behave(change).await.unwrap();
        let mut page = list(&service, json!({"path": "", "recursive": true, "limit": 3})).await;
        let (mut seen, mut all) = (Vec::new(), Vec::new());
        loop {
            seen.push(page["entries"].as_array().unwrap().len());
            all.extend(displays(&page));
            if page["has_more"] == false {
                break;
            }
            page = go_on(&service, &page).await.ok();
        }
        assert_eq!(seen, sizes);
        assert_eq!(all.len(), 8);
    }
}

#[tokio::test]
async fn a_cursor_tells_what_has_changed_since() {
    let service = filled().await;
    let mut page = list(&service, json!({"path": "", "recursive": true})).await;
    let mut news = async |service: &Service| {
        page = go_on(service, &page).await.ok();
        displays(&page)
    };
    assert!(news(&service).await.is_empty());
    service.put("/C/6.jpg", "6").await;
    service.put("/5.jpg", "other").await;
    assert_eq!(news(&service).await, ["/C folder", "/C/6.jpg", "/5.jpg"]);
    service.rpc("files/delete_v2", json!({"path": "/A"})).await.ok();
    assert_eq!(news(&service).await, ["/A deleted"]);
    service.put("/A/7.jpg", "7").await;
    assert_eq!(news(&service).await, ["/A folder", "/A/7.jpg"]);
    service.put("/A/7.jpg", "7").await;
    assert!(news(&service).await.is_empty());
}

#[tokio::test]
async fn a_folder_that_was_replaced_loses_what_it_had() {
    let service = filled().await;
    let page = list(&service, json!({"path": "", "recursive": true})).await;
    service.rpc("files/delete_v2", json!({"path": "/A"})).await.ok();
    service.put("/a/7.jpg", "7").await;
    let news = displays(&go_on(&service, &page).await.ok());
    let expected =
        ["/a/1.jpg deleted", "/a/2.jpg deleted", "/a/B deleted", "/a folder", "/a/7.jpg"];
    assert_eq!(news, expected);
}

#[tokio::test]
async fn changes_come_in_pages_too() {
    let service = Service::start().await;
    let page = list(&service, json!({"path": "", "limit": 2})).await;
    for path in ["/1", "/2", "/3"] {
        service.put(path, "x").await;
    }
    let first = go_on(&service, &page).await.ok();
    assert_eq!(
        (displays(&first), &first["has_more"]),
        (vec!["/1".into(), "/2".into()], &json!(true))
    );
    let second = go_on(&service, &first).await.ok();
    assert_eq!((displays(&second), &second["has_more"]), (vec!["/3".into()], &json!(false)));
}

#[tokio::test]
async fn changes_during_a_listing_are_not_lost() {
    let service = filled().await;
    let first = list(&service, json!({"path": "", "recursive": true, "limit": 4})).await;
    service.rpc("files/delete_v2", json!({"path": "/5.jpg"})).await.ok();
    service.put("/A/1.jpg", "changed").await;
    let second = go_on(&service, &first).await.ok();
    assert_eq!(second["has_more"], false);
    let third = go_on(&service, &second).await.ok();
    assert_eq!(displays(&third), ["/5.jpg deleted", "/A/1.jpg"]);
}

#[tokio::test]
async fn what_is_deleted_is_listed_when_asked_for() {
    let service = filled().await;
    service.rpc("files/delete_v2", json!({"path": "/5.jpg"})).await.ok();
    let with = list(&service, json!({"path": "", "include_deleted": true})).await;
    assert_eq!(displays(&with), ["/5.jpg deleted", "/A folder", "/A! folder"]);
}

#[tokio::test]
async fn cursors_can_be_reset_and_their_folder_can_vanish() {
    let service = filled().await;
    let page = list(&service, json!({"path": "/A"})).await;
    service.rpc("files/delete_v2", json!({"path": "/A"})).await.ok();
    go_on(&service, &page).await.refused("path/not_found");
    let page = list(&service, json!({"path": ""})).await;
    service.sandbox.reset_cursors();
    go_on(&service, &page).await.refused("reset");
    let page = list(&service, json!({"path": ""})).await;
    go_on(&service, &page).await.ok();
}

#[tokio::test]
async fn the_latest_cursor_skips_what_is_there() {
    let service = filled().await;
    let argument = json!({"path": "", "recursive": true});
    let latest = service.rpc("files/list_folder/get_latest_cursor", argument).await.ok();
    service.put("/new", "x").await;
    assert_eq!(displays(&go_on(&service, &latest).await.ok()), ["/new"]);
}

#[tokio::test]
async fn parents_may_come_in_another_case() {
    let service = filled().await;
    service.sandbox.behave(|behaviour| behaviour.parents_in_other_case = true).await.unwrap();
    let deep = list(&service, json!({"path": "/A/b", "recursive": true})).await;
    assert_eq!(displays(&deep), ["/a/B folder", "/a/b/3.jpg"]);
}

fn longpoll(service: &Service) -> http::request::Builder {
    let url = format!("{}/2/files/list_folder/longpoll", service.sandbox.url());
    Request::post(url).header("Content-Type", "application/json")
}

#[tokio::test]
async fn a_longpoll_waits_for_news_without_signing_in() {
    let service = filled().await;
    let page = list(&service, json!({"path": "", "recursive": true})).await;
    let argument = json!({"cursor": page["cursor"], "timeout": 30});
    let signed = longpoll(&service).header("Authorization", "Bearer x");
    service.send(signed, argument.to_string()).await.bad("authentication");
    let short = json!({"cursor": page["cursor"], "timeout": 5}).to_string();
    service.send(longpoll(&service), short).await.bad("timeout");
    let waiting = service.send(longpoll(&service), argument.to_string());
    let (told, _) = tokio::join!(waiting, service.put("/new", "x"));
    assert_eq!(told.ok(), json!({"changes": true}));
    service.sandbox.behave(|behaviour| behaviour.backoff = Some(60)).await.unwrap();
    let at_once = service.send(longpoll(&service), argument.to_string()).await;
    assert_eq!(at_once.ok(), json!({"changes": true, "backoff": 60}));
    service.sandbox.reset_cursors();
    service.send(longpoll(&service), argument.to_string()).await.refused("reset");
}
