//! How many calls whole runs make, and what stops them: the figures that are promised.

use std::time::Duration;

use safelight_core::codes;
use safelight_core::mirror::DestinationState;
use safelight_core::time::Clock as _;
use safelight_sandbox::dropbox::{Behaviour, RateLimit, WhenLocked};
use safelight_sandbox::{Fault, Rule};

use crate::world::{DAY, World, key};

/// Calls besides those for tokens and listings.
fn calls(world: &World) -> u64 {
    let calls = world.cloud.counters().calls;
    let counted = calls
        .iter()
        .filter(|(route, _)| **route != "oauth2/token" && !route.starts_with("files/list_folder"));
    counted.map(|(_, calls)| calls).sum()
}

fn fill(world: &World, files: u64, bytes: u64) {
    for at in 0..files {
        world.library.write_made(format!("{:02}/IMG_{at:05}.jpg", at % 20), at, bytes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_photos_take_twenty_calls_and_nothing_new_takes_two() {
    let mut world = World::behaving(Behaviour {
        latency: Duration::from_millis(80),
        commit_time: Duration::from_millis(500),
        when_locked: WhenLocked::Refuse,
        ..Behaviour::default()
    })
    .await;
    fill(&world, 1000, 100_000);
    let before = world.clock.elapsed();
    let first = world.run().await;
    assert_eq!(first.exit_code(), 0, "{:?}", first.problems);
    let took = world.clock.elapsed().saturating_sub(before);
    assert!(took < Duration::from_secs(6), "{took:?}");
    let made = calls(&world);
    assert!(made <= 20, "{:?}", world.cloud.counters().calls);
    assert_eq!(world.cloud.counters().uploads_without_content_hash, 0);
    world.assert_mirrored("after the first run");

    world.open().await;
    world.cloud.forget();
    assert_eq!(world.run().await.exit_code(), 0);
    assert!(calls(&world) <= 2, "{:?}", world.cloud.counters().calls);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_deleted_photos_take_four_calls_besides_asking_whether_they_are_done() {
    let mut world = World::new().await;
    fill(&world, 1000, 100);
    world.run().await;
    for key in world.library.keys() {
        world.library.delete(&key);
    }
    // An empty library is never taken for a deleted one.
    world.photo("kept.jpg");
    world.run().await;
    world.clock.skip(31 * DAY);
    world.open().await;
    world.cloud.forget();
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    world.assert_mirrored("after the deletions");
    let counters = world.cloud.counters();
    let removals: u64 = counters
        .calls
        .iter()
        .filter(|(route, _)| route.ends_with("_batch") || route.ends_with("_batch_v2"))
        .map(|(_, n)| n)
        .sum();
    assert!(removals <= 4, "{:?}", counters.calls);
}

#[tokio::test(start_paused = true)]
async fn under_a_limit_of_twelve_calls_a_second_there_is_no_storm() {
    let world = World::behaving(Behaviour {
        latency: Duration::from_millis(20),
        rate_limit: Some(RateLimit { calls_per_second: 12, burst: 12, retry_after: 15 }),
        ..Behaviour::default()
    })
    .await;
    // Each in a request of its own, so that there are many.
    fill(&world, 60, 5 << 20);
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    let counters = world.cloud.counters();
    assert!(counters.refused <= 2, "{} refused", counters.refused);
    assert_eq!(counters.within_retry_after, 0);
    world.assert_mirrored("under a limit");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_dies_in_mid_run_costs_one_refresh_and_no_file() {
    let mut world =
        World::behaving(Behaviour { latency: Duration::from_millis(80), ..Behaviour::default() })
            .await;
    world.run().await;
    fill(&world, 300, 1000);
    world.open().await;
    world.cloud.forget();
    let dying = async {
        while world.cloud.calls("files/upload_session/append_batch") == 0 {
            world.clock.sleep(Duration::from_millis(10)).await;
        }
        world.cloud.expire_access_tokens();
    };
    let (report, ()) = tokio::join!(world.run(), dying);
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    // One at the start, one in mid-run.
    assert_eq!(world.cloud.calls("oauth2/token"), 2);
    world.assert_mirrored("after the token died");
    assert_eq!(world.cloud.calls("files/upload_session/start"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_ended_stops_the_destination_with_the_remedy() {
    let mut world = World::new().await;
    world.run().await;
    world.photo("new.jpg");
    world.cloud.unlink();
    world.open().await;
    let report = world.run().await;
    assert_eq!(report.exit_code(), 7);
    let DestinationState::Stopped(error) = &report.destinations[0].state else {
        panic!("{:?}", report.destinations[0].state)
    };
    assert_eq!(error.id(), codes::SIGN_IN);
    // What was known stays known.
    assert!(world.catalog.item(&key("new.jpg")).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_film_goes_four_times_as_fast_as_one_connection_allows() {
    const FILM: u64 = 256_000_000;
    const LINE: u64 = 20_000_000;
    let world =
        World::behaving(Behaviour { upload_rate: Some(LINE), ..Behaviour::default() }).await;
    world.run().await;
    world.library.write_made("film.mov", 1, FILM);
    // The calls of the run before are not to count against the budget of this one.
    world.clock.sleep(Duration::from_secs(5)).await;
    let before = world.clock.elapsed();
    assert_eq!(world.run().await.exit_code(), 0);
    let took = world.clock.elapsed().saturating_sub(before);
    let alone = Duration::from_millis(FILM * 1000 / LINE);
    assert!(took < alone / 4, "{took:?}, one connection alone {alone:?}");
    world.assert_mirrored("after the film");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_edited_photos_cost_no_call_each() {
    let mut world = World::new().await;
    fill(&world, 1000, 100);
    world.run().await;
    for (at, key) in (5000..).zip(world.library.keys()) {
        world.library.write_made(key.as_bytes(), at, 120);
    }
    world.open().await;
    world.cloud.forget();
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    assert!(calls(&world) <= 40, "{:?}", world.cloud.counters().calls);
    world.assert_mirrored("after the edits");
}

#[tokio::test(start_paused = true)]
async fn bytes_that_arrive_wrong_are_sent_again() {
    for route in ["upload_session/append_batch", "upload_session/append_v2", "upload_session/start"]
    {
        let world = World::new().await;
        world.run().await;
        fill(&world, 20, 3000);
        world.library.write_made("large.jpg", 1, 6 << 20);
        world.library.write_made("film.mov", 2, 20 << 20);
        world.cloud.traffic().inject(Rule::next(Fault::FlipSent(1000)).containing(route).after(1));
        let report = world.run().await;
        // A film cannot be sent twice from one reading, so it may take another run.
        assert!([0, 3].contains(&report.exit_code()), "{route}: {:?}", report.problems);
        world.assert_claims_hold(route).await;
        assert_eq!(world.run().await.exit_code(), 0, "{route}");
        world.assert_mirrored(route);
    }
}
