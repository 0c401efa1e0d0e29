//! What a disk can hold is found by trial before the first file is written, and noted there.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::path::Path;

use safelight_core::entry::Scope;
use safelight_core::error::{Kind, Scope as Reach};
use safelight_core::provider::Provider as _;
use support::{content, destination, everything, key, leftovers, list, put, visible};

const NOTE: &str = ".safelight/disk";

/// Changes what the note of a disk says.
fn rewrite(root: &Path, from: &str, to: &str) {
    let note = std::fs::read_to_string(root.join(NOTE)).unwrap();
    assert!(note.contains(from), "{note}");
    std::fs::write(root.join(NOTE), note.replace(from, to)).unwrap();
}

#[tokio::test]
async fn looking_changes_nothing_and_the_first_file_brings_the_note() {
    let dir = tempfile::tempdir().unwrap();
    let disk = destination(dir.path());
    disk.check().await.unwrap();
    disk.quota().await.unwrap();
    list(&disk, Scope { reserved: true, ..Scope::default() }).await.unwrap();
    assert!(disk.stat(&key("a")).await.unwrap().is_none());
    assert!(everything(dir.path()).is_empty());
    put(&disk, "a", b"1").await.unwrap();
    assert!(dir.path().join(NOTE).exists());
    assert!(leftovers(dir.path()).is_empty());
    let listed = list(&disk, Scope { reserved: true, ..Scope::default() }).await.unwrap();
    assert_eq!(listed.len(), 1, "the note is nobody's item: {listed:?}");
}

#[tokio::test]
async fn what_the_note_says_is_declared_and_a_damaged_one_counts_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let disk = destination(dir.path());
    let usual = disk.capabilities().names;
    put(&disk, "a", b"1").await.unwrap();
    rewrite(dir.path(), "case-blind false", "case-blind true");
    rewrite(dir.path(), "longest 0", "longest 143");
    let stricter = destination(dir.path()).capabilities().names;
    assert!(stricter.case_blind && stricter != usual);
    put(&destination(dir.path()), "b", b"2").await.unwrap();
    assert_eq!(destination(dir.path()).capabilities().names, stricter);
    let refused = put(&destination(dir.path()), "n".repeat(144), b"1").await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Name);
    rewrite(dir.path(), "spelling ", "spelling un");
    assert_eq!(destination(dir.path()).capabilities().names, usual);
}

#[tokio::test]
async fn a_disk_that_holds_fewer_names_than_declared_takes_nothing_until_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    put(&destination(dir.path()), "a", b"1").await.unwrap();
    let note = std::fs::read_to_string(dir.path().join(NOTE)).unwrap();
    std::fs::remove_file(dir.path().join(NOTE)).unwrap();
    let disk = destination(dir.path());
    assert!(!disk.capabilities().names.case_blind);
    // What a trial would find on a disk that is less than it seems.
    let found = note.replace("case-blind false", "case-blind true");
    std::fs::write(dir.path().join(NOTE), found).unwrap();
    for _ in 0..2 {
        let refused = put(&disk, "b", b"2").await.unwrap_err();
        assert_eq!((refused.kind(), refused.reach()), (Kind::Absent, Reach::Destination));
    }
    assert_eq!(visible(dir.path()), ["a"]);
    put(&destination(dir.path()), "b", b"2").await.unwrap();
}

#[tokio::test]
async fn names_that_the_note_calls_refused_are_written_otherwise_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    put(&destination(dir.path()), "a", b"1").await.unwrap();
    rewrite(dir.path(), "spelling bytes", "spelling ascii");
    let disk = destination(dir.path());
    put(&disk, "été?.jpg", b"2").await.unwrap();
    assert_eq!(visible(dir.path()), ["%C3%A9t%C3%A9%3F.jpg", "a"]);
    assert_eq!(content(&disk, "été?.jpg").await.unwrap(), b"2");
}

#[tokio::test]
async fn what_a_dead_run_tried_out_is_swept() {
    let dir = tempfile::tempdir().unwrap();
    let trial = dir.path().join(".safelight/tmp/00000000000000aa-0");
    std::fs::create_dir_all(&trial).unwrap();
    std::fs::write(trial.join("a:b"), b"").unwrap();
    put(&destination(dir.path()), "a", b"1").await.unwrap();
    assert!(!trial.exists());
}
