//! What the account uses and may.

use std::time::Duration;

use safelight_sandbox::amazon::Plan;
use serde_json::json;

use crate::support::{Web, photo, video};

#[tokio::test]
async fn members_pay_for_videos_and_the_rest_only() {
    let web = Web::with(|behaviour| behaviour.quota = 1000).await;
    let root = web.root().await;
    assert_eq!(web.upload(&root, "a.jpg", &photo(&"x".repeat(2000)), "").await.status, 201);
    assert_eq!(web.upload(&root, "a.mov", &video(600, 1), "").await.status, 201);
    // What calls itself a photo and is none counts.
    assert_eq!(web.upload(&root, "b.jpg", &[7; 300], "").await.status, 201);
    let usage = web.get("account/usage").await.json();
    assert_eq!(usage["photo"]["total"], json!({"bytes": "2004", "count": "1"}));
    assert_eq!(usage["photo"]["billable"], json!({"bytes": "0", "count": "0"}));
    assert_eq!(usage["video"]["billable"], json!({"bytes": "600", "count": "1"}));
    assert_eq!(usage["other"]["billable"], json!({"bytes": "300", "count": "1"}));
    assert_eq!(usage["doc"]["total"], json!({"bytes": "0", "count": "0"}));
    let quota = web.get("account/quota").await.json();
    assert_eq!((&quota["quota"], &quota["available"]), (&json!(1000), &json!(100)));
    let full = web.upload(&root, "b.mov", &video(101, 2), "").await;
    assert_eq!((full.status, &full.json()["errorCode"]), (409, &json!("InsufficientStorage")));
    web.sandbox.behave(|behaviour| behaviour.no_room_status = 403);
    assert_eq!(web.upload(&root, "b.mov", &video(101, 2), "").await.status, 403);
    assert_eq!(web.upload(&root, "b.mov", &video(100, 2), "").await.status, 201);
    assert_eq!(web.upload(&root, "c.jpg", &photo("still free"), "").await.status, 201);
}

#[tokio::test]
async fn without_membership_everything_counts_and_an_account_that_is_over_can_only_download() {
    let web = Web::with(|behaviour| behaviour.quota = 1000).await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo(&"x".repeat(2000)), "").await.id();
    web.sandbox.behave(|behaviour| behaviour.plan = Plan::None);
    for bytes in [photo("b"), video(40, 1)] {
        let over = web.upload(&root, "b", &bytes, "").await;
        assert_eq!(over.json()["errorCode"], "NoActiveSubscriptionFound");
        assert_eq!(web.upload_older(&root, "b", &bytes).await.status, 409);
    }
    let told = web.get(&format!("nodes/{id}?tempLink=true")).await.json();
    let link = http::Request::get(told["tempLink"].as_str().unwrap());
    assert_eq!(web.bare(link, Vec::new()).await.unwrap().bytes.len(), 2004);
    // The trash counts until it is emptied.
    web.patch("trash", json!({"op": "add", "value": [id]})).await;
    assert_eq!(web.upload(&root, "b.jpg", &photo("b"), "").await.status, 409);
    web.post("bulk/nodes/purge", json!({"nodeIds": [id], "recurse": "false"})).await;
    assert_eq!(web.upload(&root, "b.jpg", &photo("b"), "").await.status, 201);
}

#[tokio::test]
async fn usage_is_calculated_now_and_then() {
    let web = Web::with(|behaviour| behaviour.numbers_as_text = false).await;
    let root = web.root().await;
    let count = async || web.get("account/usage").await.json()["photo"]["total"]["count"].clone();
    assert_eq!(count().await, 0);
    web.upload(&root, "a.jpg", &photo("a"), "").await;
    assert_eq!(count().await, 0);
    web.clock.skip(Duration::from_mins(11));
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn the_account_says_where_its_hosts_are() {
    let web = Web::start().await;
    let told = web.get("account/endpoint").await.json();
    assert_eq!(told["customerExists"], true);
    assert_eq!(told["metadataUrl"], format!("{}/", web.sandbox.metadata_url()));
    assert_eq!(told["contentUrl"], format!("{}/cdproxy/", web.sandbox.content_url()));
}
