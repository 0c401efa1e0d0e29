//! Looking whether something at a destination is the content we mean.

use futures::TryStreamExt as _;

use crate::catalog::{Content, Held};
use crate::digest::{Digests, Hasher};
use crate::entry::Entry;
use crate::error::Result;
use crate::key::Key;
use crate::provider::{Proof, Provider};
use crate::time::Timestamp;

/// Whether what stands under `key` is `content`: by the service's own digest where there is one to compare,
/// else by reading it back. `None` if nothing is there or it is something else.
pub async fn recognise(
    provider: &dyn Provider,
    key: &Key,
    content: &Content,
    now: Timestamp,
) -> Result<Option<Held>> {
    match provider.stat(key).await? {
        Some(entry) => compare(provider, &entry, content, now).await,
        None => Ok(None),
    }
}

/// As [`recognise`], for an entry that is already known.
pub async fn compare(
    provider: &dyn Provider,
    entry: &Entry,
    content: &Content,
    now: Timestamp,
) -> Result<Option<Held>> {
    if entry.size != content.size {
        return Ok(None);
    }
    let proof = match entry.digests.compare(&content.digests) {
        Err(_) => return Ok(None),
        Ok(Some(algorithm)) => Proof::ServerHash(algorithm),
        Ok(None) => {
            let digests = read_back(provider, entry).await?;
            if digests.compare(&content.digests).is_err() {
                return Ok(None);
            }
            Proof::ReadBack
        }
    };
    Ok(Some(Held {
        key: entry.key.clone(),
        content: *content,
        version: entry.version.clone(),
        remote_id: entry.remote_id.as_ref().map(ToString::to_string),
        proof,
        proved_at: now,
    }))
}

/// The digests of what is stored, computed from the stored bytes.
pub async fn read_back(provider: &dyn Provider, entry: &Entry) -> Result<Digests> {
    let mut opened = provider.read(&entry.key, None, entry.version.as_ref()).await?;
    let mut hasher = Hasher::new(provider.capabilities().digests);
    while let Some(chunk) = opened.bytes.try_next().await? {
        hasher.update(&chunk);
    }
    Ok(hasher.finish())
}
