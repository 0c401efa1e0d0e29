//! Bringing files back: compared, never over anything, and again from where it stopped.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::Arc;

use safelight_core::catalog::{Catalog, Content, Finding, Held, Presence, Record, RunId, Stat};
use safelight_core::class::MediaClass;
use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::error::Kind;
use safelight_core::provider::{Proof, Provider};
use safelight_core::time::Timestamp;
use safelight_export::restore::{Outcome, Plan, Restore};
use safelight_export::source::Patience;
use safelight_testkit::faulty::{Fault, FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use world::{World, key};

/// Notes in the catalog that the library has this, and that it is stored at the service under `stored`.
async fn remember(world: &World, path: &str, stored: Option<&str>, bytes: &[u8]) {
    let modified = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let stat = Stat { size: bytes.len() as u64, modified, changed: None, file_id: None };
    let catalog = &world.catalog;
    let place = catalog.enroll("cloud").await.unwrap();
    let found = Finding::Found { key: key(path), stat, class: MediaClass::Photo };
    catalog.apply(vec![found]).await.unwrap();
    let item = catalog.item(&key(path)).await.unwrap().unwrap();
    assert_eq!(item.presence, Presence::Present);
    let digests = Hasher::of(bytes, Algorithms::default());
    let content = Content { size: bytes.len() as u64, digests };
    let read = Record::Read { item: item.item, stat, content };
    let stored = stored.map(|at| Record::Stored {
        item: item.item,
        destination: place.id,
        held: Held {
            key: key(at),
            content,
            version: None,
            remote_id: None,
            proof: Proof::ReadBack,
            proved_at: modified,
        },
        run: RunId(1),
    });
    catalog.record([read].into_iter().chain(stored).collect()).await.unwrap();
}

fn restore(world: &World, target: &Arc<MemoryProvider>) -> Restore {
    Restore {
        from: "cloud".to_owned(),
        source: world.source.clone(),
        target: target.clone() as Arc<dyn Provider>,
        paths: Vec::new(),
        patience: Patience::default(),
    }
}

async fn run(world: &World, target: &Arc<MemoryProvider>) -> (Plan, Outcome) {
    let restore = restore(world, target);
    let plan = restore.plan(&world.tools()).await.unwrap();
    let outcome = restore.run(&plan, &world.tools()).await.unwrap();
    (plan, outcome)
}

#[tokio::test(start_paused = true)]
async fn files_come_back_where_they_were_with_their_dates_and_once() {
    let world = World::new(1).await;
    let film = vec![9_u8; 9 << 20];
    for (path, bytes) in [("2024/a.jpg", &b"one"[..]), ("film.mov", &film)] {
        let stored = format!("stored/{path}");
        world.service.inner.write(&stored, bytes.to_vec());
        remember(&world, path, Some(&stored), bytes).await;
    }
    let target = &world.stores[0];
    let (plan, outcome) = run(&world, target).await;
    assert_eq!((outcome.exit_code(&plan), outcome.restored.files), (0, 2), "{outcome:?}");
    assert_eq!(target.content(&key("film.mov")).unwrap(), film);
    let entry = target.stat(&key("2024/a.jpg")).await.unwrap().unwrap();
    assert_eq!(entry.modified.unwrap().as_nanos(), 1_700_000_000_000_000_000);
    world.service.reads();
    let (plan, outcome) = run(&world, target).await;
    assert_eq!((plan.there.files, outcome.restored.files, world.service.reads()), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_damaged_occupied_or_not_there_is_named() {
    let world = World::new(1).await;
    let film = vec![9_u8; 9 << 20];
    world.service.inner.write("film.mov", vec![8_u8; 9 << 20]);
    remember(&world, "film.mov", Some("film.mov"), &film).await;
    world.service.inner.write("a.jpg", &b"0ne"[..]);
    remember(&world, "a.jpg", Some("a.jpg"), b"one").await;
    remember(&world, "never.jpg", None, b"never stored").await;
    world.service.inner.write("mine.jpg", &b"theirs"[..]);
    remember(&world, "mine.jpg", Some("mine.jpg"), b"theirs").await;
    let target = &world.stores[0];
    target.write("mine.jpg", &b"mine"[..]);
    let (plan, outcome) = run(&world, target).await;
    assert_eq!(outcome.exit_code(&plan), 3);
    assert_eq!(
        (plan.without.as_slice(), plan.occupied.as_slice()),
        (&[key("never.jpg")][..], &[key("mine.jpg")][..])
    );
    let failed: Vec<_> =
        outcome.failed.iter().map(|(key, error)| (key.to_string(), error.kind())).collect();
    assert_eq!(
        failed,
        [("a.jpg".to_owned(), Kind::Corrupt), ("film.mov".to_owned(), Kind::Corrupt)]
    );
    assert_eq!(target.keys(), [key("mine.jpg")]);
    assert_eq!(target.content(&key("mine.jpg")).unwrap(), &b"mine"[..]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_keeps_equal_files_once_gives_them_back_under_every_name() {
    let world = World::new(1).await;
    world.service.inner.write("first.jpg", &b"same"[..]);
    remember(&world, "first.jpg", Some("first.jpg"), b"same").await;
    remember(&world, "second.jpg", Some("second.jpg"), b"same").await;
    let (plan, outcome) = run(&world, &world.stores[0]).await;
    assert_eq!((outcome.exit_code(&plan), outcome.restored.files), (0, 2), "{outcome:?}");
    assert_eq!(world.stores[0].content(&key("second.jpg")).unwrap(), &b"same"[..]);
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_begun_once_it_is_stopped() {
    let world = World::new(1).await;
    for number in 0..40 {
        let path = format!("{number:02}.jpg");
        world.service.inner.write(&path, path.clone().into_bytes());
        remember(&world, &path, Some(&path), path.as_bytes()).await;
    }
    let restore = restore(&world, &world.stores[0]);
    let plan = restore.plan(&world.tools()).await.unwrap();
    world.stop.gently.cancel();
    let outcome = restore.run(&plan, &world.tools()).await.unwrap();
    assert_eq!((outcome.exit_code(&plan), outcome.left, outcome.restored.files), (130, 40, 0));
}

/// Twenty small files at the service that the catalog knows.
async fn twenty() -> World {
    let world = World::new(1).await;
    for number in 0..20 {
        let path = format!("{number:02}.jpg");
        world.service.inner.write(&path, path.clone().into_bytes());
        remember(&world, &path, Some(&path), path.as_bytes()).await;
    }
    world
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_full_ends_it_with_an_account_and_the_next_run_goes_on() {
    let world = twenty().await;
    let target = &world.stores[0];
    let script = Arc::new(Script::new().no_room_after(60));
    let full = FaultyProvider::new(target.clone(), script, world.clock.clone());
    let restore = Restore { target: Arc::new(full), ..restore(&world, target) };
    let plan = restore.plan(&world.tools()).await.unwrap();
    let outcome = restore.run(&plan, &world.tools()).await.unwrap();
    assert_eq!((outcome.exit_code(&plan), outcome.restored.files, outcome.left), (3, 10, 10));
    assert_eq!(outcome.halted.unwrap().kind(), Kind::NoRoom);
    assert_eq!(target.keys().len(), 10);
    let (plan, outcome) = run(&world, target).await;
    assert_eq!((outcome.exit_code(&plan), plan.there.files, outcome.restored.files), (0, 10, 10));
}

#[tokio::test(start_paused = true)]
async fn stopped_at_once_it_ends_although_the_destination_does_not_answer() {
    let mut world = twenty().await;
    let script = Arc::new(Script::new().from(6, Fault::Stall));
    let clock = world.clock.clone();
    world.source = Arc::new(FaultyProvider::new(world.service.clone(), script, clock));
    let stop = world.stop.clone();
    let restore = restore(&world, &world.stores[0]);
    let plan = restore.plan(&world.tools()).await.unwrap();
    let tools = world.tools();
    let pressed = async {
        while world.stores[0].keys().len() < 5 {
            tokio::task::yield_now().await;
        }
        stop.gently.cancel();
        stop.now.cancel();
    };
    let (outcome, ()) = tokio::join!(restore.run(&plan, &tools), pressed);
    let outcome = outcome.unwrap();
    assert_eq!((outcome.exit_code(&plan), outcome.restored.files + outcome.left), (130, 20));
    assert_eq!(world.stores[0].keys().len(), 5);
}
