//! Storing: which way an item goes, and that its bytes are the announced ones.
//!
//! Up to 4 MiB: together with others in one request. Up to 16 MiB: in a request of its own. Beyond: in blocks, many
//! at once. However the bytes went, the clerk makes files of them, many in one call.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use safelight_core::body::Body;
use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{PutMode, PutRequest, Receipt};
use tokio::sync::oneshot;

use crate::courier::blocks_of;
use crate::finish::{Finish, Target};
use crate::hash;
use crate::intake::Order;
use crate::store::Store;
use crate::trouble::foreign;

/// Largest item that goes together with others.
const SMALL: u64 = hash::BLOCK as u64;
/// Largest item that goes in one request.
const ONE_REQUEST: u64 = 16 * 1024 * 1024;
/// Largest file that Dropbox takes.
pub(crate) const MOST: u64 = 2_199_019_061_248;

impl Store {
    pub(crate) async fn store(
        self: &Arc<Self>,
        request: PutRequest,
        body: Body,
    ) -> Result<Receipt> {
        let doing = format!("storing {}", request.key);
        if body.length() != request.length {
            let (sent, told) = (body.length(), request.length);
            let context = format!("{doing}: {sent} bytes were handed over, {told} announced");
            return Err(Error::new(Kind::Corrupt, context));
        }
        if request.length > MOST {
            let context = format!("{doing}: {} bytes are too many there", request.length);
            return Err(Error::new(Kind::TooLarge, context));
        }
        if let PutMode::Replace(version) = &request.mode
            && !is_revision(version)
        {
            return Err(foreign(&doing));
        }
        if request.length <= SMALL {
            self.small(&request, body, &doing).await
        } else if request.length <= ONE_REQUEST {
            self.at_once(&request, body, &doing).await
        } else {
            self.in_blocks(&request, body, &doing).await
        }
    }

    async fn small(&self, request: &PutRequest, mut body: Body, doing: &str) -> Result<Receipt> {
        let inbound = self.desk.announce();
        let bytes = joined(gather(&mut body).await?);
        let digests = body.digests().await?;
        // One block: its digest is the SHA-256 of the item.
        let block = Hasher::of(&bytes, Algorithms::default()).sha256.unwrap_or_default();
        let blocks = if bytes.is_empty() { Vec::new() } else { vec![block] };
        let came = Digests { sha256: Some(block), ..Digests::default() };
        let target = self.target(request, &blocks, digests.merged(came), doing)?;
        vouched(&came, &digests, doing)?;
        let (answer, answered) = oneshot::channel();
        self.intake.add(Order { bytes, target, inbound, answer });
        answered.await.map_err(|_| died())?
    }

    async fn at_once(&self, request: &PutRequest, mut body: Body, doing: &str) -> Result<Receipt> {
        let inbound = self.desk.announce();
        // What is whole in memory is counted by whoever keeps it there.
        let room = if body.as_whole().is_some() { 0 } else { request.length };
        let _room = self.room(room).await?;
        let pieces = gather(&mut body).await?;
        let digests = body.digests().await?;
        let blocks = blocks_of(pieces.clone()).await?;
        let target = self.target(request, &blocks, digests, doing)?;
        let session = self.closed_session(&pieces, target.hash, doing).await?;
        drop(pieces);
        let (answer, answered) = oneshot::channel();
        self.desk.finish(Finish { session, target, answer });
        drop(inbound);
        answered.await.map_err(|_| died())?
    }

    /// What is to stand at the end, once the bytes proved to be the announced ones.
    pub(crate) fn target(
        &self,
        request: &PutRequest,
        blocks: &[hash::Digest],
        digests: Digests,
        doing: &str,
    ) -> Result<Target> {
        let hash = hash::content(blocks);
        let came = Digests { dropbox: Some(hash), ..Digests::default() };
        vouched(&came, &digests, doing)?;
        vouched(&came, &request.digests, doing)?;
        vouched(&digests, &request.digests, doing)?;
        Ok(Target {
            key: request.key.clone(),
            spot: self.names.spot(&request.key)?,
            mode: request.mode.clone(),
            modified: request.modified,
            size: request.length,
            hash,
            // For an item of one block the SHA-256 was compared, which says as much.
            vouched: digests.dropbox.is_some() || (blocks.len() < 2 && digests.sha256.is_some()),
            digests: digests.merged(request.digests),
        })
    }

    /// Memory for bytes that this provider itself keeps; given back when dropped.
    pub(crate) async fn room(&self, bytes: u64) -> Result<tokio::sync::SemaphorePermit<'_>> {
        let units = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        self.memory.acquire_many(units).await.map_err(|_| died())
    }
}

/// That two accounts of the same bytes agree.
fn vouched(came: &Digests, told: &Digests, doing: &str) -> Result<()> {
    let differ = |_| {
        let context = format!("{doing}: the bytes are not the announced ones");
        Error::new(Kind::Corrupt, context)
    };
    came.compare(told).map(|_| ()).map_err(differ)
}

/// All chunks of a body.
async fn gather(body: &mut Body) -> Result<Vec<Bytes>> {
    let mut pieces = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        pieces.push(chunk);
    }
    Ok(pieces)
}

fn joined(pieces: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(pieces) {
        Ok([piece]) => piece,
        Err(pieces) => {
            let mut all = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
            for piece in &pieces {
                all.extend_from_slice(piece);
            }
            all.freeze()
        }
    }
}

/// Whether a version has the form of a revision: with any other, Dropbox refuses the whole call, and with it
/// what other items it carries.
pub(crate) fn is_revision(version: &Version) -> bool {
    version.0.len() >= 9 && version.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The task that was to do it is gone; it takes a bug of ours.
pub(crate) fn died() -> Error {
    Error::new(Kind::Internal, "the work at Dropbox died")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_revisions_are_sent_as_such() {
        assert!(is_revision(&Version::new("a1c10ce0dd78")));
        for other in ["", "no such version", "A1C10CE0DD78", "abc"] {
            assert!(!is_revision(&Version::new(other)), "{other}");
        }
    }
}
