//! What a mirror run does on ordinary days.
#![allow(clippy::unwrap_used)]

mod world;

use safelight_core::catalog::{Catalog, Presence};
use safelight_core::class::MediaClass;
use safelight_core::codes;
use safelight_core::filter::Rule;
use safelight_core::job::{KeepFree, MirrorOptions, Pool, PoolLimit, WhenFull};
use safelight_testkit::clock::SimClock;
use safelight_testkit::memory::MemoryProvider;
use std::sync::Arc;
use world::{DAY, World, at, codes, key};

#[tokio::test]
async fn the_first_run_copies_everything_everywhere_with_one_read() {
    let world = World::new(3).await;
    world.photos(40);
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0);
    assert_eq!(report.new.files, 40);
    for store in 0..3 {
        world.assert_mirrored(store);
        assert_eq!(at(&report, &format!("d{store}")).copied.files, 40);
    }
    assert_eq!(report.read_amplification(), Some(1.0));
    assert_eq!(world.library.counts().bytes_read, report.bytes_needed);
}

#[tokio::test]
async fn a_run_with_nothing_new_asks_destinations_only_for_their_health() {
    let world = World::new(3).await;
    world.photos(40);
    world.run().await;
    world.stores.iter().for_each(|store| store.reset_counts());
    world.library.reset_counts();
    let report = world.run().await;
    assert_eq!((report.new.files, report.exit_code()), (0, 0));
    assert_eq!(at(&report, "d1").unchanged, 40);
    for store in &world.stores {
        let counts = store.counts();
        assert_eq!((counts.check, counts.read, counts.requests()), (1, 1, 1), "{counts:?}");
    }
    assert_eq!(world.library.counts().read, 0);
}

#[tokio::test]
async fn a_large_film_is_streamed_to_all_with_one_read() {
    let world = World::new(3).await;
    let film = world.library.write("2024/VID.MOV", vec![7_u8; 20 << 20]);
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    assert_eq!(report.read_amplification(), Some(1.0));
    for store in &world.stores {
        assert_eq!(store.content(&film).unwrap().len(), 20 << 20);
    }
}

#[tokio::test]
async fn a_renamed_photo_is_moved_there_and_not_sent() {
    let world = World::new(2).await;
    let keys = world.photos(5);
    world.run().await;
    world.library.rename(&keys[2], "2025/renamed.jpg");
    world.stores.iter().for_each(|store| store.reset_counts());
    let report = world.run().await;
    assert_eq!((at(&report, "d0").moved, at(&report, "d1").moved), (1, 1));
    assert_eq!(world.stores[0].counts().put, 0);
    world.assert_mirrored(0);
    world.assert_mirrored(1);
}

#[tokio::test]
async fn a_renamed_film_is_recognised_before_it_is_sent() {
    let world = World::new(2).await;
    let film = world.library.write("a/VID.MOV", vec![7_u8; 10 << 20]);
    world.run().await;
    world.library.rename(&film, "b/VID.MOV");
    world.stores.iter().for_each(|store| store.reset_counts());
    let report = world.run().await;
    assert_eq!(at(&report, "d1").moved, 1);
    assert_eq!(world.stores[1].counts().put, 0);
    world.assert_mirrored(1);
}

#[tokio::test]
async fn a_destination_that_cannot_move_gets_the_renamed_photo_again() {
    let clock = Arc::new(SimClock::start());
    let plain = MemoryProvider::build("d0").clock(clock.clone()).without_relocation().finish();
    let world = World::with(clock, vec![Arc::new(plain)]).await;
    let keys = world.photos(2);
    world.run().await;
    world.library.rename(&keys[0], "2025/renamed.jpg");
    let report = world.run().await;
    assert_eq!((at(&report, "d0").moved, at(&report, "d0").copied.files), (0, 1));
}

#[tokio::test]
async fn an_edited_photo_replaces_its_copy_and_the_old_version_is_kept() {
    let world = World::new(1).await;
    let photo = world.photo("a.jpg");
    world.run().await;
    for edit in ["one", "two", "three", "four", "five"] {
        world.clock.skip(DAY);
        world.library.write("a.jpg", edit.as_bytes().to_vec());
        let report = world.run().await;
        assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
        assert_eq!(world.stores[0].content(&photo).unwrap(), edit.as_bytes());
    }
    let kept = world.kept(0, "versions");
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert_eq!(world.stores[0].content(&key(&kept[2])).unwrap(), b"four".as_slice());
}

