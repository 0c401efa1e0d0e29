//! Reading: one version or an error, every byte that was announced, and the whole compared with its MD5.
//!
//! The service tells where the bytes are; there is gone without cookies, since the link speaks for itself and another
//! host has no business with them.

use std::ops::Range;

use futures::StreamExt as _;
use futures::stream;
use http::{Response, StatusCode, Uri, header};
use safelight_core::arriving::{Arriving, is_part};
use safelight_core::digest::Digests;
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::http::HttpBody;
use safelight_core::key::Key;
use safelight_core::provider::Opened;

use crate::answer::Answer;
use crate::node::{Node, id_of};
use crate::store::Store;
use crate::trouble::{Content, Trouble, content, foreign, missing};

/// How many links are followed.
const HOPS: u32 = 3;
/// How often a link that is refused is asked for anew.
const LINKS: u32 = 2;

impl Store {
    pub(crate) async fn open(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let doing = format!("reading {key}");
        let found = if let Some(id) = pin.and_then(id_of) {
            let node = self.api.node(id, &doing).await?.filter(Node::is_readable);
            node.map(|node| (node.entry_by_id(key.clone()), node))
        } else {
            let found = self.locate(key, &doing).await?;
            found.map(|found| (found.node.entry(key.clone()), found.node))
        };
        let (entry, node) = found.ok_or_else(|| missing(&doing))?;
        if pin.is_some() && entry.version.as_ref() != pin {
            return Err(foreign(&doing));
        }
        let size = entry.size;
        let part = range.map(|range| range.start.min(size)..range.end.min(size));
        if part.as_ref().is_some_and(Range::is_empty) {
            return Ok(Opened { entry, bytes: stream::empty().boxed() });
        }
        let (answer, slot) = self.bytes(&node, part.as_ref(), &doing).await?;
        is_part(&answer, part.as_ref(), size, &doing)?;
        let arriving = Arriving {
            expected: part.as_ref().map_or(size, |part| part.end - part.start),
            digests: if part.is_none() { entry.digests } else { Digests::default() },
            chunks: answer.into_body().into_stream(),
            doing,
            // The call is under way until all bytes are here.
            guard: slot,
        };
        Ok(Opened { entry, bytes: arriving.checked() })
    }

    /// The answer that carries the bytes.
    async fn bytes(&self, node: &Node, part: Option<&Range<u64>>, doing: &str) -> Result<Answer> {
        let header = part.map(|part| format!("bytes={}-{}", part.start, part.end - 1));
        let range = header.as_deref();
        let mut links = 0;
        loop {
            links += 1;
            let owner = &self.folders.home(&self.api).await?.owner;
            let first = self.api.redirection(&node.id, owner, range, doing).await?;
            match self.follow(first, node, range, doing).await? {
                // A link is good for a while only.
                (answer, slot) if answer.status() == StatusCode::FORBIDDEN && links < LINKS => {
                    drop((answer, slot));
                }
                (answer, slot) if answer.status().is_success() => return Ok((answer, slot)),
                (answer, _) => return Err(failed(answer.status(), doing)),
            }
        }
    }

    async fn follow(
        &self,
        first: Answer,
        node: &Node,
        range: Option<&str>,
        doing: &str,
    ) -> Result<Answer> {
        let (mut answer, mut slot) = first;
        for _ in 0..HOPS {
            if !answer.status().is_redirection() {
                break;
            }
            let to = link(&answer).ok_or_else(|| nonsense(doing))?;
            if !self.api.hosts.may_lead_to(&to) {
                let context = format!("{doing}: the link leads where no photos are");
                return Err(Error::new(Kind::Protocol, context));
            }
            // One call at a time.
            drop(slot);
            (answer, slot) = self.api.fetch(&to.to_string(), range, doing).await?;
        }
        if answer.status().is_success() && content(answer.headers()) == Content::Page {
            let page = |kind: &String| kind.to_ascii_lowercase().contains("html");
            if !node.content_type.as_ref().is_some_and(page) {
                return Err(Trouble::page(answer.status(), doing).error);
            }
        }
        Ok((answer, slot))
    }
}

fn link(answer: &Response<HttpBody>) -> Option<Uri> {
    answer.headers().get(header::LOCATION)?.to_str().ok()?.parse().ok()
}

fn nonsense(doing: &str) -> Error {
    Error::new(Kind::Protocol, format!("{doing}: an answer that makes no sense"))
}

/// What the storage behind a link says; it knows nothing of sessions.
fn failed(status: StatusCode, doing: &str) -> Error {
    let context = format!("{doing}: the link to the bytes answered {}", status.as_u16());
    match status.as_u16() {
        404 | 410 => Error::new(Kind::NotFound, context),
        429 => Error::new(Kind::RateLimited, context),
        403 | 408 | 500..=599 => Error::new(Kind::Unavailable, context).scope(Scope::Item),
        _ => Error::new(Kind::Protocol, context),
    }
}
