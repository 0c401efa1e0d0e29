//! Storing: which way an item goes, under which condition, and what proves that it arrived.

use std::collections::HashMap;

use opendal::Buffer;
use opendal::options::{DeleteOptions, WriteOptions};
use safelight_core::body::Body;
use safelight_core::codes;
use safelight_core::digest::{Algorithm, Digests};
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{Proof, PutMode, PutRequest, Receipt};

use crate::call::{Call, Manner};
use crate::deadline::within;
use crate::errors::translate;
use crate::store::{META_MTIME, META_SHA256, ObjectStore, bare, condition, format_time};
use crate::upload::PART;

impl ObjectStore {
    pub(crate) async fn store(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        let doing = format!("storing {}", request.key);
        if body.length() != request.length {
            let (sent, told) = (body.length(), request.length);
            let context = format!("{doing}: {sent} bytes were handed over, {told} announced");
            return Err(Error::new(Kind::Corrupt, context));
        }
        if self.capabilities.max_item_bytes.is_some_and(|most| request.length > most) {
            let context = format!("{doing}: {} bytes are too many there", request.length);
            return Err(Error::new(Kind::TooLarge, context));
        }
        let path = self.names.encode(&request.key)?;
        self.sweep().await;
        self.clear_leftovers().await;
        let stored = if self.ways.parts && request.length > PART {
            self.in_parts(&request, body, &path, &doing).await
        } else {
            let work = async {
                if self.ways.staged {
                    self.staged(&request, body, &path, &doing).await
                } else {
                    self.at_once(&request, body, &path, &doing).await
                }
            };
            within(&*self.context.clock, request.length, &doing, work).await
        };
        if stored.is_err() {
            self.clear_leftovers().await;
        }
        stored
    }

    /// Not while the service asks for a pause: nobody should wait for the clearing up.
    async fn clear_leftovers(&self) {
        if self.gate.closed_for().is_zero() {
            let clearing = async {
                self.leftovers.clear().await;
                Ok(())
            };
            // What was not cleared away in time is parked again.
            let _ = within(&*self.context.clock, 0, "clearing up", clearing).await;
        }
    }

    /// One request with everything in it.
    async fn at_once(
        &self,
        request: &PutRequest,
        body: Body,
        path: &str,
        doing: &str,
    ) -> Result<Receipt> {
        let (bytes, digests) = collect(body, request, doing).await?;
        let mut _turn = None;
        if !self.conditional(&request.mode) {
            _turn = self.turn(path).await;
            self.look_first(request, path).await?;
        }
        let (operator, call) = self.call(Manner::default());
        let options = self.options(request, &digests);
        let written = operator.write_options(path, bytes, options).await;
        let written = written.map_err(|error| refused(&call, &error, request, doing))?;
        self.receipt(request, path, &call, written.etag(), digests, doing).await
    }

    /// Whether the service itself looks at the condition.
    pub(crate) fn conditional(&self, mode: &PutMode) -> bool {
        match mode {
            PutMode::Create => self.ways.create_only,
            PutMode::Replace(version) => self.ways.replace_exactly && condition(version).is_some(),
        }
    }

    /// Looks whether the condition holds at this moment.
    pub(crate) async fn look_first(&self, request: &PutRequest, path: &str) -> Result<()> {
        let found = self.look(&request.key, path).await?;
        match (&request.mode, found) {
            (PutMode::Create, None) => Ok(()),
            (PutMode::Replace(version), Some(found))
                if self.version(&found).as_ref() == Some(version) =>
            {
                Ok(())
            }
            (mode, _) => Err(occupied(mode, format!("storing {}", request.key))),
        }
    }

    /// What goes along with the bytes.
    pub(crate) fn options(&self, request: &PutRequest, digests: &Digests) -> WriteOptions {
        let native = self.conditional(&request.mode);
        let if_match = match &request.mode {
            PutMode::Replace(version) if native => condition(version),
            _ => None,
        };
        let mut metadata = HashMap::new();
        if let Some(digest) = digests.sha256 {
            metadata.insert(META_SHA256.to_owned(), hex::encode(digest));
        }
        if let Some(time) = request.modified {
            metadata.insert(META_MTIME.to_owned(), format_time(time));
        }
        let typed = self.operator.info().capability().write_with_content_type;
        WriteOptions {
            if_not_exists: native && request.mode == PutMode::Create,
            if_match,
            user_metadata: (self.ways.metadata && !metadata.is_empty()).then_some(metadata),
            content_type: typed.then(|| content_type(request.key.name()).to_owned()),
            ..WriteOptions::default()
        }
    }

