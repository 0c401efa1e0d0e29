//! Albums, favourites, live photos.

use safelight_core::time::Timestamp;
use safelight_sandbox::amazon::Brought;
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

#[tokio::test]
async fn what_another_device_brings_is_there_with_all_that_is_said_about_it() {
    let web = Web::start().await;
    let taken = Timestamp::from_parts(1_567_787_409, 89_000_000);
    let item = Brought {
        favourite: true,
        hidden: true,
        caption: Some("At the lake".to_owned()),
        keywords: vec!["lake".to_owned()],
        taken: Some(taken),
        film: Some(("IMG_1.qt".to_owned(), video(50, 1))),
        albums: vec!["Summer".to_owned(), "Best".to_owned()],
        ..Brought::new("Pictures/Phone/IMG_1.HEIC", photo("a"))
    };
    let id = web.sandbox.bring(item.clone()).await.unwrap();
    let other = Brought::new("pictures/phone/IMG_2.JPG", photo("b"));
    let albums = vec!["Summer".to_owned()];
    let second = web.sandbox.bring(Brought { albums, ..other }).await.unwrap();
    assert_eq!(web.sandbox.traffic().total(), 0, "nobody called");
    let told = web.get(&format!("nodes/{id}")).await.json();
    assert_eq!(told["settings"], json!({"favorite": true, "hidden": true}));
    assert_eq!(
        (&told["description"], &told["keywords"]),
        (&json!("At the lake"), &json!(["lake"]))
    );
    assert_eq!(told["contentProperties"]["contentDate"], "2019-09-06T16:30:09.089Z");
    assert_eq!(web.get(&format!("nodes/{id}/children")).await.count(), 1);
    let albums = web.list("nodes", "kind:VISUAL_COLLECTION", "&sort=['name%20DESC']").await;
    assert_eq!(albums.names(), ["Summer", "Best"]);
    let members = web.get(&format!("nodes/{}/children", albums.ids()[0])).await;
    assert_eq!(members.ids(), [id.as_str(), &second]);
    assert_eq!(std::fs::read(web.plain("Pictures/Phone/IMG_2.JPG")).unwrap(), photo("b"));
    // The bytes are there already.
    assert!(web.sandbox.bring(item).await.is_err());

    let empty = web.sandbox.make_album("Winter", Some("none yet")).await.unwrap();
    assert_eq!(web.get(&format!("nodes/{empty}")).await.json()["description"], "none yet");
    assert_eq!(web.get(&format!("nodes/{empty}/children")).await.count(), 0);
    web.sandbox.trash(&second).await.unwrap();
    assert_eq!(web.get("trash").await.ids(), [second]);
    let web = web.restart().await;
    let told = web.get(&format!("nodes/{id}")).await.json();
    assert_eq!(told["keywords"], json!(["lake"]));
}

#[tokio::test]
async fn a_long_album_is_listed_page_by_page_in_its_order() {
    let web = Web::start().await;
    let mut ids = Vec::new();
    for n in 0..230 {
        let item = Brought::new(format!("Pictures/{}.jpg", 999 - n), photo(&n.to_string()));
        let albums = vec!["Long".to_owned()];
        ids.push(web.sandbox.bring(Brought { albums, ..item }).await.unwrap());
    }
    let album = web.list("nodes", "kind:VISUAL_COLLECTION", "").await.ids().remove(0);
    let page = async |offset: usize| {
        web.get(&format!("nodes/{album}/children?offset={offset}&limit=200")).await
    };
    let (first, second) = (page(0).await, page(200).await);
    assert_eq!(
        (first.count(), first.ids(), second.ids()),
        (230, ids[..200].into(), ids[200..].into())
    );
}
