//! Too often, too many at once, too much, too slow.

use std::time::{Duration, Instant};

use safelight_sandbox::dropbox::{Quota, RateLimit, WhenLocked};
use serde_json::{Value, json};

use crate::service::{MIB, Reply, Service, content_hash};

#[tokio::test]
async fn too_many_calls_are_refused_and_refused_calls_are_counted() {
    let service = Service::with(|behaviour| {
        let limit = RateLimit { calls_per_second: 2, burst: 2, retry_after: 3 };
        behaviour.rate_limit = Some(limit);
    })
    .await;
    let call = async || service.rpc("users/get_space_usage", Value::Null).await;
    call().await.ok();
    call().await.ok();
    let refused = call().await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "3");
    assert_eq!(refused.header("content-type"), "application/json");
    let error = &refused.json()["error"];
    assert_eq!(error["reason"][".tag"], "too_many_requests");
    assert_eq!(error["retry_after"], 3);
    assert_eq!(service.sandbox.counters().within_retry_after, 0);
    assert_eq!(call().await.status, 429);
    service.clock.skip(Duration::from_secs(4));
    call().await.ok();
    let counters = service.sandbox.counters();
    assert_eq!((counters.refused, counters.within_retry_after), (2, 1));
    assert_eq!(counters.calls["users/get_space_usage"], 5);
}

#[tokio::test]
async fn a_wait_can_be_announced_by_hand() {
    let service = Service::start().await;
    service.sandbox.refuse_for(Duration::from_mins(5));
    let refused = service.rpc("users/get_space_usage", Value::Null).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "300"));
    service.clock.skip(Duration::from_mins(5));
    service.rpc("users/get_space_usage", Value::Null).await.ok();
    assert_eq!(service.sandbox.counters().within_retry_after, 1);
}

async fn commit(service: &Service, id: &str, path: &str) -> Reply {
    let argument = json!({"cursor": {"session_id": id, "offset": 1}, "commit": {"path": path}});
    service.bytes("files/upload_session/finish", argument, "").await
}

async fn commit_batch(service: &Service, id: &str, path: &str) -> Value {
    let entry = json!({"cursor": {"session_id": id, "offset": 1}, "commit": {"path": path}});
    let argument = json!({"entries": [entry]});
    service.rpc("files/upload_session/finish_batch_v2", argument).await.ok()["entries"][0].clone()
}

#[tokio::test]
async fn commits_at_once_are_refused_one_by_one_or_by_entry() {
    let service = Service::with(|behaviour| {
        behaviour.commit_time = Duration::from_millis(300);
        behaviour.when_locked = WhenLocked::Refuse;
    })
    .await;
    let (one, two) = (service.session("1", true).await, service.session("2", true).await);
    let (first, second) = tokio::join!(commit(&service, &one, "/1"), commit(&service, &two, "/2"));
    let statuses = [first.status, second.status];
    assert!(statuses == [200, 429] || statuses == [429, 200], "{statuses:?}");
    let (refused, path, id) =
        if first.status == 429 { (first, "/1", one) } else { (second, "/2", two) };
    assert_eq!(refused.json()["error"]["reason"][".tag"], "too_many_write_operations");
    let three = service.session("3", true).await;
    let (first, second) =
        tokio::join!(commit_batch(&service, &id, path), commit_batch(&service, &three, "/3"));
    let busy = json!({".tag": "failure", "failure": {".tag": "too_many_write_operations"}});
    assert!((first == busy) != (second == busy), "{first} {second}");
    let counters = service.sandbox.counters();
    assert_eq!((counters.overlaps, counters.within_retry_after), (2, 0));
    let entry = json!({"path": "/1"});
    let (deleted, moved) = tokio::join!(
        service.rpc("files/delete_v2", entry.clone()),
        service.rpc("files/move_v2", json!({"from_path": "/2", "to_path": "/4"}))
    );
    assert!((deleted.status == 429) != (moved.status == 429));
    assert_eq!(service.sandbox.counters().overlaps, 3);
}

#[tokio::test]
async fn commits_at_once_may_wait_for_each_other() {
    let service =
        Service::with(|behaviour| behaviour.commit_time = Duration::from_millis(200)).await;
    let (one, two) = (service.session("1", true).await, service.session("2", true).await);
    let began = Instant::now();
    let (first, second) = tokio::join!(commit(&service, &one, "/1"), commit(&service, &two, "/2"));
    first.ok();
    second.ok();
    assert!(began.elapsed() >= Duration::from_millis(400));
    assert_eq!(service.sandbox.counters().overlaps, 1);
}

#[tokio::test]
async fn a_full_account_takes_no_more() {
    let service = Service::with(|behaviour| behaviour.quota = Quota::Individual(10)).await;
    let upload = async |path: &str, bytes: &'static str| {
        let argument = json!({"path": path, "mode": "overwrite"});
        service.bytes("files/upload", argument, bytes).await
    };
    upload("/a", "12345").await.ok();
    upload("/b", "123456").await.refused("path/insufficient_space");
    upload("/a", "1234567890").await.ok();
    let copy = json!({"from_path": "/a", "to_path": "/c"});
    service.rpc("files/copy_v2", copy).await.refused("insufficient_quota");
    service.rpc("files/delete_v2", json!({"path": "/a"})).await.ok();
    upload("/b", "123456").await.ok();
}

#[tokio::test]
async fn a_team_has_two_limits() {
    let service = Service::with(|behaviour| {
        behaviour.quota = Quota::Team { allocated: 100, used_by_others: 90, member_limit: 8 };
    })
    .await;
    let upload = async |bytes: &'static str| {
        let argument = json!({"path": "/a", "mode": "overwrite"});
        service.bytes("files/upload", argument, bytes).await
    };
    upload("123456789").await.refused("path/insufficient_space");
    upload("12345678").await.ok();
    let space = service.rpc("users/get_space_usage", Value::Null).await.ok();
    let allocation = &space["allocation"];
    assert_eq!((&space["used"], &allocation[".tag"]), (&json!(8), &json!("team")));
    assert_eq!((&allocation["used"], &allocation["allocated"]), (&json!(98), &json!(100)));
    assert_eq!(allocation["user_within_team_space_allocated"], 8);
}

#[tokio::test]
async fn calls_and_lines_can_be_slow() {
    let service = Service::with(|behaviour| {
        behaviour.latency = Duration::from_millis(100);
        behaviour.upload_rate = Some(10 * MIB as u64);
    })
    .await;
    let began = Instant::now();
    service.rpc("users/get_space_usage", Value::Null).await.ok();
    assert!(began.elapsed() >= Duration::from_millis(100));
    let (began, bytes) = (Instant::now(), vec![7; 2 * MIB]);
    let argument = json!({"path": "/a", "content_hash": content_hash(&bytes)});
    service.bytes("files/upload", argument, bytes).await.ok();
    assert!(began.elapsed() >= Duration::from_millis(290));
}
