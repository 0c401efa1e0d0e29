//! Deletes, new folders, bringing back.

use serde_json::{Value, json};

use crate::service::Service;

async fn batch(service: &Service, entries: Value) -> Value {
    let launched = service.rpc("files/delete_batch", json!({ "entries": entries })).await.ok();
    assert_eq!(launched[".tag"], "async_job_id");
    let poll = json!({"async_job_id": launched["async_job_id"]});
    service.rpc("files/delete_batch/check", poll).await.ok()
}

#[tokio::test]
async fn a_delete_answers_what_was_there_and_looks_at_the_rev() {
    let service = Service::start().await;
    let old = service.put("/d/a", "1").await;
    let new = service.put("/d/a", "2").await;
    let delete = async |argument| service.rpc("files/delete_v2", argument).await;
    let stale = json!({"path": "/d/a", "parent_rev": old["rev"]});
    delete(stale).await.refused("path_write/conflict/file");
    let folder = json!({"path": "/d", "parent_rev": old["rev"]});
    delete(folder).await.refused("path_lookup/not_file");
    let done = delete(json!({"path": "/D/A", "parent_rev": new["rev"]})).await.ok();
    assert_eq!(done["metadata"][".tag"], "file");
    assert_eq!(done["metadata"]["rev"], new["rev"]);
    delete(json!({"path": "/d/a"})).await.refused("path_lookup/not_found");
    delete(json!({"path": "/d"})).await.ok();
    assert!(service.paths().await.is_empty());
}

#[tokio::test]
async fn a_batch_of_deletes_is_a_job() {
    let service = Service::with(|behaviour| behaviour.checks_in_progress = 0).await;
    let old = service.put("/a", "1").await;
    service.put("/a", "2").await;
    service.put("/b/c", "3").await;
    let entries = json!([
        {"path": "/a", "parent_rev": old["rev"]}, {"path": "/b"}, {"path": "/b/c"}, {"path": "/a"},
    ]);
    let done = batch(&service, entries).await;
    assert_eq!(done[".tag"], "complete");
    let entry = |at: usize| done["entries"][at].clone();
    let conflict = json!({".tag": "conflict", "conflict": {".tag": "file"}});
    let stale = json!({".tag": "path_write", "path_write": conflict});
    assert_eq!(entry(0), json!({".tag": "failure", "failure": stale}));
    assert_eq!(entry(1)["metadata"][".tag"], "folder");
    let gone = json!({".tag": "path_lookup", "path_lookup": {".tag": "not_found"}});
    assert_eq!(entry(2)["failure"], gone);
    assert_eq!(entry(3)[".tag"], "success");
    let poll = json!({"async_job_id": "nobody"});
    service.rpc("files/delete_batch/check", poll).await.refused("invalid_async_job_id");
}

#[tokio::test]
async fn the_root_cannot_be_deleted() {
    let service = Service::start().await;
    let account = service.rpc("users/get_current_account", Value::Null).await.ok();
    let root = format!("ns:{}", account["root_info"]["home_namespace_id"].as_str().unwrap());
    for path in ["/", &root] {
        let refused = service.rpc("files/delete_v2", json!({ "path": path })).await;
        refused.refused("path_lookup/malformed_path");
    }
}

#[tokio::test]
async fn folders_are_made_once() {
    let service = Service::start().await;
    let make = async |argument| service.rpc("files/create_folder_v2", argument).await;
    let first = make(json!({"path": "/New/Folder"})).await.ok();
    assert_eq!(first["metadata"]["path_display"], "/New/Folder");
    assert!(first["metadata"].get(".tag").is_none());
    make(json!({"path": "/new/folder"})).await.refused("path/conflict/folder");
    let other = make(json!({"path": "/New/Folder", "autorename": true})).await.ok();
    assert_eq!(other["metadata"]["name"], "Folder (1)");
    service.put("/file", "x").await;
    make(json!({"path": "/file"})).await.refused("path/conflict/file");
    make(json!({"path": "/file/x"})).await.refused("path/conflict/file_ancestor");
}

#[tokio::test]
async fn what_was_deleted_or_replaced_can_be_brought_back() {
    let service = Service::start().await;
    let first = service.put("/d/A", "1").await;
    let second = service.put("/d/A", "2").await;
    service.rpc("files/delete_v2", json!({"path": "/d"})).await.ok();
    let argument = json!({"path": "/d/a", "limit": 1});
    let history = service.rpc("files/list_revisions", argument).await.ok();
    assert_eq!(history["is_deleted"], true);
    assert_eq!(history["entries"][0]["rev"], second["rev"]);
    assert_eq!(history["has_more"], true);
    let restore =
        async |rev: &Value| service.rpc("files/restore", json!({"path": "/d/a", "rev": rev})).await;
    restore(&json!("123456789")).await.refused("invalid_revision");
    let back = restore(&first["rev"]).await.ok();
    assert_eq!(back["content_hash"], first["content_hash"]);
    assert_eq!(back["client_modified"], first["client_modified"]);
    assert_ne!(back["rev"], first["rev"]);
    assert_eq!(service.download(json!({"path": "/d/A"})).await.text(), "1");
    let all = service.rpc("files/list_revisions", json!({"path": "/d/a"})).await.ok();
    let revs: Vec<_> = all["entries"].as_array().unwrap().iter().map(|file| &file["rev"]).collect();
    assert_eq!(revs, [&back["rev"], &second["rev"], &first["rev"]]);
    assert_eq!(all["is_deleted"], false);
}
