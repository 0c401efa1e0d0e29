//! Dropbox's `content_hash` block by block: SHA-256 over the SHA-256 digests of each 4 MiB.
//!
//! Core computes it for a whole item. Here it is needed for every part that is sent: parts begin at block borders,
//! so that one pass gives the hashes of all parts and of the whole.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// The bytes that one digest covers.
pub(crate) const BLOCK: usize = 4 * 1024 * 1024;

/// A SHA-256 digest: of one block, or of the digests of blocks.
pub(crate) type Digest = [u8; 32];

/// Takes bytes as they come and gives the digests of their blocks.
#[derive(Default)]
pub(crate) struct Blocks {
    done: Vec<Digest>,
    open: Sha256,
    filled: usize,
}

impl Blocks {
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.open.update(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == BLOCK {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        self.done.push(self.open.finalize_reset().into());
        self.filled = 0;
    }

    /// The digests of all blocks; the last may be a shorter one.
    pub(crate) fn finish(mut self) -> Vec<Digest> {
        if self.filled > 0 {
            self.close();
        }
        self.done
    }
}

/// The digests of the blocks of some bytes.
pub(crate) fn blocks(pieces: &[Bytes]) -> Vec<Digest> {
    let mut blocks = Blocks::default();
    for piece in pieces {
        blocks.update(piece);
    }
    blocks.finish()
}

/// The content hash of what has these blocks.
pub(crate) fn content(blocks: &[Digest]) -> Digest {
    let mut all = Sha256::new();
    for block in blocks {
        all.update(block);
    }
    all.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKS: [&str; 3] = [
        "a117210941a0b00dcb2d8577e680d84b6fa0eaf760d2afc654c953b9859d54fa",
        "9889e2ef8bd7d8fea5ef99243b7784ecd8deaf613bdb7a6c0b3ac56f23078303",
        "07341c6692944d778266e107a76f6e69017da00aad02eb5f5137263f93e60ab9",
    ];

    /// Vectors computed with Dropbox's own Python SDK.
    #[test]
    fn blocks_and_whole_agree_with_dropbox_wherever_the_pieces_end() {
        let ramp: Vec<u8> =
            (0..10_000_000_u32).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
        let ramp = Bytes::from(ramp);
        let pieces = [ramp.slice(..5), ramp.slice(5..BLOCK + 7), ramp.slice(BLOCK + 7..)];
        let blocks = blocks(&pieces);
        assert_eq!(blocks.iter().map(hex::encode).collect::<Vec<_>>(), BLOCKS);
        assert_eq!(
            hex::encode(content(&blocks)),
            "adcedd7b0933aef0bdf54a73c43b77526b6ff90b1a303d2cd235f44161b65177"
        );
    }

    #[test]
    fn nothing_has_no_block() {
        assert!(blocks(&[]).is_empty());
        assert_eq!(
            hex::encode(content(&[])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
