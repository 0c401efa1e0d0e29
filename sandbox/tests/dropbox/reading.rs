//! Metadata and bytes.

use http::request::Builder;
use serde_json::{Value, json};

use crate::service::{Service, escaped};

fn download(service: &Service, path: &str) -> Builder {
    let argument = escaped(&json!({ "path": path }));
    service.request("files/download").header("Dropbox-API-Arg", argument)
}

fn by_rev(file: &Value) -> String {
    format!("rev:{}", file["rev"].as_str().unwrap())
}

#[tokio::test]
async fn metadata_is_found_by_path_id_and_rev() {
    let service = Service::start().await;
    let mut file = service.put("/D/A.jpg", "1").await;
    file[".tag"] = "file".into();
    for path in ["/d/a.JPG", file["id"].as_str().unwrap(), &by_rev(&file)] {
        let found = service.rpc("files/get_metadata", json!({ "path": path })).await.ok();
        assert_eq!(found, file, "{path}");
    }
    let folder = service.rpc("files/get_metadata", json!({"path": "/d"})).await.ok();
    assert_eq!((&folder[".tag"], &folder["name"]), (&json!("folder"), &json!("D")));
    service.rpc("files/delete_v2", json!({"path": "/d/a.jpg"})).await.ok();
    let gone = json!({"path": "/d/a.jpg"});
    service.rpc("files/get_metadata", gone).await.refused("path/not_found");
    let gone = json!({"path": "/d/a.jpg", "include_deleted": true});
    assert_eq!(service.rpc("files/get_metadata", gone).await.ok()[".tag"], "deleted");
}

#[tokio::test]
async fn a_download_carries_its_metadata_in_a_header() {
    let service = Service::start().await;
    let file = service.put("/Zürich \u{1f600}.jpg", "hello").await;
    let reply = service.download(json!({"path": file["id"]})).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    let header = reply.header("dropbox-api-result");
    assert!(header.is_ascii() && header.contains("Z\\u00fcrich \\ud83d\\ude00"), "{header}");
    assert_eq!(serde_json::from_str::<Value>(header).unwrap(), file);
    assert_eq!(reply.header("content-length"), "5");
    let get = format!(
        "files/download?arg={}",
        "%7B%22path%22%3A%22/Z%C3%BCrich%20%F0%9F%98%80.jpg%22%7D"
    );
    let get = service.request(&get).method("GET");
    assert_eq!(service.send(get, "").await.text(), "hello");
}

#[tokio::test]
async fn an_earlier_revision_stays_readable() {
    let service = Service::start().await;
    let old = service.put("/a", "old").await;
    let new = service.put("/a", "new").await;
    assert_eq!(service.download(json!({"path": by_rev(&old)})).await.text(), "old");
    assert_eq!(service.download(json!({"path": by_rev(&new)})).await.text(), "new");
    let aged = json!({"path": "/a", "rev": old["rev"]});
    assert_eq!(service.download(aged).await.text(), "old");
}

#[tokio::test]
async fn a_range_gives_a_part() {
    let service = Service::start().await;
    let file = service.put("/a", "0123456789").await;
    let part = async |range| {
        service.send(download(&service, &by_rev(&file)).header("Range", range), "").await
    };
    for (range, content, told) in [
        ("bytes=3-", "3456789", "bytes 3-9/10"),
        ("bytes=3-4", "34", "bytes 3-4/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let reply = part(range).await;
        assert_eq!((reply.status, reply.text().as_str()), (206, content));
        assert_eq!(reply.header("content-range"), told);
    }
    let beyond = part("bytes=10-").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */10"));
}

#[tokio::test]
async fn an_etag_saves_a_download() {
    let service = Service::start().await;
    service.put("/a", "1").await;
    let first = service.send(download(&service, "/a"), "").await;
    let again = download(&service, "/a").header("If-None-Match", first.header("etag"));
    let again = service.send(again, "").await;
    assert_eq!((again.status, again.text().as_str()), (304, ""));
    service.put("/a", "2").await;
    let changed = download(&service, "/a").header("If-None-Match", first.header("etag"));
    assert_eq!(service.send(changed, "").await.text(), "2");
}

#[tokio::test]
async fn what_cannot_be_downloaded() {
    let service = Service::start().await;
    for path in ["/d/taken.jpg", "/d/paper.paper"] {
        service.put(path, "x").await;
    }
    let change = |behaviour: &mut safelight_sandbox::dropbox::Behaviour| {
        behaviour.restricted.insert("/d/taken.jpg".into());
        behaviour.not_downloadable.insert("/d/paper.paper".into());
    };
    service.sandbox.behave(change).await.unwrap();
    let download = async |path| service.download(json!({ "path": path })).await;
    download("/d/Taken.jpg").await.refused("path/restricted_content");
    download("/d/paper.paper").await.refused("unsupported_file");
    download("/d").await.refused("path/not_file");
    download("/none").await.refused("path/not_found");
    let paper = json!({"path": "/d/paper.paper"});
    let paper = service.rpc("files/get_metadata", paper).await.ok();
    assert_eq!(paper["is_downloadable"], false);
    assert!(paper["export_info"]["export_as"].is_string());
}
