//! Reading: one version or an error, every byte that was announced, and the whole compared with its MD5.
//!
//! The service tells where the bytes are; there is gone without cookies, since the link speaks for itself and another
//! host has no business with them.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{Response, StatusCode, Uri, header};
use safelight_core::digest::{Algorithm, Algorithms, Hasher};
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::http::HttpBody;
use safelight_core::key::Key;
use safelight_core::provider::Opened;

use crate::answer::Answer;
use crate::node::{Md5, Node, id_of};
use crate::pace::Slot;
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
        served(&answer, part.as_ref(), size, &doing)?;
        let hasher = || Hasher::new(Algorithms::default().with(Algorithm::Md5));
        let transfer = Transfer {
            expected: part.as_ref().map_or(size, |part| part.end - part.start),
            received: 0,
            whole: part.is_none().then(|| (hasher(), node.md5)),
            chunks: answer.into_body().into_stream(),
            doing,
            _slot: slot,
        };
        Ok(Opened { entry, bytes: transfer.stream() })
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

/// That the answer is the part that was asked for.
fn served(
    answer: &Response<HttpBody>,
    part: Option<&Range<u64>>,
    size: u64,
    doing: &str,
) -> Result<()> {
    let status = answer.status();
    let told = answer.headers().get(header::CONTENT_RANGE).and_then(|told| told.to_str().ok());
    let right = match part {
        None => status == StatusCode::OK,
        Some(part) if status == StatusCode::OK => *part == (0..size),
        Some(part) => {
            let expected = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            status == StatusCode::PARTIAL_CONTENT && told == Some(expected.as_str())
        }
    };
    if right {
        return Ok(());
    }
    Err(Error::new(Kind::Protocol, format!("{doing}: another part came than was asked for")))
}

/// An item on its way here; its call is under way until it is dropped.
struct Transfer {
    chunks: BoxStream<'static, Result<Bytes>>,
    expected: u64,
    received: u64,
    /// Of a whole file: what came so far, and the digest that it is to have.
    whole: Option<(Hasher, Option<Md5>)>,
    doing: String,
    _slot: Slot,
}

impl Transfer {
    fn stream(self) -> BoxStream<'static, Result<Bytes>> {
        stream::unfold(Some(self), |state| async move {
            let mut transfer = state?;
            match transfer.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(transfer))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(chunk) = self.chunks.try_next().await? else { return self.end() };
        self.received += chunk.len() as u64;
        if self.received > self.expected {
            let context = format!("{}: more bytes came than there are", self.doing);
            return Err(Error::new(Kind::Corrupt, context));
        }
        if let Some((hasher, _)) = &mut self.whole {
            hasher.update(&chunk);
        }
        Ok(Some(chunk))
    }

    fn end(&mut self) -> Result<Option<Bytes>> {
        if self.received < self.expected {
            let context =
                format!("{}: {} of {} bytes came", self.doing, self.received, self.expected);
            return Err(Error::new(Kind::Unavailable, context).scope(Scope::Item));
        }
        if let Some((hasher, Some(md5))) = self.whole.take()
            && hasher.finish().md5 != Some(md5)
        {
            let context = format!("{}: other bytes came than are stored", self.doing);
            return Err(Error::new(Kind::Corrupt, context));
        }
        Ok(None)
    }
}
