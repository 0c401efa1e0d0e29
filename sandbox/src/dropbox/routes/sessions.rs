//! Uploads of one file: at once, or in a session.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dropbox::args::{self, CommitInfo, Cursor, Hash, SessionType, session_type};
use crate::dropbox::errors::{Failure, Trouble};
use crate::dropbox::hash;
use crate::dropbox::json::{flat, nested, tag, untagged};
use crate::dropbox::random_word;
use crate::dropbox::service::{Call, Service};
use crate::dropbox::state::{Content, Root, Store, incorrect_offset};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    #[serde(default)]
    close: bool,
    #[serde(default, deserialize_with = "session_type")]
    session_type: SessionType,
    content_hash: Option<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Append {
    cursor: Cursor,
    #[serde(default)]
    close: bool,
    content_hash: Option<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    cursor: Cursor,
    commit: CommitInfo,
    content_hash: Option<Hash>,
}

/// Looks at the length and the hash of what came; counts what came without one.
pub(super) async fn check_body(
    service: &Service,
    call: &Call,
    hash: Option<Hash>,
) -> Result<(), Failure> {
    if hash.is_none() && (call.too_long || !call.body.is_empty()) {
        service.gate().counters.uploads_without_content_hash += 1;
    }
    if call.too_long {
        return Err(Failure::Route(tag("payload_too_large")));
    }
    let Some(Hash(expected)) = hash else { return Ok(()) };
    let body = call.body.clone();
    let hashing = tokio::task::spawn_blocking(move || hash::of(&body)).await;
    if hashing.map_err(|error| Failure::Broken(error.to_string()))? == expected {
        return Ok(());
    }
    Err(Failure::Route(tag("content_hash_mismatch")))
}

/// The id of a new session.
pub(super) fn session_id() -> Result<String, Failure> {
    Ok(format!("pid_upload_session:{}", random_word().map_err(Failure::Broken)?))
}

/// `files/upload`.
pub(super) async fn upload(service: &Service, mut call: Call) -> Result<Value, Failure> {
    let argument = call.argument.as_object_mut();
    let hash = argument.and_then(|fields| fields.remove("content_hash")).unwrap_or_default();
    let hash: Option<Hash> = args::read(hash).map_err(|why| call.bad(&why))?;
    let info: CommitInfo = call.read()?;
    check_body(service, &call, hash).await?;
    let (root, body, id) = (call.root.clone(), call.body.clone(), session_id()?);
    let done = service.commit(&call.root, move |store| {
        let cursor = Cursor { session_id: id.clone(), offset: 0 };
        let stored = store.start_session(&id, SessionType::Sequential).map_err(Trouble::Io);
        stored
            .and_then(|()| store.append(&cursor, &body, true))
            .map_err(|trouble| (trouble, id.clone()))?;
        let end = Cursor { offset: body.len() as u64, ..cursor };
        commit_session(store, &root, &end, &info, false).map_err(|trouble| (trouble, id))
    });
    match done.await?? {
        Ok(file) => Ok(untagged(file)),
        // The bytes stay in a session, so that the commit can be tried again without them.
        Err((Trouble::Write(why), id)) => {
            let failed = json!({"reason": why.json(), "upload_session_id": id});
            Err(Failure::Route(flat("path", failed)))
        }
        Err((trouble, _)) => Err(trouble.failure("path", "path")),
    }
}

/// `files/upload_session/start`.
pub(super) async fn start(service: &Service, call: Call) -> Result<Value, Failure> {
    let Start { close, session_type: kind, content_hash } = call.read()?;
    check_body(service, &call, content_hash).await?;
    if kind == SessionType::Concurrent {
        if !call.body.is_empty() {
            return Err(Failure::Route(tag("concurrent_session_data_not_allowed")));
        }
        if close {
            return Err(Failure::Route(tag("concurrent_session_close_not_allowed")));
        }
    }
    let (id, body) = (session_id()?, call.body.clone());
    let cursor = Cursor { session_id: id.clone(), offset: 0 };
    let work = move |store: &mut Store| {
        store.start_session(&cursor.session_id, kind)?;
        if close || !body.is_empty() { store.append(&cursor, &body, close) } else { Ok(()) }
    };
    service.with(work).await?.map_err(|trouble| trouble.failure("path", "path"))?;
    Ok(json!({ "session_id": id }))
}

/// `files/upload_session/append_v2`.
pub(super) async fn append(service: &Service, call: Call) -> Result<Value, Failure> {
    let Append { cursor, close, content_hash } = call.read()?;
    check_body(service, &call, content_hash).await?;
    let body = call.body.clone();
    let appended = service.with(move |store| store.append(&cursor, &body, close)).await?;
    appended.map_err(|trouble| trouble.failure("path", "path"))?;
    Ok(Value::Null)
}

/// `files/upload_session/finish`.
pub(super) async fn finish(service: &Service, call: Call) -> Result<Value, Failure> {
    let Finish { cursor, commit, content_hash } = call.read()?;
    check_body(service, &call, content_hash).await?;
    let cursor = append_last(service, cursor, call.body.clone()).await?;
    let root = call.root.clone();
    let work = move |store: &mut Store| commit_session(store, &root, &cursor, &commit, false);
    let done = service.commit(&call.root, work).await??;
    done.map(untagged).map_err(|trouble| trouble.failure("lookup_failed", "path"))
}

/// The bytes that came with the finish are appended, and stay whatever becomes of the commit.
async fn append_last(service: &Service, cursor: Cursor, body: Bytes) -> Result<Cursor, Failure> {
    if body.is_empty() {
        return Ok(cursor);
    }
    let end = Cursor { offset: cursor.offset + body.len() as u64, ..cursor.clone() };
    let work = move |store: &mut Store| {
        let session = store.session(&cursor.session_id).map_err(lookup_failed)?;
        if session.kind == SessionType::Concurrent {
            return Err(Trouble::Other(tag("concurrent_session_data_not_allowed")));
        }
        store.append(&cursor, &body, false).map_err(lookup_failed)
    };
    let appended = service.with(work).await?;
    appended.map_err(|trouble| trouble.failure("lookup_failed", "path"))?;
    Ok(end)
}

/// Makes the bytes of a session a file; the answer is its metadata.
///
/// # Errors
/// The members of `UploadSessionFinishError`, and refused writes. The session stays then.
pub(super) fn commit_session(
    store: &mut Store,
    root: &Root,
    cursor: &Cursor,
    info: &CommitInfo,
    must_be_closed: bool,
) -> Result<Value, Trouble> {
    let session = store.session(&cursor.session_id).map_err(lookup_failed)?;
    if session.kind == SessionType::Concurrent {
        if !session.closed {
            return Err(Trouble::Other(tag("concurrent_session_not_closed")));
        }
        if !session.is_whole() {
            return Err(Trouble::Other(tag("concurrent_session_missing_data")));
        }
    } else if must_be_closed && !session.closed {
        return Err(lookup_failed(Trouble::Other(tag("not_closed"))));
    }
    if session.end() != cursor.offset {
        return Err(lookup_failed(Trouble::Other(incorrect_offset(session.end()))));
    }
    let path = store.session_on_disk(&cursor.session_id);
    let (size, hash) = hash::of_file(&path)?;
    let key = store.commit(root, info, &Content { path, size, hash })?;
    store.end_session(&cursor.session_id);
    Ok(store.metadata(root, &key))
}

fn lookup_failed(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Other(why) => Trouble::Other(nested("lookup_failed", why)),
        other => other,
    }
}