    /// Says how well we know, after looking at the stored size where the service vouched for nothing.
    pub(crate) async fn receipt(
        &self,
        request: &PutRequest,
        path: &str,
        call: &Call,
        etag: Option<&str>,
        digests: Digests,
        doing: &str,
    ) -> Result<Receipt> {
        let mut version = etag.map(|etag| Version::new(bare(etag)));
        let checks = call.checks();
        let by_etag = digests.md5.map(hex::encode).filter(|md5| {
            version.as_ref().is_some_and(|version| version.0.eq_ignore_ascii_case(md5))
        });
        let proof = match checks.proof() {
            _ if checks.differs => {
                self.take_back(request, path, version.as_ref()).await;
                let context = format!("{doing}: the checksum of what arrived is another");
                return Err(Error::new(Kind::Corrupt, context));
            }
            Some(proof) => proof,
            None if by_etag.is_some() => Proof::ServerHash(Algorithm::Md5),
            None => {
                let found = self.look(&request.key, path).await?;
                let whole = found.filter(|found| found.content_length() == request.length);
                let Some(found) = whole else {
                    self.take_back(request, path, version.as_ref()).await;
                    let context = format!("{doing}: the size of what is stored is another");
                    return Err(Error::new(Kind::Corrupt, context));
                };
                version = self.version(&found);
                Proof::SizeOnly
            }
        };
        Ok(Receipt { version, remote_id: None, modified: None, digests, proof })
    }

    /// Removes what this very `put` made and must not leave behind. What it replaced cannot be brought back.
    async fn take_back(&self, request: &PutRequest, path: &str, version: Option<&Version>) {
        if request.mode == PutMode::Create {
            let (operator, _) = self.call(Manner::default());
            let if_match = version.and_then(condition).filter(|_| self.ways.pinned_delete);
            let options = DeleteOptions { if_match, ..DeleteOptions::default() };
            // The error that led here is what counts.
            let _ = operator.delete_options(path, options).await;
        }
    }
}

/// The whole body, once it has proved to be what was announced.
pub(crate) async fn collect(
    mut body: Body,
    request: &PutRequest,
    doing: &str,
) -> Result<(Buffer, Digests)> {
    let (mut chunks, mut crc) = (Vec::new(), 0);
    while let Some(chunk) = body.chunk().await? {
        crc = crc32c::crc32c_append(crc, &chunk);
        chunks.push(chunk);
    }
    let digests = verified(&mut body, crc, request, doing).await?;
    Ok((Buffer::from(chunks), digests))
}

/// The digests of a body that was read to its end. `crc` is that of the bytes as they came here: what the
/// service vouches for is only as good as those.
pub(crate) async fn verified(
    body: &mut Body,
    crc: u32,
    request: &PutRequest,
    doing: &str,
) -> Result<Digests> {
    let digests = body.digests().await?;
    let came = Digests { crc32c: Some(crc), ..Digests::default() };
    if digests.compare(&request.digests).is_err() || digests.compare(&came).is_err() {
        let context = format!("{doing}: the bytes are not the announced ones");
        return Err(Error::new(Kind::Corrupt, context));
    }
    Ok(digests.merged(request.digests))
}

/// The error of a write; a condition that did not hold means what the mode says.
pub(crate) fn refused(
    call: &Call,
    error: &opendal::Error,
    request: &PutRequest,
    doing: &str,
) -> Error {
    let error = translate(call, error, doing);
    match error.kind() {
        Kind::Changed | Kind::Exists => occupied(&request.mode, error.context().to_owned()),
        _ => error,
    }
}

fn occupied(mode: &PutMode, doing: String) -> Error {
    match mode {
        PutMode::Create => Error::new(Kind::Exists, doing + ": something is already there"),
        PutMode::Replace(_) => Error::new(Kind::Changed, doing + ": another version is there")
            .code(codes::FOREIGN_VERSION),
    }
}

/// For browsers that look into the bucket; nothing here depends on it.
fn content_type(name: &[u8]) -> &'static str {
    let ending = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    match ending.to_ascii_lowercase().as_slice() {
        b"jpg" | b"jpeg" => "image/jpeg",
        b"heic" => "image/heic",
        b"png" => "image/png",
        b"gif" => "image/gif",
        b"webp" => "image/webp",
        b"tif" | b"tiff" => "image/tiff",
        b"mp4" | b"m4v" => "video/mp4",
        b"mov" => "video/quicktime",
        b"xmp" => "application/rdf+xml",
        b"json" => "application/json",
        _ => "application/octet-stream",
    }
}
