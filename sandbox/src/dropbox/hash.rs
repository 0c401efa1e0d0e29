//! Dropbox's `content_hash`: SHA-256 over the SHA-256 digests of each 4 MiB, as hex.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Bytes in one block; also the step of concurrent sessions.
pub(super) const BLOCK: u64 = 4 * 1024 * 1024;

/// The hash of bytes in memory.
pub(super) fn of(bytes: &[u8]) -> String {
    let mut whole = Sha256::new();
    for block in bytes.chunks(usize::try_from(BLOCK).unwrap_or(usize::MAX)) {
        whole.update(Sha256::digest(block));
    }
    hex::encode(whole.finalize())
}

/// Length and hash of a file.
pub(super) fn of_file(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut whole, mut length) = (File::open(path)?, Sha256::new(), 0);
    let mut block = Vec::new();
    loop {
        block.clear();
        (&mut file).take(BLOCK).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok((length, hex::encode(whole.finalize())));
        }
        length += block.len() as u64;
        whole.update(Sha256::digest(&block));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_vectors() {
        let mut zeros = vec![0; 4_194_304];
        let cases: [(&[u8], &str); 3] = [
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"Safelight\n", "6294b914cdb17f3983afe0b279d4e306939b4cdeb0a8c997720e50bedfe074fb"),
            (&zeros, "c7e946d101855255d919ef0c70718633adf77d3dfb3adeeecf5d0cb4e951be58"),
        ];
        for (bytes, hash) in cases {
            assert_eq!(of(bytes), hash);
        }
        zeros.push(1);
        assert_eq!(of(&zeros), "fdee2e9e8f42a65603723c99dcba71faf154b2c0a1379c82e98ece4816be2ee4");
    }
}
