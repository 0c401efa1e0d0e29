//! Services that lie, break off, drip or do not end: nothing wrong is kept silently, nothing hangs, the rest goes on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use safelight_core::codes;
use safelight_core::entry::{Entry, Listed, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::{Opened, Provider};
use safelight_core::time::Clock as _;
use safelight_core::wrap::Wrapper;
use safelight_export::weigh::Shelf;
use safelight_testkit::clock::SimClock;
use safelight_testkit::faulty::{Fault, FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use world::verifier::{assert_bag, files_of};
use world::{Manner, World, key};

const LARGE: usize = 9 << 20;

/// A small and a large object in this manner, and one that is sound.
async fn with(manner: Manner) -> World {
    let world = World::new(1).await;
    let small = world.service.inner.write("small.jpg", vec![1_u8; 100_000]);
    let large = world.service.inner.write("large.mov", vec![2_u8; LARGE]);
    world.service.photo("sound.jpg");
    world.service.manner(&small, manner);
    world.service.manner(&large, manner);
    world
}

/// Hazard E7: the bytes are not what the digest says.
#[tokio::test(start_paused = true)]
async fn two_equal_downloads_that_disagree_with_the_service_are_kept_and_flagged() {
    let world = with(Manner::Lies).await;
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    let flagged: Vec<_> = outcome.flagged.iter().map(ToString::to_string).collect();
    assert_eq!(flagged, ["data/large.mov", "data/small.jpg"]);
    assert_eq!(world.service.reads(), 2 + 2 + 1);
    let kept = world.stores[0].content(&key("data/small.jpg")).unwrap();
    assert!(kept.len() == 100_000 && kept.iter().all(|byte| *byte == 7));
    assert_bag(&files_of(&world.stores[0]));
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 0));
    let answer = world.leave().await;
    assert_eq!((answer.only_there.files, answer.flagged), (0, 2));
    assert!(answer.is_safe(), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_proven_elsewhere_is_not_spoilt_by_a_service_that_gives_other_bytes() {
    let mut world = World::new(1).await;
    let photo = world.service.photo("a.jpg");
    world.run().await;
    // The first export got the true bytes; what is given out since then is something else.
    let first = std::mem::replace(&mut world.catalog, world::catalog().await);
    world.shelves.push(Shelf { catalog: first, library: None, reader: None, not: Vec::new() });
    world.stores = vec![Arc::new(MemoryProvider::build("t0").clock(world.clock.clone()).finish())];
    world.targets = vec![world.stores[0].clone()];
    world.service.manner(&photo, Manner::Lies);
    world.wishes.everything = true;
    assert_eq!(world.run().await.flagged.len(), 1);
    let both =
        Shelf { catalog: world.catalog.clone(), library: None, reader: None, not: Vec::new() };
    world.shelves.push(both);
    let inventory = world.inventory().await.unwrap();
    let standings = world.standings(&inventory).await;
    assert!(standings[0].is_elsewhere() && !standings[0].flagged);
    assert_eq!(standings[0].places.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_comes_out_differently_each_time_is_not_kept() {
    let world = with(Manner::Fickle).await;
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 3);
    let missing: Vec<_> = outcome.account.missing.iter().map(|one| one.key.to_string()).collect();
    assert_eq!(missing, ["large.mov", "small.jpg"]);
    assert_eq!(world.files(0), ["data/sound.jpg"]);
    assert!(!world.leave().await.is_safe());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_off_is_taken_up_where_it_broke() {
    let world = with(Manner::BreaksOff).await;
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert_eq!(world.service.reads(), 2 + 2 + 1);
    let read = world.service.inner.counts().bytes_read;
    let needed = 100_000 + LARGE as u64 + 15;
    assert!(read <= needed + 2 * 64 * 1024, "{read} of {needed}");
}

/// Hazard E6: a truncated body.
#[tokio::test(start_paused = true)]
async fn a_body_that_ends_early_as_if_whole_is_not_stored() {
    let world = with(Manner::Short).await;
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.files(0).len()), (3, 1), "{outcome:?}");
    assert_eq!(outcome.account.missing.len(), 2);
}

/// Hazard E8: an endless body.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_not_stored() {
    let world = with(Manner::Endless).await;
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.files(0).len()), (3, 1), "{outcome:?}");
}

/// Hazard E8: a dripping body, and no bytes at all.
#[tokio::test(start_paused = true)]
async fn a_body_that_drips_or_stands_still_ends_in_time() {
    for manner in [Manner::Drips, Manner::Silent] {
        let world = with(manner).await;
        let outcome = world.run().await;
        assert_eq!((outcome.exit_code(), world.files(0).len()), (3, 1), "{outcome:?}");
        assert!(world.clock.elapsed() < Duration::from_hours(2), "{:?}", world.clock.elapsed());
    }
}

