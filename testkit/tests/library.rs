//! The in-memory provider as a library: tests can do to it what happens to a disk.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use safelight_core::codes;
use safelight_core::entry::{Entry, Listed, Scope};
use safelight_core::error::{Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::Provider;
use safelight_core::time::Timestamp;
use safelight_testkit::clock::SimClock;
use safelight_testkit::generate::Tree;
use safelight_testkit::memory::MemoryProvider;

async fn read(library: &MemoryProvider, key: &Key) -> Result<Vec<u8>> {
    let opened = library.read(key, None, None).await?;
    let chunks: Vec<_> = opened.bytes.try_collect().await?;
    Ok(chunks.concat())
}

async fn stat(library: &MemoryProvider, key: &Key) -> Entry {
    library.stat(key).await.unwrap().unwrap()
}

async fn list(library: &MemoryProvider) -> Vec<String> {
    let pages: Vec<_> = library.list(Scope::default()).try_collect().await.unwrap();
    let told = |listed| match listed {
        Listed::File(entry) => format!("file {}", entry.key),
        Listed::Passed { key, code } => format!("passed {key} {code}"),
        Listed::Unseen { key, error } => {
            format!("unseen {} {:?}", key.map_or("all".into(), |key| key.to_string()), error.kind())
        }
        Listed::Mount { key, volume } => format!("mount {key} {volume}"),
    };
    pages.into_iter().flat_map(|page| page.entries).map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn edits_show_in_what_a_disk_would_tell() {
    let clock = Arc::new(SimClock::start());
    let library = MemoryProvider::build("library").like_a_disk().clock(clock.clone()).finish();
    let key = library.write("a.jpg", "one");
    let first = stat(&library, &key).await;
    clock.skip(Duration::from_secs(1));
    library.write("a.jpg", "two");
    let edited = stat(&library, &key).await;
    assert_eq!(edited.file_id, first.file_id);
    assert!(edited.modified > first.modified && edited.version != first.version);
    library.rot(&key, "rot");
    assert_eq!(stat(&library, &key).await, edited);
    assert_eq!(read(&library, &key).await.unwrap(), b"rot");
    let moved = library.rename(&key, "b/a.jpg");
    let renamed = stat(&library, &moved).await;
    assert_eq!((renamed.file_id, renamed.modified), (edited.file_id, edited.modified));
    library.set_modified(&moved, Timestamp::from_parts(5, 0));
    library.set_file_id(&moved, 77);
    library.set_changed(&moved, Timestamp::from_parts(6, 0));
    let set = stat(&library, &moved).await;
    assert_eq!(set.modified, Some(Timestamp::from_parts(5, 0)));
    assert_eq!((set.file_id, set.changed), (Some(77), Some(Timestamp::from_parts(6, 0))));
}

#[tokio::test(start_paused = true)]
async fn difficult_files_fail_when_they_are_read() {
    let library = MemoryProvider::library();
    let key = library.write("a.jpg", "bytes");
    library.make_unreadable(&key, Kind::Denied);
    assert_eq!(read(&library, &key).await.unwrap_err().id(), codes::UNREADABLE);
    library.make_restless(&key);
    assert_eq!(read(&library, &key).await.unwrap_err().kind(), Kind::Changed);
    library.make_quiet(&key);
    assert_eq!(read(&library, &key).await.unwrap(), b"bytes");
    library.make_vanish(&key);
    assert_eq!(read(&library, &key).await.unwrap_err().id(), codes::VANISHED);
    assert!(library.keys().is_empty());
}

#[tokio::test(start_paused = true)]
async fn special_entries_stand_in_key_order() {
    let library = MemoryProvider::library();
    library.write("c/hidden.jpg", "x");
    library.write("a.jpg", "x");
    library.write("d.jpg", "x");
    library.add_passed("b", codes::LINK_SKIPPED);
    library.add_unseen("c", Kind::Denied);
    library.add_mount("cc", "disk-7");
    let all = [
        "file a.jpg",
        "passed b library/link-skipped",
        "unseen c Denied",
        "mount cc disk-7",
        "file d.jpg",
    ];
    assert_eq!(list(&library).await, all);
    library.set_blind(Some(Kind::Io));
    assert_eq!(list(&library).await, ["unseen all Io"]);
    library.set_absent(true);
    assert_eq!(library.check().await.unwrap_err().kind(), Kind::Absent);
}

#[tokio::test(start_paused = true)]
async fn counts_tell_read_amplification() {
    let library = MemoryProvider::library();
    let written = Tree::new(1, 50).with_nasty_names().lengths(0, 100_000).fill(&library);
    for key in library.keys() {
        read(&library, &key).await.unwrap();
    }
    assert_eq!(list(&library).await.len(), 50);
    let counts = library.counts();
    assert_eq!((counts.read, counts.bytes_read), (50, written.bytes));
    assert_eq!((counts.list, counts.pages, counts.requests()), (1, 1, 51));
    library.reset_counts();
    assert_eq!(library.counts().requests(), 0);
}
