//! A member of a team with a team space.

use safelight_sandbox::dropbox::TeamSpace;
use serde_json::{Value, json};

use crate::service::{Reply, Service, displays};

async fn team() -> Service {
    Service::with(|behaviour| {
        let (root_namespace, home) = ("77".to_owned(), "Sandy Box".to_owned());
        behaviour.team_space = Some(TeamSpace { root_namespace, home });
    })
    .await
}

async fn list(service: &Service, root: Value) -> Reply {
    let request = service
        .request("files/list_folder")
        .header("Content-Type", "application/json")
        .header("Dropbox-API-Path-Root", root.to_string());
    service.send(request, r#"{"path":"","recursive":true}"#).await
}

#[tokio::test]
async fn the_own_folder_is_the_root_unless_another_is_asked_for() {
    let service = team().await;
    let account = service.rpc("users/get_current_account", Value::Null).await.ok();
    let info = &account["root_info"];
    assert_eq!((&info[".tag"], &info["home_path"]), (&json!("team"), &json!("/Sandy Box")));
    assert_eq!(info["root_namespace_id"], "77");
    let file = service.put("/D/a", "1").await;
    assert_eq!((&file["path_lower"], &file["path_display"]), (&json!("/d/a"), &json!("/D/a")));
    let own = list(&service, json!({".tag": "home"})).await.ok();
    assert_eq!(displays(&own), displays(&list(&service, json!("home")).await.ok()));
    assert_eq!(displays(&own), ["/D folder", "/D/a"]);
    let whole = ["/Sandy Box folder", "/Sandy Box/D folder", "/Sandy Box/D/a"];
    let by_root = list(&service, json!({".tag": "root", "root": "77"})).await.ok();
    assert_eq!(displays(&by_root), whole);
    let by_id = list(&service, json!({".tag": "namespace_id", "namespace_id": "77"})).await.ok();
    assert_eq!(displays(&by_id), whole);
    let own = json!({".tag": "namespace_id", "namespace_id": info["home_namespace_id"]});
    assert_eq!(displays(&list(&service, own).await.ok()), ["/D folder", "/D/a"]);
}

#[tokio::test]
async fn a_stale_root_is_told_with_the_new_one() {
    let service = team().await;
    let stale = list(&service, json!({".tag": "root", "root": "5"})).await;
    assert_eq!(stale.status, 422);
    let error = &stale.json()["error"];
    assert_eq!(error[".tag"], "invalid_root");
    assert_eq!(error["invalid_root"]["root_namespace_id"], "77");
    let foreign = list(&service, json!({".tag": "namespace_id", "namespace_id": "5"})).await;
    assert_eq!((foreign.status, &foreign.json()["error"][".tag"]), (422, &json!("no_permission")));
    list(&service, json!({".tag": "moon"})).await.bad("Path-Root");
}
