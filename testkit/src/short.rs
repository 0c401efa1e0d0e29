//! Short forms of what tests do with a provider: store, read, list.
//!
//! For tests only: what makes no sense (a path that is no key, a listing that does not list) panics.

use bytes::Bytes;
use futures::TryStreamExt as _;
use safelight_core::body::Body;
use safelight_core::class::MediaClass;
use safelight_core::digest::{Digests, Hasher};
use safelight_core::entry::{Entry, Listed, Scope};
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::provider::{Provider, PutMode, PutRequest, Receipt};
use safelight_core::time::Timestamp;

/// In chunks of this size streams arrive.
const CHUNK: usize = 1 << 20;

/// A path as a key.
///
/// # Panics
/// If it is none.
pub fn key(path: &str) -> Key {
    Key::new(path).unwrap_or_else(|_| panic!("{path} is no key"))
}

/// The digests that a provider compares or reports.
pub fn digests(provider: &dyn Provider, bytes: &[u8]) -> Digests {
    Hasher::of(bytes, provider.capabilities().digests)
}

/// A photo of which no digest is known ahead.
pub fn request(path: &str, length: usize, mode: PutMode) -> PutRequest {
    PutRequest {
        key: key(path),
        length: length as u64,
        class: MediaClass::Photo,
        modified: Some(Timestamp::from_parts(1_600_000_000, 0)),
        mode,
        digests: Digests::default(),
    }
}

/// Stores something new.
///
/// # Errors
/// Those of the provider.
pub async fn put(provider: &dyn Provider, path: &str, bytes: &Bytes) -> Result<Receipt> {
    put_as(provider, path, bytes, PutMode::Create).await
}

/// Stores bytes that are whole in memory.
///
/// # Errors
/// Those of the provider.
pub async fn put_as(
    provider: &dyn Provider,
    path: &str,
    bytes: &Bytes,
    mode: PutMode,
) -> Result<Receipt> {
    let body = Body::whole(bytes.clone(), digests(provider, bytes));
    provider.put(request(path, bytes.len(), mode), body).await
}

/// Stores bytes that arrive in chunks of 1 MiB.
///
/// # Errors
/// Those of the provider.
pub async fn stream(provider: &dyn Provider, path: &str, bytes: &Bytes) -> Result<Receipt> {
    stream_of(provider, path, bytes, digests(provider, bytes)).await
}

/// The same, with these digests told at the end.
///
/// # Errors
/// Those of the provider.
pub async fn stream_of(
    provider: &dyn Provider,
    path: &str,
    bytes: &Bytes,
    digests: Digests,
) -> Result<Receipt> {
    let (sender, body) = Body::stream(bytes.len() as u64, 8);
    let feed = async {
        for start in (0..bytes.len()).step_by(CHUNK) {
            let end = bytes.len().min(start + CHUNK);
            if sender.send(Ok(bytes.slice(start..end))).await.is_err() {
                return;
            }
        }
        sender.finish(digests);
    };
    let storing = provider.put(request(path, bytes.len(), PutMode::Create), body);
    futures::future::join(storing, feed).await.0
}

/// Everything that stands under a key.
///
/// # Errors
/// Those of the provider.
pub async fn read(provider: &dyn Provider, path: &str) -> Result<Bytes> {
    let opened = provider.read(&key(path), None, None).await?;
    let chunks: Vec<Bytes> = opened.bytes.try_collect().await?;
    Ok(chunks.concat().into())
}

/// Everything that a listing finds.
///
/// # Errors
/// Those of the provider.
pub async fn list(provider: &dyn Provider, scope: Scope) -> Result<Vec<Listed>> {
    let pages: Vec<_> = provider.list(scope).try_collect().await?;
    Ok(pages.into_iter().flat_map(|page| page.entries).collect())
}

/// The files of a listing, in the order of their keys.
///
/// # Panics
/// If it fails or finds anything else.
pub async fn files_in(provider: &dyn Provider, scope: Scope) -> Vec<Entry> {
    let listed = list(provider, scope).await.unwrap_or_else(|error| panic!("no listing: {error}"));
    let files = listed.into_iter().map(|listed| match listed {
        Listed::File(entry) => entry,
        other => panic!("the listing says {other:?}"),
    });
    let mut files: Vec<_> = files.collect();
    files.sort_by(|a, b| a.key.cmp(&b.key));
    files
}

/// All files, in the order of their keys.
///
/// # Panics
/// As [`files_in`].
pub async fn files(provider: &dyn Provider) -> Vec<Entry> {
    files_in(provider, Scope::default()).await
}

/// The keys of all files, in their order.
///
/// # Panics
/// As [`files_in`].
pub async fn keys(provider: &dyn Provider) -> Vec<String> {
    files(provider).await.into_iter().map(|entry| entry.key.to_string()).collect()
}
