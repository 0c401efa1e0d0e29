//! What the cases share: storing, reading back, listing, and saying what went wrong.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use futures::future::{join, poll_fn};
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::class::MediaClass;
use safelight_core::digest::{Digests, Hasher};
use safelight_core::entry::{Entry, Listed, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::{BadKey, Key};
use safelight_core::permit::{Disposal, Grounds, RemovalPermit};
use safelight_core::provider::{Opened, Provider, PutMode, PutRequest, Receipt};
use safelight_core::time::Clock;

use super::Subject;

/// Why a case did not pass.
#[derive(Debug)]
pub(super) enum Miss {
    Failed(String),
    NotApplicable(&'static str),
}

pub(super) type Verdict<T = ()> = std::result::Result<T, Miss>;

impl From<Error> for Miss {
    fn from(error: Error) -> Self {
        Self::Failed(format!("unexpected {:?}: {error}", error.kind()))
    }
}

impl From<BadKey> for Miss {
    fn from(error: BadKey) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Ends the case with a failure unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err($crate::conformance::bench::Miss::Failed(format!($($why)+)));
        }
    };
}
pub(super) use ensure;

/// One subject and the tools to try it.
pub(super) struct Bench {
    subject: Subject,
}

impl Bench {
    pub(super) fn new(subject: Subject) -> Self {
        Self { subject }
    }

    pub(super) fn provider(&self) -> &dyn Provider {
        &*self.subject.provider
    }

    pub(super) fn declared(&self) -> &Capabilities {
        self.subject.provider.capabilities()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.subject.clock
    }

    /// Lets time pass, where the subject's clock can be moved.
    pub(super) fn skip(&self, span: Duration) -> Verdict {
        let clock = self.subject.simulated.as_ref();
        let clock = clock.ok_or(Miss::NotApplicable("the clock of this subject is fixed"))?;
        clock.skip(span);
        Ok(())
    }

    pub(super) fn must_write(&self) -> Verdict {
        self.must(self.declared().writes, "it does not declare to store")
    }

    /// Ends a case that is about something the provider does not declare.
    #[allow(clippy::unused_self)]
    pub(super) fn must(&self, declared: bool, otherwise: &'static str) -> Verdict {
        if declared { Ok(()) } else { Err(Miss::NotApplicable(otherwise)) }
    }

    pub(super) fn fits(&self, length: usize) -> bool {
        self.declared().max_item_bytes.is_none_or(|most| length as u64 <= most)
    }

    pub(super) fn digests(&self, bytes: &[u8]) -> Digests {
        Hasher::of(bytes, self.declared().digests)
    }

    /// A request to create an item, as the engine would make it for bytes that were not yet read.
    pub(super) fn request(&self, key: &Key, length: usize) -> PutRequest {
        PutRequest {
            key: key.clone(),
            length: length as u64,
            class: self.declared().classes.first().copied().unwrap_or(MediaClass::Other),
            modified: None,
            mode: PutMode::Create,
            digests: Digests::default(),
        }
    }

    pub(super) fn whole(&self, bytes: &Bytes) -> Body {
        Body::whole(bytes.clone(), self.digests(bytes))
    }

    /// Stores bytes that are whole in memory, in the given mode.
    pub(super) async fn put(&self, key: &Key, bytes: &Bytes, mode: PutMode) -> Result<Receipt> {
        let request = PutRequest { mode, ..self.request(key, bytes.len()) };
        self.provider().put(request, self.whole(bytes)).await
    }

    /// Stores bytes that arrive in chunks of `chunk` bytes.
    pub(super) async fn put_streamed(
        &self,
        request: PutRequest,
        bytes: &Bytes,
        chunk: usize,
    ) -> Result<Receipt> {
        let chunks = cut(bytes, chunk).into_iter().map(Ok).collect();
        self.put_chunks(request, bytes.len(), chunks, Some(self.digests(bytes))).await
    }

