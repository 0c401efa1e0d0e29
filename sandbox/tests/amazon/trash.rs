//! The trash.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Reply, Web, photo};

async fn trash(web: &Web, op: &str, ids: &[&str], resolution: &str) -> Reply {
    let body = json!({
        "op": op, "value": ids, "recurse": "true", "filters": "",
        "conflictResolution": resolution, "resourceVersion": "V2", "ContentType": "JSON",
    });
    web.patch("trash", body).await
}

async fn purge(web: &Web, ids: &[&str], recurse: &str) -> Reply {
    web.post("bulk/nodes/purge", json!({"nodeIds": ids, "recurse": recurse})).await
}

async fn status(web: &Web, id: &str) -> Value {
    web.get(&format!("nodes/{id}")).await.json()["status"].clone()
}

#[tokio::test]
async fn what_is_trashed_is_listed_there_and_can_come_back() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    let done = trash(&web, "add", &[&id], "RENAME").await;
    assert_eq!((done.status, done.bytes.len()), (200, 0));
    assert_eq!(status(&web, &id).await, "TRASH");
    assert!(!web.plain("a.jpg").exists());
    let filter = "kind:(FILE* OR FOLDER*) AND status:(TRASH*)";
    assert_eq!(web.list("trash", filter, "").await.ids(), [id.as_str()]);
    assert_eq!(web.list("nodes", "name:a.jpg", "").await.count(), 0);
    assert_eq!(web.list("nodes", "name:a.jpg AND status:TRASH", "").await.count(), 1);
    assert_eq!(trash(&web, "remove", &[&id], "").await.status, 200);
    assert_eq!(status(&web, &id).await, "AVAILABLE");
    assert_eq!(std::fs::read(web.plain("a.jpg")).unwrap(), photo("a"));
}

#[tokio::test]
async fn a_name_that_was_taken_meanwhile_is_a_conflict_or_changes() {
    let web = Web::start().await;
    let root = web.root().await;
    let first = web.upload(&root, "a.jpg", &photo("1"), "").await.id();
    trash(&web, "add", &[&first], "").await;
    let second = web.upload(&root, "A.jpg", &photo("2"), "").await.id();
    let taken = trash(&web, "remove", &[&first], "").await;
    assert_eq!((taken.status, &taken.json()["info"]["nodeId"]), (409, &json!(second)));
    assert_eq!(trash(&web, "remove", &[&first], "RENAME").await.status, 200);
    let told = web.get(&format!("nodes/{first}")).await.json();
    assert_eq!(told["name"], "a (1).jpg");
}

#[tokio::test]
async fn folders_go_and_come_with_everything_in_them() {
    let web = Web::start().await;
    let root = web.root().await;
    let outer = web.make_folder(&root, "outer").await.id();
    let inner = web.make_folder(&outer, "inner").await.id();
    let file = web.upload(&inner, "a.jpg", &photo("a"), "").await.id();
    trash(&web, "add", &[&outer], "").await;
    assert_eq!(
        (status(&web, &inner).await, status(&web, &file).await),
        (json!("TRASH"), json!("TRASH"))
    );
    assert!(!web.plain("outer").exists());
    let into = web.upload(&inner, "b.jpg", &photo("b"), "").await.json();
    assert_eq!(into["errorCode"], "ParentNodeInTrash");
    let orphan = trash(&web, "remove", &[&file], "").await;
    assert_eq!(orphan.json()["code"], "PARENT_NODE_IN_TRASH");
    trash(&web, "remove", &[&outer], "").await;
    assert_eq!(status(&web, &file).await, "AVAILABLE");
    assert!(web.plain("outer/inner/a.jpg").is_file());
    trash(&web, "add", &[&outer], "").await;
    assert_eq!(purge(&web, &[&outer], "false").await.status, 400);
    assert_eq!(purge(&web, &[&outer], "true").await.status, 200);
    assert_eq!(web.get(&format!("nodes/{file}")).await.status, 404);
    assert_eq!(web.get("trash").await.count(), 0);
}

#[tokio::test]
async fn only_what_is_in_the_trash_is_purged_and_at_most_fifty_at_once() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    assert_eq!(purge(&web, &[&id], "false").await.status, 400);
    let many = vec![id.as_str(); 51];
    assert_eq!(trash(&web, "add", &many, "").await.status, 400);
    assert_eq!(status(&web, &id).await, "AVAILABLE");
    assert_eq!(trash(&web, "add", &many[..50], "").await.status, 200);
    assert_eq!(purge(&web, &many, "false").await.status, 400);
    assert_eq!(purge(&web, &[&id], "false").await.status, 200);
    assert_eq!(trash(&web, "add", &[&id], "").await.status, 404);
    assert_eq!(trash(&web, "add", &[&root], "").await.status, 400);
    assert_eq!(web.upload(&root, "a.jpg", &photo("a"), "").await.status, 201);
}

#[tokio::test]
async fn after_thirty_days_the_trash_is_emptied() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    trash(&web, "add", &[&id], "").await;
    web.clock.skip(Duration::from_hours(30 * 24 - 1));
    assert_eq!(status(&web, &id).await, "TRASH");
    web.clock.skip(Duration::from_hours(1));
    assert_eq!(web.get(&format!("nodes/{id}")).await.status, 404);
    assert!(!web.folder.path().join("trash").join(&id).exists());
}
