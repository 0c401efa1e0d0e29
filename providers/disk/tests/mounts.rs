//! Disks that are full, read-only, pulled, empty or another one. These tests mount file systems; where that is
//! not possible, each prints one line and passes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use futures::future::join_all;
use safelight_core::entry::Scope;
use safelight_core::error::{Kind, Scope as Reach};
use safelight_core::provider::{Provider as _, PutMode, Room, Root};
use safelight_disk::{Options, Reserve};
use support::{
    Mounted, content, destination, destination_with, everything, key, leftovers, list, options,
    put, request, visible, whole,
};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_full_disk_refuses_cleanly_and_heals() {
    let Some(mounted) = Mounted::memory(3072) else { return };
    let disk = destination(&mounted.at);
    let old = put(&disk, "old", &vec![1; MIB]).await.unwrap().version.unwrap();
    let refused = put(&disk, "big", &vec![2; 3 * MIB]).await.unwrap_err();
    assert_eq!((refused.kind(), refused.reach()), (Kind::NoRoom, Reach::Destination));
    let replacing = request("old", 3 * MIB, PutMode::Replace(old));
    let refused = disk.put(replacing, whole(&vec![3; 3 * MIB])).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NoRoom);
    assert_eq!(visible(&mounted.at), ["old"]);
    assert_eq!(content(&disk, "old").await.unwrap(), vec![1; MIB]);
    mounted.remount("size=20m");
    put(&disk, "big", &vec![2; 3 * MIB]).await.unwrap();
}

#[tokio::test]
async fn a_disk_that_fills_up_behind_our_back_leaves_nothing_torn() {
    let Some(mounted) = Mounted::memory(8192) else { return };
    let disk = destination(&mounted.at);
    put(&disk, "first", b"1").await.unwrap();
    let (sender, body) = safelight_core::body::Body::stream(4 * MIB as u64, 1);
    let stored = disk.put(request("torn", 4 * MIB, PutMode::Create), body);
    let feed = async {
        let piece = || Ok(bytes::Bytes::from(vec![7; MIB]));
        // With a window of one, the third is taken up when the first is written and its room was promised.
        for _ in 0..3 {
            sender.send(piece()).await.unwrap();
        }
        mounted.remount("size=3584k");
        let _ = sender.send(piece()).await;
    };
    let (stored, ()) = futures::join!(stored, feed);
    let refused = stored.unwrap_err();
    assert_eq!((refused.kind(), refused.reach()), (Kind::NoRoom, Reach::Destination));
    assert_eq!(visible(&mounted.at), ["first"]);
    assert!(leftovers(&mounted.at).is_empty());
}

#[tokio::test]
async fn promised_room_counts_and_the_reserve_stays_free() {
    let Some(mounted) = Mounted::memory(8192) else { return };
    let reserve = Reserve::Bytes(4 * MIB as u64);
    let disk = destination_with(&mounted.at, Options { reserve, ..options() });
    let Room::Limited { total, .. } = disk.quota().await.unwrap()[0].room else { panic!() };
    assert_eq!(total, 4 * MIB as u64);
    let big = vec![1; MIB + 1];
    let names = ["a", "b", "c", "d", "e", "f"];
    let done = join_all(names.map(|name| put(&disk, name, &big))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 3);
    let refused = done.iter().filter_map(|done| done.as_ref().err());
    assert!(refused.map(safelight_core::error::Error::kind).all(|kind| kind == Kind::NoRoom));
}

#[tokio::test]
async fn a_read_only_disk_says_so_and_is_readable() {
    let Some(mounted) = Mounted::memory(1024) else { return };
    put(&destination(&mounted.at), "a", b"1").await.unwrap();
    mounted.remount("ro");
    let disk = destination(&mounted.at);
    let refused = disk.check().await.unwrap_err();
    assert_eq!((refused.kind(), refused.reach()), (Kind::ReadOnly, Reach::Destination));
    assert_eq!(put(&disk, "b", b"1").await.unwrap_err().kind(), Kind::ReadOnly);
    assert_eq!(content(&disk, "a").await.unwrap(), b"1");
}

