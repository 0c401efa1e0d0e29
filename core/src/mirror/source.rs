//! Reading the library: once, with all digests in the same pass.
//!
//! Invariant: bytes are handed on as an item's content only after the source vouched that they are one whole
//! version of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;

use super::inspect::Look;
use crate::catalog::{Content, Freshness, Stat, Work};
use crate::codes;
use crate::digest::{Algorithms, Digests, Hasher};
use crate::entry::Entry;
use crate::error::{Error, Kind, Result, Scope};
use crate::provider::{Opened, Provider};
use crate::seats::Readers;
use crate::time::Clock;
use crate::traits::Traits;

/// Files up to this size are read into memory at once; larger ones pass through chunk by chunk.
pub const WHOLE_LIMIT: u64 = 8 * 1024 * 1024;
/// How often a file that changes while it is read is tried.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The library as the transfer reads it.
pub struct Source {
    library: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    algorithms: Algorithms,
    /// Those who read a file into memory or digest it.
    pub readers: Readers,
    bytes_read: AtomicU64,
}

/// A file that is all in memory.
pub struct Whole {
    /// Its bytes.
    pub bytes: Bytes,
    /// What was read.
    pub content: Content,
    /// The stat that belongs to it.
    pub stat: Stat,
}

/// What reading showed about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It is what it should be.
    Sound,
    /// The content differs although nobody touched the date: held back.
    Suspect,
}

impl Source {
    /// Reads from `library`, computing `algorithms`.
    pub fn new(library: Arc<dyn Provider>, clock: Arc<dyn Clock>, algorithms: Algorithms) -> Self {
        let readers = Readers::new(Arc::clone(&library));
        Self { library, clock, algorithms, readers, bytes_read: AtomicU64::new(0) }
    }

    /// How many bytes were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// A hasher for what the destinations speak.
    pub fn hasher(&self) -> Hasher {
        Hasher::new(self.algorithms)
    }

    /// Counts bytes that were read.
    pub fn count(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Opens an item.
    pub async fn open(&self, work: &Work) -> Result<Opened> {
        self.library.read(&work.key, None, None).await.map_err(as_library_error)
    }

    /// Reads of an item what it takes to know what it is.
    pub async fn look_at(&self, look: &Look, work: &Work) -> Result<Traits> {
        let (traits, read) = look.at_item(&*self.library, &work.key, &work.stat).await?;
        self.count(read);
        Ok(traits)
    }

    /// Reads an item into memory.
    pub async fn read_whole(&self, work: &Work) -> Result<Whole> {
        let mut tries = 0;
        loop {
            match self.read_whole_once(work).await {
                Err(error) if self.try_again(&error, &mut tries).await => {}
                result => return result,
            }
        }
    }

    async fn read_whole_once(&self, work: &Work) -> Result<Whole> {
        let opened = self.open(work).await?;
        let stat = stat_of(&opened.entry);
        let bytes = self.collect(opened).await?;
        let digests = Hasher::of(&bytes, self.algorithms);
        let content = Content { size: bytes.len() as u64, digests };
        Ok(Whole { bytes, content, stat })
    }

    /// Reads an item only to know what it is.
    pub async fn digest(&self, work: &Work) -> Result<(Content, Stat)> {
        let mut tries = 0;
        loop {
            match self.digest_once(work).await {
                Err(error) if self.try_again(&error, &mut tries).await => {}
                result => return result,
            }
        }
    }

    async fn digest_once(&self, work: &Work) -> Result<(Content, Stat)> {
        let mut opened = self.open(work).await?;
        let mut hasher = self.hasher();
        while let Some(chunk) = opened.bytes.try_next().await.map_err(as_library_error)? {
            self.count(chunk.len());
            hasher.update(&chunk);
        }
        let content = Content { size: hasher.length(), digests: hasher.finish() };
        Ok((content, stat_of(&opened.entry)))
    }

    async fn collect(&self, mut opened: Opened) -> Result<Bytes> {
        let Some(first) = opened.bytes.try_next().await.map_err(as_library_error)? else {
            return Ok(Bytes::new());
        };
        self.count(first.len());
        let Some(second) = opened.bytes.try_next().await.map_err(as_library_error)? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            self.count(chunk.len());
            all.extend_from_slice(&chunk);
            if all.len() as u64 > opened.entry.size {
                return Err(Error::new(Kind::Changed, "it grew while it was read"));
            }
            next = opened.bytes.try_next().await.map_err(as_library_error)?;
        }
        Ok(all.freeze())
    }

    /// Waits a little and answers true if a file that was changing deserves another try.
    async fn try_again(&self, error: &Error, tries: &mut u32) -> bool {
        if error.kind() != Kind::Changed || *tries + 1 >= TRIES {
            return false;
        }
        self.clock.sleep(FIRST_WAIT * 4_u32.pow(*tries)).await;
        *tries += 1;
        true
    }
}

/// Compares what was read with what the catalog expected.
pub fn judge(work: &Work, stat: &Stat, digests: &Digests) -> Judgement {
    let untouched = stat.modified == work.stat.modified && stat.size == work.stat.size;
    let differs = work.content.is_some_and(|known| known.digests.compare(digests).is_err());
    if differs && untouched && work.freshness != Freshness::Stale {
        Judgement::Suspect
    } else {
        Judgement::Sound
    }
}

/// The stat of an entry as the catalog records it.
pub fn stat_of(entry: &Entry) -> Stat {
    Stat {
        size: entry.size,
        modified: entry.modified.unwrap_or_default(),
        changed: entry.changed,
        file_id: entry.file_id,
    }
}

/// An error of the library concerns the item at every destination, never a destination.
pub fn as_library_error(error: Error) -> Error {
    let code = match error.kind() {
        Kind::NotFound => codes::VANISHED,
        Kind::Changed => codes::CHANGED_WHILE_READING,
        _ => codes::UNREADABLE,
    };
    error.code(code).scope(Scope::Item)
}
