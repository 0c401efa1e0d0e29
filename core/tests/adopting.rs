//! Taking over a destination that already holds files.
#![allow(clippy::unwrap_used)]

mod world;

use std::sync::Arc;

use bytes::Bytes;
use safelight_core::adopt::{Adopted, Believe, adopt};
use safelight_core::catalog::Catalog;
use safelight_core::codes;
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::mirror::DestinationState;
use safelight_core::provider::Root;
use safelight_testkit::clock::SimClock;
use safelight_testkit::faulty::{Call, Fault, FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use world::{World, at, codes, key};

/// A destination like a disk that somebody filled by hand: two photos of the library, one that differs, one
/// that the library does not have; a third photo of the library is missing there.
async fn filled_by_hand() -> World {
    let world = World::new(1).await;
    fill(&world);
    world
}

fn fill(world: &World) {
    for name in ["2024/a.jpg", "2024/b.jpg"] {
        let photo = world.photo(name);
        world.stores[0].write(name, world.library.content(&photo).unwrap());
    }
    world.library.write("2024/edited.jpg", b"the new edit".to_vec());
    world.stores[0].write("2024/edited.jpg", b"the old edit".to_vec());
    world.stores[0].write("letters/tax.pdf", b"not a photo".to_vec());
    world.photo("2024/missing.jpg");
}

fn contents(store: &MemoryProvider) -> Vec<(Key, Bytes)> {
    let photos = store.keys().into_iter().filter(|key| !key.is_reserved());
    photos.map(|key| (key.clone(), store.content(&key).unwrap())).collect()
}

async fn adopted(world: &World) -> Adopted {
    adopt(&world.job, "d0", Believe::Bytes, &world.tools()).await.unwrap()
}

#[tokio::test]
async fn a_mirror_refuses_it_before_and_sends_only_what_is_missing_afterwards() {
    let world = filled_by_hand().await;
    let refused = world.run().await;
    let stopped = |state: &DestinationState| match state {
        DestinationState::Stopped(error) => error.id(),
        _ => panic!("{state:?}"),
    };
    assert_eq!(stopped(&at(&refused, "d0").state), codes::NOT_OURS);
    assert_eq!(refused.exit_code(), 3);

    adopted(&world).await;
    world.stores[0].reset_counts();
    let report = world.run().await;
    assert_eq!((at(&report, "d0").unchanged, at(&report, "d0").copied.files), (2, 1));
    assert!(world.stores[0].content(&key("2024/missing.jpg")).is_some());
    assert_eq!(codes(&report), [codes::ITEM_EXISTS], "the one that differs stays and is named");
    assert_eq!(report.exit_code(), 3);
    let differs = world.stores[0].content(&key("2024/edited.jpg")).unwrap();
    assert_eq!(differs, b"the old edit".as_slice());
}

#[tokio::test]
async fn what_is_equal_differs_or_is_foreign_is_told_apart() {
    let world = filled_by_hand().await;
    let found = adopted(&world).await;
    assert_eq!(found.equal.files, 2);
    let bytes: usize =
        ["2024/a.jpg", "2024/b.jpg"].map(|name| "photo ".len() + name.len()).iter().sum();
    assert_eq!(found.equal.bytes, bytes as u64);
    assert_eq!((found.differs, found.differs_count), (vec![key("2024/edited.jpg")], 1));
    assert_eq!((found.foreign, found.foreign_count), (vec![key("letters/tax.pdf")], 1));
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

#[tokio::test]
async fn nothing_there_is_changed_or_removed_and_the_marker_is_written() {
    let world = filled_by_hand().await;
    let before = contents(&world.stores[0]);
    adopted(&world).await;
    assert_eq!(contents(&world.stores[0]), before);
    let marker = world.stores[0].content(&key(".safelight/marker")).unwrap();
    let marker: serde_json::Value = serde_json::from_slice(&marker).unwrap();
    let known = world.catalog.destinations().await.unwrap();
    assert_eq!(known[0].marker.as_deref(), marker["id"].as_str());
    let counts = world.stores[0].counts();
    assert_eq!((counts.put, counts.remove, counts.relocate), (1, 0, 0), "{counts:?}");
}

#[tokio::test]
async fn a_disk_proves_equality_by_being_read_back() {
    let world = filled_by_hand().await;
    world.stores[0].reset_counts();
    let found = adopted(&world).await;
    assert!(world.stores[0].counts().bytes_read >= found.equal.bytes);
}

#[tokio::test]
async fn a_service_that_reports_digests_is_not_read_back() {
    let clock = Arc::new(SimClock::start());
    let service = MemoryProvider::build("d0").clock(clock.clone()).finish();
    let world = World::with(clock, vec![Arc::new(service)]).await;
    fill(&world);
    let found = adopted(&world).await;
    assert_eq!((found.equal.files, found.differs_count, found.foreign_count), (2, 1, 1));
    assert_eq!(world.stores[0].counts().bytes_read, 0);
}

#[tokio::test]
async fn a_second_adoption_finds_the_same_and_keeps_the_marker() {
    let world = filled_by_hand().await;
    let first = adopted(&world).await;
    let marker = world.stores[0].content(&key(".safelight/marker"));
    let second = adopted(&world).await;
    assert_eq!(second.equal, first.equal);
    assert_eq!(world.stores[0].content(&key(".safelight/marker")), marker);
}

#[tokio::test]
async fn a_destination_of_another_catalog_is_taken_over_with_its_copies() {
    let first = World::new(1).await;
    first.photos(5);
    first.run().await;
    let mut second = World::new(1).await;
    second.photos(5);
    second.replace(0, first.stores[0].clone());
    assert_eq!(second.run().await.exit_code(), 3, "it is another's until it was adopted");
    assert_eq!(adopted(&second).await.equal.files, 5);
    let report = second.run().await;
    assert_eq!((report.exit_code(), at(&report, "d0").unchanged), (0, 5));
}

#[tokio::test]
async fn a_destination_that_is_not_there_is_an_error_and_nothing_is_made() {
    let world = World::new(1).await;
    world.photos(2);
    world.stores[0].set_root(Root::New);
    let error = adopt(&world.job, "d0", Believe::Bytes, &world.tools()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Absent);
    assert!(world.stores[0].keys().is_empty());
    assert!(adopt(&world.job, "unknown", Believe::Bytes, &world.tools()).await.is_err());
}

#[tokio::test]
async fn a_file_that_cannot_be_read_back_is_a_problem_and_no_copy() {
    let world = filled_by_hand().await;
    world.stores[0].make_unreadable(&key("2024/b.jpg"), Kind::Io);
    let found = adopted(&world).await;
    assert_eq!((found.equal.files, found.problems.len(), found.differs_count), (1, 1, 1));
    assert_eq!(found.problems[0].0, Some(key("2024/b.jpg")));
    // The next run looks for itself and takes the equal file for what it is.
    world.stores[0].make_quiet(&key("2024/b.jpg"));
    let report = world.run().await;
    assert_eq!(at(&report, "d0").recognised, 1, "{:?}", report.problems);
}

#[tokio::test]
async fn an_adoption_that_fails_ends_its_run() {
    let mut world = filled_by_hand().await;
    let script = Arc::new(Script::new().on(Call::Page, 1, Fault::Error(Kind::Unavailable)));
    let faulty = FaultyProvider::new(world.stores[0].clone(), script, world.clock.clone());
    world.replace(0, Arc::new(faulty));
    let error = adopt(&world.job, "d0", Believe::Bytes, &world.tools()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let run = &world.catalog.runs(1).await.unwrap()[0];
    assert_eq!((run.job.as_str(), run.exit), ("adopt", Some(1)));
    assert!(world.stores[0].content(&key(".safelight/marker")).is_none());
}
