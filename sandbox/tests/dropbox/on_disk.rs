//! The plain files behind the service, and what becomes of them when somebody touches them.

use std::fs;

use serde_json::json;

use crate::service::{Service, content_hash, displays};

#[tokio::test]
async fn the_current_bytes_are_a_plain_file_at_the_display_path() {
    let service = Service::start().await;
    service.put("/2024/05/IMG_0007.JPG", "old").await;
    service.put("/2024/05/img_0007.jpg", "new").await;
    assert_eq!(fs::read(service.plain("2024/05/IMG_0007.JPG")).unwrap(), b"new");
    let moved = json!({"from_path": "/2024/05", "to_path": "/2025"});
    service.rpc("files/move_v2", moved).await.ok();
    assert_eq!(fs::read(service.plain("2025/IMG_0007.JPG")).unwrap(), b"new");
    assert!(!service.plain("2024/05").exists());
    service.rpc("files/delete_v2", json!({"path": "/2025"})).await.ok();
    assert!(!service.plain("2025").exists());
}

#[tokio::test]
async fn what_is_removed_on_disk_counts_as_deleted() {
    let service = Service::start().await;
    for path in ["/d/1", "/d/2", "/e/3"] {
        service.put(path, "x").await;
    }
    let page = service.rpc("files/list_folder", json!({"path": "", "recursive": true})).await.ok();
    fs::remove_file(service.plain("d/1")).unwrap();
    fs::remove_dir_all(service.plain("e")).unwrap();
    let missing = service.rpc("files/get_metadata", json!({"path": "/d/1"})).await;
    missing.refused("path/not_found");
    service.download(json!({"path": "/e/3"})).await.refused("path/not_found");
    let cursor = json!({"cursor": page["cursor"]});
    let news = service.rpc("files/list_folder/continue", cursor).await.ok();
    assert_eq!(displays(&news), ["/d/1 deleted", "/e deleted"]);
    service.put("/d/1", "x").await;
    assert_eq!(fs::read(service.plain("d/1")).unwrap(), b"x");
}

#[tokio::test]
async fn what_is_changed_on_disk_is_served_as_it_is() {
    let service = Service::start().await;
    let file = service.put("/d/a", "right").await;
    let page = service.rpc("files/list_folder", json!({"path": "", "recursive": true})).await.ok();
    fs::write(service.plain("d/a"), "wrong!").unwrap();
    let found = service.rpc("files/get_metadata", json!({"path": "/d/a"})).await.ok();
    assert_eq!(found["content_hash"], content_hash(b"wrong!"));
    assert_eq!((&found["size"], &found["id"]), (&json!(6), &file["id"]));
    assert_ne!(found["rev"], file["rev"]);
    let cursor = json!({"cursor": page["cursor"]});
    let news = service.rpc("files/list_folder/continue", cursor).await.ok();
    assert_eq!(news["entries"][0]["content_hash"], content_hash(b"wrong!"));
    assert_eq!(service.download(json!({"path": "/d/a"})).await.text(), "wrong!");
}
