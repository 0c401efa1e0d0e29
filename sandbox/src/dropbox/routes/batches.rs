//! Uploads of many files at once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::sessions::{check_body, commit_session, session_id};
use crate::dropbox::args::{CommitInfo, Cursor, Hash, SessionType, session_type};
use crate::dropbox::errors::Failure;
use crate::dropbox::json::{flat, nested, tag};
use crate::dropbox::service::{Call, Service};
use crate::dropbox::state::Store;

/// The most entries of one call.
pub(super) const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartBatch {
    num_sessions: usize,
    #[serde(default, deserialize_with = "session_type")]
    session_type: SessionType,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppendBatch {
    entries: Vec<AppendEntry>,
    content_hash: Option<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppendEntry {
    cursor: Cursor,
    length: u64,
    #[serde(default)]
    close: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinishBatch {
    entries: Vec<FinishEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinishEntry {
    cursor: Cursor,
    commit: CommitInfo,
}

/// Refuses batches that are empty or too long.
pub(super) fn check_count(call: &Call, count: usize) -> Result<(), Failure> {
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    Err(call.bad(&format!("entries: {count} are not within 1 to {MOST}")))
}

/// `files/upload_session/start_batch`.
pub(super) async fn start(service: &Service, call: Call) -> Result<Value, Failure> {
    let StartBatch { num_sessions, session_type } = call.read()?;
    check_count(&call, num_sessions)?;
    let ids = (0..num_sessions).map(|_| session_id()).collect::<Result<Vec<_>, _>>()?;
    let started = ids.clone();
    let work = move |store: &mut Store| {
        started.iter().try_for_each(|id| store.start_session(id, session_type))
    };
    service.with(work).await??;
    Ok(json!({ "session_ids": ids }))
}

/// `files/upload_session/append_batch`.
pub(super) async fn append(service: &Service, call: Call) -> Result<Value, Failure> {
    let AppendBatch { entries, content_hash } = call.read()?;
    check_count(&call, entries.len())?;
    let lengths = entries.iter().try_fold(0_u64, |sum, entry| sum.checked_add(entry.length));
    if !call.too_long && lengths != Some(call.body.len() as u64) {
        return Err(Failure::Route(tag("length_mismatch")));
    }
    check_body(service, &call, content_hash).await?;
    let mut body = call.body.clone();
    let work = move |store: &mut Store| {
        let appended = entries.iter().map(|entry| {
            // The lengths add up to that of the body.
            let bytes = body.split_to(usize::try_from(entry.length).unwrap_or(usize::MAX));
            match store.append(&entry.cursor, &bytes, entry.close) {
                Ok(()) => Ok(tag("success")),
                Err(trouble) => Ok(nested("failure", trouble.json("other", "other")?)),
            }
        });
        appended.collect::<Result<Vec<_>, Failure>>()
    };
    let entries = service.with(work).await??;
    Ok(json!({ "entries": entries }))
}

/// `files/upload_session/finish_batch_v2`, and what the older `finish_batch` holds back.
pub(super) async fn finish(service: &Service, call: Call) -> Result<Value, Failure> {
    let FinishBatch { entries } = call.read()?;
    check_count(&call, entries.len())?;
    let (root, count) = (call.root.clone(), entries.len());
    let work = move |store: &mut Store| {
        let committed = entries.iter().map(|entry| {
            match commit_session(store, &root, &entry.cursor, &entry.commit, true) {
                Ok(file) => Ok(flat("success", file)),
                Err(trouble) => Ok(nested("failure", trouble.json("lookup_failed", "path")?)),
            }
        });
        committed.collect::<Result<Vec<_>, Failure>>()
    };
    let entries = match service.commit(&call.root, work).await? {
        Ok(entries) => entries?,
        Err(_) => vec![nested("failure", tag("too_many_write_operations")); count],
    };
    Ok(json!({ "entries": entries }))
}
