//! The process dies at the n-th call, or the n-th call fails, for every n there is. The same export again completes, with
//! no more downloads than what was in flight.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use safelight_core::catalog::{Catalog as _, ItemDetail};
use safelight_core::error::Kind;
use safelight_core::monitor::{Event, Monitor};
use safelight_testkit::faulty::{Fault, FaultyProvider, Script};
use safelight_testkit::slow::SlowProvider;
use tokio::sync::Notify;
use world::World;
use world::verifier::{assert_bag, files_of};

/// With a film that is streamed, where the bytes on their way matter.
async fn small(film: bool) -> World {
    let world = World::new(1).await;
    let photos: Vec<_> =
        (0..5).map(|at| world.service.photo(&format!("2024/IMG_{at}.jpg"))).collect();
    let length = if film { (8 << 20) + 1 } else { 1000 };
    world.service.inner.write("film.mov", vec![9_u8; length]);
    world.service.remark(&photos[0], |remark| remark.favourite = true);
    world.service.album("Sea", &[&photos[1], &photos[2]]);
    world
}

fn faulty(world: &mut World, script: &Arc<Script>) {
    let around =
        |inner| Arc::new(FaultyProvider::new(inner, Arc::clone(script), world.clock.clone()));
    world.source = around(world.service.clone());
    world.targets = vec![around(world.stores[0].clone())];
}

fn sound(world: &mut World) {
    world.source = world.service.clone();
    world.targets = vec![world.stores[0].clone()];
}

async fn completes(world: &mut World, when: &str) {
    sound(world);
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{when}: {outcome:?}");
    assert_bag(&files_of(&world.stores[0]));
    assert_eq!(world.files(0).len(), 6, "{when}");
    world.service.reads();
    world.stores[0].reset_counts();
    assert_eq!(world.run().await.exit_code(), 0, "{when}");
    assert_eq!((world.service.reads(), world.stores[0].counts().put), (0, 0), "{when}");
    assert!(world.leave().await.is_safe(), "{when}");
}

async fn dies(fault: Fault) {
    for n in 1.. {
        let mut world = small(fault == Fault::DieHalfway).await;
        let script = Arc::new(Script::new().at(n, fault));
        faulty(&mut world, &script);
        tokio::select! {
            () = script.died() => {}
            _ = world.try_run() => {}
        }
        completes(&mut world, &format!("{fault:?} at call {n}")).await;
        if script.fired() == 0 {
            assert!(n > 20, "only {n} calls");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_before_any_call() {
    dies(Fault::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_half_way_through_any_call() {
    dies(Fault::DieHalfway).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_after_any_call() {
    dies(Fault::DieAfter).await;
}

#[tokio::test(start_paused = true)]
async fn any_call_may_fail_or_bring_wrong_bytes() {
    for fault in [
        Fault::Error(Kind::Unavailable),
        Fault::LostAnswer(Kind::Unavailable),
        Fault::ShortBody,
        Fault::FlippedBit,
    ] {
        for n in 1.. {
            let mut world = small(fault == Fault::FlippedBit).await;
            let script = Arc::new(Script::new().at(n, fault));
            faulty(&mut world, &script);
            let claimed = world.try_run().await;
            if claimed.is_ok_and(|outcome| outcome.exit_code() == 0) {
                assert_bag(&files_of(&world.stores[0]));
            }
            completes(&mut world, &format!("{fault:?} at call {n}")).await;
            if script.fired() == 0 {
                break;
            }
        }
    }
}

/// Says when so many copies were told of.
struct Countdown {
    left: AtomicU64,
    over: Notify,
}

impl Monitor for Countdown {
    fn event(&self, event: &Event<'_>) {
        if let Event::Copied { .. } = event
            && self.left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            self.over.notify_one();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_told_of_before_a_death_is_not_downloaded_again() {
    let mut world = World::new(1).await;
    for at in 0..200 {
        world.service.photo(&format!("IMG_{at:03}.jpg"));
    }
    let slow = SlowProvider::new(world.stores[0].clone(), world.clock.clone());
    world.targets = vec![Arc::new(slow.latency(Duration::from_millis(20)))];
    let countdown = Arc::new(Countdown { left: AtomicU64::new(100), over: Notify::new() });
    world.monitor = countdown.clone();
    tokio::select! {
        () = countdown.over.notified() => {}
        _ = world.try_run() => panic!("it was to die"),
    }
    world.service.reads();
    let items = world.catalog.browse(None, None, 1000).await.unwrap();
    let stored = |item: &&ItemDetail| item.legs.iter().any(|leg| leg.leg.held.is_some());
    let stored = items.iter().filter(stored).count() as u64;
    assert!(stored >= 100, "{stored}");
    sound(&mut world);
    assert_eq!(world.run().await.exit_code(), 0);
    // What was on its way into the catalog may have arrived after the look.
    let reads = world.service.reads();
    assert!(reads <= 200 - stored, "{reads} and {stored}");
}
