//! Storing: all of an item or nothing, durable, never over something else.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::future::Future as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::future::join_all;
use safelight_core::body::Body;
use safelight_core::digest::Digests;
use safelight_core::entry::Version;
use safelight_core::error::Kind;
use safelight_core::provider::{Proof, Provider as _, PutMode, Root};
use safelight_core::time::Timestamp;
use safelight_disk::{Disk, Options};
use support::{
    content, destination, destination_with, digests, everything, key, leftovers, list, options,
    put, request, visible, whole,
};

fn folder() -> (tempfile::TempDir, Disk) {
    let dir = tempfile::tempdir().unwrap();
    let disk = destination(dir.path());
    (dir, disk)
}

#[tokio::test]
async fn what_is_stored_is_read_back_and_keeps_its_time() {
    let (dir, disk) = folder();
    let receipt = put(&disk, "2024/07/a.jpg", b"picture").await.unwrap();
    assert_eq!(receipt.proof, Proof::ReadBack);
    assert_eq!(receipt.modified, Some(Timestamp::from_parts(1_700_000_000, 123_456_789)));
    assert_eq!(receipt.digests.sha256, digests(b"picture").sha256);
    let entry = disk.stat(&key("2024/07/a.jpg")).await.unwrap().unwrap();
    assert_eq!((entry.version, entry.modified), (receipt.version, receipt.modified));
    assert_eq!(content(&disk, "2024/07/a.jpg").await.unwrap(), b"picture");
    assert!(leftovers(dir.path()).is_empty());
    let mode = std::fs::metadata(dir.path().join("2024/07/a.jpg")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7133, 0, "{mode:o}");
}

#[tokio::test]
async fn without_reading_back_only_the_size_is_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let disk = destination_with(dir.path(), Options { read_back: false, ..options() });
    assert_eq!(put(&disk, "a", b"1").await.unwrap().proof, Proof::SizeOnly);
}

#[tokio::test]
async fn an_empty_file_is_stored() {
    let (dir, disk) = folder();
    assert_eq!(put(&disk, "empty", b"").await.unwrap().proof, Proof::ReadBack);
    assert_eq!(std::fs::metadata(dir.path().join("empty")).unwrap().len(), 0);
}

#[tokio::test]
async fn only_the_last_folder_of_the_root_is_made_and_only_by_storing() {
    let dir = tempfile::tempdir().unwrap();
    let disk = destination(&dir.path().join("new"));
    assert_eq!(disk.check().await.unwrap().root, Root::New);
    assert!(list(&disk, safelight_core::entry::Scope::default()).await.unwrap().is_empty());
    assert!(disk.stat(&key("a")).await.unwrap().is_none());
    disk.quota().await.unwrap();
    assert!(everything(dir.path()).is_empty());
    put(&disk, "a", b"1").await.unwrap();
    assert_eq!(disk.check().await.unwrap().root, Root::Ready);
    let lost = destination(&dir.path().join("no/such"));
    assert_eq!(lost.check().await.unwrap_err().kind(), Kind::Absent);
    assert_eq!(put(&lost, "a", b"1").await.unwrap_err().kind(), Kind::Absent);
    assert!(!dir.path().join("no").exists());
}

#[tokio::test]
async fn many_at_once_are_all_stored() {
    let (dir, disk) = folder();
    let names: Vec<_> = (0..200).map(|number| format!("{}/{number}", number % 9)).collect();
    let done = join_all(names.iter().map(|name| put(&disk, name, name.as_bytes()))).await;
    assert!(done.iter().all(|done| done.as_ref().unwrap().proof == Proof::ReadBack));
    assert_eq!(visible(dir.path()).len(), 200);
    assert!(leftovers(dir.path()).is_empty());
    for name in names {
        assert_eq!(std::fs::read(dir.path().join(&name)).unwrap(), name.as_bytes());
    }
}

