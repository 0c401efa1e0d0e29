//! The contract and the names on real file systems: FAT, exFAT, NTFS, ext4. Each is made in an image and mounted;
//! where that is not possible, the test prints one line and passes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use safelight_core::entry::Scope;
use safelight_core::error::{Kind, Scope as Reach};
use safelight_core::provider::{Provider as _, PutMode};
use safelight_disk::{Disk, Options, Reserve};
use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Subject};
use support::{
    Image, Mounted, content, destination, key, leftovers, list, place, put, request, visible, whole,
};

const MIB: u64 = 256;

async fn keeps_the_contract(kind: Image) {
    let dir = tempfile::tempdir().unwrap();
    let Some(mounted) = Mounted::image(&kind, &dir.path().join("image"), MIB) else { return };
    let count = AtomicU32::new(0);
    let outcome = conformance::run(async || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let (path, clock) = (mounted.at.join(number.to_string()), Arc::new(SimClock::start()));
        let options = Options { reserve: Reserve::Bytes(0), ..Options::default() };
        let disk = Disk::destination("disk", path, options, clock.clone());
        Subject::new(Arc::new(disk), clock)
    })
    .await;
    outcome.assert();
}

#[tokio::test]
async fn fat_keeps_the_contract() {
    keeps_the_contract(Image::FAT).await;
}

#[tokio::test]
#[ignore = "takes minutes: the program is slow in large folders"]
async fn poor_fat_keeps_the_contract() {
    keeps_the_contract(Image::POOR_FAT).await;
}

#[tokio::test]
async fn exfat_keeps_the_contract() {
    keeps_the_contract(Image::EXFAT).await;
}

#[tokio::test]
async fn ntfs_keeps_the_contract() {
    keeps_the_contract(Image::NTFS).await;
}

#[tokio::test]
async fn ext4_keeps_the_contract() {
    keeps_the_contract(Image::EXT4).await;
}

const NAMES: [&[u8]; 10] = [
    b"IMG_1.JPG",
    b"a:b?.jpg",
    b"aux.jpg",
    b"blank ",
    b"dot.",
    b"line\nbreak.jpg",
    b"\xff\xfe.jpg",
    "Überfahrt.heic".as_bytes(),
    "日本/été.jpg".as_bytes(),
    b"100%41.jpg",
];

/// Stores all names, mounts the disk again, and finds them with their content and versions.
async fn names_come_back(kind: Image) {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    let mut versions = Vec::new();
    {
        let Some(mounted) = Mounted::image(&kind, &image, MIB) else { return };
        let disk = destination(&mounted.at.join("root"));
        for name in NAMES {
            versions.push(put(&disk, name, name).await.unwrap().version.unwrap());
        }
        assert!(mounted.at.join("root/.safelight/disk").exists());
        // Letters in the other case are another file, or refused: never the same one.
        match put(&disk, "img_1.jpg", b"other").await {
            Ok(_) => assert_eq!(content(&disk, "img_1.jpg").await.unwrap(), b"other"),
            Err(error) => assert_eq!(error.kind(), Kind::Exists, "{}", kind.name),
        }
        assert_eq!(content(&disk, NAMES[0]).await.unwrap(), NAMES[0]);
    }
    let Some(mounted) = Mounted::image(&kind, &image, MIB) else { return };
    let disk = destination(&mounted.at.join("root"));
    for (name, version) in NAMES.iter().zip(versions) {
        assert_eq!(content(&disk, name).await.unwrap(), *name, "{}", kind.name);
        let found = disk.stat(&key(name)).await.unwrap().unwrap();
        assert_eq!(found.version, Some(version.clone()), "{}: {:?}", kind.name, found.key);
        let replaced = request(name, 3, PutMode::Replace(version));
        disk.put(replaced, whole(b"new")).await.unwrap();
    }
    let listed = list(&disk, Scope::default()).await.unwrap();
    let found = |name: &[u8]| listed.iter().any(|listed| place(listed) == &key(name));
    assert!(NAMES.iter().all(|name| found(name)), "{}: {listed:?}", kind.name);
}

#[tokio::test]
async fn names_come_back_from_fat() {
    names_come_back(Image::FAT).await;
}

#[tokio::test]
async fn names_come_back_from_poor_fat() {
    names_come_back(Image::POOR_FAT).await;
}

#[tokio::test]
async fn names_come_back_from_exfat() {
    names_come_back(Image::EXFAT).await;
}

#[tokio::test]
async fn names_come_back_from_ntfs() {
    names_come_back(Image::NTFS).await;
}

#[tokio::test]
async fn a_disk_that_loses_the_case_of_letters_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    let Some(mounted) = Mounted::image(&Image::NTFS_LOWER, &image, MIB) else { return };
    let root = mounted.at.join("root");
    for _ in 0..2 {
        let disk = destination(&root);
        let refused = put(&disk, "IMG_1.JPG", b"1").await.unwrap_err();
        assert_eq!((refused.kind(), refused.reach()), (Kind::Unsupported, Reach::Destination));
        assert!(visible(&root).is_empty() && leftovers(&root).is_empty());
    }
}

#[tokio::test]
async fn names_come_back_from_ext4() {
    names_come_back(Image::EXT4).await;
}