#[tokio::test]
async fn nothing_is_written_below_the_mount_point_after_the_disk_left() {
    let Some(mounted) = Mounted::memory(1024) else { return };
    let disk = destination(&mounted.at);
    put(&disk, "a", b"1").await.unwrap();
    mounted.unmount_lazily();
    assert_eq!(disk.check().await.unwrap_err().kind(), Kind::Absent);
    // The open disk itself still takes files, as long as the system holds it.
    let _ = put(&disk, "b/c", b"1").await;
    assert!(everything(&mounted.at).is_empty());
    drop(disk);
    assert!(everything(&mounted.at).is_empty());
}

#[tokio::test]
async fn a_root_inside_a_disk_that_is_not_attached_is_absent() {
    let Some(mounted) = Mounted::memory(1024) else { return };
    let root = mounted.at.join("Safelight/Pictures");
    let (parent, options) = (root.parent().unwrap(), Options { removable: true, ..options() });
    std::fs::create_dir(parent).unwrap();
    let disk = destination_with(&root, options.clone());
    assert_eq!(disk.check().await.unwrap().root, Root::New);
    put(&disk, "a", b"1").await.unwrap();
    drop(disk);
    mounted.unmount_lazily();
    let disk = destination_with(&root, options);
    assert_eq!(disk.check().await.unwrap_err().kind(), Kind::Absent);
    assert_eq!(put(&disk, "b", b"1").await.unwrap_err().kind(), Kind::Absent);
    assert!(list(&disk, Scope::default()).await.is_err());
    assert!(disk.stat(&key("a")).await.is_err());
    assert!(everything(&mounted.at).is_empty());
}

#[tokio::test]
async fn an_empty_mount_point_is_no_new_removable_disk() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let device = |path: &std::path::Path| std::fs::metadata(path).unwrap().dev();
    if device(dir.path()) != device("/".as_ref()) {
        println!("skipped: temporary folders are not on the system's own disk here");
        return;
    }
    let disk = destination_with(&dir.path().join("new"), Options { removable: true, ..options() });
    assert_eq!(disk.check().await.unwrap_err().kind(), Kind::Absent);
    assert_eq!(put(&disk, "a", b"1").await.unwrap_err().kind(), Kind::Absent);
    assert!(everything(dir.path()).is_empty());
}

#[tokio::test]
async fn a_volume_keeps_its_identity_and_its_versions_when_mounted_again() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    let mut seen = Vec::new();
    for round in 0..2 {
        let Some(mounted) = Mounted::ext4(&image) else { return };
        let disk = destination(&mounted.at);
        if round == 0 {
            put(&disk, "a", b"1").await.unwrap();
        }
        let volume = disk.check().await.unwrap().volume.unwrap();
        let version = disk.stat(&key("a")).await.unwrap().unwrap().version.unwrap();
        seen.push((volume, version));
        drop(disk);
    }
    assert_eq!(seen[0], seen[1]);
    let other = dir.path().join("other");
    let Some(mounted) = Mounted::ext4(&other) else { return };
    let volume = destination(&mounted.at).check().await.unwrap().volume.unwrap();
    assert_ne!(volume, seen[0].0);
}

/// The medium ends in the middle of a file: the device reports an error for what is beyond.
#[tokio::test]
async fn a_read_error_concerns_the_item_and_not_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    let Some(mounted) = Mounted::ext4(&image) else { return };
    let disk = destination(&mounted.at);
    put(&disk, "small", b"1").await.unwrap();
    put(&disk, "big", &vec![5; 8 * MIB]).await.unwrap();
    drop((disk, mounted));
    let Some(mounted) = Mounted::ext4(&image) else { return };
    let disk = destination(&mounted.at);
    assert!(disk.stat(&key("big")).await.unwrap().is_some());
    assert_eq!(content(&disk, "small").await.unwrap(), b"1");
    std::fs::File::options().write(true).open(&image).unwrap().set_len(4 * MIB as u64).unwrap();
    let refused = content(&disk, "big").await.unwrap_err();
    assert_eq!((refused.kind(), refused.reach()), (Kind::Io, Reach::Item));
}
