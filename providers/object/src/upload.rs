//! The longer ways of storing: in parts, and by way of a temporary name.
//!
//! Invariant: whatever ends an upload early, be it an error or a dropped future, its remains are parked to be
//! cleared away, and nothing was visible under the key.

use bytes::Bytes;
use futures::TryStreamExt as _;
use opendal::options::WriteOptions;
use opendal::{Operator, Writer};
use safelight_core::body::Body;
use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::RESERVED;
use safelight_core::provider::{Proof, PutMode, PutRequest, Receipt};

use crate::call::Manner;
use crate::deadline::within;
use crate::leftovers::{Leftover, Leftovers};
use crate::put::{collect, refused, verified};
use crate::store::ObjectStore;

const MIB: u64 = 1024 * 1024;
/// Up to this size an object goes in one request; above, in parts of at least this size.
pub(crate) const PART: u64 = 8 * MIB;
/// What all uploads in parts of one destination may hold in memory, in MiB.
pub(crate) const MEMORY: u32 = 64;
/// S3 takes 10,000 parts; some room is left.
const PARTS: u64 = 9000;

/// Random bytes in a temporary name.
const TEMPORARY: usize = 12;

/// Whether `name` is one of our temporary names.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.len() == 2 * TEMPORARY && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The size of the parts of an object of `length` bytes.
fn part_size(length: u64) -> u64 {
    length.div_ceil(PARTS).max(PART)
}

/// How many parts of this size are sent at once, and how many MiB that holds: besides those on their way one
/// is filling up and one is waiting.
fn at_once(part: u64) -> (usize, u32) {
    let parallel: u8 = if part <= PART * 2 { 2 } else { 1 };
    let mib = (u64::from(parallel) + 2) * part.div_ceil(MIB);
    (parallel.into(), u32::try_from(mib).unwrap_or(MEMORY).min(MEMORY))
}

impl ObjectStore {
    /// Parts, a few at a time, and the commit as the last step.
    pub(crate) async fn in_parts(
        &self,
        request: &PutRequest,
        mut body: Body,
        path: &str,
        doing: &str,
    ) -> Result<Receipt> {
        // The service would say so too, but only after all the parts.
        self.look_first(request, path).await?;
        let part = part_size(request.length);
        let (parallel, mib) = at_once(part);
        let closed = |_| Error::new(Kind::Internal, "the memory of uploads is closed");
        let _room = self.memory.acquire_many(mib).await.map_err(closed)?;
        let (operator, call) = self.call(Manner { keep_target: false, parallel: parallel > 1 });
        let known = body.digests_ahead().unwrap_or(request.digests);
        let options = WriteOptions {
            chunk: usize::try_from(part).ok(),
            concurrent: parallel,
            ..self.options(request, &known)
        };
        let work = async {
            let told = |error| refused(&call, &error, request, doing);
            let writer = operator.writer_options(path, options).await.map_err(told)?;
            let mut upload = Upload { writer: Some(writer), leftovers: &self.leftovers };
            let mut crc = 0;
            while let Some(chunk) = body.chunk().await? {
                crc = crc32c::crc32c_append(crc, &chunk);
                upload.write(chunk).await.map_err(told)?;
            }
            let digests = verified(&mut body, crc, request, doing).await?;
            let etag = upload.commit().await.map_err(told)?;
            self.receipt(request, path, &call, etag.as_deref(), digests, doing).await
        };
        within(&*self.context.clock, request.length, doing, work).await
    }

    /// For services that show an object while it arrives: send it to a temporary name, read it back there (they
    /// report no digest), then move it to its place in one step.
    pub(crate) async fn staged(
        &self,
        request: &PutRequest,
        body: Body,
        path: &str,
        doing: &str,
    ) -> Result<Receipt> {
        let (bytes, digests) = collect(body, request, doing).await?;
        self.look_first(request, path).await?;
        let keep_target = request.mode == PutMode::Create;
        let (operator, call) = self.call(Manner { keep_target, parallel: false });
        let told = |error| refused(&call, &error, request, doing);
        let mut staged = Staged {
            operator: operator.clone(),
            path: Some(self.temporary()?),
            leftovers: &self.leftovers,
        };
        let temporary = staged.path.clone().unwrap_or_default();
        let options = self.options(request, &digests);
        operator.write_options(&temporary, bytes, options).await.map_err(told)?;
        let (length, arrived) = read_back(&operator, &temporary).await.map_err(told)?;
        let compared = arrived.compare(&digests);
        if length != request.length || compared.is_err() {
            let context = format!("{doing}: what arrived is not what was sent");
            return Err(Error::new(Kind::Corrupt, context));
        }
        let _turn = self.turn(path).await;
        if !keep_target {
            self.look_first(request, path).await?;
        }
        operator.rename(&temporary, path).await.map_err(told)?;
        staged.path = None;
        let receipt = self.receipt(request, path, &call, None, digests, doing).await?;
        let proved = matches!(compared, Ok(Some(_)));
        let proof = if proved { Proof::ReadBack } else { receipt.proof };
        Ok(Receipt { proof, ..receipt })
    }

    fn temporary(&self) -> Result<String> {
        let mut random = [0; TEMPORARY];
        getrandom::fill(&mut random)
            .map_err(|error| Error::new(Kind::Internal, "no random numbers").source(error))?;
        Ok(format!("{}{}", self.staging(), hex::encode(random)))
    }

    /// The folder of the temporary names.
    pub(crate) fn staging(&self) -> String {
        format!("{}{RESERVED}/tmp/", self.names.root().trim_start_matches('/'))
    }
}

/// The length and the digests of what is stored, from the stored bytes.
async fn read_back(operator: &Operator, path: &str) -> opendal::Result<(u64, Digests)> {
    let mut stored = operator.reader(path).await?.into_stream(..).await?;
    let mut hasher = Hasher::new(Algorithms::default());
    while let Some(chunk) = stored.try_next().await? {
        for bytes in chunk {
            hasher.update(&bytes);
        }
    }
    Ok((hasher.length(), hasher.finish()))
}

/// An upload in parts that is aborted unless it is committed.
struct Upload<'a> {
    writer: Option<Writer>,
    leftovers: &'a Leftovers,
}

impl Upload<'_> {
    async fn write(&mut self, chunk: Bytes) -> opendal::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.write(chunk).await,
            None => Ok(()),
        }
    }

    async fn commit(mut self) -> opendal::Result<Option<String>> {
        let etag = match &mut self.writer {
            Some(writer) => writer.close().await?.etag().map(str::to_owned),
            None => None,
        };
        self.writer = None;
        Ok(etag)
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.leftovers.park(Leftover::Upload(Box::new(writer)));
        }
    }
}

/// A temporary object that is removed unless it was moved.
struct Staged<'a> {
    operator: Operator,
    path: Option<String>,
    leftovers: &'a Leftovers,
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            self.leftovers.park(Leftover::Object(self.operator.clone(), path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_so_that_five_terabytes_fit() {
        let five_tib = 5 * 1024 * 1024 * MIB;
        for length in [PART + 1, 100 * MIB, 80_000 * MIB, five_tib - 1, five_tib] {
            let part = part_size(length);
            assert!((PART..=5 * 1024 * MIB).contains(&part));
            assert!(length.div_ceil(part) <= 10_000, "{length}");
            let (parallel, mib) = at_once(part);
            assert!(parallel >= 1 && mib <= MEMORY);
        }
        assert_eq!(at_once(PART), (2, 32));
    }
}
