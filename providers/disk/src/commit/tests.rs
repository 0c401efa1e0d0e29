//! What becomes of an item whose stored bytes are not those that were sent.
#![allow(clippy::unwrap_used)]

use safelight_core::digest::{Algorithms, Hasher};

use super::*;
use crate::options::Reserve;
use crate::space::Space;
use crate::tree::Use;
use crate::workshop::Workshop;

/// Commits `sent` under `mode` while `stored` is what stands on the disk; everything visible afterwards.
async fn commit(
    dir: &std::path::Path,
    mode: PutMode,
    sent: &[u8],
    stored: &[u8],
) -> (Result<Receipt>, Vec<(String, Vec<u8>)>) {
    let tree = Arc::new(Tree::open(dir, Use::Destination).unwrap());
    let workshop = Arc::new(Workshop::open(Arc::clone(&tree)).unwrap());
    let space = Arc::new(Space::new(Reserve::Bytes(0)));
    let claim = space.claim(tree.root.handle(), sent.len() as u64).unwrap();
    let mut temp = Temp::create(workshop, claim).unwrap();
    temp.append(stored).unwrap();
    let order = Order {
        temp,
        key: Key::new("a").unwrap(),
        length: sent.len() as u64,
        modified: None,
        mode,
        digests: Hasher::of(sent, Algorithms::default()),
        read_back: true,
    };
    let done = Arc::new(Commits::new(tree, Arc::default())).commit(order).await;
    let files = |folder: std::path::PathBuf| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.filter(|path| path.is_file()).filter(|path| {
            let ending = path.extension().unwrap_or_default();
            ending != "lock"
        });
        files
            .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
            .collect::<Vec<_>>()
    };
    let left = [files(dir.to_owned()), files(dir.join(".safelight/tmp"))].concat();
    (done, left)
}

#[tokio::test]
async fn other_bytes_read_back_than_were_sent_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for stored in [&b"rightfuL"[..], b"right", b"rightful and more"] {
        let (done, left) = commit(dir.path(), PutMode::Create, b"rightful", stored).await;
        assert_eq!(done.unwrap_err().kind(), Kind::Corrupt);
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn other_bytes_read_back_leave_the_old_version_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (done, left) = commit(dir.path(), PutMode::Create, b"old", b"old").await;
    let old = done.unwrap();
    assert_eq!(old.proof, Proof::ReadBack);
    assert_eq!(left.len(), 1);
    let replacing = PutMode::Replace(old.version.unwrap());
    let (done, after) = commit(dir.path(), replacing, b"new", b"neW").await;
    assert_eq!(done.unwrap_err().kind(), Kind::Corrupt);
    assert_eq!(after, left);
}