#[tokio::test]
async fn where_the_service_keeps_what_is_replaced_in_its_trash_we_keep_no_version() {
    let clock = Arc::new(SimClock::start());
    let build = || MemoryProvider::build("d").clock(clock.clone());
    let stores = vec![
        Arc::new(build().keeps_replaced().finish()),
        // Nothing keeps the old version there, so it stays.
        Arc::new(build().own_trash().without_relocation().finish()),
        // Who can copy does what was asked for.
        Arc::new(build().with(|declared| declared.replaced_to_trash = true).finish()),
    ];
    let world = World::with(clock.clone(), stores).await;
    let photo = world.photo("a.jpg");
    world.run().await;
    for edit in ["one", "two"] {
        world.clock.skip(DAY);
        world.library.write("a.jpg", edit.as_bytes().to_vec());
        let report = world.run().await;
        assert!(codes(&report).iter().all(|code| *code == codes::NO_VERSIONS), "{report:?}");
        assert_eq!(world.stores[0].content(&photo).unwrap(), edit.as_bytes());
    }
    assert_eq!(world.stores[0].trashed().len(), 2);
    assert!(world.kept(0, "versions").is_empty());
    assert_eq!(world.stores[1].content(&photo).unwrap(), b"photo a.jpg".as_slice());
    assert_eq!(world.kept(2, "versions").len(), 2);
}

#[tokio::test]
async fn a_touched_photo_is_read_once_and_not_sent() {
    let world = World::new(2).await;
    let keys = world.photos(3);
    world.run().await;
    world.clock.skip(DAY);
    world.library.set_modified(&keys[0], safelight_core::time::Clock::now(&*world.clock));
    world.library.set_file_id(&keys[1], 4711);
    world.stores.iter().for_each(|store| store.reset_counts());
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0);
    assert_eq!(world.stores[0].counts().put, 0);
    assert_eq!(at(&report, "d0").unchanged, 3);
    world.library.reset_counts();
    world.run().await;
    assert_eq!(world.library.counts().read, 0);
}

#[tokio::test]
async fn damage_under_an_unchanged_date_is_held_back_and_never_spread() {
    let world = World::new(2).await;
    let photo = world.library.write("a.jpg", b"good bytes".to_vec());
    world.run().await;
    world.library.rot(&photo, b"baad bytes".to_vec());
    let options = MirrorOptions { full_scan: true, ..MirrorOptions::default() };
    let report = world.run_with(&options).await;
    assert_eq!(codes(&report), [codes::SUSPECTED_DAMAGE]);
    assert_eq!(report.exit_code(), 3);
    assert_eq!(world.stores[0].content(&photo).unwrap(), b"good bytes".as_slice());
    let again = world.run().await;
    assert_eq!(codes(&again), [codes::SUSPECTED_DAMAGE], "it stays named until it is healed");
    world.library.rot(&photo, b"good bytes".to_vec());
    let healed = world.run_with(&options).await;
    assert_eq!(healed.exit_code(), 0, "{:?}", healed.problems);
    let item = world.catalog.item(&photo).await.unwrap().unwrap();
    assert_eq!(item.presence, Presence::Present);
}

#[tokio::test]
async fn a_film_damaged_under_an_unchanged_date_is_not_streamed_to_a_new_destination() {
    let mut world = World::new(2).await;
    let second = world.job.destinations.pop().unwrap();
    let film = world.library.write("VID.MOV", vec![1_u8; 10 << 20]);
    world.run().await;
    world.library.rot(&film, vec![2_u8; 10 << 20]);
    world.job.destinations.push(second);
    let report = world.run().await;
    assert_eq!(codes(&report), [codes::SUSPECTED_DAMAGE]);
    assert!(world.stores[1].content(&film).is_none());
}

#[tokio::test]
async fn a_file_cut_short_under_its_old_date_counts_as_damage() {
    let world = World::new(1).await;
    let photo = world.photo("a.jpg");
    world.run().await;
    world.library.rot(&photo, Vec::new());
    let report = world.run().await;
    assert_eq!(codes(&report), [codes::SUSPECTED_DAMAGE]);
    assert!(!world.stores[0].content(&photo).unwrap().is_empty());
}

#[tokio::test]
async fn names_that_collide_there_are_both_kept() {
    let clock = Arc::new(SimClock::start());
    let blind =
        MemoryProvider::build("d0").clock(clock.clone()).like_a_disk().folds_names().finish();
    let world = World::with(clock, vec![Arc::new(blind)]).await;
    for name in ["IMG.JPG", "img.jpg", "\u{e9}.jpg", "e\u{301}.jpg"] {
        world.photo(name);
    }
    let report = world.run().await;
    assert_eq!(
        (report.exit_code(), at(&report, "d0").copied.files),
        (0, 4),
        "{:?}",
        report.problems
    );
    let photos = world.stores[0].keys().into_iter().filter(|key| !key.is_reserved());
    let contents: std::collections::HashSet<_> =
        photos.map(|key| world.stores[0].content(&key).unwrap()).collect();
    assert_eq!(contents.len(), 4);
    assert_eq!(at(&world.run().await, "d0").unchanged, 4);
}

#[tokio::test]
async fn a_change_of_case_is_a_move_even_where_case_does_not_count() {
    let clock = Arc::new(SimClock::start());
    let blind =
        MemoryProvider::build("d0").clock(clock.clone()).like_a_disk().folds_names().finish();
    let world = World::with(clock, vec![Arc::new(blind)]).await;
    let photo = world.photo("IMG.JPG");
    world.run().await;
    world.library.rename(&photo, "img.jpg");
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    assert_eq!(at(&report, "d0").moved, 1);
}

