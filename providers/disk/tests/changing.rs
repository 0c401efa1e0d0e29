//! Removing, moving and copying.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use safelight_core::entry::Version;
use safelight_core::error::{Kind, Result};
use safelight_core::permit::{Disposal, Grounds, PERMIT_LIFE, RemovalPermit};
use safelight_core::provider::{Provider as _, PutMode, Relocate, Removed};
use safelight_core::time::Timestamp;
use safelight_disk::Disk;
use safelight_testkit::clock::SimClock;
use support::{everything, key, options, put, request, visible, whole};

struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<SimClock>,
    disk: Disk,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::start());
    let disk = Disk::destination("disk", dir.path(), options(), clock.clone());
    Bench { dir, clock, disk }
}

impl Bench {
    fn permit(&self, path: &str, version: Option<&Version>, to: Option<&str>) -> RemovalPermit {
        let (disposal, grounds) = match to {
            Some(to) => {
                let noticed = Timestamp::default();
                (Disposal::Trash(key(to)), Grounds::DeletedFromLibrary { noticed })
            }
            None => (Disposal::Purge, Grounds::TooManyVersions),
        };
        let version = version.cloned();
        RemovalPermit::grant(key(path), version, disposal, grounds, &*self.clock).unwrap()
    }

    async fn relocate(&self, from: &str, to: &str, how: Relocate) -> Result<Version> {
        let receipt = self.disk.relocate(&key(from), &key(to), how, None).await?;
        Ok(receipt.version.unwrap())
    }
}

#[tokio::test]
async fn trash_keeps_the_file_and_empty_folders_go() {
    let bench = bench();
    let version = put(&bench.disk, "2024/07/a.jpg", b"1").await.unwrap().version;
    put(&bench.disk, "2024/b.jpg", b"2").await.unwrap();
    let trash = ".safelight/trash/7/2024/07/a.jpg";
    let permit = bench.permit("2024/07/a.jpg", version.as_ref(), Some(trash));
    assert_eq!(bench.disk.remove(permit).await.unwrap(), Removed::Kept(key(trash)));
    assert_eq!(visible(bench.dir.path()), ["2024/b.jpg"]);
    assert!(!bench.dir.path().join("2024/07").exists());
    let purged = bench.disk.remove(bench.permit(trash, version.as_ref(), None)).await.unwrap();
    assert_eq!(purged, Removed::Gone);
    assert!(!bench.dir.path().join(".safelight/trash").exists());
}

#[tokio::test]
async fn the_root_stays_when_the_last_file_goes() {
    let bench = bench();
    put(&bench.disk, "a", b"1").await.unwrap();
    bench.disk.remove(bench.permit("a", None, Some(".safelight/trash/a"))).await.unwrap();
    assert!(bench.dir.path().exists());
    assert!(visible(bench.dir.path()).is_empty());
}

#[tokio::test]
async fn what_the_permit_does_not_name_stays() {
    let bench = bench();
    let version = put(&bench.disk, "a", b"1").await.unwrap().version;
    std::fs::write(bench.dir.path().join("a"), b"edited").unwrap();
    let to = Some(".safelight/trash/a");
    let refused = bench.disk.remove(bench.permit("a", version.as_ref(), to)).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Changed);
    for missing in ["b", "b/c", "a/b"] {
        let refused = bench.disk.remove(bench.permit(missing, None, to)).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound, "{missing}");
    }
    let late = bench.permit("a", None, to);
    bench.clock.skip(PERMIT_LIFE + Duration::from_secs(1));
    assert_eq!(bench.disk.remove(late).await.unwrap_err().kind(), Kind::Denied);
    put(&bench.disk, ".safelight/trash/a", b"older").await.unwrap();
    let occupied = bench.disk.remove(bench.permit("a", None, to)).await.unwrap_err();
    assert_eq!(occupied.kind(), Kind::Exists);
    assert_eq!(std::fs::read(bench.dir.path().join("a")).unwrap(), b"edited");
}

#[tokio::test]
async fn a_move_keeps_version_and_time_and_takes_its_empty_folder_away() {
    let bench = bench();
    let stored = put(&bench.disk, "old/a.jpg", b"1").await.unwrap();
    let moved = bench.relocate("old/a.jpg", "new/b.jpg", Relocate::Move).await.unwrap();
    assert_eq!(Some(moved), stored.version);
    assert_eq!(visible(bench.dir.path()), ["new/b.jpg"]);
    assert!(!bench.dir.path().join("old").exists());
    let entry = bench.disk.stat(&key("new/b.jpg")).await.unwrap().unwrap();
    assert_eq!(entry.modified, stored.modified);
}

#[tokio::test]
async fn a_kept_copy_outlives_the_replacement_of_its_original() {
    let bench = bench();
    let first = put(&bench.disk, "a", b"first").await.unwrap().version.unwrap();
    let kept = ".safelight/versions/a";
    bench.relocate("a", kept, Relocate::Copy).await.unwrap();
    let mode = PutMode::Replace(first);
    bench.disk.put(request("a", 6, mode), whole(b"second")).await.unwrap();
    assert_eq!(std::fs::read(bench.dir.path().join("a")).unwrap(), b"second");
    assert_eq!(std::fs::read(bench.dir.path().join(kept)).unwrap(), b"first");
}

#[tokio::test]
async fn an_occupied_target_is_left_alone() {
    let bench = bench();
    put(&bench.disk, "a", b"1").await.unwrap();
    put(&bench.disk, "b", b"2").await.unwrap();
    let before = everything(bench.dir.path());
    for how in [Relocate::Move, Relocate::Copy] {
        for to in ["b", "a", "b/below"] {
            let refused = bench.relocate("a", to, how).await.unwrap_err();
            assert_eq!(refused.kind(), Kind::Exists, "{how:?} to {to}");
        }
        let missing = bench.relocate("none", "c", how).await.unwrap_err();
        assert_eq!(missing.kind(), Kind::NotFound);
    }
    assert_eq!(everything(bench.dir.path()), before);
}
