//! The bytes of a request: small ones into memory, files onto the disk.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use http_body_util::BodyExt;
use md5::{Digest, Md5};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::answers::{Failure, bad};
use super::gate::Gate;
use super::service::Asked;
use super::state::Received;

/// The longest JSON that is read.
const LONGEST_JSON: usize = 4 << 20;

/// Why there is no complete body.
#[derive(Debug)]
pub(super) enum Lost {
    HungUp,
    Io(io::Error),
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        match lost {
            // Hardly anybody is there to read it.
            Lost::HungUp => bad("Cannot read from request."),
            Lost::Io(error) => error.into(),
        }
    }
}

/// Reads a small body; what is longer counts as empty.
pub(super) async fn json(request: Asked) -> Result<Bytes, Lost> {
    let body = request.into_body().collect().await.map_err(|_| Lost::HungUp)?.to_bytes();
    Ok(if body.len() > LONGEST_JSON { Bytes::new() } else { body })
}

/// Reads a body to its end and throws it away, so that the client is ready for the answer.
pub(super) async fn ignore(request: Asked, gate: &Gate) -> Result<(), Lost> {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Lost::HungUp)?;
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        gate.count(|counters| counters.bytes_uploaded += length);
    }
    Ok(())
}

/// Reads a file to `path`. Unless it arrives as a whole, nothing stays there.
pub(super) async fn file(request: Asked, path: PathBuf, gate: &Gate) -> Result<Received, Lost> {
    let (mut file, mut md5, mut size) = (File::create(&path).await?, Md5::new(), 0);
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            tokio::fs::remove_file(&path).await?;
            return Err(Lost::HungUp);
        };
        let Some(data) = frame.data_ref() else { continue };
        gate.count(|counters| counters.bytes_uploaded += data.len() as u64);
        md5.update(data);
        size += data.len() as u64;
        file.write_all(data).await?;
    }
    file.flush().await?;
    Ok(Received { path, size, md5: hex::encode(md5.finalize()) })
}