/// Hazard E8, for what is no body: a page, an answer about albums or room, a connection.
#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_some_call_holds_nothing_up_for_ever() {
    for n in 1.. {
        let mut world = World::new(1).await;
        world.service.photo("a.jpg");
        world.service.inner.write("large.mov", vec![2_u8; LARGE]);
        let script = Arc::new(Script::new().at(n, Fault::Stall));
        let clock = world.clock.clone();
        world.source =
            Arc::new(FaultyProvider::new(world.service.clone(), Arc::clone(&script), clock));
        let began = world.clock.elapsed();
        let outcome = world.try_run().await;
        let took = world.clock.elapsed().saturating_sub(began);
        assert!(took < Duration::from_hours(2), "call {n}: {took:?}");
        if script.fired() == 0 {
            assert!(n > 5 && outcome.unwrap().exit_code() == 0, "only {n} calls");
            return;
        }
    }
}

/// A service that wants a pause first.
struct Pausing {
    inner: Arc<world::Service>,
    clock: Arc<SimClock>,
    until: Duration,
}

#[async_trait]
impl Wrapper for Pausing {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.clock.sleep(self.until.saturating_sub(self.clock.elapsed())).await;
        self.inner().read(key, range, pin).await
    }
}

/// Hazard E12: what asks for five minutes of rest does not stand still.
#[tokio::test(start_paused = true)]
async fn a_pause_that_the_service_asks_for_is_waited_for() {
    let mut world = World::new(1).await;
    for at in 0..50 {
        world.service.photo(&format!("{at}.jpg"));
    }
    world.service.inner.write("large.mov", vec![2_u8; LARGE]);
    let (inner, clock) = (world.service.clone(), world.clock.clone());
    let until = clock.elapsed() + Duration::from_mins(5);
    world.source = Arc::new(Pausing { inner, clock, until });
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!(world.service.reads(), 51);
}

/// Hazard E5: a listing without end.
#[tokio::test(start_paused = true)]
async fn a_listing_in_circles_ends_with_an_error() {
    let world = with(Manner::Lies).await;
    *world.service.forever.lock().unwrap() = true;
    assert_eq!(world.inventory().await.unwrap_err().kind(), Kind::Protocol);
}

/// Hazard E5: keys without end, and the same page again.
#[tokio::test(start_paused = true)]
async fn what_is_listed_twice_is_one_and_what_is_listed_without_end_is_named() {
    let world = World::new(1).await;
    world.service.photo("a.jpg");
    let entry = { Provider::stat(&*world.service, &key("a.jpg")).await.unwrap().unwrap() };
    world.service.tell_more(move || vec![Listed::File(entry.clone())]);
    world.service.tell_more(|| vec![Listed::File(Entry::new(key("x/".repeat(3000) + "y"), 1))]);
    let inventory = world.inventory().await.unwrap();
    assert_eq!((inventory.items.len(), inventory.repeated, inventory.unseen.len()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_seen_makes_neither_export_nor_leaving_complete() {
    let world = World::new(1).await;
    world.service.photo("a.jpg");
    world.service.tell_more(|| {
        let error = Error::new(Kind::Denied, "listing locked");
        vec![Listed::Unseen { key: Some(key("locked")), error }]
    });
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), outcome.account.unseen), (3, 1));
    assert!(outcome.account.missing.is_empty());
    assert!(!world.leave().await.is_safe());
}

#[tokio::test(start_paused = true)]
async fn albums_that_cannot_be_read_are_not_forgotten_silently() {
    let world = World::new(1).await;
    world.service.photo("a.jpg");
    *world.service.extras_fail.lock().unwrap() = Some(Kind::Unavailable);
    let inventory = world.inventory().await.unwrap();
    assert_eq!(inventory.unseen[0].code, codes::UNAVAILABLE);
    assert_eq!(world.run().await.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_gone_is_not_asked_for_every_item() {
    for (kind, exit, most) in [(Kind::Unavailable, 5, 100), (Kind::SignIn, 7, 30)] {
        let world = World::new(1).await;
        for at in 0..500 {
            world.service.photo(&format!("{at}.jpg"));
        }
        *world.service.reads_fail.lock().unwrap() = Some(kind);
        let outcome = world.run().await;
        assert_eq!(outcome.exit_code(), exit, "{:?}", outcome.down);
        let reads = world.service.reads();
        assert!(reads < most, "{kind:?}: {reads} reads");
        assert!(!outcome.account.is_complete() && !world.leave().await.is_safe());
        *world.service.reads_fail.lock().unwrap() = None;
        assert_eq!(world.run().await.exit_code(), 0);
        assert_eq!(world.service.reads(), 500);
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_the_service_cannot_give_out_is_not_passed_over() {
    let world = World::new(1).await;
    world.service.photo("a.jpg");
    world.service.tell_more(|| {
        let passed = |name: &str, code| Listed::Passed { key: key(name), code };
        vec![passed("odd.jpg", codes::NAME_REFUSED), passed("link", codes::LINK_SKIPPED)]
    });
    let inventory = world.inventory().await.unwrap();
    assert_eq!((inventory.unseen.len(), inventory.passed.len()), (1, 1));
}
