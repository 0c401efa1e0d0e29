//! Albums, favourites, live photos.

use serde_json::json;

use crate::support::{Web, photo, video};

#[tokio::test]
async fn an_album_refers_to_files_in_its_own_order() {
    let web = Web::start().await;
    let root = web.root().await;
    let mut ids = Vec::new();
    for name in ["c.jpg", "a.jpg", "b.jpg"] {
        ids.push(web.upload(&root, name, &photo(name), "").await.id());
    }
    let make = json!({"kind": "VISUAL_COLLECTION", "name": "Summer"});
    let album = web.post("nodes", make.clone()).await;
    assert_eq!(album.json()["collectionProperties"]["covers"], json!([]));
    let id = album.id();
    assert_ne!(web.post("nodes", make).await.id(), id);
    let members = format!("nodes/{id}/children");
    web.patch(&members, json!({"op": "add", "value": ids})).await;
    assert_eq!(web.get(&members).await.ids(), ids);
    let told = web.get(&format!("nodes/{}", ids[0])).await.json();
    assert_eq!(told["parents"], json!([id, root]));
    assert_eq!(told["parentMap"], json!({"VISUAL_COLLECTION": [id], "FOLDER": [root]}));
    assert_eq!(web.list("search", "type:(ALBUMS)", "").await.count(), 2);
    assert_eq!(web.list("nodes", "kind:(VISUAL_COLLECTION)", "").await.count(), 2);
    let told = web.patch(&members, json!({"op": "remove", "value": [ids[0]]})).await.json();
    assert_eq!(told["collectionProperties"]["covers"], json!([ids[1]]));
    web.patch("trash", json!({"op": "add", "value": [ids[1]]})).await;
    assert_eq!(web.get(&members).await.ids(), [ids[2].as_str()]);
    let add = json!({"op": "add", "value": ids});
    assert_eq!(web.patch(&format!("nodes/{root}/children"), add).await.status, 400);
    let renamed = web.patch(&format!("nodes/{id}"), json!({"name": "Winter"})).await;
    assert_eq!(renamed.json()["name"], "Winter");
}

#[tokio::test]
async fn favourites_and_hidden_photos_are_found_only_by_asking() {
    let web = Web::start().await;
    let root = web.root().await;
    let plain = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    let hidden = web.upload(&root, "b.jpg", &photo("b"), "&isHidden=true").await.id();
    web.patch(&format!("nodes/{plain}"), json!({"settings": {"favorite": true}})).await;
    let search = async |filter: &str| web.list("search", filter, "").await.ids();
    assert_eq!(search("type:(PHOTOS OR VIDEOS)").await, [plain.as_str()]);
    assert_eq!(search("type:(PHOTOS) AND hidden:(true)").await, [hidden.as_str()]);
    assert_eq!(search("favorite:(true)").await, [plain.as_str()]);
    assert_eq!(web.list("nodes", "kind:FILE", "").await.count(), 2);
}

#[tokio::test]
async fn the_film_of_a_live_photo_is_found_below_its_still_only() {
    let web = Web::start().await;
    let root = web.root().await;
    let still = web.upload(&root, "IMG_1.HEIC", &photo("a"), "").await.id();
    let film = web.sandbox.attach_film(&still, "IMG_1.qt", video(50, 1)).await.unwrap();
    let told = web.get(&format!("nodes/{still}")).await.json();
    assert_eq!(told["childAssetTypeInfo"], json!([{"assetType": "LIVE_VIDEO"}]));
    let below = web.get(&format!("nodes/{still}/children")).await.json()["data"][0].clone();
    assert_eq!((&below["id"], &below["kind"]), (&json!(film), &json!("ASSET")));
    assert_eq!(below["assetProperties"]["assetType"], "LIVE_VIDEO");
    assert_eq!(below["contentProperties"]["extension"], "qt");
    assert_eq!(web.list("search", "type:(PHOTOS OR VIDEOS)", "").await.ids(), [still.as_str()]);
    assert_eq!(web.list("nodes", "NOT kind:FOLDER", "").await.ids(), [still.as_str()]);
    let url = format!("{}/cdproxy/nodes/{film}/content", web.sandbox.content_url());
    assert_eq!(web.send(http::Request::get(url), Vec::new()).await.bytes, video(50, 1));
    assert!(web.sandbox.attach_film("nobody", "x.qt", Vec::new()).await.is_err());
}
