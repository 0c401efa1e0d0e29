//! Moves and copies.

use serde_json::{Value, json};

use crate::service::Service;

async fn batch(service: &Service, route: &str, paths: &[(&str, &str)]) -> Value {
    let entries: Vec<_> =
        paths.iter().map(|(from, to)| json!({"from_path": from, "to_path": to})).collect();
    service.rpc(route, json!({ "entries": entries })).await.ok()
}

#[tokio::test]
async fn a_move_keeps_the_id_and_a_copy_makes_a_new_one() {
    let service = Service::start().await;
    let file = service.put("/a/1.jpg", "1").await;
    let folder = json!({"from_path": "/A", "to_path": "/New/B"});
    let moved = service.rpc("files/move_v2", folder).await.ok();
    assert_eq!(moved["metadata"][".tag"], "folder");
    let there = service.rpc("files/get_metadata", json!({"path": "/new/b/1.jpg"})).await.ok();
    assert_eq!(there["id"], file["id"]);
    assert_eq!(there["content_hash"], file["content_hash"]);
    let old = json!({"path": format!("rev:{}", file["rev"].as_str().unwrap())});
    assert_eq!(service.download(old).await.text(), "1");
    let pair = json!({"from_path": file["id"], "to_path": "/copy.jpg"});
    let copied = service.rpc("files/copy_v2", pair).await.ok()["metadata"].clone();
    assert_ne!(copied["id"], file["id"]);
    assert_eq!(copied["client_modified"], file["client_modified"]);
    assert_eq!(copied["content_hash"], file["content_hash"]);
    let expected = ["/copy.jpg", "/New folder", "/New/B folder", "/New/B/1.jpg"];
    assert_eq!(service.paths().await, expected);
}

#[tokio::test]
async fn what_cannot_be_moved_fails_alone() {
    let service = Service::start().await;
    service.put("/a/1.jpg", "1").await;
    service.put("/b.jpg", "2").await;
    let done = batch(
        &service,
        "files/move_batch_v2",
        &[
            ("/none", "/x"),
            ("/b.jpg", "/a/1.jpg"),
            ("/b.jpg", "/a"),
            ("/b.jpg", "/a/1.jpg/x"),
            ("/a", "/a/inside"),
            ("/b.jpg", "/B.jpg"),
            ("/b.jpg", "/bad "),
            ("/b.jpg", "/c.jpg"),
        ],
    )
    .await;
    assert_eq!(done[".tag"], "complete");
    let error = |at: usize| done["entries"][at]["failure"]["relocation_error"].clone();
    let conflict = |with: &str| json!({".tag": "conflict", "conflict": {".tag": with}});
    let to = |why: Value| json!({".tag": "to", "to": why});
    assert_eq!(error(0), json!({".tag": "from_lookup", "from_lookup": {".tag": "not_found"}}));
    assert_eq!(error(1), to(conflict("file")));
    assert_eq!(error(2), to(conflict("folder")));
    assert_eq!(error(3), to(conflict("file_ancestor")));
    assert_eq!(error(4)[".tag"], "cant_move_folder_into_itself");
    assert_eq!(error(5), to(conflict("file")));
    assert_eq!(error(6), to(json!({".tag": "malformed_path"})));
    assert_eq!(done["entries"][7]["success"][".tag"], "file");
    assert_eq!(service.paths().await, ["/a folder", "/a/1.jpg", "/c.jpg"]);
}

#[tokio::test]
async fn a_batch_may_be_a_job() {
    let service = Service::with(|behaviour| behaviour.relocation_jobs = true).await;
    service.put("/a", "1").await;
    for (route, check, to) in [
        ("files/copy_batch_v2", "files/copy_batch/check_v2", "/b"),
        ("files/move_batch_v2", "files/move_batch/check_v2", "/c"),
    ] {
        let launched = batch(&service, route, &[("/a", to)]).await;
        assert_eq!(launched[".tag"], "async_job_id");
        let poll = json!({"async_job_id": launched["async_job_id"]});
        let done = service.rpc(check, poll).await.ok();
        assert_eq!(done["entries"][0]["success"]["path_display"], to);
    }
    assert_eq!(service.paths().await, ["/b", "/c"]);
}

#[tokio::test]
async fn autorename_keeps_both() {
    let service = Service::start().await;
    service.put("/a.jpg", "1").await;
    service.put("/b.jpg", "2").await;
    let argument = json!({
        "entries": [{"from_path": "/a.jpg", "to_path": "/b.jpg"}], "autorename": true,
    });
    service.rpc("files/move_batch_v2", argument.clone()).await.ok();
    assert_eq!(service.paths().await, ["/b (1).jpg", "/b.jpg"]);
    let mut argument = argument;
    argument["allow_ownership_transfer"] = false.into();
    service.rpc("files/copy_batch_v2", argument).await.bad("unknown field");
}

#[tokio::test]
async fn a_moved_file_is_told_as_gone_and_new() {
    let service = Service::start().await;
    service.put("/a/1.jpg", "1").await;
    let page = service.rpc("files/list_folder", json!({"path": "", "recursive": true})).await.ok();
    batch(&service, "files/move_batch_v2", &[("/a/1.jpg", "/b/1.jpg")]).await;
    let cursor = json!({"cursor": page["cursor"]});
    let news = service.rpc("files/list_folder/continue", cursor).await.ok();
    let told = crate::service::displays(&news);
    assert_eq!(told, ["/b folder", "/b/1.jpg", "/a/1.jpg deleted"]);
}
