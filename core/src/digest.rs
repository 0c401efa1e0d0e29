//! Digests: what identifies content, computed in one pass.
//!
//! Invariant: SHA-256 is always computed; the others only when a chosen destination speaks them, since each
//! costs a pass of the processor over every byte.

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// A way to compute a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// The identity of content everywhere in Safelight.
    Sha256,
    /// What Amazon Photos and many S3 services report.
    Md5,
    /// What S3 checks while it receives (Castagnoli polynomial).
    Crc32c,
    /// Dropbox's `content_hash`: SHA-256 over the SHA-256 digests of each 4 MiB block.
    DropboxHash,
}

/// A set of [`Algorithm`]s; always contains SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Algorithms {
    md5: bool,
    crc32c: bool,
    dropbox: bool,
}

impl Algorithms {
    /// This set and one more.
    #[must_use]
    pub fn with(mut self, algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => {}
            Algorithm::Md5 => self.md5 = true,
            Algorithm::Crc32c => self.crc32c = true,
            Algorithm::DropboxHash => self.dropbox = true,
        }
        self
    }

    /// Everything that is in one of the two sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            md5: self.md5 || other.md5,
            crc32c: self.crc32c || other.crc32c,
            dropbox: self.dropbox || other.dropbox,
        }
    }

    /// Whether all of them are known.
    pub fn are_in(self, digests: &Digests) -> bool {
        digests.sha256.is_some()
            && (!self.md5 || digests.md5.is_some())
            && (!self.crc32c || digests.crc32c.is_some())
            && (!self.dropbox || digests.dropbox.is_some())
    }
}

/// The digests that are known of some content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digests {
    /// SHA-256.
    pub sha256: Option<[u8; 32]>,
    /// MD5.
    pub md5: Option<[u8; 16]>,
    /// CRC-32C.
    pub crc32c: Option<u32>,
    /// Dropbox's content hash.
    pub dropbox: Option<[u8; 32]>,
}

impl Digests {
    /// Compares what both sides know. `Some(algorithm)` names the strongest digest that both know and that is
    /// equal; `None` means nothing was comparable.
    ///
    /// # Errors
    /// The algorithm on which the two differ.
    pub fn compare(&self, other: &Self) -> Result<Option<Algorithm>, Algorithm> {
        fn same<T: PartialEq>(
            a: Option<T>,
            b: Option<T>,
            algorithm: Algorithm,
        ) -> Result<Option<Algorithm>, Algorithm> {
            match (a, b) {
                (Some(a), Some(b)) if a == b => Ok(Some(algorithm)),
                (Some(_), Some(_)) => Err(algorithm),
                _ => Ok(None),
            }
        }
        let sha256 = same(self.sha256, other.sha256, Algorithm::Sha256)?;
        let dropbox = same(self.dropbox, other.dropbox, Algorithm::DropboxHash)?;
        let md5 = same(self.md5, other.md5, Algorithm::Md5)?;
        let crc32c = same(self.crc32c, other.crc32c, Algorithm::Crc32c)?;
        Ok(sha256.or(dropbox).or(md5).or(crc32c))
    }

    /// Everything that one of the two knows; `self` wins where both do.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self {
            sha256: self.sha256.or(other.sha256),
            md5: self.md5.or(other.md5),
            crc32c: self.crc32c.or(other.crc32c),
            dropbox: self.dropbox.or(other.dropbox),
        }
    }
}

const DROPBOX_BLOCK: usize = 4 * 1024 * 1024;

/// Computes several digests while the bytes pass by once.
pub struct Hasher {
    sha256: Option<Sha256>,
    md5: Option<Md5>,
    crc32c: Option<u32>,
    dropbox: Option<DropboxHasher>,
    length: u64,
}

impl Hasher {
    /// A hasher for SHA-256 and whatever else is in `algorithms`.
    pub fn new(algorithms: Algorithms) -> Self {
        Self {
            sha256: Some(Sha256::new()),
            md5: algorithms.md5.then(Md5::new),
            crc32c: algorithms.crc32c.then_some(0),
            dropbox: algorithms.dropbox.then(DropboxHasher::default),
            length: 0,
        }
    }

