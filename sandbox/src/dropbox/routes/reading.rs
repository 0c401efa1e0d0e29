//! Metadata, bytes, and earlier revisions.

use std::io::SeekFrom;
use std::path::PathBuf;

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::dropbox::args::{ReadPath, Rev, one_of};
use crate::dropbox::errors::{Failure, Lookup, Trouble, text};
use crate::dropbox::json::{header_safe, tag, untagged};
use crate::dropbox::service::{Call, Service};
use crate::dropbox::state::{Root, Store};
use crate::loopback::{Answer, AnswerBody, whole};

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GetMetadata {
    path: ReadPath,
    #[serde(default)]
    include_deleted: bool,
    #[serde(default, rename = "include_media_info")]
    _media_info: bool,
    #[serde(default, rename = "include_has_explicit_shared_members")]
    _members: bool,
    #[serde(rename = "include_property_groups")]
    _property_groups: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Download {
    path: ReadPath,
    rev: Option<Rev>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListRevisions {
    path: ReadPath,
    mode: Option<Value>,
    limit: Option<usize>,
    before_rev: Option<Rev>,
    #[serde(default, rename = "include_restorable_info")]
    _restorable: bool,
}

/// `files/get_metadata`.
pub(super) async fn metadata(service: &Service, call: Call) -> Result<Value, Failure> {
    let arg: GetMetadata = call.read()?;
    if arg.path.0.is_empty() {
        return Err(call.bad("path: The root folder is unsupported."));
    }
    let root = call.root;
    let work = move |store: &mut Store| {
        if let Some((metadata, _)) = earlier(store, &root, &arg.path.0) {
            return Ok(metadata);
        }
        let key = store.key(&root, &arg.path.0)?;
        store.refresh_with_parents(&key)?;
        let found = if arg.include_deleted { store.any(&key) } else { store.live(&key) };
        found.ok_or(Lookup::NotFound)?;
        Ok(store.metadata(&root, &key))
    };
    service.with(work).await?.map_err(|trouble: Trouble| trouble.failure("path", "path"))
}

/// A revision that is no longer the current one, and where its bytes are.
fn earlier(store: &Store, root: &Root, path: &str) -> Option<(Value, PathBuf)> {
    let rev = path.strip_prefix("rev:")?;
    let old = store.revision(rev)?;
    let metadata = store.file_metadata(root, &old.key, &old.name, &old.file);
    Some((metadata, store.revision_on_disk(rev)))
}

/// `files/download`.
pub(super) async fn download(service: &Service, call: Call) -> Result<Answer, Failure> {
    let arg: Download = call.read()?;
    let path = arg.rev.map_or(arg.path.0, |Rev(rev)| format!("rev:{rev}"));
    let root = call.root;
    let work = move |store: &mut Store| {
        let (metadata, place) = find(store, &root, &path)?;
        Ok((metadata, std::fs::File::open(place)?))
    };
    let found: Result<_, Trouble> = service.with(work).await?;
    let (metadata, file) = found.map_err(|trouble| trouble.failure("path", "path"))?;
    deliver(&call.headers, &untagged(metadata), File::from_std(file)).await
}

fn find(store: &mut Store, root: &Root, path: &str) -> Result<(Value, PathBuf), Trouble> {
    if let Some(found) = earlier(store, root, path) {
        return Ok(found);
    }
    let key = store.key(root, path)?;
    store.refresh_with_parents(&key)?;
    let node = store.live(&key).ok_or(Lookup::NotFound)?;
    node.file().ok_or(Lookup::NotFile)?;
    if store.behaviour.restricted.contains(root.inside(&key)) {
        return Err(Lookup::Restricted.into());
    }
    if store.behaviour.not_downloadable.contains(root.inside(&key)) {
        return Err(Trouble::Other(tag("unsupported_file")));
    }
    Ok((store.metadata(root, &key), store.on_disk(&key)))
}

async fn deliver(headers: &HeaderMap, metadata: &Value, mut file: File) -> Result<Answer, Failure> {
    let size = metadata["size"].as_u64().unwrap_or(0);
    let etag = format!("\"{}\"", metadata["rev"].as_str().unwrap_or(""));
    let asked = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let wants_part = asked(header::RANGE).map(|range| part(range, size));
    let (status, from, to) = match wants_part {
        _ if asked(header::IF_NONE_MATCH) == Some(&etag) => (StatusCode::NOT_MODIFIED, 0, 0),
        None | Some(Part::All) => (StatusCode::OK, 0, size),
        Some(Part::Bytes(from, to)) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(Part::Nothing) => {
            let mut answer = text(StatusCode::RANGE_NOT_SATISFIABLE, "no such range".into());
            set(&mut answer, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(answer);
        }
    };
    file.seek(SeekFrom::Start(from)).await?;
    let body = if from == to { whole("") } else { pieces(file, to - from) };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    set(&mut answer, HeaderName::from_static("dropbox-api-result"), &header_safe(metadata));
    set(&mut answer, header::ETAG, &etag);
    set(&mut answer, header::ACCEPT_RANGES, "bytes");
    set(&mut answer, header::CONTENT_TYPE, "application/octet-stream");
    if status != StatusCode::NOT_MODIFIED {
        set(&mut answer, header::CONTENT_LENGTH, &(to - from).to_string());
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{size}", to - 1);
        set(&mut answer, header::CONTENT_RANGE, &range);
    }
    Ok(answer)
}

fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    Bytes(u64, u64),
    Nothing,
}

/// What a `Range` header means; one that is not understood means everything, as HTTP has it.
fn part(range: &str, size: u64) -> Part {
    let read = || {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        if from.is_empty() {
            let last: u64 = to.parse().ok()?;
            return Some((size.saturating_sub(last), size));
        }
        let to = if to.is_empty() { size } else { to.parse::<u64>().ok()?.checked_add(1)? };
        Some((from.parse().ok()?, to.min(size)))
    };
    match read() {
        None => Part::All,
        Some((from, to)) if from < to => Part::Bytes(from, to),
        Some(_) => Part::Nothing,
    }
}

fn pieces(file: File, length: u64) -> AnswerBody {
    let read = async |(mut file, left): (File, u64)| {
        let room = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        if room == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut piece = vec![0; room];
        let count = file.read(&mut piece).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        piece.truncate(count);
        Ok(Some((Frame::data(Bytes::from(piece)), (file, left - count as u64))))
    };
    let frames = stream::try_unfold((file, length), move |at| Box::pin(read(at)));
    StreamBody::new(frames).map_err(Into::into).boxed_unsync()
}

/// `files/list_revisions`.
pub(super) async fn revisions(service: &Service, call: Call) -> Result<Value, Failure> {
    let arg: ListRevisions = call.read()?;
    let mode = arg.mode.as_ref().map_or(Ok("path"), |mode| one_of(mode, &["path", "id"]));
    let by_id = mode.map_err(|why| call.bad(&format!("mode: {why}")))? == "id";
    let limit = arg.limit.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return Err(call.bad("limit: not within 1 to 100"));
    }
    let root = call.root;
    let work = move |store: &mut Store| history(store, &root, &arg, by_id, limit);
    service.with(work).await?.map_err(|trouble| trouble.failure("path", "path"))
}

fn history(
    store: &mut Store,
    root: &Root,
    arg: &ListRevisions,
    by_id: bool,
    limit: usize,
) -> Result<Value, Trouble> {
    let key = store.key(root, &arg.path.0)?;
    store.refresh_with_parents(&key)?;
    if store.live(&key).is_some_and(|node| node.file().is_none()) {
        return Err(Lookup::NotFile.into());
    }
    let current = store.file(&key);
    let id = current.filter(|_| by_id).map(|file| file.id.clone());
    let mut all: Vec<(String, Value)> = store
        .revisions()
        .filter(|old| if let Some(id) = &id { old.file.id == *id } else { old.key == key })
        .map(|old| (&old.key, &old.name, &old.file))
        .chain(store.any(&key).and_then(|node| Some((&key, &node.name, node.file()?))))
        .map(|(key, name, file)| (file.rev.clone(), store.file_metadata(root, key, name, file)))
        .collect();
    if all.is_empty() {
        return Err(Lookup::NotFound.into());
    }
    all.sort_by(|(one, _), (other, _)| other.cmp(one));
    if let Some(Rev(before)) = &arg.before_rev {
        let at = all.iter().position(|(rev, _)| rev == before);
        let at = at.ok_or_else(|| Trouble::Other(tag("invalid_before_rev")))?;
        all.drain(..=at);
    }
    let has_more = all.len() > limit;
    let entries: Vec<Value> = all.into_iter().take(limit).map(|(_, told)| untagged(told)).collect();
    Ok(json!({"is_deleted": current.is_none(), "entries": entries, "has_more": has_more}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        let cases = [
            ("bytes=0-", Part::Bytes(0, 10)),
            ("bytes=3-5", Part::Bytes(3, 6)),
            ("bytes=3-99", Part::Bytes(3, 10)),
            ("bytes=-4", Part::Bytes(6, 10)),
            ("bytes=10-", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            ("lines=1-2", Part::All),
        ];
        for (range, expected) in cases {
            assert_eq!(part(range, 10), expected, "{range}");
        }
    }
}
