//! Writing papers into a target.
//!
//! Invariant: only what this export wrote itself is ever replaced, and exactly that version of it. What is to be written
//! is noted before it is, so that a run that died does not take its own paper for somebody else's. The same paper again
//! costs no call.

mod notes;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use safelight_core::body::Body;
use safelight_core::catalog::{Catalog, Content};
use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::{Provider, PutMode, PutRequest};
use safelight_core::recognise::compare;
use safelight_core::time::Clock;

pub(crate) use self::notes::forget;
use self::notes::{State, load, save};
use crate::papers::{Paper, Payload};

/// Papers go out in pieces of about this size.
const PIECE: usize = 64 * 1024;
/// Pieces that may wait.
const WINDOW: usize = 4;

/// Writes papers to one target.
pub struct Writer<'a> {
    /// The target.
    pub provider: &'a dyn Provider,
    /// Where it is remembered what was written.
    pub catalog: &'a dyn Catalog,
    /// The target's name.
    pub destination: &'a str,
    /// Under which name it is remembered; papers of one name are written by one writer at a time.
    pub page: &'static str,
    /// The source of time.
    pub clock: &'a dyn Clock,
}

/// What became of the papers.
#[derive(Debug, Default)]
pub struct Written {
    /// Written in this run.
    pub written: u64,
    /// There already.
    pub unchanged: u64,
    /// Could not be written.
    pub failed: Vec<(Key, Error)>,
    /// All that stand there now.
    pub there: Vec<Payload>,
}

impl Writer<'_> {
    /// Writes what is new or different.
    ///
    /// # Errors
    /// The catalog's. What fails at the target is in the answer.
    pub async fn write(&self, papers: &[Paper]) -> Result<Written> {
        let mut notes = load(self.catalog, self.destination, self.page).await?;
        let mut written = Written::default();
        let mut todo = Vec::new();
        for paper in papers {
            let content = self.measure(paper);
            let Some(sha256) = content.digests.sha256 else { continue };
            let note = notes.entry(paper.key.clone()).or_default();
            let (size, key) = (content.size, paper.key.clone());
            if note.state == State::Sure && note.contents.last() == Some(&(size, sha256)) {
                written.unchanged += 1;
                written.there.push(Payload { key, size, sha256 });
                continue;
            }
            let before = note.contents.clone();
            note.intend(size, sha256);
            todo.push((paper, content, before));
        }
        if todo.is_empty() {
            return Ok(written);
        }
        save(self.catalog, self.destination, self.page, &notes).await?;
        let width = self.provider.capabilities().concurrency.max(1);
        let puts = todo.into_iter().map(|(paper, content, before)| async move {
            (&paper.key, content, self.put(paper, &content, &before).await)
        });
        let mut puts = stream::iter(puts).buffer_unordered(width);
        while let Some((key, content, outcome)) = puts.next().await {
            match outcome {
                Ok(()) => {
                    written.written += 1;
                    if let Some(note) = notes.get_mut(key) {
                        note.state = State::Sure;
                    }
                    let sha256 = content.digests.sha256.unwrap_or_default();
                    written.there.push(Payload { key: key.clone(), size: content.size, sha256 });
                }
                Err(error) => written.failed.push((key.clone(), error)),
            }
        }
        drop(puts);
        save(self.catalog, self.destination, self.page, &notes).await?;
        written.there.sort();
        Ok(written)
    }

    /// Everything that was ever written and stands there, whether it would be written again or not.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn standing(&self) -> Result<Vec<Payload>> {
        let notes = load(self.catalog, self.destination, self.page).await?;
        let sure = notes.into_iter().filter(|(_, note)| note.state == State::Sure);
        let standing = sure.filter_map(|(key, note)| {
            let (size, sha256) = *note.contents.last()?;
            Some(Payload { key, size, sha256 })
        });
        Ok(standing.collect())
    }

    /// Where something else stands now in the place of a paper.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn given_up(&self) -> Result<Vec<Key>> {
        let notes = load(self.catalog, self.destination, self.page).await?;
        let given_up = notes.into_iter().filter(|(_, note)| note.state == State::GivenUp);
        Ok(given_up.map(|(key, _)| key).collect())
    }

    fn measure(&self, paper: &Paper) -> Content {
        let algorithms = self.provider.capabilities().digests.union(Algorithms::default());
        let mut hasher = Hasher::new(algorithms);
        paper.lines().for_each(|line| hasher.update(&line));
        Content { size: hasher.length(), digests: hasher.finish() }
    }

    async fn put(
        &self,
        paper: &Paper,
        content: &Content,
        before: &[(u64, [u8; 32])],
    ) -> Result<()> {
        if before.is_empty() {
            match self.send(paper, content, PutMode::Create).await {
                Err(error) if error.kind() == Kind::Exists => {}
                done => return done,
            }
        }
        let Some(entry) = self.provider.stat(&paper.key).await? else {
            return self.send(paper, content, PutMode::Create).await;
        };
        let now = self.clock.now();
        if compare(self.provider, &entry, content, now).await?.is_some() {
            return Ok(());
        }
        for (size, sha256) in before {
            let digests = Digests { sha256: Some(*sha256), ..Digests::default() };
            let ours = Content { size: *size, digests };
            if compare(self.provider, &entry, &ours, now).await?.is_none() {
                continue;
            }
            let none =
                || Error::new(Kind::Unsupported, format!("{}: no version to replace", paper.key));
            let version = entry.version.clone().ok_or_else(none)?;
            return self.send(paper, content, PutMode::Replace(version)).await;
        }
        let complaint = format!(
            "{}: something else stands there, which was not written by this export",
            paper.key
        );
        Err(Error::new(Kind::Exists, complaint))
    }

    async fn send(&self, paper: &Paper, content: &Content, mode: PutMode) -> Result<()> {
        let request = PutRequest {
            key: paper.key.clone(),
            length: content.size,
            class: paper.class,
            modified: None,
            mode,
            digests: content.digests,
        };
        if content.size <= PIECE as u64 {
            let body = Body::whole(Bytes::from(paper.text()), content.digests);
            return self.provider.put(request, body).await.map(|_| ());
        }
        let (sender, body) = Body::stream(content.size, WINDOW);
        let pieces = async move {
            let mut piece = Vec::with_capacity(PIECE * 2);
            for line in paper.lines() {
                piece.extend_from_slice(&line);
                // A line may be long; pieces are not.
                while piece.len() >= PIECE {
                    let rest = piece.split_off(PIECE);
                    let full = std::mem::replace(&mut piece, rest);
                    sender.send(Ok(Bytes::from(full))).await?;
                }
            }
            if !piece.is_empty() {
                sender.send(Ok(Bytes::from(piece))).await?;
            }
            sender.finish(content.digests);
            Ok::<(), Error>(())
        };
        // That the target stopped taking bytes is told better by the target itself.
        let (_, stored) = futures::join!(pieces, self.provider.put(request, body));
        stored.map(|_| ())
    }
}
