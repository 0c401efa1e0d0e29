//! Reading: one whole version or an error.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::os::unix::fs::symlink;
use std::process::Command;

use futures::StreamExt as _;
use safelight_core::codes;
use safelight_core::error::{Error, Kind};
use safelight_core::provider::{Opened, Provider as _};
use safelight_disk::Disk;
use support::{content, key};

const BIG: usize = 12 << 20;

fn library(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Disk) {
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        std::fs::write(dir.path().join(path), bytes).unwrap();
    }
    let library = Disk::library(dir.path());
    (dir, library)
}

async fn rest(mut opened: Opened) -> Result<usize, Error> {
    let mut length = 0;
    while let Some(bytes) = opened.bytes.next().await {
        length += bytes?.len();
    }
    Ok(length)
}

#[tokio::test]
async fn every_size_arrives_whole() {
    let pattern: Vec<u8> = (0..=250).cycle().take((3 << 20) + 17).collect();
    for length in [0, 1, 1 << 20, (1 << 20) + 1, pattern.len()] {
        let (_dir, library) = library(&[("a", &pattern[..length])]);
        assert_eq!(content(&library, "a").await.unwrap(), &pattern[..length], "{length}");
    }
}

#[tokio::test]
async fn ranges_are_cut_to_what_is_there() {
    let pattern: Vec<u8> = (0..=250).cycle().take(3 << 20).collect();
    let (_dir, library) = library(&[("a", &pattern)]);
    let end = pattern.len() as u64;
    for range in [0..1, 5..(2 << 20), end - 3..end + 9, end + 1..end + 2, 7..7] {
        let mut opened = library.read(&key("a"), Some(range.clone()), None).await.unwrap();
        let mut found = Vec::new();
        while let Some(bytes) = opened.bytes.next().await {
            found.extend_from_slice(&bytes.unwrap());
        }
        let [from, to] = [range.start, range.end].map(|at| usize::try_from(at.min(end)).unwrap());
        assert_eq!(found, &pattern[from..to], "{range:?}");
    }
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_read_is_changed() {
    use std::io::Write as _;
    let (dir, library) = library(&[("a", &vec![1; BIG])]);
    let mut opened = library.read(&key("a"), None, None).await.unwrap();
    opened.bytes.next().await.unwrap().unwrap();
    let mut file = std::fs::File::options().append(true).open(dir.path().join("a")).unwrap();
    file.write_all(b"more").unwrap();
    assert_eq!(rest(opened).await.unwrap_err().kind(), Kind::Changed);
}

#[tokio::test]
async fn a_file_that_is_written_into_while_it_is_read_is_changed() {
    use std::os::unix::fs::FileExt as _;
    let (dir, library) = library(&[("a", &vec![1; BIG])]);
    let path = dir.path().join("a");
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    let mut opened = library.read(&key("a"), None, None).await.unwrap();
    opened.bytes.next().await.unwrap().unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"x", 0).unwrap();
    // Even if the writer puts the old time back.
    file.set_modified(before).unwrap();
    assert_eq!(rest(opened).await.unwrap_err().kind(), Kind::Changed);
}

#[tokio::test]
async fn a_file_that_is_cut_short_while_it_is_read_is_changed() {
    let (dir, library) = library(&[("a", &vec![1; BIG])]);
    let mut opened = library.read(&key("a"), None, None).await.unwrap();
    opened.bytes.next().await.unwrap().unwrap();
    std::fs::File::options().write(true).open(dir.path().join("a")).unwrap().set_len(9).unwrap();
    assert_eq!(rest(opened).await.unwrap_err().kind(), Kind::Changed);
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_read_gives_the_old_one_whole_or_an_error() {
    let (dir, library) = library(&[("a", &vec![1; BIG])]);
    let mut opened = library.read(&key("a"), None, None).await.unwrap();
    assert_eq!(opened.bytes.next().await.unwrap().unwrap()[0], 1);
    std::fs::write(dir.path().join("new"), vec![2; BIG]).unwrap();
    std::fs::rename(dir.path().join("new"), dir.path().join("a")).unwrap();
    while let Some(bytes) = opened.bytes.next().await {
        match bytes {
            Ok(bytes) => assert!(bytes.iter().all(|byte| *byte == 1)),
            Err(error) => assert_eq!(error.kind(), Kind::Changed),
        }
    }
}

#[tokio::test]
async fn the_pinned_version_or_nothing() {
    let (dir, library) = library(&[("a", b"one")]);
    let version = library.stat(&key("a")).await.unwrap().unwrap().version.unwrap();
    assert!(library.read(&key("a"), None, Some(&version)).await.is_ok());
    std::fs::write(dir.path().join("a"), b"other").unwrap();
    let error = library.read(&key("a"), None, Some(&version)).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Changed);
}

#[tokio::test]
async fn a_file_that_vanished_is_not_found() {
    let (dir, library) = library(&[("a", b"one")]);
    library.stat(&key("a")).await.unwrap().unwrap();
    std::fs::remove_file(dir.path().join("a")).unwrap();
    let error = library.read(&key("a"), None, None).await.err().unwrap();
    assert_eq!((error.kind(), error.id()), (Kind::NotFound, codes::VANISHED));
}

#[tokio::test]
async fn only_ordinary_files_are_opened() {
    let (dir, library) = library(&[("a", b"one")]);
    symlink("a", dir.path().join("link")).unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    symlink("folder", dir.path().join("folderlink")).unwrap();
    std::fs::write(dir.path().join("folder/b"), b"two").unwrap();
    let made = Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let cases = [
        ("link", codes::LINK_SKIPPED),
        ("folderlink/b", codes::LINK_SKIPPED),
        ("pipe", codes::NOT_A_FILE),
        ("folder", codes::VANISHED),
        ("a/b", codes::VANISHED),
    ];
    for (path, code) in cases {
        let error = library.read(&key(path), None, None).await.err().unwrap();
        assert_eq!(error.id(), code, "{path}");
        assert!(library.stat(&key(path)).await.unwrap().is_none(), "{path}");
    }
}

#[tokio::test]
async fn a_library_takes_no_changes() {
    let (dir, library) = library(&[("a", b"one")]);
    let refused = support::put(&library, "b", b"two").await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported);
    library.check().await.unwrap();
    assert_eq!(support::everything(dir.path()), ["a"]);
}
