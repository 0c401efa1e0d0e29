//! The two loops: the n-th call fails, and the process dies at the n-th call, for every n there is. Afterwards:
//! what the catalog claims is true, a clean run converges, and another one does nothing.
#![allow(clippy::unwrap_used)]

mod world;

use std::sync::Arc;

use safelight_core::catalog::{Catalog, Presence};
use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::error::Kind;
use safelight_core::job::MirrorOptions;
use safelight_testkit::faulty::{Fault, FaultyProvider, Script};
use world::{DAY, World, key};

/// A world with a past: copies, an edit, a rename, a deletion that is due, all still to be mirrored.
async fn eventful() -> World {
    let mut world = World::new(2).await;
    world.job.changes.keep_versions = 1;
    world.photos(4);
    world.photo("edited.jpg");
    world.photo("renamed.jpg");
    world.photo("deleted.jpg");
    world.run().await;
    world.library.delete(&key("deleted.jpg"));
    world.run().await;
    world.clock.skip(31 * DAY);
    world.library.write("edited.jpg", b"edited".to_vec());
    world.library.rename(&key("renamed.jpg"), "2025/renamed.jpg");
    world.photo("new.jpg");
    world.library.write("film.mov", vec![9_u8; 9 << 20]);
    world
}

fn make_faulty(world: &mut World, script: &Arc<Script>) {
    for at in 0..2 {
        let store = world.stores[at].clone();
        let faulty = FaultyProvider::new(store, Arc::clone(script), world.clock.clone());
        world.replace(at, Arc::new(faulty));
    }
    world.retrying();
}

fn make_sound(world: &mut World) {
    for at in 0..2 {
        let store = world.stores[at].clone();
        world.replace(at, store);
    }
}

/// Every claim in the catalog is true. Right after a failure (`settled` is false) that goes for every copy
/// that counts: of an item of the library, with the content it has now. What is gone or replaced may be
/// half-way into the trash.
async fn assert_claims_hold(world: &World, when: &str, settled: bool) {
    for item in world.catalog.browse(None, None, 1000).await.unwrap() {
        for leg in item.legs {
            let Some(held) = leg.leg.held else { continue };
            let algorithms = Algorithms::default();
            let now = world.library.content(&item.key).map(|bytes| Hasher::of(&bytes, algorithms));
            let counts = item.presence == Presence::Present
                && now.is_some_and(|now| now.sha256 == held.content.digests.sha256);
            if !settled && !counts {
                continue;
            }
            let store = &world.stores[usize::from(leg.destination == "d1")];
            let bytes = store.content(&held.key);
            let bytes =
                bytes.unwrap_or_else(|| panic!("{when}: {} is claimed, but gone", held.key));
            let digests = Hasher::of(&bytes, algorithms);
            assert_eq!(digests.sha256, held.content.digests.sha256, "{when}: {}", held.key);
        }
    }
}

async fn assert_converges(world: &mut World, when: &str) {
    make_sound(world);
    let healed = world.run().await;
    assert_eq!(healed.exit_code(), 0, "{when}: {:?}", healed.problems);
    world.assert_mirrored(0);
    world.assert_mirrored(1);
    assert_claims_hold(world, when, true).await;
    let traces = |area| world.kept(0, area).len();
    assert_eq!((traces("trash"), traces("versions")), (1, 1), "{when}");
    world.stores.iter().for_each(|store| store.reset_counts());
    let idle = world.run().await;
    assert_eq!((idle.exit_code(), idle.new.files), (0, 0), "{when}");
    for store in &world.stores {
        let counts = store.counts();
        assert_eq!(counts.put + counts.remove + counts.relocate, 0, "{when}: {counts:?}");
    }
}

async fn nth_call_fails(fault: Fault) {
    for n in 1.. {
        let mut world = eventful().await;
        let script = Arc::new(Script::new().at(n, fault));
        make_faulty(&mut world, &script);
        let when = format!("{fault:?} at call {n}");
        // A run may fail as a whole only for reasons of library or catalog, and those are sound here.
        world.run_with(&MirrorOptions::default()).await;
        assert_claims_hold(&world, &when, false).await;
        assert_converges(&mut world, &when).await;
        if script.fired() == 0 {
            assert!(n > 20, "the loop met only {n} calls");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_call_may_fail_for_now() {
    nth_call_fails(Fault::Error(Kind::Unavailable)).await;
}

#[tokio::test(start_paused = true)]
async fn any_call_may_fail_for_good() {
    nth_call_fails(Fault::Error(Kind::Denied)).await;
}

#[tokio::test(start_paused = true)]
async fn any_answer_may_get_lost() {
    nth_call_fails(Fault::LostAnswer(Kind::Unavailable)).await;
}

#[tokio::test(start_paused = true)]
async fn any_body_may_end_short() {
    nth_call_fails(Fault::ShortBody).await;
}

async fn dies_at_every_call(fault: Fault) {
    for n in 1.. {
        let mut world = eventful().await;
        let script = Arc::new(Script::new().at(n, fault));
        make_faulty(&mut world, &script);
        let died = {
            let options = MirrorOptions::default();
            tokio::select! {
                () = script.died() => true,
                _ = world.try_run(&options) => false,
            }
        };
        let when = format!("{fault:?} at call {n}");
        assert_claims_hold(&world, &when, false).await;
        assert_converges(&mut world, &when).await;
        if !died {
            assert!(n > 20, "the loop met only {n} calls");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_before_any_call() {
    dies_at_every_call(Fault::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_half_way_through_any_call() {
    dies_at_every_call(Fault::DieHalfway).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_after_any_call() {
    dies_at_every_call(Fault::DieAfter).await;
}
