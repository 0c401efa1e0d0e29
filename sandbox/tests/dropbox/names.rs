//! Names: case, normal forms, and what is refused.

use serde_json::json;

use crate::service::{Reply, Service};

async fn upload(service: &Service, path: &str) -> Reply {
    service.bytes("files/upload", json!({ "path": path }), "x").await
}

#[tokio::test]
async fn case_makes_no_difference_and_the_first_spelling_stays() {
    let service = Service::start().await;
    upload(&service, "/Photos/IMG.JPG").await.ok();
    let argument = json!({"path": "/PHOTOS/img.jpg", "mode": "overwrite"});
    let replaced = service.bytes("files/upload", argument, "y").await.ok();
    assert_eq!(replaced["path_display"], "/Photos/IMG.JPG");
    assert_eq!(upload(&service, "/photos/2.jpg").await.ok()["path_display"], "/Photos/2.jpg");
    let other = json!({"path": "/pHOTOS/Img.Jpg"});
    service.bytes("files/upload", other, "z").await.refused("path/conflict/file");
    assert_eq!(upload(&service, "/ÄÖ İ Σς").await.ok()["path_lower"], "/äö i σς");
}

#[tokio::test]
async fn names_are_stored_as_nfc_and_looked_up_as_they_are() {
    let service = Service::start().await;
    let (nfc, nfd) = ("/Caf\u{e9}", "/Cafe\u{301}");
    assert_eq!(upload(&service, nfd).await.ok()["path_display"], nfc);
    service.rpc("files/get_metadata", json!({ "path": nfc })).await.ok();
    let missing = service.rpc("files/get_metadata", json!({ "path": nfd })).await;
    missing.refused("path/not_found");
    service.rpc("files/delete_v2", json!({ "path": nfd })).await.refused("path_lookup/not_found");
    let same = service.bytes("files/upload", json!({ "path": nfd }), "y").await;
    same.refused("path/conflict/file");
}

#[tokio::test]
async fn names_that_cannot_be_stored_are_refused() {
    let service = Service::start().await;
    let long = format!("/{}", "x".repeat(256));
    for path in ["/a\\b", "/a ", "/a/../b", "/a//b", "/a/", "/\u{7f}", "/\0", &long] {
        upload(&service, path).await.refused("path/malformed_path");
    }
    for path in ["/Thumbs.db", "/a/DESKTOP.INI", "/.DS_Store", "/Icon\r", "/.dropbox"] {
        upload(&service, path).await.refused("path/disallowed_name");
    }
    for path in ["/dot.", "/< > : \" | ? *", "/\u{1f600}", &"/ö".repeat(120)] {
        upload(&service, path).await.ok();
    }
    let longest = format!("/{}.jpg", "ö".repeat(251));
    assert_eq!(upload(&service, &longest).await.ok()["path_display"], longest);
    assert_eq!(service.download(json!({ "path": longest })).await.text(), "x");
}

#[tokio::test]
async fn emoji_are_refused_as_they_were_in_2022() {
    let service = Service::with(|behaviour| behaviour.emoji_names = false).await;
    upload(&service, "/\u{1f600}.jpg").await.refused("path/malformed_path");
    upload(&service, "/\u{2603}.jpg").await.ok();
}
