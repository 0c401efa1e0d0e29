//! Reading: one version or an error, every byte that was announced, and the whole compared with its content hash.
//!
//! One answer of Dropbox is one version. What is under the key is asked for, not a revision: an old revision is
//! served long after the file has changed or gone, and the caller is to know. Only what no key leads to is asked for by
//! the revision that was listed.

use std::ops::Range;

use futures::StreamExt as _;
use futures::stream;
use http::{HeaderMap, Response};
use safelight_core::arriving::{Arriving, is_part};
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::HttpBody;
use safelight_core::key::Key;
use safelight_core::provider::Opened;
use serde_json::json;

use crate::store::{Store, missing, pinned};
use crate::trouble::{Trouble, foreign};
use crate::wire::{Metadata, is_by_rev};

impl Store {
    pub(crate) async fn open(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let doing = format!("reading {key}");
        if range.as_ref().is_some_and(Range::is_empty) {
            return self.open_nothing(key, pin, &doing).await;
        }
        let header = range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        let answer = match self.download_at(key, pin, header, &doing).await {
            Err(trouble) if trouble.status == Some(416) => {
                return self.open_nothing(key, pin, &doing).await;
            }
            answer => answer?,
        };
        let found = result(answer.headers(), &doing)?;
        if !found.is_file() {
            return Err(missing(&doing));
        }
        let entry = meant(&found, key, pin, &doing)?;
        let part = range.map(|range| range.start..range.end.min(found.size()));
        is_part(&answer, part.as_ref(), found.size(), &doing)?;
        let arriving = Arriving {
            expected: part.as_ref().map_or(found.size(), |part| part.end - part.start),
            digests: if part.is_none() { entry.digests } else { Digests::default() },
            chunks: answer.into_body().into_stream(),
            doing,
            guard: (),
        };
        Ok(Opened { entry, bytes: arriving.checked() })
    }

    async fn download_at(
        &self,
        key: &Key,
        pin: Option<&Version>,
        range: Option<String>,
        doing: &str,
    ) -> Result<Response<HttpBody>, Trouble> {
        let mut last = Trouble::from(missing(doing));
        for path in self.paths(key, pin)? {
            let argument = json!({"path": path});
            match self.api.download("files/download", &argument, range.clone(), doing).await {
                // Where no such name can be, nothing is.
                Err(trouble) if trouble.error.kind() == Kind::Name => last = missing(doing).into(),
                Err(trouble) if trouble.error.kind() == Kind::NotFound => last = trouble,
                answer => return answer,
            }
        }
        Err(last)
    }

    async fn open_nothing(&self, key: &Key, pin: Option<&Version>, doing: &str) -> Result<Opened> {
        for path in self.paths(key, pin)? {
            if let Some(found) = self.look_at(&path, doing).await? {
                let entry = meant(&found, key, pin, doing)?;
                return Ok(Opened { entry, bytes: stream::empty().boxed() });
            }
        }
        Err(missing(doing))
    }

    /// Where to look for what is meant.
    fn paths(&self, key: &Key, pin: Option<&Version>) -> Result<Vec<String>> {
        match pin.filter(|pin| is_by_rev(pin)) {
            Some(pin) => Ok(vec![pin.0.to_string()]),
            None => Ok(self.names.spot(key)?.paths().collect()),
        }
    }
}

/// What was found as the entry that was meant.
fn meant(found: &Metadata, key: &Key, pin: Option<&Version>, doing: &str) -> Result<Entry> {
    let Some(pin) = pin.filter(|pin| is_by_rev(pin)) else {
        pinned(found, pin, doing)?;
        return Ok(found.entry(key.clone()));
    };
    let entry = found.entry_by_rev(key.clone());
    if entry.version.as_ref() == Some(pin) { Ok(entry) } else { Err(foreign(doing)) }
}

fn nonsense(doing: &str) -> Error {
    Error::new(Kind::Protocol, format!("{doing}: an answer that makes no sense"))
}

fn result(headers: &HeaderMap, doing: &str) -> Result<Metadata> {
    let header = headers.get("dropbox-api-result").ok_or_else(|| nonsense(doing))?;
    serde_json::from_slice(header.as_bytes()).map_err(|error| nonsense(doing).source(error))
}
