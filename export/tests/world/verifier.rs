//! A verifier of bags that knows only RFC 8493 and a map of files.

use std::collections::BTreeMap;

use safelight_core::digest::{Algorithms, Hasher};
use safelight_testkit::memory::MemoryProvider;

pub type Files = BTreeMap<String, Vec<u8>>;

pub fn files_of(store: &MemoryProvider) -> Files {
    let content = |key| store.content(key).unwrap().to_vec();
    store.keys().iter().map(|key| (key.as_str().unwrap().to_owned(), content(key))).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Hasher::of(bytes, Algorithms::default()).sha256.unwrap();
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap();
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn manifest(files: &Files, name: &str) -> BTreeMap<String, String> {
    let text = String::from_utf8(files[name].clone()).unwrap();
    let entry = |line: &str| {
        let (digest, path) = line.split_once("  ").unwrap();
        let path = path.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
        (path, digest.to_owned())
    };
    text.lines().map(entry).collect()
}

/// Panics with the reason if the files are no valid and complete bag.
pub fn assert_bag(files: &Files) {
    assert_eq!(files["bagit.txt"], b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
    let listed = manifest(files, "manifest-sha256.txt");
    let payload: BTreeMap<_, _> =
        files.iter().filter(|(name, _)| name.starts_with("data/")).collect();
    assert_eq!(listed.keys().collect::<Vec<_>>(), payload.keys().copied().collect::<Vec<_>>());
    for (name, bytes) in &payload {
        assert_eq!(listed[*name], sha256(bytes), "{name}");
    }
    let tags = manifest(files, "tagmanifest-sha256.txt");
    for (name, digest) in &tags {
        assert_eq!(*digest, sha256(&files[name]), "{name}");
    }
    for needed in [
        "bagit.txt",
        "bag-info.txt",
        "manifest-sha256.txt",
        "CHECKSUMS.sha256",
        "safelight-export.json",
        "albums.json",
    ] {
        assert!(tags.contains_key(needed), "{needed} in {tags:?}");
    }
    let info = String::from_utf8(files["bag-info.txt"].clone()).unwrap();
    let bytes: usize = payload.values().map(|bytes| bytes.len()).sum();
    assert!(info.contains(&format!("Payload-Oxum: {bytes}.{}\n", payload.len())), "{info}");
    let sums = String::from_utf8(files["CHECKSUMS.sha256"].clone()).unwrap();
    assert_eq!(sums.lines().count(), payload.len());
}