#[tokio::test]
async fn of_many_for_one_name_exactly_one_is_stored() {
    let (dir, disk) = folder();
    let contents: Vec<_> = (0..30_u8).map(|number| vec![number; 100]).collect();
    let done = join_all(contents.iter().map(|bytes| put(&disk, "a/same", bytes))).await;
    let won: Vec<_> = done.iter().enumerate().filter(|(_, done)| done.is_ok()).collect();
    assert_eq!(won.len(), 1);
    let stored = std::fs::read(dir.path().join("a/same")).unwrap();
    assert_eq!(stored, contents[won[0].0]);
    let lost = done.iter().filter_map(|done| done.as_ref().err());
    assert!(lost.map(safelight_core::error::Error::kind).all(|kind| kind == Kind::Exists));
}

#[tokio::test]
async fn nothing_that_is_there_is_overwritten() {
    let (dir, disk) = folder();
    std::fs::write(dir.path().join("file"), b"foreign").unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    symlink("/nowhere", dir.path().join("link")).unwrap();
    let before = everything(dir.path());
    for path in ["file", "folder", "link", "file/below"] {
        assert_eq!(put(&disk, path, b"mine").await.unwrap_err().kind(), Kind::Exists, "{path}");
    }
    std::fs::remove_dir_all(dir.path().join(".safelight")).unwrap();
    assert_eq!(everything(dir.path()), before);
    assert_eq!(std::fs::read(dir.path().join("file")).unwrap(), b"foreign");
}

#[tokio::test]
async fn a_link_to_elsewhere_is_not_written_through() {
    let (dir, disk) = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), dir.path().join("album")).unwrap();
    assert!(put(&disk, "album/a.jpg", b"1").await.is_err());
    assert!(everything(elsewhere.path()).is_empty());
    let planted = tempfile::tempdir().unwrap();
    let other = destination(planted.path());
    symlink(elsewhere.path(), planted.path().join(".safelight")).unwrap();
    assert!(put(&other, "a.jpg", b"1").await.is_err());
    assert!(everything(elsewhere.path()).is_empty());
}

#[tokio::test]
async fn only_the_expected_version_is_replaced() {
    let (dir, disk) = folder();
    let first = put(&disk, "a", b"one").await.unwrap().version.unwrap();
    let replace = async |version: &Version, bytes: &[u8]| {
        let request = request("a", bytes.len(), PutMode::Replace(version.clone()));
        disk.put(request, whole(bytes)).await
    };
    let second = replace(&first, b"second").await.unwrap().version.unwrap();
    assert_eq!(replace(&first, b"third").await.unwrap_err().kind(), Kind::Changed);
    assert_eq!(std::fs::read(dir.path().join("a")).unwrap(), b"second");
    std::fs::write(dir.path().join("a"), b"edited by hand").unwrap();
    assert_eq!(replace(&second, b"third").await.unwrap_err().kind(), Kind::Changed);
    assert_eq!(std::fs::read(dir.path().join("a")).unwrap(), b"edited by hand");
    std::fs::remove_file(dir.path().join("a")).unwrap();
    assert_eq!(replace(&second, b"third").await.unwrap_err().kind(), Kind::Changed);
    assert!(visible(dir.path()).is_empty() && leftovers(dir.path()).is_empty());
}

#[tokio::test]
async fn a_failing_replacement_leaves_the_old_version() {
    let (dir, disk) = folder();
    let version = put(&disk, "a", b"old").await.unwrap().version.unwrap();
    let inode = std::fs::metadata(dir.path().join("a")).unwrap().ino();
    let wrong = Body::whole(Bytes::from_static(b"new"), digests(b"something else"));
    let mode = PutMode::Replace(version);
    let refused = disk.put(request("a", 3, mode.clone()), wrong).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Corrupt);
    let (sender, broken) = Body::stream(10, 1);
    sender.send(Ok(Bytes::from_static(b"new"))).await.unwrap();
    drop(sender);
    assert_eq!(disk.put(request("a", 10, mode), broken).await.unwrap_err().kind(), Kind::Changed);
    assert_eq!(std::fs::read(dir.path().join("a")).unwrap(), b"old");
    assert_eq!(std::fs::metadata(dir.path().join("a")).unwrap().ino(), inode);
    assert!(leftovers(dir.path()).is_empty());
}

