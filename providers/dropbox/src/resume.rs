//! How far a large upload came, noted so that a later run goes on from there.
//!
//! Invariant: a block counts as received only if the service said so and its bytes still have the same digest.

use std::collections::BTreeMap;
use std::time::Duration;

use safelight_core::error::Result;
use safelight_core::notebook::Notebook;
use safelight_core::provider::PutRequest;
use safelight_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hash::Digest;
use crate::names::fold;

/// Sessions live for seven days.
const LIFE: Duration = Duration::from_hours(6 * 24 + 12);

/// A page of the notebook about one upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) session: String,
    size: u64,
    modified: Option<i64>,
    /// Nanoseconds since 1970.
    began: i64,
    /// The digests of the blocks that were acknowledged, shortened.
    received: BTreeMap<u64, String>,
}

impl Progress {
    pub(crate) fn new(session: String, request: &PutRequest, now: Timestamp) -> Self {
        Self {
            session,
            size: request.length,
            modified: request.modified.map(Timestamp::as_nanos),
            began: now.as_nanos(),
            received: BTreeMap::new(),
        }
    }

    /// What was noted of an upload of the same item, if its session may still live.
    pub(crate) async fn find(
        notebook: &dyn Notebook,
        path: &str,
        request: &PutRequest,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let Some(text) = notebook.read(&page(path)).await? else { return Ok(None) };
        let noted = serde_json::from_str::<Self>(&text).ok().filter(|noted| {
            let lives = now.since(Timestamp::from_nanos(noted.began)) < LIFE;
            let modified = request.modified.map(Timestamp::as_nanos);
            lives && noted.size == request.length && noted.modified == modified
        });
        Ok(noted)
    }

    pub(crate) async fn save(&self, notebook: &dyn Notebook, path: &str) -> Result<()> {
        let text = serde_json::to_string(self).ok();
        notebook.write(&page(path), text).await
    }

    pub(crate) async fn erase(notebook: &dyn Notebook, path: &str) -> Result<()> {
        notebook.write(&page(path), None).await
    }

    pub(crate) fn note(&mut self, block: u64, digest: &Digest) {
        self.received.insert(block, short(digest));
    }

    /// Whether a block was received; `Some(false)` if other bytes were received in its place.
    pub(crate) fn has(&self, block: u64, digest: &Digest) -> Option<bool> {
        self.received.get(&block).map(|noted| *noted == short(digest))
    }
}

/// Half of a digest tells two blocks of one file apart as well, and the page of a large film stays small.
fn short(digest: &Digest) -> String {
    hex::encode(&digest[..16])
}

fn page(path: &str) -> String {
    format!("upload:{}", fold(path))
}
