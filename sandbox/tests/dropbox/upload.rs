//! `files/upload` and what a commit does with what is already there.

use serde_json::{Value, json};

use crate::service::{MIB, Reply, Service, content_hash};

async fn upload(service: &Service, mut argument: Value, content: &'static str) -> Reply {
    argument["path"] = argument.get("path").cloned().unwrap_or_else(|| "/d/a.txt".into());
    service.bytes("files/upload", argument, content).await
}

#[tokio::test]
async fn an_upload_tells_what_was_stored_and_makes_the_parents() {
    let service = Service::start().await;
    let file = upload(&service, json!({"path": "/New/Sub/a.txt", "mute": true}), "hello").await;
    let file = file.ok();
    assert_eq!(file["name"], "a.txt");
    assert_eq!(file["path_lower"], "/new/sub/a.txt");
    assert_eq!(file["path_display"], "/New/Sub/a.txt");
    assert_eq!(file["size"], 5);
    assert_eq!(file["content_hash"], content_hash(b"hello"));
    assert!(file["id"].as_str().unwrap().starts_with("id:"));
    assert!(file["rev"].as_str().unwrap().len() >= 9);
    assert!(file.get(".tag").is_none());
    assert_eq!(service.paths().await, ["/New folder", "/New/Sub folder", "/New/Sub/a.txt"]);
}

#[tokio::test]
async fn what_arrives_must_have_the_hash_that_was_announced() {
    let service = Service::start().await;
    let with = |hash: String| json!({"path": "/a", "content_hash": hash});
    let wrong = upload(&service, with(content_hash(b"other")), "hello").await;
    wrong.refused("content_hash_mismatch");
    assert!(service.paths().await.is_empty());
    upload(&service, with("abc".into()), "hello").await.bad("did not match");
    upload(&service, with(content_hash(b"hello")), "hello").await.ok();
    assert_eq!(service.sandbox.counters().uploads_without_content_hash, 0);
}

#[tokio::test]
async fn the_same_bytes_change_nothing_and_answer_the_old_metadata() {
    let service = Service::start().await;
    let old = upload(&service, json!({"client_modified": "2001-01-01T00:00:00Z"}), "x").await.ok();
    for mode in [json!("add"), json!("overwrite"), json!({".tag": "update", "update": "123456789"})]
    {
        let argument = json!({"mode": mode, "client_modified": "2020-02-02T00:00:00Z"});
        assert_eq!(upload(&service, argument, "x").await.ok(), old);
    }
    let strict = json!({"mode": "add", "strict_conflict": true});
    upload(&service, strict, "x").await.refused("path/conflict/file");
}

#[tokio::test]
async fn modes_decide_about_other_bytes() {
    let service = Service::start().await;
    let first = upload(&service, json!({}), "1").await.ok();
    upload(&service, json!({"mode": "add"}), "2").await.refused("path/conflict/file");
    let second = upload(&service, json!({"mode": "overwrite"}), "2").await.ok();
    assert_eq!(second["id"], first["id"]);
    assert_ne!(second["rev"], first["rev"]);
    let update = |file: &Value| json!({"mode": {".tag": "update", "update": file["rev"]}});
    upload(&service, update(&first), "3").await.refused("path/conflict/file");
    upload(&service, update(&second), "3").await.ok();
}

#[tokio::test]
async fn an_update_of_what_was_deleted_makes_it_anew_unless_strict() {
    let service = Service::start().await;
    let first = upload(&service, json!({}), "1").await.ok();
    service.rpc("files/delete_v2", json!({"path": "/d/a.txt"})).await.ok();
    let mode = json!({".tag": "update", "update": first["rev"]});
    let strict = json!({"mode": mode, "strict_conflict": true});
    upload(&service, strict, "2").await.refused("path/conflict/file");
    upload(&service, json!({ "mode": mode }), "2").await.ok();
}

#[tokio::test]
async fn autorename_finds_a_free_name() {
    let service = Service::start().await;
    upload(&service, json!({}), "0").await.ok();
    let add = json!({"mode": "add", "autorename": true});
    assert_eq!(upload(&service, add.clone(), "1").await.ok()["name"], "a (1).txt");
    assert_eq!(upload(&service, add, "2").await.ok()["name"], "a (2).txt");
    let mode = json!({".tag": "update", "update": "123456789"});
    let stale = json!({"mode": mode, "autorename": true});
    assert_eq!(upload(&service, stale, "3").await.ok()["name"], "a (conflicted copy).txt");
}

#[tokio::test]
async fn folders_and_files_are_in_each_others_way() {
    let service = Service::start().await;
    upload(&service, json!({}), "x").await.ok();
    for mode in ["add", "overwrite"] {
        let on_folder = json!({"path": "/D", "mode": mode, "autorename": true});
        upload(&service, on_folder, "y").await.refused("path/conflict/folder");
        let below_file = json!({"path": "/d/A.txt/b/c", "mode": mode});
        upload(&service, below_file, "y").await.refused("path/conflict/file_ancestor");
    }
}

#[tokio::test]
async fn a_refused_upload_leaves_its_bytes_in_a_session() {
    let service = Service::start().await;
    upload(&service, json!({}), "1").await.ok();
    let error = upload(&service, json!({}), "two").await.refused("path/conflict/file");
    assert_eq!(error["reason"]["conflict"][".tag"], "file");
    let finish = json!({
        "cursor": {"session_id": error["upload_session_id"], "offset": 3},
        "commit": {"path": "/d/b.txt"},
    });
    let file = service.bytes("files/upload_session/finish", finish, "").await.ok();
    assert_eq!(file["content_hash"], content_hash(b"two"));
}

#[tokio::test]
async fn a_call_carries_150_mib_at_most() {
    let service = Service::start().await;
    let most = vec![0; 150 * MIB];
    let mut more = most.clone();
    more.push(0);
    let upload =
        async |bytes: Vec<u8>| service.bytes("files/upload", json!({"path": "/a"}), bytes).await;
    upload(more).await.refused("payload_too_large");
    assert_eq!(upload(most).await.ok()["size"], 150 * MIB);
}
