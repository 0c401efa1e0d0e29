//! The figures of the catalog. Not a test of every day: `cargo test --release -p safelight-catalog --test speed
//! -- --ignored --nocapture`, with `ITEMS=1000000` for more items.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::future::Future;
use std::path::Path;
use std::time::Instant;

use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::{
    Catalog, Content, DestinationId, Finding, Held, ItemId, Places, Record, SafetyRules, Stat,
    WorkQuery,
};
use safelight_core::class::MediaClass;
use safelight_core::digest::Digests;
use safelight_core::entry::Version;
use safelight_core::key::Key;
use safelight_core::provider::Proof;
use safelight_core::time::Timestamp;

const GROUP: usize = 512;

#[tokio::test]
#[ignore = "measures, proves nothing"]
async fn figures() {
    let items: usize = std::env::var("ITEMS").map_or(100_000, |items| items.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    fill(&path, items).await;
    for _ in 0..2 {
        look(&path, items).await;
    }
    timed("scratch", async {
        SqliteCatalog::scratch(&path).await.unwrap().close().await;
    })
    .await;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
}

/// A first run.
async fn fill(path: &Path, items: usize) {
    let catalog = SqliteCatalog::open(path, "figures").await.unwrap();
    for name in ["cloud", "dropbox", "disk"] {
        catalog.enroll(name).await.unwrap();
    }
    timed("apply: every item found", async {
        for start in (0..items).step_by(GROUP) {
            let group = start..items.min(start + GROUP);
            catalog.apply(group.map(found).collect()).await.unwrap();
        }
    })
    .await;
    let run = catalog.begin_run("mirror", Timestamp::default()).await.unwrap();
    timed("work and record: every item read and stored three times", async {
        let query = WorkQuery {
            destinations: (1..=3).map(DestinationId).collect(),
            after: None,
            not_tried_in: Some(run),
            with_held: false,
            limit: GROUP,
        };
        loop {
            let work = catalog.work(query.clone()).await.unwrap();
            if work.is_empty() {
                break;
            }
            let mut records = Vec::new();
            for work in work {
                let content = content(work.item);
                records.push(Record::Read { item: work.item, stat: work.stat, content });
                for leg in work.legs {
                    let held = held(&work.key, content);
                    let destination = leg.destination;
                    records.push(Record::Stored { item: work.item, destination, held, run });
                }
            }
            catalog.record(records).await.unwrap();
        }
    })
    .await;
    timed("close", catalog.close()).await;
    println!("{:>9} MB on disk", path.metadata().unwrap().len() / 1_000_000);
}

/// What a run with nothing to do asks, and `status`.
async fn look(path: &Path, items: usize) {
    let catalog = timed("open", SqliteCatalog::open(path, "figures")).await.unwrap();
    timed("known: all of it", async {
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = catalog.known(after, 4096).await.unwrap();
            seen += page.len();
            match page.last() {
                Some(last) => after = Some(last.key.clone()),
                None => break,
            }
        }
        assert_eq!(seen, items);
    })
    .await;
    timed("begin a run", async {
        catalog.begin_run("mirror", Timestamp::default()).await.unwrap();
    })
    .await;
    timed("work: none, after the check", async {
        let query = WorkQuery {
            destinations: (1..=3).map(DestinationId).collect(),
            after: None,
            not_tried_in: None,
            with_held: true,
            limit: GROUP,
        };
        assert!(catalog.work(query).await.unwrap().is_empty());
    })
    .await;
    timed("tally: three destinations", async {
        for destination in 1..=3 {
            let tally = catalog.tally(DestinationId(destination)).await.unwrap();
            assert_eq!(tally.settled, items as u64);
        }
    })
    .await;
    timed("survey", async {
        let places = Places { offsite: vec!["cloud".to_owned()], ..Places::default() };
        let rules = SafetyRules { copies: 3, offsite: 1, checked_since: Timestamp::default() };
        let survey = catalog.survey(rules, places).await.unwrap();
        assert_eq!(survey.safe, items as u64);
    })
    .await;
    timed("stored: one destination", async {
        catalog.stored(DestinationId(1)).await.unwrap();
    })
    .await;
    timed("gone: nothing", async {
        assert!(catalog.gone_sizes().await.unwrap().is_empty());
        assert_eq!(catalog.count_changed().await.unwrap(), 0);
    })
    .await;
    timed("close", catalog.close()).await;
}

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let done = work.await;
    println!("{:>9.1} ms {what}", started.elapsed().as_secs_f64() * 1000.0);
    done
}

fn found(index: usize) -> Finding {
    let key =
        format!("Photos/{:04}/{:02}-autumn/IMG_{index:07}.jpg", index / 5000, index / 500 % 10);
    let time = Timestamp::from_parts(1_600_000_000, 123_456_789);
    let stat =
        Stat { size: 4_000_000, modified: time, changed: Some(time), file_id: Some(index as u64) };
    Finding::Found { key: Key::new(key).unwrap(), stat, class: MediaClass::Photo }
}

fn content(item: ItemId) -> Content {
    let mut sha256 = [7; 32];
    // Scattered, as real digests are.
    sha256[..8].copy_from_slice(
        &item.0.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()).to_be_bytes(),
    );
    Content { size: 4_000_000, digests: Digests { sha256: Some(sha256), ..Digests::default() } }
}

fn held(key: &Key, content: Content) -> Held {
    Held {
        key: key.clone(),
        content,
        version: Some(Version::new("d41d8cd98f00b204e9800998ecf8427e")),
        remote_id: None,
        proof: Proof::ReadBack,
        proved_at: Timestamp::from_parts(1_700_000_000, 0),
    }
}
