//! Upload sessions, one after the other and all at once.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::service::{MIB, Reply, Service, content_hash};

const BLOCK: usize = 4 * MIB;

fn cursor(id: &str, offset: usize) -> Value {
    json!({"session_id": id, "offset": offset})
}

async fn append(
    service: &Service,
    id: &str,
    offset: usize,
    bytes: impl Into<Bytes>,
    close: bool,
) -> Reply {
    let argument = json!({"cursor": cursor(id, offset), "close": close});
    service.bytes("files/upload_session/append_v2", argument, bytes).await
}

async fn finish(service: &Service, id: &str, offset: usize, path: &str) -> Reply {
    finish_with(service, id, offset, path, "").await
}

async fn finish_with(
    service: &Service,
    id: &str,
    offset: usize,
    path: &str,
    bytes: &'static str,
) -> Reply {
    let argument = json!({"cursor": cursor(id, offset), "commit": {"path": path}});
    service.bytes("files/upload_session/finish", argument, bytes).await
}

#[tokio::test]
async fn a_sequential_session_grows_at_its_end_only() {
    let service = Service::start().await;
    let id = service.session("one", false).await;
    for wrong in [0, 2, 4] {
        let error = append(&service, &id, wrong, "two", false).await.refused("incorrect_offset");
        assert_eq!(error, json!({".tag": "incorrect_offset", "correct_offset": 3}));
    }
    assert_eq!(append(&service, &id, 3, "two", false).await.ok(), Value::Null);
    let error = finish(&service, &id, 3, "/a").await.refused("lookup_failed/incorrect_offset");
    assert_eq!(error["lookup_failed"]["correct_offset"], 6);
    let file = finish(&service, &id, 6, "/a").await.ok();
    assert_eq!(file["content_hash"], content_hash(b"onetwo"));
    finish(&service, &id, 6, "/a").await.refused("lookup_failed/not_found");
    append(&service, &id, 6, "x", false).await.refused("not_found");
}

#[tokio::test]
async fn a_closed_session_takes_no_more() {
    let service = Service::start().await;
    let id = service.session("one", false).await;
    append(&service, &id, 3, "", true).await.ok();
    append(&service, &id, 3, "", true).await.refused("closed");
    finish_with(&service, &id, 3, "/a", "x").await.refused("lookup_failed/closed");
    finish(&service, &id, 3, "/a").await.ok();
}

#[tokio::test]
async fn a_finish_with_bytes_keeps_them_when_the_commit_fails() {
    let service = Service::start().await;
    service.put("/a", "in the way").await;
    let id = service.session("one", false).await;
    finish_with(&service, &id, 3, "/a", "two").await.refused("path/conflict/file");
    let again = finish_with(&service, &id, 3, "/b", "two").await;
    let error = again.refused("lookup_failed/incorrect_offset");
    assert_eq!(error["lookup_failed"]["correct_offset"], 6);
    assert_eq!(finish(&service, &id, 6, "/b").await.ok()["size"], 6);
}

#[tokio::test]
async fn each_call_has_a_hash_of_its_own() {
    let service = Service::start().await;
    let start = async |hash: String| {
        let argument = json!({ "content_hash": hash });
        service.bytes("files/upload_session/start", argument, "one").await
    };
    start(content_hash(b"two")).await.refused("content_hash_mismatch");
    let id = start(content_hash(b"one")).await.ok()["session_id"].as_str().unwrap().to_owned();
    let append = async |hash: String| {
        let argument = json!({"cursor": cursor(&id, 3), "content_hash": hash});
        service.bytes("files/upload_session/append_v2", argument, "two").await
    };
    append(content_hash(b"onetwo")).await.refused("content_hash_mismatch");
    append(content_hash(b"two")).await.ok();
    let finish = async |hash: String| {
        let commit = json!({"path": "/a"});
        let argument = json!({"cursor": cursor(&id, 6), "commit": commit, "content_hash": hash});
        service.bytes("files/upload_session/finish", argument, "three").await
    };
    finish(content_hash(b"onetwothree")).await.refused("content_hash_mismatch");
    finish(content_hash(b"three")).await.ok();
    assert_eq!(service.sandbox.counters().uploads_without_content_hash, 0);
}

#[tokio::test]
async fn a_session_lives_for_seven_days() {
    let service = Service::start().await;
    let (first, second) = (service.session("1", true).await, service.session("2", true).await);
    service.clock.skip(Duration::from_hours(7 * 24) - Duration::from_mins(1));
    finish(&service, &first, 1, "/a").await.ok();
    service.clock.skip(Duration::from_mins(1));
    finish(&service, &second, 1, "/b").await.refused("lookup_failed/not_found");
    append(&service, "pid_upload_session:nobody", 0, "x", false).await.refused("not_found");
}

#[tokio::test]
async fn a_concurrent_session_begins_empty_and_open() {
    let service = Service::start().await;
    let start = async |close: bool, bytes: &'static str| {
        let argument = json!({"session_type": {".tag": "concurrent"}, "close": close});
        service.bytes("files/upload_session/start", argument, bytes).await
    };
    start(false, "x").await.refused("concurrent_session_data_not_allowed");
    start(true, "").await.refused("concurrent_session_close_not_allowed");
    start(false, "").await.ok();
}

#[tokio::test]
async fn a_concurrent_session_takes_whole_blocks_in_any_order() {
    let service = Service::start().await;
    let id = service.concurrent().await;
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let part = |from: usize, to: usize| Bytes::copy_from_slice(&bytes[from..to]);
    let invalid_offset = "concurrent_session_invalid_offset";
    let invalid_size = "concurrent_session_invalid_data_size";
    append(&service, &id, 1, part(0, BLOCK), false).await.refused(invalid_offset);
    append(&service, &id, 0, part(0, BLOCK - 1), false).await.refused(invalid_size);
    let (second, first) = tokio::join!(
        append(&service, &id, BLOCK, part(BLOCK, 2 * BLOCK), false),
        append(&service, &id, 0, part(0, BLOCK), false)
    );
    assert_eq!((first.ok(), second.ok()), (Value::Null, Value::Null));
    append(&service, &id, BLOCK, part(BLOCK, 2 * BLOCK), false).await.refused(invalid_offset);
    let size = bytes.len();
    finish(&service, &id, size, "/a").await.refused("concurrent_session_not_closed");
    let with_data = finish_with(&service, &id, 2 * BLOCK, "/a", "x").await;
    with_data.refused("concurrent_session_data_not_allowed");
    append(&service, &id, 2 * BLOCK, part(2 * BLOCK, size), true).await.ok();
    append(&service, &id, 3 * BLOCK, part(0, BLOCK), false).await.refused("closed");
    finish(&service, &id, 1, "/a").await.refused("lookup_failed/incorrect_offset");
    let file = finish(&service, &id, size, "/a").await.ok();
    let hash = "adcedd7b0933aef0bdf54a73c43b77526b6ff90b1a303d2cd235f44161b65177";
    assert_eq!(file["content_hash"], hash);
}

#[tokio::test]
async fn a_concurrent_session_with_a_gap_is_no_file() {
    let service = Service::start().await;
    let id = service.concurrent().await;
    append(&service, &id, BLOCK, vec![1; BLOCK], false).await.ok();
    append(&service, &id, 2 * BLOCK, "", true).await.ok();
    finish(&service, &id, 2 * BLOCK, "/a").await.refused("concurrent_session_missing_data");
}
