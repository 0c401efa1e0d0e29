//! Somebody signs in again while a run goes on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use safelight_core::error::{Error, Kind};
use safelight_core::mirror::DestinationState;
use safelight_core::provider::Provider;
use safelight_core::renewal::Renewal;
use safelight_core::time::Clock;
use safelight_testkit::clock::SimClock;
use safelight_testkit::faulty::{Fault, FaultyProvider, Script};
use world::{World, at};

const PHOTOS: usize = 40;

/// New sign-ins, each from its time on.
struct Later {
    clock: Arc<SimClock>,
    coming: Mutex<Vec<(Duration, Arc<dyn Provider>)>>,
}

#[async_trait]
impl Renewal for Later {
    async fn renewed(&self) -> Option<Arc<dyn Provider>> {
        let mut coming = self.coming.lock().unwrap();
        let is_due = coming.first().is_some_and(|(at, _)| *at <= self.clock.elapsed());
        is_due.then(|| coming.remove(0).1)
    }
}

/// Two destinations: `d1` takes a second for each call.
async fn with_a_slow_one() -> World {
    let mut world = World::new(2).await;
    world.photos(PHOTOS);
    let slow = Script::new().from(1, Fault::Delay(Duration::from_secs(1)));
    let slow = FaultyProvider::new(world.stores[1].clone(), Arc::new(slow), world.clock.clone());
    world.replace(1, Arc::new(slow));
    world.job.destinations[1].rules.concurrency = Some(1);
    world
}

/// `d0`, whose session ends after so many calls.
fn dying(world: &World, calls: u64) -> Arc<dyn Provider> {
    let script = Arc::new(Script::new().sign_in_after(calls));
    Arc::new(FaultyProvider::new(world.stores[0].clone(), script, world.clock.clone()))
}

fn coming(world: &mut World, coming: Vec<(u64, Arc<dyn Provider>)>) {
    let clock = world.clock.clone();
    let coming = coming.into_iter().map(|(at, one)| (Duration::from_secs(at), one));
    let later = Later { clock, coming: Mutex::new(coming.collect()) };
    world.job.destinations[0].renewal = Some(Arc::new(later));
}

/// How often each thing was heard that begins so.
fn count(heard: &[String], start: &str) -> usize {
    heard.iter().filter(|words| words.starts_with(start)).count()
}

#[tokio::test(start_paused = true)]
async fn a_destination_goes_on_once_somebody_has_signed_in_again_and_nothing_is_sent_twice() {
    let mut world = with_a_slow_one().await;
    world.replace(0, dying(&world, 15));
    let store = world.stores[0].clone();
    coming(&mut world, vec![(12, store)]);
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0, "{report:?}");
    assert_eq!(at(&report, "d0").copied.files, PHOTOS as u64);
    assert_eq!(at(&report, "d1").copied.files, PHOTOS as u64);
    let heard = world.heard();
    assert_eq!((count(&heard, "stopped d0"), count(&heard, "resumed d0")), (1, 1), "{heard:?}");
    assert_eq!((count(&heard, "copied d0"), count(&heard, "copied d1")), (PHOTOS, PHOTOS));
    world.assert_mirrored(0);
    world.assert_mirrored(1);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_refused_from_the_start_comes_in_later() {
    let mut world = with_a_slow_one().await;
    world.job.destinations[0].opened = Err(Error::new(Kind::SignIn, "no cookies"));
    let store = world.stores[0].clone();
    coming(&mut world, vec![(5, store)]);
    assert_eq!(world.run().await.exit_code(), 0);
    world.assert_mirrored(0);
    world.assert_mirrored(1);
}

#[tokio::test(start_paused = true)]
async fn a_new_sign_in_that_is_refused_too_is_no_reason_to_stop_looking() {
    let mut world = with_a_slow_one().await;
    world.replace(0, dying(&world, 5));
    let (dead, store) = (dying(&world, 0), world.stores[0].clone());
    coming(&mut world, vec![(5, dead), (25, store)]);
    assert_eq!(world.run().await.exit_code(), 0);
    let heard = world.heard();
    assert_eq!((count(&heard, "stopped d0"), count(&heard, "resumed d0")), (2, 1), "{heard:?}");
    world.assert_mirrored(0);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_sign_in() {
    let mut world = World::new(1).await;
    world.photos(PHOTOS);
    world.replace(0, dying(&world, 15));
    coming(&mut world, Vec::new());
    let report = world.run().await;
    assert!(matches!(at(&report, "d0").state, DestinationState::Stopped(_)));
    assert_eq!(report.exit_code(), 7);
}