    /// Stores what arrives chunk by chunk, with a pause after each. Without digests the reading side ends as
    /// if it had died.
    pub(super) async fn put_chunks(
        &self,
        request: PutRequest,
        length: usize,
        chunks: Vec<Result<Bytes>>,
        digests: Option<Digests>,
    ) -> Result<Receipt> {
        let (sender, body) = Body::stream(length as u64, 1);
        let feed = async move {
            for chunk in chunks {
                if sender.send(chunk).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            if let Some(digests) = digests {
                sender.finish(digests);
            }
        };
        join(self.provider().put(request, body), feed).await.0
    }

    /// Stores an item that must be taken.
    pub(super) async fn store(&self, path: &str, bytes: &Bytes) -> Verdict<(Key, Receipt)> {
        self.must_write()?;
        let key = Key::new(path)?;
        let receipt = self.put(&key, bytes, PutMode::Create).await?;
        Ok((key, receipt))
    }

    /// The version that is under the key now.
    pub(super) async fn version(&self, key: &Key) -> Verdict<Version> {
        let entry = self.provider().stat(key).await?;
        let entry = entry.ok_or_else(|| Miss::Failed(format!("{key} is not there")))?;
        entry.version.ok_or(Miss::NotApplicable("it reports no versions"))
    }

    pub(super) async fn read(&self, key: &Key) -> Result<Bytes> {
        gather(self.provider().read(key, None, None).await?).await
    }

    pub(super) async fn must_hold(&self, key: &Key, bytes: &Bytes) -> Verdict {
        let read = self.read(key).await?;
        ensure!(read == *bytes, "{key} gives back {}", unlike(&read, bytes));
        let entry = self.provider().stat(key).await?;
        let size = entry.map(|entry| entry.size);
        ensure!(size == Some(bytes.len() as u64), "{key} is stated with size {size:?}");
        Ok(())
    }

    /// Nothing can be seen under the key by any means.
    pub(super) async fn must_be_free(&self, key: &Key) -> Verdict {
        let stated = self.provider().stat(key).await?;
        ensure!(stated.is_none(), "{key} is visible: {stated:?}");
        let read = self.read(key).await;
        ensure!(has_kind(&read, &[Kind::NotFound]), "{key} can be read: {}", told(&read));
        let scope = Scope { reserved: key.is_reserved(), ..Scope::default() };
        let listed = self.list(scope).await?;
        ensure!(listed.iter().all(|entry| entry.key != *key), "{key} is listed");
        Ok(())
    }

    /// All files of a complete listing. Anything but files has no place at a fresh destination.
    pub(super) async fn list(&self, scope: Scope) -> Verdict<Vec<Entry>> {
        let pages: Vec<_> = self.provider().list(scope).try_collect().await?;
        let mut entries = Vec::new();
        for listed in pages.into_iter().flat_map(|page| page.entries) {
            match listed {
                Listed::File(entry) => entries.push(entry),
                other => return Err(Miss::Failed(format!("the listing says {other:?}"))),
            }
        }
        Ok(entries)
    }

    /// The listing shows exactly these keys, each once. Where listings lag, it is given time.
    pub(super) async fn must_list(&self, scope: Scope, keys: &[Key]) -> Verdict<Vec<Entry>> {
        let expected: BTreeSet<_> = keys.iter().collect();
        let tries = if self.declared().listing_is_current { 1 } else { 60 };
        let mut why = String::new();
        for attempt in 0..tries {
            if attempt > 0 {
                self.clock().sleep(Duration::from_secs(1)).await;
            }
            let entries = self.list(scope.clone()).await?;
            let seen: BTreeSet<_> = entries.iter().map(|entry| &entry.key).collect();
            if seen == expected && entries.len() == expected.len() {
                return Ok(entries);
            }
            let missing: Vec<_> = expected.difference(&seen).take(5).collect();
            let extra: Vec<_> = seen.difference(&expected).take(5).collect();
            let doubles = entries.len() - seen.len();
            why = format!("listing lacks {missing:?}, adds {extra:?}, repeats {doubles}");
        }
        Err(Miss::Failed(why))
    }

    /// A permit to move an item into the trash.
    pub(super) fn to_trash(
        &self,
        key: &Key,
        version: Option<Version>,
        trash: &Key,
    ) -> Verdict<RemovalPermit> {
        let grounds = Grounds::DeletedFromLibrary { noticed: self.clock().now() };
        let disposal = Disposal::Trash(trash.clone());
        Ok(RemovalPermit::grant(key.clone(), version, disposal, grounds, self.clock())?)
    }
}

/// The bytes of an opened object, if its stream ends well.
pub(super) async fn gather(opened: Opened) -> Result<Bytes> {
    let all = opened.bytes.try_fold(BytesMut::new(), async |mut all, chunk| {
        all.extend_from_slice(&chunk);
        Ok(all)
    });
    Ok(all.await?.freeze())
}

/// Cuts bytes into chunks of `size`; the last may be shorter.
pub(super) fn cut(bytes: &Bytes, size: usize) -> Vec<Bytes> {
    let starts = (0..bytes.len()).step_by(size.max(1));
    starts.map(|start| bytes.slice(start..bytes.len().min(start + size))).collect()
}

/// Whether it failed, and in one of these ways.
pub(super) fn has_kind<T>(result: &Result<T>, kinds: &[Kind]) -> bool {
    result.as_ref().is_err_and(|error| kinds.contains(&error.kind()))
}

/// A result in words.
pub(super) fn told<T>(result: &Result<T>) -> String {
    match result {
        Ok(_) => "it answered Ok".to_owned(),
        Err(error) => format!("it answered {:?}: {error}", error.kind()),
    }
}

/// How some bytes differ from what was expected.
pub(super) fn unlike(read: &[u8], expected: &[u8]) -> String {
    let same = read.iter().zip(expected).take_while(|(a, b)| a == b).count();
    format!("{} bytes instead of {}, unlike from byte {same} on", read.len(), expected.len())
}

/// Drives a future until it has had to wait `waits` times more, then drops it: `None` if it was dropped.
pub(super) async fn drive<T>(future: impl Future<Output = T>, waits: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut left = waits;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
