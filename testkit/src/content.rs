//! Bytes and numbers that follow from a seed.
//!
//! Invariant: the byte at a place depends on seed and place alone, so that any part can be made without the
//! rest.

use bytes::Bytes;

/// A well-mixed number for `seed` and `index` (the finishing steps of SplitMix64).
pub fn mix(seed: u64, index: u64) -> u64 {
    let mut x = seed ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// `length` bytes of the endless content of `seed`, from `start` on.
pub fn part(seed: u64, start: u64, length: usize) -> Bytes {
    let skip = usize::from((start % 8).to_le_bytes()[0]);
    let mut bytes = Vec::with_capacity(skip + length + 8);
    let mut block = start / 8;
    while bytes.len() < skip + length {
        bytes.extend_from_slice(&mix(seed, block).to_le_bytes());
        block += 1;
    }
    Bytes::from(bytes).slice(skip..skip + length)
}

/// The first `length` bytes of the content of `seed`.
pub fn bytes(seed: u64, length: usize) -> Bytes {
    part(seed, 0, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_part_equals_that_part_of_the_whole() {
        let whole = bytes(7, 100);
        for start in [0, 1, 7, 8, 9, 63] {
            let from = usize::try_from(start).unwrap_or(0);
            assert_eq!(part(7, start, 20), whole.slice(from..from + 20));
        }
        assert_ne!(whole, bytes(8, 100));
    }
}
