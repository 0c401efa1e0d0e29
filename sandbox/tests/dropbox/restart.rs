//! What a later stand-in over the same folder remembers.

use serde_json::{Value, json};

use crate::service::{Service, displays};

#[tokio::test]
async fn files_sessions_cursors_and_sign_ins_survive() {
    let service = Service::start().await;
    let first = service.put("/D/a", "1").await;
    let second = service.put("/D/a", "2").await;
    let id = service.session("one", false).await;
    let page = service.rpc("files/list_folder", json!({"path": "", "recursive": true})).await.ok();
    service.put("/b", "3").await;
    let service = service.restart().await;
    assert_eq!(service.paths().await, ["/b", "/D folder", "/D/a"]);
    let found = service.rpc("files/get_metadata", json!({"path": "/d/a"})).await.ok();
    assert_eq!((&found["rev"], &found["id"]), (&second["rev"], &first["id"]));
    let old = json!({"path": format!("rev:{}", first["rev"].as_str().unwrap())});
    assert_eq!(service.download(old).await.text(), "1");
    let cursor = json!({"cursor": page["cursor"]});
    let news = service.rpc("files/list_folder/continue", cursor).await.ok();
    assert_eq!(displays(&news), ["/b"]);
    let argument = json!({"cursor": {"session_id": id, "offset": 3}, "commit": {"path": "/c"}});
    service.bytes("files/upload_session/finish", argument, "two").await.ok();
    let space = service.rpc("users/get_space_usage", Value::Null).await.ok();
    assert_eq!(space["used"], 1 + 1 + 6);
    let third = service.put("/D/a", "3").await;
    assert!(third["rev"].as_str() > second["rev"].as_str());
}

#[tokio::test]
async fn a_reset_is_remembered_and_a_half_written_line_is_not() {
    let service = Service::start().await;
    service.put("/a", "1").await;
    let page = service.rpc("files/list_folder", json!({"path": ""})).await.ok();
    service.sandbox.reset_cursors();
    let journal = service.plain("../.state/state.jsonl");
    let service = service.restart().await;
    let cursor = json!({"cursor": page["cursor"]});
    service.rpc("files/list_folder/continue", cursor).await.refused("reset");
    let mut torn = std::fs::read(&journal).unwrap();
    torn.extend(b"{\"Node\":[\"/half");
    std::fs::write(&journal, torn).unwrap();
    assert_eq!(service.restart().await.paths().await, ["/a"]);
}
