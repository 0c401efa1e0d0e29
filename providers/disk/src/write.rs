//! Storing one item: room, an unfinished file, its bytes, and then the common commit.

use std::sync::Arc;

use safelight_core::body::Body;
use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::{PutMode, PutRequest, Receipt};

use crate::commit::{Commits, Order};
use crate::feed::blocking;
use crate::space::Space;
use crate::temp::{Temp, compare};
use crate::tree::Tree;
use crate::workshop::Workshop;

/// Bytes that are collected before a blocking thread is asked to write them.
const GATHER: usize = 1024 * 1024;

/// What storing needs.
pub(crate) struct Writer {
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) space: Arc<Space>,
    pub(crate) commits: Arc<Commits>,
    pub(crate) read_back: bool,
}

/// Stores one item; see the contract of `Provider::put`.
pub(crate) async fn put(writer: Writer, request: PutRequest, mut body: Body) -> Result<Receipt> {
    if body.length() != request.length {
        let context =
            format!("{}: {} bytes announced, {} come", request.key, request.length, body.length());
        return Err(Error::new(Kind::Corrupt, context));
    }
    // Without reading back, the digest is taken of what is written, so that a wrong one is noticed at all.
    // With it, the digest of what was stored says the same and more.
    let known_ahead = body.digests_ahead();
    let hashing = !writer.read_back || known_ahead.is_some_and(|digests| digests.sha256.is_none());
    let mut work = Work { hasher: hashing.then(|| Hasher::new(Algorithms::default())), temp: None };
    let (key, workshop, space) =
        (request.key.clone(), Arc::clone(&writer.workshop), Arc::clone(&writer.space));
    let (mode, length) = (request.mode.clone(), request.length);
    let mut start = Some(move || {
        check(&workshop.tree, &key, &mode, length)?;
        let claim = space.claim(workshop.tree.root.handle(), length)?;
        Temp::create(workshop, claim)
    });
    loop {
        let mut pieces = Vec::new();
        let mut gathered = 0;
        let mut ended = false;
        while gathered < GATHER && !ended {
            match body.chunk().await? {
                Some(piece) => {
                    gathered += piece.len();
                    pieces.push(piece);
                }
                None => ended = true,
            }
        }
        // The first switch to a blocking thread also opens the file: a small item takes just one.
        let start = start.take();
        work = blocking(move || {
            if let Some(start) = start {
                work.temp = Some(start()?);
            }
            work.add(&pieces)?;
            Ok(work)
        })
        .await?;
        if ended {
            break;
        }
    }
    let digests = body.digests().await?;
    compare(&digests, &request.digests, &request.key.to_string())?;
    let mut digests = digests.merged(request.digests);
    if let Some(hasher) = work.hasher {
        let written = hasher.finish();
        compare(&written, &digests, &request.key.to_string())?;
        digests = digests.merged(written);
    }
    let temp = work.temp.ok_or_else(|| Error::new(Kind::Internal, "no unfinished file"))?;
    writer.commits.commit(order(request, temp, digests, writer.read_back)).await
}

fn order(request: PutRequest, temp: Temp, digests: Digests, read_back: bool) -> Order {
    Order {
        temp,
        key: request.key,
        length: request.length,
        modified: request.modified,
        mode: request.mode,
        digests,
        read_back,
    }
}

/// A file that is being written.
struct Work {
    hasher: Option<Hasher>,
    temp: Option<Temp>,
}

impl Work {
    fn add(&mut self, pieces: &[bytes::Bytes]) -> Result<()> {
        if let Some(hasher) = &mut self.hasher {
            for piece in pieces {
                hasher.update(piece);
            }
        }
        self.temp.as_mut().map_or(Ok(()), |temp| temp.append_all(pieces))
    }
}

/// What can be refused before a byte is written. What counts is asked again at the commit.
fn check(tree: &Tree, key: &Key, mode: &PutMode, length: u64) -> Result<()> {
    if let Some(limit) = tree.rules.max_item_bytes.filter(|limit| length > *limit) {
        let context = format!("{key} has {length} bytes, the file system takes {limit}");
        return Err(Error::new(Kind::TooLarge, context));
    }
    if !tree.rules.holds(&tree.stored(key)) {
        let context = format!("{key} has a longer name than the file system takes");
        return Err(Error::new(Kind::Name, context));
    }
    match (mode, tree.stat(key)?) {
        (PutMode::Create, Some(_)) => {
            Err(Error::new(Kind::Exists, format!("{key} is already there")))
        }
        (PutMode::Replace(version), found) => {
            let same = found.is_some_and(|facts| tree.tag(&facts.stamp) == *version);
            if same { Ok(()) } else { Err(replaced_by_another(key)) }
        }
        (PutMode::Create, None) => Ok(()),
    }
}

/// The error for a stored item that is not the version that was to be replaced.
pub(crate) fn replaced_by_another(key: &Key) -> Error {
    Error::new(Kind::Changed, format!("{key} is not the version that was stored"))
        .code(safelight_core::codes::FOREIGN_VERSION)
}
