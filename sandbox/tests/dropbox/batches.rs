//! Many sessions in one call.

use serde_json::{Value, json};

use crate::service::{MIB, Reply, Service, content_hash};

async fn start(service: &Service, count: usize) -> Vec<String> {
    let argument = json!({ "num_sessions": count });
    let started = service.rpc("files/upload_session/start_batch", argument).await.ok();
    let ids = started["session_ids"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn piece(id: &str, offset: usize, length: usize, close: bool) -> Value {
    json!({"cursor": {"session_id": id, "offset": offset}, "length": length, "close": close})
}

async fn append(service: &Service, entries: Vec<Value>, bytes: &'static str) -> Reply {
    let argument = json!({"entries": entries, "content_hash": content_hash(bytes.as_bytes())});
    service.bytes("files/upload_session/append_batch", argument, bytes).await
}

fn commit(id: &str, offset: usize, path: &str) -> Value {
    json!({"cursor": {"session_id": id, "offset": offset}, "commit": {"path": path, "mode": "add"}})
}

async fn finish(service: &Service, entries: Vec<Value>) -> Reply {
    service.rpc("files/upload_session/finish_batch_v2", json!({ "entries": entries })).await
}

#[tokio::test]
async fn many_files_go_up_in_three_calls() {
    let service = Service::start().await;
    let ids = start(&service, 3).await;
    let entries = vec![
        piece(&ids[0], 0, 3, true),
        piece(&ids[1], 0, 0, true),
        piece(&ids[2], 0, 2, false),
        piece(&ids[2], 2, 3, true),
    ];
    let appended = append(&service, entries, "onethree").await.ok();
    assert_eq!(appended, json!({"entries": vec![json!({".tag": "success"}); 4]}));
    let entries =
        vec![commit(&ids[0], 3, "/a"), commit(&ids[1], 0, "/b"), commit(&ids[2], 5, "/c")];
    let done = finish(&service, entries).await.ok();
    let hashes: Vec<_> =
        done["entries"].as_array().unwrap().iter().map(|file| &file["content_hash"]).collect();
    assert_eq!(hashes, [&content_hash(b"one"), &content_hash(b""), &content_hash(b"three")]);
    assert_eq!(done["entries"][0][".tag"], "success");
    assert_eq!(service.sandbox.counters().uploads_without_content_hash, 0);
}

#[tokio::test]
async fn what_fails_in_a_batch_of_bytes_fails_alone() {
    let service = Service::start().await;
    let ids = start(&service, 2).await;
    let entries = vec![
        piece(&ids[0], 0, 1, true),
        piece(&ids[0], 1, 1, true),
        piece("pid_upload_session:none", 0, 1, true),
        piece(&ids[1], 7, 1, true),
        piece(&ids[1], 0, 1, true),
    ];
    let appended = append(&service, entries, "abcde").await.ok();
    let tags = |at: usize| appended["entries"][at]["failure"].clone();
    assert_eq!(tags(1), json!({".tag": "closed"}));
    assert_eq!(tags(2), json!({".tag": "not_found"}));
    assert_eq!(tags(3), json!({".tag": "incorrect_offset", "correct_offset": 0}));
    assert_eq!(appended["entries"][4], json!({".tag": "success"}));
    let done = finish(&service, vec![commit(&ids[1], 1, "/e")]).await.ok();
    assert_eq!(done["entries"][0]["content_hash"], content_hash(b"e"));
}

#[tokio::test]
async fn a_batch_of_bytes_is_refused_as_a_whole_when_its_body_is_wrong() {
    let service = Service::start().await;
    let ids = start(&service, 1).await;
    let entries = vec![piece(&ids[0], 0, 3, true)];
    append(&service, entries.clone(), "four").await.refused("length_mismatch");
    let argument = json!({"entries": entries, "content_hash": content_hash(b"two")});
    let wrong = service.bytes("files/upload_session/append_batch", argument, "one").await;
    wrong.refused("content_hash_mismatch");
    let argument = json!({"entries": [piece(&ids[0], 0, 150 * MIB + 1, true)]});
    let bytes = vec![0; 150 * MIB + 1];
    let long = service.bytes("files/upload_session/append_batch", argument, bytes).await;
    long.refused("payload_too_large");
    assert_eq!(service.sandbox.counters().uploads_without_content_hash, 1);
    append(&service, entries, "one").await.ok();
}

#[tokio::test]
async fn concurrent_sessions_in_a_batch_keep_their_rules() {
    let service = Service::start().await;
    let argument = json!({"num_sessions": 1, "session_type": "concurrent"});
    let started = service.rpc("files/upload_session/start_batch", argument).await.ok();
    let id = started["session_ids"][0].as_str().unwrap();
    let entries = vec![piece(id, 1, 1, false), piece(id, 0, 1, false), piece(id, 0, 1, true)];
    let appended = append(&service, entries, "abc").await.ok();
    let failure = |at: usize| appended["entries"][at]["failure"][".tag"].clone();
    assert_eq!(failure(0), "concurrent_session_invalid_offset");
    assert_eq!(failure(1), "concurrent_session_invalid_data_size");
    let done = finish(&service, vec![commit(id, 1, "/c")]).await.ok();
    assert_eq!(done["entries"][0]["content_hash"], content_hash(b"c"));
}

#[tokio::test]
async fn what_fails_in_a_batch_of_commits_fails_alone() {
    let service = Service::start().await;
    service.put("/there", "0").await;
    let (open, closed) = (service.session("1", false).await, service.session("2", true).await);
    let entries = vec![
        commit(&open, 1, "/a"),
        commit(&closed, 9, "/b"),
        commit(&closed, 1, "/there"),
        commit(&closed, 1, "/b"),
        commit(&closed, 1, "/c"),
    ];
    let done = finish(&service, entries).await.ok();
    let failure = |at: usize| done["entries"][at]["failure"].clone();
    let lookup = |why: Value| json!({".tag": "lookup_failed", "lookup_failed": why});
    assert_eq!(failure(0), lookup(json!({".tag": "not_closed"})));
    assert_eq!(failure(1), lookup(json!({".tag": "incorrect_offset", "correct_offset": 1})));
    let conflict = json!({".tag": "conflict", "conflict": {".tag": "file"}});
    assert_eq!(failure(2), json!({".tag": "path", "path": conflict}));
    assert_eq!(done["entries"][3]["path_display"], "/b");
    assert_eq!(failure(4), lookup(json!({".tag": "not_found"})));
}

#[tokio::test]
async fn batches_have_one_to_a_thousand_entries() {
    let service = Service::start().await;
    for count in [0, 1001] {
        let argument = json!({ "num_sessions": count });
        service.rpc("files/upload_session/start_batch", argument).await.bad("1000");
    }
    let ids = start(&service, 1000).await;
    let all: Vec<_> = ids.iter().map(|id| commit(id, 0, "/a")).collect();
    assert_eq!(finish(&service, all.clone()).await.status, 200);
    let mut more = all;
    more.push(commit("x", 0, "/a"));
    finish(&service, more).await.bad("1000");
}

#[tokio::test]
async fn the_older_batch_answers_with_a_job() {
    let service = Service::with(|behaviour| behaviour.checks_in_progress = 1).await;
    let id = service.session("1", true).await;
    let argument = json!({"entries": [commit(&id, 1, "/a")]});
    let launched = service.rpc("files/upload_session/finish_batch", argument).await.ok();
    assert_eq!(launched[".tag"], "async_job_id");
    let poll = json!({"async_job_id": launched["async_job_id"]});
    let check = "files/upload_session/finish_batch/check";
    assert_eq!(service.rpc(check, poll.clone()).await.ok(), json!({".tag": "in_progress"}));
    let done = service.rpc(check, poll).await.ok();
    assert_eq!(done[".tag"], "complete");
    assert_eq!(done["entries"][0]["path_display"], "/a");
}

#[tokio::test]
async fn a_service_without_append_batch_does_not_know_it() {
    let service = Service::with(|behaviour| behaviour.append_batch = false).await;
    let ids = start(&service, 1).await;
    let entries = vec![piece(&ids[0], 0, 3, true)];
    append(&service, entries, "one").await.bad("Unknown API function");
}