#[tokio::test]
async fn a_limited_pool_takes_the_newest_and_names_the_rest() {
    let mut world = World::new(2).await;
    world.job.destinations[0].rules.pools = vec![Pool {
        counts: vec![MediaClass::Video],
        limit: PoolLimit::Bytes(2500),
        keep_free: KeepFree::Bytes(400),
        when_full: WhenFull::NewestFirst,
    }];
    for name in ["old.mov", "mid.mov", "new.mov"] {
        world.library.write(name, vec![0_u8; 1000]);
        world.clock.skip(DAY);
    }
    world.photo("a.jpg");
    let report = world.run().await;
    assert_eq!((at(&report, "d0").copied.files, at(&report, "d0").does_not_fit.files), (3, 1));
    assert!(world.stores[0].content(&key("old.mov")).is_none());
    assert_eq!(report.exit_code(), 0);
    let again = world.run().await;
    assert_eq!((at(&again, "d0").copied.files, at(&again, "d0").does_not_fit.files), (0, 1));
    world.assert_mirrored(1);
}

#[tokio::test]
async fn a_new_destination_gets_everything_and_excluded_files_keep_their_copies() {
    let mut world = World::new(2).await;
    let second = world.job.destinations.pop().unwrap();
    world.photos(4);
    let note = world.photo("note.tmp");
    world.run().await;
    world.job.destinations.push(second);
    world.job.filter.rules = vec![Rule::new(false, "*.tmp", "test").unwrap()];
    let report = world.run().await;
    assert_eq!((at(&report, "d1").copied.files, at(&report, "d0").copied.files), (4, 0));
    world.clock.skip(100 * DAY);
    world.run().await;
    assert!(world.stores[0].content(&note).is_some(), "excluded is not deleted");
}

#[tokio::test]
async fn only_sends_what_was_asked_for() {
    let world = World::new(1).await;
    world.photos(3);
    world.photo("2025/new.jpg");
    let only = vec![Rule::new(true, "2025/**", "test").unwrap()];
    let options = MirrorOptions { only, ..MirrorOptions::default() };
    let report = world.run_with(&options).await;
    assert_eq!((at(&report, "d0").copied.files, at(&report, "d0").skipped), (1, 3));
    assert_eq!(at(&world.run().await, "d0").copied.files, 3);
}

#[tokio::test]
async fn the_transfer_limit_ends_the_run_and_the_next_goes_on() {
    let world = World::new(1).await;
    world.photos(30);
    let options = MirrorOptions { max_transfer: Some(200), ..MirrorOptions::default() };
    let report = world.run_with(&options).await;
    assert_eq!(report.exit_code(), 10);
    let sent = at(&report, "d0").copied.files;
    assert!(sent > 0 && sent < 30, "{sent}");
    assert_eq!(at(&world.run().await, "d0").copied.files, 30 - sent);
}

#[tokio::test]
async fn a_dry_run_changes_nothing_at_the_destinations() {
    let world = World::new(1).await;
    world.photos(3);
    let options = MirrorOptions { dry_run: true, ..MirrorOptions::default() };
    let report = world.run_with(&options).await;
    assert_eq!(at(&report, "d0").intended.files, 3);
    assert!(world.stores[0].keys().is_empty());
}

#[tokio::test]
async fn what_arrived_without_being_recorded_is_recognised_and_not_sent_again() {
    let world = World::new(1).await;
    world.photos(3);
    world.run().await;
    // As if the process had died between the destination's commit and the catalog's.
    let late = world.photo("late.jpg");
    world.stores[0].write("late.jpg", world.library.content(&late).unwrap());
    let report = world.run().await;
    assert_eq!((at(&report, "d0").recognised, report.exit_code()), (1, 0), "{:?}", report.problems);
    world.assert_mirrored(0);
}

#[tokio::test]
async fn a_file_that_may_still_be_arriving_is_taken_once_it_is_quiet() {
    let mut world = World::new(1).await;
    world.job.settle = std::time::Duration::from_secs(10);
    world.photo("old.jpg");
    world.clock.skip(DAY);
    world.photo("arriving.jpg");
    let report = world.run().await;
    assert_eq!((codes(&report), report.exit_code()), (vec![codes::SETTLING], 0));
    assert_eq!(at(&report, "d0").copied.files, 1);
    world.clock.skip(std::time::Duration::from_secs(11));
    assert_eq!(at(&world.run().await, "d0").copied.files, 1);
}

#[tokio::test]
async fn a_library_that_lists_in_any_order_is_mirrored_and_nothing_counts_as_gone() {
    let mut world = World::new(1).await;
    let jumbled = MemoryProvider::build("library").clock(world.clock.clone()).unsorted();
    world.library = Arc::new(jumbled.page(7).finish());
    world.job.library = world.library.clone();
    let photos = world.photos(40);
    assert_eq!(world.run().await.new.files, 40);
    world.assert_mirrored(0);
    world.library.delete(&photos[11]);
    let report = world.run().await;
    assert_eq!((report.new.files, at(&report, "d0").unchanged), (0, 39));
}
