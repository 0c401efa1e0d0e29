//! An export from beginning to end: complete, proven, once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use safelight_core::catalog::Catalog;
use safelight_core::class::MediaClass;
use safelight_core::error::Kind;
use safelight_core::job::Stop;
use safelight_core::mirror::DestinationState;
use safelight_core::monitor::{Event, Monitor};
use safelight_core::provider::Provider as _;
use safelight_core::taken::{Source, Taken, Zone};
use safelight_core::time::Timestamp;
use safelight_export::gone::forget_all;
use safelight_export::plan::AlbumForm;
use safelight_export::weigh::Shelf;
use safelight_testkit::faulty::{FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use world::verifier::{assert_bag, files_of};
use world::{World, key};

async fn small(targets: usize) -> World {
    let world = World::new(targets).await;
    for at in 0..20 {
        world.service.photo(&format!("2024/IMG_{at:03}.jpg"));
    }
    world.service.photo("notes/list.txt");
    world.service.inner.write("film.mov", vec![9_u8; 9 << 20]);
    world
}

#[tokio::test(start_paused = true)]
async fn everything_is_exported_and_the_papers_prove_it() {
    let world = small(1).await;
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert!(outcome.account.is_complete());
    let all = outcome.account.all();
    assert_eq!((all.listed.files, all.exported.files), (22, 22));
    assert_eq!(outcome.account.classes[&MediaClass::Video].exported.files, 1);
    for original in world.service.inner.keys() {
        let exported = world.stores[0].content(&key(format!("data/{original}")));
        assert_eq!(exported, world.service.inner.content(&original), "{original}");
    }
    assert_bag(&files_of(&world.stores[0]));
    assert_eq!(world.service.reads(), 22);
}

#[tokio::test(start_paused = true)]
async fn a_finished_export_again_reads_nothing_and_writes_nothing() {
    let world = small(2).await;
    world.run().await;
    world.service.reads();
    world.stores.iter().for_each(|store| store.reset_counts());
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.service.reads()), (0, 0));
    for store in &world.stores {
        assert_eq!((store.counts().put, store.counts().relocate, store.counts().remove), (0, 0, 0));
    }
    assert_eq!(
        outcome.papers.iter().map(|(_, papers)| papers.as_ref().unwrap().written).sum::<u64>(),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn several_targets_cost_one_read_per_item() {
    let world = small(3).await;
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.service.reads()), (0, 22));
    for store in &world.stores {
        assert_bag(&files_of(store));
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_folder_has_checksums_and_no_bag() {
    let mut world = small(1).await;
    world.wishes.plain = true;
    world.service.photo("checksums.SHA256");
    world.service.photo("albums/x.jpg");
    world.service.photo(".safelight-like/x.jpg");
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    let names: Vec<_> = world.stores[0].keys().iter().map(ToString::to_string).collect();
    assert!(
        names.contains(&"CHECKSUMS.sha256".to_owned()) && !names.contains(&"bagit.txt".to_owned())
    );
    assert!(names.iter().any(|name| name.starts_with("checksums (")), "{names:?}");
    assert_eq!(world.text(0, "CHECKSUMS.sha256").lines().count(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_too_small_is_refused_before_anything_is_done() {
    let mut world = small(0).await;
    let store = MemoryProvider::build("t0").clock(world.clock.clone());
    let store = Arc::new(store.pool(&MediaClass::ALL, Some(1 << 20)).finish());
    world.targets = vec![store.clone()];
    world.stores = vec![store];
    let (_, plan) = world.plan().await;
    assert!(!plan.fits());
    assert_eq!(plan.rooms[0].short[0].1, 1 << 20);
    let error = world.try_run().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoRoom);
    assert_eq!((world.stores[0].keys().len(), world.service.reads()), (0, 0));
    world.options.despite_room = true;
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 3);
    let missing: Vec<_> = outcome.account.missing.iter().map(|one| one.key.to_string()).collect();
    assert!(missing.contains(&"film.mov".to_owned()), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_with_files_of_somebody_else_is_left_alone() {
    let world = small(1).await;
    world.stores[0].write("data/2024/IMG_000.jpg", &b"mine"[..]);
    let outcome = world.run().await;
    assert_ne!(outcome.exit_code(), 0);
    assert_eq!(outcome.account.missing.len(), 22);
    assert_eq!(world.stores[0].keys().len(), 1);
    assert_eq!(world.service.reads(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_stands_at_the_target_is_never_overwritten() {
    let world = small(1).await;
    world.service.photo("b.jpg");
    world.run().await;
    world.stores[0].write("data/c.jpg", &b"mine"[..]);
    world.stores[0].write("CHECKSUMS.sha256", &b"mine"[..]);
    world.service.photo("c.jpg");
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 3);
    assert_eq!(world.text(0, "data/c.jpg"), "mine");
    assert_eq!(world.text(0, "CHECKSUMS.sha256"), "mine");
    assert_eq!(outcome.account.missing.len(), 1);
    assert_eq!(outcome.account.missing[0].code, safelight_core::codes::ITEM_EXISTS);
}

#[tokio::test(start_paused = true)]
async fn dates_albums_captions_and_favourites_come_along() {
    let mut world = World::new(1).await;
    world.wishes.albums = AlbumForm::Lists;
    let (one, two) = (world.service.photo("a/one.jpg"), world.service.photo("a/two.nef"));
    let taken = Taken::from_parts(1_715_515_200_000_000_000, Zone::Offset(120), Source::Sidecar);
    world.service.remark(&one, |remark| {
        remark.caption = Some("At the <sea>".to_owned());
        remark.favourite = true;
        remark.taken = Some(taken);
    });
    world.service.remark(&two, |remark| remark.hidden = true);
    world.service.album("Summer: 2024/I", &[&two, &one]);
    world.service.album("Empty", &[]);
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert_bag(&files_of(&world.stores[0]));
    let xmp = world.text(0, "data/a/one.jpg.xmp");
    assert!(xmp.contains("At the &lt;sea&gt;") && xmp.contains("<xmp:Rating>5<"), "{xmp}");
    assert!(world.text(0, "data/a/two.xmp").contains("Albums|Summer: 2024/I"));
    let index = world.text(0, "safelight-export.json");
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let item = &index["items"][0];
    assert_eq!(
        (item["path"].as_str(), item["state"].as_str()),
        (Some("a/one.jpg"), Some("exported"))
    );
    assert_eq!(item["local"]["path"], "data/a/one.jpg");
    assert_eq!(item["taken"]["local"], "2024-05-12T12:00:00");
    assert_eq!(item["favourite"], true);
    assert_eq!(index["items"][1]["hidden"], true);
    let albums: serde_json::Value = serde_json::from_str(&world.text(0, "albums.json")).unwrap();
    assert_eq!(albums["albums"][0]["items"][0]["file"], "data/a/two.nef");
    assert_eq!(albums["albums"][1]["title"], "Empty");
    let list = world.text(0, "albums/Summer_ 2024_I.m3u8");
    assert_eq!(list.lines().nth(2), Some("../data/a/two.nef"));
    let detail = world.catalog.item(&key("data/a/one.jpg")).await.unwrap().unwrap();
    assert_eq!(detail.stat.modified, Timestamp::from_parts(1_715_515_200 - 7200, 0));
}

#[tokio::test(start_paused = true)]
async fn the_trash_comes_along_on_request() {
    let mut world = World::new(1).await;
    world.service.photo("a.jpg");
    let thrown = world.service.photo("b.jpg");
    world.service.also_in_trash(&thrown).await;
    world.run().await;
    assert_eq!(world.files(0), ["data/a.jpg", "data/b.jpg"]);
    world.look.trashed = true;
    world.run().await;
    assert_eq!(world.files(0), ["data/Trash/b.jpg", "data/a.jpg", "data/b.jpg"]);
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_that_would_not_be_written_any_more_stays_in_the_manifest() {
    let mut world = small(1).await;
    world.service.remark(&key("notes/list.txt"), |remark| remark.favourite = true);
    world.run().await;
    world.service.extras.lock().unwrap().remarks.clear();
    world.wishes.sidecars = false;
    world.service.photo("more.jpg");
    assert_eq!(world.run().await.exit_code(), 0);
    assert!(world.text(0, "manifest-sha256.txt").contains("list.txt.xmp"));
    assert_bag(&files_of(&world.stores[0]));
}

#[tokio::test(start_paused = true)]
async fn changed_papers_replace_those_of_before() {
    let world = small(1).await;
    world.run().await;
    world.service.photo("2025/new.jpg");
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert_bag(&files_of(&world.stores[0]));
    assert!(world.text(0, "CHECKSUMS.sha256").contains("data/2025/new.jpg"));
}

#[tokio::test(start_paused = true)]
async fn papers_of_many_files_are_streamed() {
    let world = World::new(1).await;
    let photos: Vec<_> =
        (0..3000).map(|at| world.service.photo(&format!("f{}/{at}.jpg", at % 7))).collect();
    world.service.album("All", &photos.iter().collect::<Vec<_>>());
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{:?}", outcome.account.missing);
    assert_bag(&files_of(&world.stores[0]));
    let index: serde_json::Value =
        serde_json::from_str(&world.text(0, "safelight-export.json")).unwrap();
    assert_eq!(index["items"].as_array().unwrap().len(), 3000);
    assert!(world.text(0, "albums.json").len() > 64 * 1024);
}

#[tokio::test(start_paused = true)]
async fn only_the_classes_that_were_asked_for_are_taken() {
    let mut world = small(1).await;
    world.wishes.classes = vec![MediaClass::Video];
    let outcome = world.run().await;
    let all = outcome.account.all();
    assert_eq!((outcome.exit_code(), all.exported.files, all.left_out.files), (0, 1, 21));
    let (export, plan) = world.plan().await;
    assert_eq!(
        (plan.done.files, plan.send.files, plan.renamed(&export.inventory).count()),
        (1, 0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_or_limited_goes_on_later() {
    let mut world = small(1).await;
    world.options.max_transfer = Some(10);
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 10, "{outcome:?}");
    assert!(!outcome.account.is_complete());
    world.options.max_transfer = None;
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!(world.service.reads(), 22);
    assert_bag(&files_of(&world.stores[0]));
}

#[tokio::test(start_paused = true)]
async fn once_it_is_stopped_nothing_is_fetched_any_more_that_was_not_under_way() {
    let mut world = World::new(1).await;
    for at in 0..300 {
        world.service.photo(&format!("{at:03}.jpg"));
    }
    let (stop, reads) = (world.stop.clone(), AtomicU64::new(0));
    let act = move |_: &_| {
        if reads.fetch_add(1, Ordering::Relaxed) == 5 {
            stop.gently.cancel();
        }
    };
    *world.service.meanwhile.lock().unwrap() = Some(Box::new(act));
    assert_eq!(world.run().await.exit_code(), 130);
    let width = world.service.capabilities().reads as u64;
    let reads = world.service.reads();
    assert!(reads < 5 + 2 * width, "{reads} of 300, {width} at once");
    let there = world.files(0).len() as u64;
    world.stop = Stop::default();
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!(world.service.reads(), 300 - there);
}

/// What is told of a run, without bytes on their way.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Monitor for Heard {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::Started { files, new, .. } => {
                format!("start {files}, new {} {}", new.files, new.bytes)
            }
            Event::Planned { destination, send } => {
                format!("{destination} {} {}", send.files, send.bytes)
            }
            Event::Copied { key, .. } => format!("copied {key}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_in_several_passes_is_told_as_one_run_with_all_its_bytes() {
    let mut world = World::new(2).await;
    world.service.photo("elsewhere.jpg");
    world.run().await;
    let first = std::mem::replace(&mut world.catalog, world::catalog().await);
    world.shelves.push(Shelf { catalog: first, library: None, reader: None, not: Vec::new() });
    let empty = World::new(2).await;
    (world.stores, world.targets) = (empty.stores.clone(), empty.targets.clone());
    world.service.photo("urgent.jpg");
    world.wishes.everything = true;
    let heard = Arc::new(Heard::default());
    world.monitor = heard.clone();
    assert_eq!(world.run().await.exit_code(), 0);
    let heard = heard.0.lock().unwrap().clone();
    assert_eq!(heard[..3], ["start 2, new 2 35", "t0 2 35", "t1 2 35"]);
    assert!(heard[3..].iter().all(|line| line.starts_with("copied")), "{heard:?}");
    assert!(heard[3].ends_with("urgent.jpg") && heard.len() == 7, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_becomes_full_ends_with_an_account_and_the_next_run_goes_on() {
    let mut world = World::new(2).await;
    for at in 0..40 {
        world.service.photo(&format!("{at:02}.jpg"));
    }
    let script = Arc::new(Script::new().no_room_after(400));
    let full = FaultyProvider::new(world.stores[1].clone(), script, world.clock.clone());
    world.targets[1] = Arc::new(full);
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 3, "{outcome:?}");
    let state = &outcome.reports.last().unwrap().destinations[1].state;
    let DestinationState::Stopped(error) = state else { panic!("{state:?}") };
    assert_eq!(error.kind(), Kind::NoRoom);
    // The other one is complete, and says so.
    assert_eq!(world.files(0).len(), 40);
    assert_bag(&files_of(&world.stores[0]));
    let there = world.files(1).len();
    assert!(there > 0 && outcome.account.missing.len() == 40 - there, "{there}");
    world.targets[1] = world.stores[1].clone();
    world.service.reads();
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!(world.service.reads(), (40 - there) as u64);
    assert_bag(&files_of(&world.stores[1]));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_was_lost_gets_everything_again_and_the_other_nothing() {
    let mut world = small(2).await;
    let photo = key("2024/IMG_000.jpg");
    world.service.remark(&photo, |remark| remark.favourite = true);
    world.service.album("Sea", &[&photo]);
    world.wishes.albums = AlbumForm::Links;
    world.run().await;
    world.service.reads();
    assert!(forget_all(&*world.catalog, "t0").await.unwrap());
    assert!(!forget_all(&*world.catalog, "t2").await.unwrap());
    let empty = World::new(1).await;
    (world.stores[0], world.targets[0]) = (empty.stores[0].clone(), empty.targets[0].clone());
    world.stores[1].reset_counts();
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!((world.service.reads(), world.stores[1].counts().put), (22, 0));
    for store in &world.stores {
        assert_bag(&files_of(store));
    }
    assert_eq!(files_of(&world.stores[0]).len(), files_of(&world.stores[1]).len());
}
