//! What a mirror run does when something is wrong: with the library, with a destination, with one file.
#![allow(clippy::unwrap_used)]

mod world;

use std::sync::Arc;

use safelight_core::catalog::Catalog;
use safelight_core::codes::{self, Code};
use safelight_core::error::{Error, Kind, Retry};
use safelight_core::job::MirrorOptions;
use safelight_core::mirror::DestinationState;
use safelight_core::provider::Root;
use safelight_testkit::faulty::{Call, Fault, FaultyProvider, Script};
use world::{DAY, World, at, codes, key, last_run};

/// Runs with a script of faults at the first of two destinations.
async fn with_faults(script: Script) -> (World, Arc<Script>) {
    let mut world = World::new(2).await;
    let script = Arc::new(script);
    let faulty =
        FaultyProvider::new(world.stores[0].clone(), Arc::clone(&script), world.clock.clone());
    world.replace(0, Arc::new(faulty));
    (world, script)
}

fn stopped(report: &safelight_core::mirror::RunReport, name: &str) -> Option<Code> {
    match &at(report, name).state {
        DestinationState::Stopped(error) => Some(error.id()),
        _ => None,
    }
}

// --- the library

#[tokio::test(start_paused = true)]
async fn an_empty_library_that_had_files_stops_the_run_and_deletes_nothing() {
    let world = World::new(1).await;
    let keys = world.photos(3);
    world.run().await;
    for key in &keys {
        assert!(world.library.delete(key));
    }
    let error = world.try_run(&MirrorOptions::default()).await.unwrap_err();
    assert_eq!(error.id(), codes::LIBRARY_EMPTY);
    assert_eq!(safelight_core::mirror::exit_code_of(&error), 8);
    for key in &keys {
        assert!(world.library.content(key).is_none());
    }
    world.photos(3);
    let report = world.run().await;
    assert_eq!((at(&report, "d0").unchanged, report.exit_code()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_library_that_never_had_files_is_named() {
    let world = World::new(1).await;
    let report = world.run().await;
    assert_eq!((codes(&report), report.exit_code()), (vec![codes::LIBRARY_EMPTY], 3));
}

#[tokio::test(start_paused = true)]
async fn a_missing_library_stops_the_run() {
    let world = World::new(1).await;
    world.photos(1);
    world.library.set_absent(true);
    let error = world.try_run(&MirrorOptions::default()).await.unwrap_err();
    assert_eq!(error.id(), codes::LIBRARY_MISSING);
}

#[tokio::test(start_paused = true)]
async fn what_lies_below_an_unseen_folder_is_not_deleted() {
    let world = World::new(1).await;
    world.photo("2011/a.jpg");
    world.photo("2012/b.jpg");
    world.run().await;
    world.library.add_unseen("2011", Kind::Denied);
    world.run().await;
    world.clock.skip(100 * DAY);
    let report = world.run().await;
    assert_eq!(report.exit_code(), 3);
    assert_eq!(at(&report, "d0").trashed, 0);
    assert!(world.stores[0].content(&key("2011/a.jpg")).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_lies_below_a_mount_that_is_gone_is_not_deleted() {
    let world = World::new(1).await;
    world.photo("a.jpg");
    let far = world.photo("nas/b.jpg");
    world.library.add_mount("nas", "volume-7");
    world.run().await;
    let other = World::with(world.clock.clone(), world.stores.clone()).await;
    // The same catalog and stores, but the library without the mount.
    let mut gone = other;
    gone.catalog = world.catalog.clone();
    gone.photo("a.jpg");
    let kept = world.library.keys();
    assert_eq!(kept.len(), 2);
    for _ in 0..3 {
        let report = gone.run().await;
        assert!(codes(&report).contains(&codes::LIBRARY_PART_MISSING), "{:?}", report.problems);
        gone.clock.skip(40 * DAY);
    }
    assert!(world.stores[0].content(&far).is_some());
}

// --- deletions

#[tokio::test(start_paused = true)]
async fn a_deletion_follows_after_thirty_days_into_the_trash_and_is_purged_later() {
    let world = World::new(1).await;
    let keys = world.photos(50);
    world.run().await;
    world.library.delete(&keys[7]);
    let report = world.run().await;
    assert_eq!((report.exit_code(), at(&report, "d0").trashed), (0, 0));
    world.clock.skip(29 * DAY);
    world.run().await;
    assert!(world.stores[0].content(&keys[7]).is_some());
    world.clock.skip(2 * DAY);
    let report = world.run().await;
    assert_eq!(at(&report, "d0").trashed, 1);
    assert!(world.stores[0].content(&keys[7]).is_none());
    assert_eq!(world.kept(0, "trash").len(), 1);
    world.clock.skip(179 * DAY);
    assert_eq!(at(&world.run().await, "d0").purged, 0);
    world.clock.skip(2 * DAY);
    assert_eq!(at(&world.run().await, "d0").purged, 1);
    assert!(world.kept(0, "trash").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_comes_back_in_time_keeps_its_copy() {
    let world = World::new(1).await;
    let keys = world.photos(20);
    world.run().await;
    let bytes = world.library.content(&keys[0]).unwrap();
    world.library.delete(&keys[0]);
    world.run().await;
    world.clock.skip(20 * DAY);
    world.library.write("2024/IMG_0000.jpg", bytes);
    world.stores[0].reset_counts();
    world.run().await;
    assert_eq!(world.stores[0].counts().put, 0);
    world.clock.skip(40 * DAY);
    assert_eq!(at(&world.run().await, "d0").trashed, 0);
}

#[tokio::test(start_paused = true)]
async fn too_many_deletions_trip_the_guard_and_copying_goes_on() {
    let world = World::new(1).await;
    let keys = world.photos(100);
    world.run().await;
    keys[..40].iter().for_each(|key| assert!(world.library.delete(key)));
    world.run().await;
    world.clock.skip(31 * DAY);
    world.photo("new.jpg");
    let report = world.run().await;
    assert_eq!((report.exit_code(), at(&report, "d0").trashed), (8, 0));
    assert_eq!((report.guards[0].count, report.guards[0].allowed), (40, 10));
    assert_eq!(at(&report, "d0").copied.files, 1);
    let keep = MirrorOptions { keep_deleted: true, ..MirrorOptions::default() };
    assert_eq!(world.run_with(&keep).await.exit_code(), 0);
    let wrong = MirrorOptions {
        accept_deletions: Some(last_run(&world).await),
        ..MirrorOptions::default()
    };
    assert_eq!(world.run_with(&wrong).await.exit_code(), 8, "that run tripped no guard");
    let accept = MirrorOptions { accept_deletions: Some(report.run), ..MirrorOptions::default() };
    let accepted = world.run_with(&accept).await;
    assert_eq!((accepted.exit_code(), at(&accepted, "d0").trashed), (0, 40));
}

#[tokio::test(start_paused = true)]
async fn too_many_changes_trip_the_guard_and_no_changed_file_is_sent() {
    let world = World::new(1).await;
    let keys = world.photos(60);
    world.run().await;
    world.clock.skip(DAY);
    for key in &keys[..30] {
        world.library.write(key.as_bytes(), b"ENCRYPTED".to_vec());
    }
    world.photo("new.jpg");
    let report = world.run().await;
    assert_eq!(report.exit_code(), 8);
    assert_eq!(at(&report, "d0").copied.files, 1);
    assert_ne!(world.stores[0].content(&keys[0]).unwrap(), b"ENCRYPTED".as_slice());
    let accept = MirrorOptions { accept_changes: Some(report.run), ..MirrorOptions::default() };
    let accepted = world.run_with(&accept).await;
    assert_eq!((accepted.exit_code(), at(&accepted, "d0").copied.files), (0, 30));
    world.assert_mirrored(0);
}

#[tokio::test(start_paused = true)]
async fn many_new_dates_over_old_content_trip_nothing() {
    let world = World::new(1).await;
    let keys = world.photos(60);
    world.run().await;
    world.clock.skip(DAY);
    let now = safelight_core::time::Clock::now(&*world.clock);
    for key in &keys {
        world.library.set_modified(key, now);
    }
    world.stores[0].reset_counts();
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!(world.stores[0].counts().put, 0);
}

// --- one file

#[tokio::test(start_paused = true)]
async fn troubled_files_are_named_and_the_others_copied() {
    let world = World::new(2).await;
    world.photos(5);
    let unreadable = world.photo("unreadable.jpg");
    let restless = world.photo("restless.jpg");
    let vanishing = world.photo("vanishing.jpg");
    let empty = world.library.write("empty.jpg", Vec::new());
    world.library.make_unreadable(&unreadable, Kind::Io);
    world.library.make_restless(&restless);
    world.library.make_vanish(&vanishing);
    world.library.add_passed("link.jpg", codes::LINK_SKIPPED);
    let report = world.run().await;
    let mut seen = codes(&report);
    seen.sort_unstable();
    let mut wanted = [
        codes::LINK_SKIPPED,
        codes::CHANGED_WHILE_READING,
        codes::VANISHED,
        codes::UNREADABLE,
        codes::EMPTY_FILE,
    ];
    wanted.sort_unstable();
    assert_eq!(seen, wanted);
    assert_eq!(report.exit_code(), 3);
    assert_eq!((at(&report, "d0").copied.files, at(&report, "d0").failed), (6, 3));
    assert!(world.stores[1].content(&empty).is_some());
    world.library.make_quiet(&unreadable);
    world.library.make_quiet(&restless);
    let healed = world.run().await;
    assert_eq!(
        (healed.exit_code(), at(&healed, "d1").copied.files),
        (0, 2),
        "{:?}",
        healed.problems
    );
}

#[tokio::test(start_paused = true)]
async fn a_film_that_changes_while_it_is_streamed_is_nowhere_visible() {
    let world = World::new(2).await;
    let film = world.library.write("VID.MOV", vec![3_u8; 12 << 20]);
    world.library.make_restless(&film);
    let report = world.run().await;
    assert_eq!(codes(&report), [codes::CHANGED_WHILE_READING]);
    assert!(world.stores.iter().all(|store| store.content(&film).is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_file_somebody_else_put_there_is_not_overwritten() {
    let world = World::new(1).await;
    world.photos(2);
    world.run().await;
    world.stores[0].write("mine.jpg", b"somebody's".to_vec());
    world.photo("mine.jpg");
    let report = world.run().await;
    assert_eq!((codes(&report), report.exit_code()), (vec![codes::ITEM_EXISTS], 3));
    assert_eq!(world.stores[0].content(&key("mine.jpg")).unwrap(), b"somebody's".as_slice());
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_somebody_changed_there_is_not_overwritten() {
    let world = World::new(1).await;
    let photo = world.photo("a.jpg");
    world.run().await;
    world.stores[0].write("a.jpg", b"changed there".to_vec());
    world.clock.skip(DAY);
    world.library.write("a.jpg", b"changed here".to_vec());
    let report = world.run().await;
    assert_eq!(codes(&report), [codes::FOREIGN_VERSION]);
    assert_eq!(world.stores[0].content(&photo).unwrap(), b"changed there".as_slice());
}

// --- one destination

#[tokio::test(start_paused = true)]
async fn a_removable_disk_that_is_away_waits_until_it_is_overdue() {
    let mut world = World::new(2).await;
    world.job.destinations[0].rules.removable = true;
    world.job.destinations[0].rules.overdue = Some(14 * DAY);
    world.photos(3);
    world.run().await;
    world.stores[0].set_absent(true);
    world.photo("new.jpg");
    let report = world.run().await;
    assert!(matches!(at(&report, "d0").state, DestinationState::Waiting { .. }));
    assert_eq!((report.exit_code(), at(&report, "d0").skipped), (0, 1));
    assert_eq!(at(&report, "d1").copied.files, 1);
    world.clock.skip(15 * DAY);
    let report = world.run().await;
    assert_eq!((stopped(&report, "d0"), report.exit_code()), (Some(codes::OVERDUE), 3));
    world.stores[0].set_absent(false);
    assert_eq!(at(&world.run().await, "d0").copied.files, 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_folder_where_a_used_disk_was_is_never_written_to() {
    let world = World::new(1).await;
    world.photos(3);
    world.run().await;
    let bare = World::new(1).await;
    let mut bare = World { catalog: world.catalog.clone(), ..bare };
    bare.clock = world.clock.clone();
    bare.photos(4);
    let report = bare.run().await;
    assert_eq!((stopped(&report, "d0"), report.exit_code()), (Some(codes::WRONG_PLACE), 3));
    bare.stores[0].set_root(Root::New);
    let report = bare.run().await;
    assert_eq!(stopped(&report, "d0"), Some(codes::ABSENT));
    assert!(bare.stores[0].keys().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_place_with_foreign_files_is_refused() {
    let world = World::new(2).await;
    world.photos(2);
    world.stores[0].write("theirs.jpg", b"x".to_vec());
    let report = world.run().await;
    assert_eq!((stopped(&report, "d0"), report.exit_code()), (Some(codes::NOT_OURS), 3));
    assert_eq!(world.stores[0].keys().len(), 1);
    assert_eq!(at(&report, "d1").copied.files, 2);
}

#[tokio::test(start_paused = true)]
async fn a_marker_whose_writing_was_not_answered_is_known_again() {
    let mut world = World::new(1).await;
    world.photos(2);
    for fault in [Fault::Error(Kind::Unavailable), Fault::LostAnswer(Kind::Unavailable)] {
        let script = Arc::new(Script::new().on(Call::Put, 1, fault));
        let store = world.stores[0].clone();
        world.replace(0, Arc::new(FaultyProvider::new(store, script, world.clock.clone())));
        assert!(stopped(&world.run().await, "d0").is_some());
    }
    assert_eq!(world.run().await.exit_code(), 0);
    world.assert_mirrored(0);
}

#[tokio::test(start_paused = true)]
async fn a_destination_of_another_catalog_is_refused() {
    let world = World::new(1).await;
    world.photos(2);
    world.run().await;
    let other = World::with(world.clock.clone(), world.stores.clone()).await;
    other.photos(2);
    assert_eq!(stopped(&other.run().await, "d0"), Some(codes::NOT_OURS));
}

#[tokio::test(start_paused = true)]
async fn a_full_destination_stops_alone_and_the_next_run_heals() {
    let (world, _) = with_faults(Script::new().no_room_after(700)).await;
    world.photos(60);
    let report = world.run().await;
    assert_eq!((stopped(&report, "d0"), report.exit_code()), (Some(codes::NO_ROOM), 3));
    assert_eq!(at(&report, "d1").copied.files, 60);
    let copied = at(&report, "d0").copied.files;
    assert_eq!(at(&report, "d0").skipped, 60 - copied);
    let mut healed = world;
    let store = healed.stores[0].clone();
    healed.replace(0, store);
    assert_eq!(at(&healed.run().await, "d0").copied.files, 60 - copied);
    healed.assert_mirrored(0);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_trouble_at_a_destination_has_its_code_and_exit() {
    let cases = [
        (Kind::SignIn, codes::SIGN_IN, 7),
        (Kind::ReadOnly, codes::READ_ONLY, 3),
        (Kind::Absent, codes::ABSENT, 3),
        (Kind::RateLimited, codes::RATE_LIMITED, 3),
        (Kind::Unavailable, codes::UNAVAILABLE, 3),
    ];
    for (kind, code, exit) in cases {
        let (mut world, _) = with_faults(Script::new().from(8, Fault::Error(kind))).await;
        world.retrying();
        world.photos(40);
        let report = world.run().await;
        assert_eq!((stopped(&report, "d0"), report.exit_code()), (Some(code), exit), "{kind:?}");
        assert_eq!(at(&report, "d1").copied.files, 40, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn if_every_destination_fails_for_now_the_run_says_later() {
    let mut world = World::new(1).await;
    let script = Arc::new(Script::new().from(1, Fault::Error(Kind::Unavailable)));
    let faulty = FaultyProvider::new(world.stores[0].clone(), script, world.clock.clone());
    world.replace(0, Arc::new(faulty));
    world.photos(2);
    assert_eq!(world.run().await.exit_code(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_is_cured_by_trying_again() {
    let (mut world, script) =
        with_faults(Script::new().on(Call::Put, 5, Fault::Error(Kind::Unavailable))).await;
    world.retrying();
    world.photos(20);
    let report = world.run().await;
    assert_eq!((report.exit_code(), script.fired()), (0, 1), "{:?}", report.problems);
    world.assert_mirrored(0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_into_and_nothing_is_sent_twice() {
    let (mut world, script) =
        with_faults(Script::new().on(Call::Put, 5, Fault::LostAnswer(Kind::Unavailable))).await;
    world.retrying();
    world.photos(20);
    let report = world.run().await;
    assert_eq!((report.exit_code(), script.fired()), (0, 1), "{:?}", report.problems);
    // 20 photos and the marker.
    assert_eq!(world.stores[0].counts().put, 21);
    world.assert_mirrored(0);
}

#[tokio::test(start_paused = true)]
async fn a_flipped_bit_on_the_way_never_becomes_a_copy() {
    let (mut world, script) = with_faults(Script::new().on(Call::Put, 3, Fault::FlippedBit)).await;
    world.retrying();
    world.photos(10);
    let report = world.run().await;
    assert_eq!(script.fired(), 1);
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    world.assert_mirrored(0);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_could_not_be_opened_leaves_the_others_alone() {
    let mut world = World::new(2).await;
    let error = Error::new(Kind::SignIn, "no key").code(codes::SECRET_MISSING);
    world.job.destinations[0].opened = Err(error.retry(Retry::NeedsPerson));
    world.photos(3);
    let report = world.run().await;
    assert_eq!((stopped(&report, "d0"), report.exit_code()), (Some(codes::SECRET_MISSING), 7));
    world.assert_mirrored(1);
}

#[tokio::test(start_paused = true)]
async fn stopping_gently_records_what_is_done_and_the_next_run_goes_on() {
    let mut world = World::new(1).await;
    world.photos(30);
    world.stop.gently.cancel();
    let error = world.try_run(&MirrorOptions::default()).await.unwrap_err();
    assert_eq!(safelight_core::mirror::exit_code_of(&error), 130);
    world.stop = safelight_core::job::Stop::default();
    world.run().await;
    world.assert_mirrored(0);
    assert!(world.catalog.runs(5).await.unwrap().iter().all(|run| run.ended.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_removable_destination_that_does_not_answer_waits_like_one_that_is_not_attached() {
    let (mut world, _) = with_faults(Script::new().from(1, Fault::Error(Kind::Unavailable))).await;
    world.job.destinations[0].rules.removable = true;
    world.photos(2);
    let report = world.run().await;
    assert!(matches!(at(&report, "d0").state, DestinationState::Waiting { .. }));
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_file_stands_in_the_log_too() {
    let world = World::new(1).await;
    world.library.write("empty.jpg", Vec::new());
    let report = world.run().await;
    let logged = world.catalog.problems(report.run).await.unwrap();
    assert_eq!(logged.iter().map(|problem| problem.code).collect::<Vec<_>>(), codes(&report));
}