#[tokio::test]
async fn wrong_digests_are_noticed_however_they_are_told() {
    for read_back in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let disk = destination_with(dir.path(), Options { read_back, ..options() });
        let wrong = digests(b"other");
        let told_ahead = || {
            let mut request = request("a", 3, PutMode::Create);
            request.digests = wrong;
            request
        };
        let silent = || Body::whole(Bytes::from_static(b"new"), Digests::default());
        let cases = [
            (told_ahead(), whole(b"new")),
            (told_ahead(), silent()),
            (request("a", 3, PutMode::Create), Body::whole(Bytes::from_static(b"new"), wrong)),
        ];
        for (request, body) in cases {
            let refused = disk.put(request, body).await.unwrap_err();
            assert_eq!(refused.kind(), Kind::Corrupt, "read back: {read_back}");
        }
        assert!(visible(dir.path()).is_empty() && leftovers(dir.path()).is_empty());
    }
}

#[tokio::test]
async fn a_dropped_put_leaves_nothing() {
    let (dir, disk) = folder();
    put(&disk, "first", b"1").await.unwrap();
    let (sender, body) = Body::stream(4 << 20, 1);
    let stored = disk.put(request("dropped/a", 4 << 20, PutMode::Create), body);
    let feeding = async {
        sender.send(Ok(Bytes::from(vec![0; 2 << 20]))).await.unwrap();
        // The window is full until the first piece is taken; then the writing has begun.
        sender.send(Ok(Bytes::from(vec![0; 1 << 20]))).await.unwrap();
    };
    tokio::select! {
        biased;
        _ = stored => panic!("it cannot be done"),
        () = feeding => {}
    }
    // Work on blocking threads that had begun ends before a later call on the same folder does.
    drop(disk);
    let disk = destination(dir.path());
    put(&disk, "last", b"2").await.unwrap();
    assert_eq!(visible(dir.path()), ["first", "last"]);
}

#[tokio::test]
async fn a_put_dropped_at_any_step_is_stored_whole_or_not_at_all() {
    let (dir, disk) = folder();
    for steps in 0..12 {
        let name = format!("n{steps}");
        {
            let mut stored = pin!(put(&disk, &name, b"all of it"));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..steps {
                if let Poll::Ready(done) = stored.as_mut().poll(&mut context) {
                    done.unwrap();
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        if let Ok(found) = std::fs::read(dir.path().join(&name)) {
            assert_eq!(found, b"all of it");
        }
    }
}

#[tokio::test]
async fn a_removed_root_is_not_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let disk = destination(&root);
    put(&disk, "a", b"1").await.unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    assert_eq!(put(&disk, "b/c", b"1").await.unwrap_err().kind(), Kind::Absent);
    assert_eq!(disk.check().await.unwrap_err().kind(), Kind::Absent);
    assert!(!root.exists());
    std::fs::create_dir(&root).unwrap();
    assert_eq!(disk.check().await.unwrap_err().kind(), Kind::Absent);
    assert!(put(&disk, "b", b"1").await.is_err());
    assert!(everything(&root).is_empty());
}

#[tokio::test]
async fn names_beyond_the_limit_are_refused_by_name() {
    let (dir, disk) = folder();
    let refused = put(&disk, "n".repeat(256), b"1").await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Name);
    assert!(visible(dir.path()).is_empty() && leftovers(dir.path()).is_empty());
}

#[tokio::test]
async fn leftovers_of_dead_runs_are_swept_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let tmp = dir.path().join(".safelight/tmp");
    std::fs::create_dir_all(&tmp).unwrap();
    let living = destination(dir.path());
    put(&living, "a", b"1").await.unwrap();
    let lock = everything(&tmp).into_iter().next().unwrap();
    let unfinished = format!("{}-99", lock.trim_end_matches(".lock"));
    for name in [
        &*unfinished,
        "00000000000000aa-1",
        "00000000000000ab-1",
        "00000000000000ab.lock",
        "holiday.jpg",
    ] {
        std::fs::write(tmp.join(name), b"").unwrap();
    }
    let second = destination(dir.path());
    put(&second, "b", b"1").await.unwrap();
    let left = everything(&tmp);
    assert!(left.contains(&unfinished) && left.contains(&"holiday.jpg".to_owned()), "{left:?}");
    assert_eq!(left.len(), 4, "two locks, one unfinished file, one that is not ours: {left:?}");
    drop((living, second));
    put(&destination(dir.path()), "c", b"1").await.unwrap();
    assert_eq!(everything(&tmp), ["holiday.jpg"]);
}