    /// A hasher for no more than what is known, to compare with that.
    pub fn to_compare(known: &Digests) -> Self {
        Self {
            sha256: known.sha256.map(|_| Sha256::new()),
            md5: known.md5.map(|_| Md5::new()),
            crc32c: known.crc32c.map(|_| 0),
            dropbox: known.dropbox.map(|_| DropboxHasher::default()),
            length: 0,
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(crc) = &mut self.crc32c {
            *crc = crc32c::crc32c_append(*crc, bytes);
        }
        if let Some(dropbox) = &mut self.dropbox {
            dropbox.update(bytes);
        }
    }

    /// How many bytes were taken.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digests of all bytes taken.
    pub fn finish(self) -> Digests {
        Digests {
            sha256: self.sha256.map(|sha256| sha256.finalize().into()),
            md5: self.md5.map(|md5| md5.finalize().into()),
            crc32c: self.crc32c,
            dropbox: self.dropbox.map(DropboxHasher::finish),
        }
    }

    /// The digests of bytes that are all in memory.
    pub fn of(bytes: &[u8], algorithms: Algorithms) -> Digests {
        let mut hasher = Self::new(algorithms);
        hasher.update(bytes);
        hasher.finish()
    }
}

#[derive(Default)]
struct DropboxHasher {
    blocks: Sha256,
    block: Sha256,
    filled: usize,
}

impl DropboxHasher {
    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(DROPBOX_BLOCK - self.filled));
            self.block.update(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == DROPBOX_BLOCK {
                self.close_block();
            }
        }
    }

    fn close_block(&mut self) {
        self.blocks.update(self.block.finalize_reset());
        self.filled = 0;
    }

    fn finish(mut self) -> [u8; 32] {
        if self.filled > 0 {
            self.close_block();
        }
        self.blocks.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropbox(bytes: &[u8]) -> String {
        let digests = Hasher::of(bytes, Algorithms::default().with(Algorithm::DropboxHash));
        hex::encode(digests.dropbox.unwrap_or_default())
    }

    /// Vectors computed with Dropbox's own Python SDK and with `rclone hashsum dropbox`.
    #[test]
    fn dropbox_hash_agrees_with_dropbox() {
        let ramp: Vec<u8> =
            (0..10_000_000_u32).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
        let mut block = vec![0; DROPBOX_BLOCK];
        assert_eq!(
            dropbox(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            dropbox(b"Safelight\n"),
            "6294b914cdb17f3983afe0b279d4e306939b4cdeb0a8c997720e50bedfe074fb"
        );
        assert_eq!(
            dropbox(&block),
            "c7e946d101855255d919ef0c70718633adf77d3dfb3adeeecf5d0cb4e951be58"
        );
        block.push(1);
        assert_eq!(
            dropbox(&block),
            "fdee2e9e8f42a65603723c99dcba71faf154b2c0a1379c82e98ece4816be2ee4"
        );
        assert_eq!(
            dropbox(&ramp),
            "adcedd7b0933aef0bdf54a73c43b77526b6ff90b1a303d2cd235f44161b65177"
        );
    }

    #[test]
    fn known_vectors_in_one_pass_whatever_the_chunks() {
        let all = Algorithms::default().with(Algorithm::Md5).with(Algorithm::Crc32c);
        let mut hasher = Hasher::new(all);
        for byte in b"123456789" {
            hasher.update(&[*byte]);
        }
        let digests = hasher.finish();
        assert_eq!(digests.crc32c, Some(0xe306_9283));
        assert_eq!(
            hex::encode(digests.md5.unwrap_or_default()),
            "25f9e794323b453885f5181f1b624d0b"
        );
        assert_eq!(digests, Hasher::of(b"123456789", all));
    }

    #[test]
    fn comparing_names_the_strongest_common_digest() {
        let all = Algorithms::default().with(Algorithm::Md5);
        let (a, b) = (Hasher::of(b"a", all), Hasher::of(b"b", all));
        assert_eq!(a.compare(&a), Ok(Some(Algorithm::Sha256)));
        assert_eq!(
            a.compare(&Digests { md5: a.md5, ..Digests::default() }),
            Ok(Some(Algorithm::Md5))
        );
        assert_eq!(a.compare(&Digests::default()), Ok(None));
        assert_eq!(a.compare(&b), Err(Algorithm::Sha256));
    }
}
