//! What somebody removed or spoilt in an export comes back, and nothing else is touched.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::Arc;
use std::time::Duration;

use safelight_core::catalog::Catalog as _;
use safelight_core::codes;
use safelight_core::error::Kind;
use safelight_core::job::Destination;
use safelight_core::key::Key;
use safelight_core::provider::Provider;
use safelight_export::gone::{Gone, Seen, forget, lacks, notice};
use safelight_export::plan::AlbumForm;
use safelight_testkit::faulty::{Call, Fault, FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use world::verifier::{assert_bag, files_of};
use world::{World, key};

const ONE: &str = "data/2024/IMG_1.jpg";
const SIDECAR: &str = "data/2024/IMG_1.jpg.xmp";
const SUMS: &str = "CHECKSUMS.sha256";

/// An export of six photos, one with a sidecar, that ran once.
async fn finished(targets: usize) -> World {
    let mut world = World::new(targets).await;
    exported(&mut world).await;
    world
}

async fn exported(world: &mut World) {
    for at in 0..6 {
        world.service.photo(&format!("2024/IMG_{at}.jpg"));
    }
    world.service.remark(&key("2024/IMG_1.jpg"), |remark| remark.favourite = true);
    assert_eq!(world.run().await.exit_code(), 0);
    world.service.reads();
    world.stores.iter().for_each(|store| store.reset_counts());
}

async fn noticed(world: &World, at: usize) -> Gone {
    let target = Destination::new(format!("t{at}"), Arc::clone(&world.targets[at]));
    notice(&*world.catalog, &target).await.unwrap()
}

fn gone(items: u64, papers: u64, replaced: u64) -> Gone {
    Gone { items, papers, replaced }
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_comes_back_where_it_was_deleted() {
    let world = finished(2).await;
    let before = files_of(&world.stores[0]);
    for name in [ONE, SIDECAR, SUMS, "tagmanifest-sha256.txt", "albums.json"] {
        assert!(world.stores[0].delete(&key(name)));
    }
    assert_eq!(
        (noticed(&world, 0).await, noticed(&world, 1).await),
        (gone(1, 4, 0), gone(0, 0, 0))
    );
    assert!(world.leave().await.is_safe(), "the other target has it");
    let (_, plan) = world.plan().await;
    assert_eq!((plan.send.files, plan.done.files), (1, 5));
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!((world.service.reads(), world.stores[1].counts().put), (1, 0));
    assert_bag(&files_of(&world.stores[0]));
    assert!(files_of(&world.stores[0]).keys().eq(before.keys()));
    assert_eq!(noticed(&world, 0).await, gone(0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_export_of_which_nothing_is_gone_costs_a_listing_and_nothing_else() {
    let world = finished(1).await;
    assert_eq!(noticed(&world, 0).await, gone(0, 0, 0));
    let counts = world.stores[0].counts();
    assert_eq!((counts.list, counts.read, counts.stat), (1, 1, 0), "the marker is read");
    world.stores[0].reset_counts();
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 0));
    assert_eq!(world.stores[0].counts().put, 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_in_another_size_stays_and_the_photo_comes_back_beside_it() {
    let world = finished(1).await;
    let mut spoilt = vec![key(ONE)];
    for round in 1_u64..4 {
        world.stores[0].write(spoilt.last().unwrap().as_bytes(), &b"torn"[..]);
        assert_eq!(noticed(&world, 0).await, gone(1, 0, 1));
        assert!(!world.leave().await.is_safe());
        let outcome = world.run().await;
        assert_eq!((outcome.exit_code(), world.service.reads()), (0, 1), "{outcome:?}");
        let there = |key: &&Key| world.stores[0].content(key).unwrap() == "photo 2024/IMG_1.jpg";
        let keys = world.stores[0].keys();
        let photos: Vec<_> = keys.iter().filter(there).cloned().collect();
        assert!(photos.len() == 1 && photos[0].to_string().ends_with(").jpg"), "{photos:?}");
        assert!(spoilt.iter().all(|key| world.stores[0].content(key).unwrap() == "torn"));
        assert!(world.text(0, SUMS).contains(&photos[0].to_string()));
        assert_eq!(world.text(0, SUMS).lines().count() as u64, 6 + 1 + round);
        assert!(world.leave().await.is_safe());
        assert_eq!(noticed(&world, 0).await, gone(0, 0, 0));
        spoilt.extend(photos);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_in_the_place_of_a_photo_stays_too() {
    let world = finished(1).await;
    world.stores[0].delete(&key(ONE));
    world.stores[0].add_passed(ONE, codes::LINK_SKIPPED);
    assert_eq!(noticed(&world, 0).await, gone(1, 0, 1));
    assert_eq!(world.run().await.exit_code(), 0);
    assert!(world.leave().await.is_safe());
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_that_somebody_changed_is_his_and_ours_stands_beside_it() {
    let world = finished(1).await;
    world.stores[0].write(SIDECAR, &b"mine"[..]);
    assert_eq!(noticed(&world, 0).await, gone(0, 1, 1));
    for _ in 0..2 {
        assert_eq!(world.run().await.exit_code(), 0);
        assert_eq!(world.text(0, SIDECAR), "mine");
        let ours = "data/2024/IMG_1.jpg.safelight.xmp";
        assert!(world.text(0, ours).contains("<xmp:Rating>5<"));
        let sums = world.text(0, SUMS);
        assert!(sums.contains(ours) && !sums.contains(SIDECAR), "{sums}");
        assert_eq!(noticed(&world, 0).await, gone(0, 0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_paper_that_somebody_changed_is_named_and_stays() {
    let world = finished(1).await;
    world.stores[0].write(SUMS, &b"mine"[..]);
    assert_eq!(noticed(&world, 0).await, gone(0, 1, 1));
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.service.reads()), (3, 0));
    assert_eq!(outcome.papers[0].1.as_ref().unwrap().failed[0].0, key(SUMS));
    assert_eq!(world.text(0, SUMS), "mine");
    world.stores[0].delete(&key(SUMS));
    assert_eq!(world.run().await.exit_code(), 0);
    assert_bag(&files_of(&world.stores[0]));
}

#[tokio::test(start_paused = true)]
async fn second_names_in_albums_come_back() {
    let mut world = World::new(1).await;
    world.wishes.albums = AlbumForm::Links;
    let photo = world.service.photo("a.jpg");
    world.service.album("Sea", &[&photo]);
    world.run().await;
    let link = key("data/Albums/Sea/a.jpg");
    assert!(world.stores[0].delete(&link));
    assert_eq!(noticed(&world, 0).await, gone(0, 1, 0));
    world.service.reads();
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 0));
    assert_eq!(world.stores[0].content(&link).unwrap(), "photo a.jpg");
    assert_bag(&files_of(&world.stores[0]));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_seen_is_not_gone() {
    let world = finished(1).await;
    let store = &world.stores[0];
    store.delete(&key(ONE));
    let blind: [(&str, &dyn Fn()); 4] = [
        ("a folder that cannot be seen into", &|| store.add_unseen("data/locked", Kind::Denied)),
        ("another file system", &|| store.add_mount("data/locked", "other")),
        ("nothing can be seen", &|| store.set_blind(Some(Kind::Denied))),
        ("it is not there", &|| store.set_absent(true)),
    ];
    for (what, hide) in blind {
        hide();
        assert_eq!(noticed(&world, 0).await, gone(0, 0, 0), "{what}");
        store.delete(&key("data/locked"));
        store.set_blind(None);
        store.set_absent(false);
    }
    let script = Arc::new(Script::new().on(Call::Page, 1, Fault::Error(Kind::Unavailable)));
    let faulty = FaultyProvider::new(store.clone(), script, world.clock.clone());
    let target = Destination::new("t0", Arc::new(faulty));
    assert_eq!(notice(&*world.catalog, &target).await.unwrap(), gone(0, 0, 0));
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 0));
    assert_eq!(noticed(&world, 0).await, gone(1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_listing_lacks_although_it_stands_there_is_recognised_and_not_stored_twice() {
    let mut world = World::new(1).await;
    let script = Script::new().dice(1, 1000, &[Fault::StaleListing]);
    let store = world.targets[0].clone();
    world.targets[0] = Arc::new(FaultyProvider::new(store, Arc::new(script), world.clock.clone()));
    exported(&mut world).await;
    let before = files_of(&world.stores[0]);
    let gone = noticed(&world, 0).await;
    assert!(gone.items == 6 && gone.replaced == 0, "{gone:?}");
    // The index tells when each copy was proven, and is another paper than the one that stands there unseen.
    world.clock.skip(Duration::from_mins(1));
    assert_eq!(world.run().await.exit_code(), 0);
    assert!(world.leave().await.is_safe());
    assert!(files_of(&world.stores[0]).keys().eq(before.keys()));
    assert_bag(&files_of(&world.stores[0]));
}

#[tokio::test(start_paused = true)]
async fn another_disk_in_the_place_of_the_target_proves_nothing() {
    let (mut world, other) = (finished(1).await, World::new(1).await);
    let marker = key(".safelight/marker");
    for theirs in [None, Some("somebody else's")] {
        if let Some(theirs) = theirs {
            other.stores[0].write(marker.as_bytes(), theirs);
        }
        world.targets[0] = other.targets[0].clone();
        assert_eq!(noticed(&world, 0).await, gone(0, 0, 0), "{theirs:?}");
    }
    // Of one that is emptied but for its marker, all is gone.
    for name in world.stores[0].keys() {
        assert!(name == marker || world.stores[0].delete(&name));
    }
    world.targets[0] = world.stores[0].clone();
    assert_eq!(noticed(&world, 0).await.items, 6);
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 6));
    assert_bag(&files_of(&world.stores[0]));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_lists_names_in_another_spelling_still_has_them() {
    let mut world = World::new(0).await;
    let store = MemoryProvider::build("t0").clock(world.clock.clone()).folds_names();
    let store = Arc::new(store.finish());
    world.targets = vec![Arc::clone(&store) as Arc<dyn Provider>];
    world.stores = vec![Arc::clone(&store)];
    exported(&mut world).await;
    store.rename(&key(ONE), "data/2024/img_1.JPG");
    assert_eq!(noticed(&world, 0).await, gone(0, 0, 0));
    store.delete(&key(ONE));
    assert_eq!(noticed(&world, 0).await, gone(1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_neither_target_nor_service_has_any_more_leaves_the_papers() {
    let world = finished(1).await;
    world.service.inner.delete(&key("2024/IMG_1.jpg"));
    assert_eq!(world.run().await.exit_code(), 0);
    world.stores[0].delete(&key(ONE));
    assert_eq!(noticed(&world, 0).await, gone(1, 0, 0));
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 0));
    assert!(!world.text(0, SUMS).contains("IMG_1.jpg\n"));
}

#[tokio::test(start_paused = true)]
async fn an_export_that_was_killed_half_way_notices_too() {
    let mut world = World::new(1).await;
    for at in 0..40 {
        world.service.photo(&format!("{at:02}.jpg"));
    }
    let script = Arc::new(Script::new().on(Call::Put, 30, Fault::DieBefore));
    let store = world.targets[0].clone();
    world.targets[0] =
        Arc::new(FaultyProvider::new(store.clone(), Arc::clone(&script), world.clock.clone()));
    tokio::select! {
        () = script.died() => {}
        _ = world.try_run() => panic!("it was to die"),
    }
    world.targets[0] = store;
    for name in world.files(0) {
        world.stores[0].delete(&key(name));
    }
    // What the dead one had given to the catalog stands before this.
    world.catalog.keep_page("t0", "none", None).await.unwrap();
    noticed(&world, 0).await;
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!(world.files(0).len(), 40);
    assert_bag(&files_of(&world.stores[0]));
}

#[tokio::test(start_paused = true)]
async fn looking_changes_nothing_and_forgetting_agrees_with_it() {
    let world = finished(1).await;
    let seen = Seen::at(&*world.targets[0]).await.unwrap();
    assert!(!lacks(&*world.catalog, "t0", &seen).await.unwrap());
    world.stores[0].delete(&key(ONE));
    let seen = Seen::at(&*world.targets[0]).await.unwrap();
    for _ in 0..2 {
        assert!(lacks(&*world.catalog, "t0", &seen).await.unwrap());
    }
    assert_eq!(forget(&*world.catalog, "t0", &seen).await.unwrap(), gone(1, 0, 0));
    assert!(!lacks(&*world.catalog, "t0", &seen).await.unwrap());
    assert_eq!(world.leave().await.only_there.files, 1);
}
