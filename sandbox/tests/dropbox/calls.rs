//! What every call has in common: arguments, content types, errors, headers.

use http::Request;
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn a_route_without_an_argument_takes_null_and_nothing_else() {
    let service = Service::start().await;
    for route in ["users/get_space_usage", "users/get_current_account"] {
        service.rpc(route, Value::Null).await.ok();
        service.rpc(route, json!({})).await.bad("expected null");
    }
    let request = service.request("users/get_space_usage");
    let request = request.header("Content-Type", "application/json");
    service.send(request, "").await.bad("could not decode");
}

#[tokio::test]
async fn space_and_account_are_told() {
    let service = Service::start().await;
    service.put("/a", "12345").await;
    let space = service.rpc("users/get_space_usage", Value::Null).await.ok();
    assert_eq!(space["used"], 5);
    assert_eq!(space["allocation"][".tag"], "individual");
    let account = service.rpc("users/get_current_account", Value::Null).await.ok();
    assert_eq!(account["account_id"].as_str().unwrap().len(), 40);
    let info = &account["root_info"];
    assert_eq!(info[".tag"], "user");
    assert_eq!(info["root_namespace_id"], info["home_namespace_id"]);
}

#[tokio::test]
async fn unknown_fields_and_routes_are_bad_requests() {
    let service = Service::start().await;
    let argument = json!({"cursor": "x", "path": ""});
    service.rpc("files/list_folder/continue", argument).await.bad("unknown field 'path'");
    let argument = json!({"path": "/a", "content_hash": null, "surprise": 1});
    service.bytes("files/upload", argument, "x").await.bad("unknown field 'surprise'");
    service.rpc("files/teleport", Value::Null).await.bad("Unknown API function");
    service.rpc("files/get_metadata", json!({"path": "no slash"})).await.bad("did not match");
    service.rpc("files/get_metadata", json!({"path": 5})).await.bad("get_metadata");
    service.rpc("files/get_metadata", json!({"path": ""})).await.bad("root folder");
    service.bytes("files/upload", json!({"path": "", "mode": "add"}), "").await.bad("match");
}

#[tokio::test]
async fn a_union_member_with_a_value_cannot_be_bare_text() {
    let service = Service::start().await;
    let upload =
        async |mode| service.bytes("files/upload", json!({"path": "/a", "mode": mode}), "x").await;
    upload(json!("add")).await.ok();
    upload(json!({".tag": "overwrite"})).await.ok();
    upload(json!("update")).await.bad("update");
    upload(json!({".tag": "update", "update": "zz"})).await.bad("did not match");
    upload(json!("melt")).await.bad("invalid tag 'melt'");
}

#[tokio::test]
async fn dates_have_whole_seconds() {
    let service = Service::start().await;
    let upload = async |date| {
        let argument = json!({"path": "/a", "mode": "overwrite", "client_modified": date});
        service.bytes("files/upload", argument, "x").await
    };
    let file = upload("2015-05-12T15:50:38Z").await.ok();
    assert_eq!(file["client_modified"], "2015-05-12T15:50:38Z");
    assert_eq!(file["server_modified"], "2024-07-01T12:00:00Z");
    upload("2015-05-12T15:50:38.5Z").await.bad("does not match format");
    upload("2015-05-12T15:50:38+00:00").await.bad("does not match format");
}

#[tokio::test]
async fn content_types_are_looked_at() {
    let service = Service::start().await;
    let plain = service.request("users/get_space_usage").header("Content-Type", "text/plain");
    service.send(plain, "null").await.bad("Content-Type");
    service.send(service.request("users/get_space_usage"), "null").await.bad("Content-Type");
    let argument = r#"{"path":"/a"}"#;
    let json = service.request("files/upload").header("Dropbox-API-Arg", argument);
    service.send(json.header("Content-Type", "application/json"), "x").await.bad("Content-Type");
    let json = service.request("files/download").header("Dropbox-API-Arg", argument);
    service.send(json.header("Content-Type", "application/json"), "").await.bad("Content-Type");
}

#[tokio::test]
async fn the_argument_comes_in_the_header_or_in_the_address() {
    let service = Service::start().await;
    let upload =
        |address: &str| service.request(address).header("Content-Type", "application/octet-stream");
    let in_address = upload("files/upload?arg=%7B%22path%22%3A%22%2F%C3%A4%22%7D");
    assert_eq!(service.send(in_address, "x").await.ok()["path_display"], "/ä");
    service.send(upload("files/upload"), "x").await.bad("Must provide");
    let raw = upload("files/upload").header("Dropbox-API-Arg", "{\"path\":\"/ö\"}".as_bytes());
    service.send(raw, "x").await.bad("Dropbox-API-Arg");
    service.sandbox.behave(|behaviour| behaviour.longest_header = 20).await.unwrap();
    let long = json!({"path": "/a name that is too long"});
    service.bytes("files/upload", long, "x").await.bad("too long");
}

#[tokio::test]
async fn every_answer_has_an_id_and_summaries_end_in_dots() {
    let service = Service::start().await;
    let (mut ids, mut endings) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let reply = service.rpc("files/get_metadata", json!({"path": "/nothing"})).await;
        reply.refused("path/not_found");
        ids.push(reply.header("x-dropbox-request-id").to_owned());
        endings.push(reply.json()["error_summary"].as_str().unwrap().to_owned());
    }
    let count = |mut list: Vec<String>| {
        list.sort();
        list.dedup();
        list.len()
    };
    assert_eq!((count(ids), count(endings)), (4, 4));
    let reply = service.rpc("files/teleport", Value::Null).await;
    assert_eq!(reply.header("x-dropbox-request-id").len(), 32);
}

#[tokio::test]
async fn calls_are_counted_by_route() {
    let service = Service::start().await;
    service.put("/a", "1").await;
    service.put("/b", "2").await;
    let missing = Request::get(format!("{}/elsewhere", service.sandbox.url()));
    assert_eq!(service.send(missing, "").await.status, 404);
    assert_eq!(service.sandbox.calls("files/upload"), 2);
    assert_eq!(service.sandbox.counters().uploads_without_content_hash, 2);
    service.sandbox.forget();
    assert_eq!(service.sandbox.calls("files/upload"), 0);
}
