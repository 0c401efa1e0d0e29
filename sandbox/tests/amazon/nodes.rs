//! Folders and single nodes.

use futures::future::join_all;
use serde_json::json;

use crate::support::{OWNER, Web, encode, photo};

#[tokio::test]
async fn an_account_begins_with_a_root_and_the_usual_folders() {
    let web = Web::start().await;
    let root = web.list("nodes", "isRoot:true", "").await.json()["data"][0].clone();
    assert_eq!((&root["isRoot"], &root["ownerId"]), (&json!(true), &json!(OWNER)));
    assert!(root.get("name").is_none());
    let id = root["id"].as_str().unwrap();
    let children = format!("nodes/{id}/children");
    let listed = web.list(&children, "kind:FOLDER", "&sort=%5B'name+ASC'%5D").await;
    assert_eq!(listed.names(), ["Documents", "Pictures", "Videos"]);
    assert!(web.plain("Pictures/Web").is_dir());
}

#[tokio::test]
async fn of_racing_makers_of_a_folder_one_makes_it_and_all_learn_its_id() {
    let web = Web::start().await;
    let root = web.root().await;
    let names = ["2024", "2024", "2024", "2024"];
    let made = join_all(names.iter().map(|name| web.make_folder(&root, name))).await;
    let mut ids: Vec<_> = made
        .iter()
        .map(|reply| match reply.status {
            201 => reply.id(),
            _ => reply.json()["info"]["nodeId"].as_str().unwrap().to_owned(),
        })
        .collect();
    assert_eq!(made.iter().filter(|reply| reply.status == 201).count(), 1);
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let again = web.make_folder(&root, "2024").await;
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("NAME_ALREADY_EXISTS")));
    assert!(again.json().get("name").is_none());
}

#[tokio::test]
async fn names_are_one_whatever_their_case_and_files_take_them_from_folders() {
    let web = Web::start().await;
    let root = web.root().await;
    let file = web.upload(&root, "IMG.CR2", &photo("a"), "").await.id();
    let folder = web.make_folder(&root, "img.cr2").await;
    assert_eq!((folder.status, &folder.json()["info"]["nodeId"]), (409, &json!(file)));
    let message = folder.json()["message"].as_str().unwrap().to_owned();
    let text = format!("img.cr2 already exists under parentId {root} conflicting NodeId: {file}");
    assert!(message.ends_with(&text), "{message}");
    let pictures = web.list("nodes", "name:pictures", "").await.ids().remove(0);
    assert_eq!(web.make_folder(&pictures, "img.cr2").await.status, 201);
}

#[tokio::test]
async fn a_node_can_be_renamed_described_hidden_and_made_a_favourite() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    web.upload(&root, "b.jpg", &photo("b"), "").await;
    let edit = json!({"name": "A.jpg", "description": "x", "settings": {"favorite": true}});
    let told = web.patch(&format!("nodes/{id}"), edit).await.json();
    assert_eq!((&told["name"], &told["description"]), (&json!("A.jpg"), &json!("x")));
    assert_eq!(told["settings"], json!({"favorite": true, "hidden": false}));
    assert_eq!(told["version"], 2);
    assert!(web.plain("A.jpg").is_file() && !web.plain("a.jpg").exists());
    let taken = web.patch(&format!("nodes/{id}"), json!({"name": "B.JPG"})).await;
    assert_eq!((taken.status, &taken.json()["code"]), (409, &json!("NAME_ALREADY_EXISTS")));
    let hidden = web.patch(&format!("nodes/{id}"), json!({"settings": {"hidden": true}})).await;
    assert_eq!(hidden.json()["settings"], json!({"favorite": true, "hidden": true}));
}

#[tokio::test]
async fn what_is_not_there_or_makes_no_sense_is_refused() {
    let web = Web::start().await;
    let root = web.root().await;
    let missing = web.get("nodes/AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!((missing.status, &missing.json()["code"]), (404, &json!("NODE_NOT_FOUND")));
    assert_eq!(web.get("changes").await.text(), "<UnknownOperationException/>");
    let parentless = web.post("nodes", json!({"kind": "FOLDER", "name": "x"})).await;
    assert_eq!(parentless.status, 400);
    let file = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    assert_eq!(web.make_folder(&file, "x").await.status, 400);
    let orphan = web.make_folder("AAAAAAAAAAAAAAAAAAAAAA", "x").await;
    assert_eq!(orphan.json()["code"], "PARENT_NODE_ID_NOT_FOUND");
}

#[tokio::test]
async fn it_is_all_there_after_a_restart() {
    let mut web = Web::start().await;
    let root = web.root().await;
    let folder = web.make_folder(&root, "Ü & +").await.id();
    let id = web.upload(&folder, "ä+.jpg", &photo("a"), "").await.id();
    let trashed = web.upload(&folder, "b.jpg", &photo("b"), "").await.id();
    web.patch("trash", json!({"op": "add", "value": [trashed]})).await;
    let before = web.get(&format!("nodes/{id}")).await.json();
    web = web.restart().await;
    assert_eq!(web.get(&format!("nodes/{id}")).await.json(), before);
    assert_eq!(web.get("trash").await.ids(), [trashed]);
    let new = web.upload(&folder, "c.jpg", &photo("c"), "").await.id();
    assert_eq!(web.list("nodes", "name:c.jpg", "").await.ids(), [new]);
    assert_eq!(web.sandbox.calls("GET nodes/{id}"), 1);
    assert_eq!(encode("Ü"), "%C3%9C");
}

#[tokio::test]
async fn plain_files_can_be_removed_and_changed_behind_its_back() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    assert_eq!(std::fs::read(web.plain("a.jpg")).unwrap(), photo("a"));
    std::fs::write(web.plain("a.jpg"), photo("damaged")).unwrap();
    let told = web.get(&format!("nodes/{id}")).await.json();
    assert_eq!(told["contentProperties"]["size"], 11);
    assert_eq!(told["contentProperties"]["md5"], crate::support::md5(&photo("damaged")));
    web.sandbox.behave(|behaviour| behaviour.stale_digests = true);
    std::fs::write(web.plain("a.jpg"), photo("rot")).unwrap();
    assert_eq!(web.get(&format!("nodes/{id}")).await.json(), told);
    std::fs::remove_file(web.plain("a.jpg")).unwrap();
    assert_eq!(web.list("nodes", "name:a.jpg", "").await.count(), 0);
    assert_eq!(web.get(&format!("nodes/{id}")).await.status, 404);
    assert_eq!(web.upload(&root, "a.jpg", &photo("damaged"), "").await.status, 201);
}
