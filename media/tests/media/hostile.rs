//! Whatever the bytes are, an inspection ends, within its limits.

use std::sync::LazyLock;

use proptest::prelude::*;
use safelight_media::Inspection;

use crate::build::{Value, atom, index, jpeg, keys, tiff};
use crate::samples::{name, samples};

/// Small samples whole, of large ones the head; made-up files in any case.
static SEEDS: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    let exif = tiff(&[(0x8769, Value::Directory(&[(0x9003, Value::Text("2024:05:12 14:03:10"))]))]);
    let named = keys(&[("com.apple.quicktime.creationdate", "2024-05-12T14:03:10+0200")]);
    let film = [atom(*b"ftyp", b"qt  \0\0\0\0"), index(1, *b"vide", &named)].concat();
    let mut seeds = vec![(b"a.jpg".to_vec(), jpeg(Some(&exif), None)), (b"a.mov".to_vec(), film)];
    for (path, bytes) in samples().unwrap_or_default() {
        let head = &bytes[..bytes.len().min(64 << 10)];
        seeds.push((name(path).to_vec(), head.to_vec()));
    }
    seeds
});

/// Reads as a caller would, and holds the inspection to its limits.
fn walk(name: &[u8], bytes: &[u8], size: u64) {
    let mut inspection = Inspection::new(name, size);
    let (mut pieces, mut sum) = (0, 0);
    while let Some(range) = inspection.wants() {
        assert!(range.start < range.end && range.end <= size, "{range:?} of {size}");
        pieces += 1;
        sum += range.end - range.start;
        assert!(pieces <= 4 && sum <= 2 << 20);
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        inspection.give(range.start, &bytes[place(range.start)..place(range.end)]);
    }
    inspection.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spoilt_media_are_inspected_like_any_other(
        seed in any::<prop::sample::Index>(),
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        numbers in prop::collection::vec(
            (0_usize..4096, prop::sample::select(vec![0_u32, 1, 8, 0x7fff_ffff, 0x8000_0000, u32::MAX])),
            0..4,
        ),
        cut in any::<prop::sample::Index>(),
        claimed in prop::option::of(any::<u64>()),
    ) {
        let (name, bytes) = &SEEDS[seed.index(SEEDS.len())];
        let mut bytes = bytes.clone();
        if !bytes.is_empty() {
            for (at, byte) in spots {
                let at = at.index(bytes.len().min(4096));
                bytes[at] = byte;
            }
            for (at, number) in numbers {
                if let Some(field) = bytes.get_mut(at..at + 4) {
                    field.copy_from_slice(&number.to_be_bytes());
                }
            }
            if cut.index(4) == 0 {
                bytes.truncate(cut.index(bytes.len()));
            }
        }
        walk(name, &bytes, claimed.unwrap_or(bytes.len() as u64));
    }

    #[test]
    fn random_bytes_and_names_are_inspected_too(
        name in prop::collection::vec(any::<u8>(), 0..40),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        pieces in prop::collection::vec((any::<u64>(), 0_usize..600), 0..8),
        size in any::<u64>(),
    ) {
        let mut inspection = Inspection::new(&name, size);
        for (start, len) in pieces {
            inspection.give(start, &bytes[..len.min(bytes.len())]);
        }
        if let Some(range) = inspection.wants() {
            prop_assert!(range.start < range.end && range.end <= size);
        }
        inspection.finish();
        walk(&name, &bytes, bytes.len() as u64);
    }
}
