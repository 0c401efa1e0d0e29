//! The two loops over the wire: the n-th request fails, and the process dies at the n-th request, for every n there
//! is. Afterwards: what the catalog claims is true, a clean run converges, and another one stores nothing.

use std::sync::Arc;

use http::Method;
use safelight_sandbox::{Fault, Rule};

use crate::world::{DAY, Death, Dying, World, key};

/// Above what goes in one request, so that blocks and their resumption are met.
const FILM: u64 = 20 << 20;

/// A world with a past: copies, an edit, a rename, a deletion that is due, all still to be mirrored.
async fn eventful(film: bool) -> World {
    let world = World::new().await;
    for at in 0..4 {
        world.photo(&format!("2024/IMG_{at:04}.jpg"));
    }
    for path in ["edited.jpg", "renamed.jpg", "deleted.jpg"] {
        world.photo(path);
    }
    world.run().await;
    world.library.delete(&key("deleted.jpg"));
    world.run().await;
    world.clock.skip(31 * DAY);
    world.library.write("edited.jpg", b"edited".to_vec());
    world.library.rename(&key("renamed.jpg"), "2025/renamed.jpg");
    world.photo("new.jpg");
    if film {
        world.library.write_made("film.mov", 7, FILM);
    }
    world
}

async fn assert_converges(world: &mut World, when: &str) {
    world.cloud.traffic().heal();
    world.open().await;
    let healed = world.run().await;
    assert_eq!(healed.exit_code(), 0, "{when}: {:?}", healed.problems);
    world.assert_mirrored(when);
    world.assert_claims_hold(when).await;
    let before = writes(world);
    let idle = world.run().await;
    assert_eq!((idle.exit_code(), idle.new.files), (0, 0), "{when}");
    assert_eq!(writes(world), before, "{when}: an idle run stored something");
}

fn writes(world: &World) -> u64 {
    let routes = ["finish_batch_v2", "delete_batch", "move_batch_v2", "copy_batch_v2"];
    let calls = world.cloud.counters().calls;
    calls
        .iter()
        .filter(|(route, _)| routes.iter().any(|end| route.ends_with(end)))
        .map(|(_, n)| n)
        .sum()
}

async fn nth_request_fails(film: bool, fault: Fault) {
    for n in 0.. {
        let mut world = eventful(film).await;
        world.open().await;
        world.cloud.forget();
        world.cloud.traffic().inject(Rule::next(fault.clone()).after(n));
        let when = format!("{fault:?} at request {n}");
        world.run().await;
        let met = world.cloud.traffic().count(&Method::POST);
        world.assert_claims_hold(&when).await;
        assert_converges(&mut world, &when).await;
        if met <= n {
            assert!(n > 8, "the loop met only {n} requests");
            return;
        }
    }
}

fn status(status: u16, retry_after: Option<u64>, body: &'static str) -> Fault {
    Fault::Status { status, retry_after, body }
}

#[tokio::test(start_paused = true)]
async fn any_request_may_fail_before_it_arrives() {
    nth_request_fails(true, Fault::Reset).await;
}

#[tokio::test(start_paused = true)]
async fn any_answer_may_get_lost() {
    nth_request_fails(true, Fault::LoseAnswer).await;
}

#[tokio::test(start_paused = true)]
async fn any_answer_may_break_off() {
    nth_request_fails(false, Fault::CutBody(10)).await;
}

#[tokio::test(start_paused = true)]
async fn any_request_may_meet_a_server_in_trouble() {
    nth_request_fails(false, status(503, None, "<html>upstream</html>")).await;
}

#[tokio::test(start_paused = true)]
async fn any_request_may_be_one_too_many() {
    let body = r#"{"error":{"reason":{".tag":"too_many_requests"},"retry_after":7}}"#;
    nth_request_fails(false, status(429, Some(7), body)).await;
}

#[tokio::test(start_paused = true)]
async fn the_access_token_may_be_dead_at_any_request() {
    let body =
        r#"{"error_summary":"expired_access_token/..","error":{".tag":"expired_access_token"}}"#;
    nth_request_fails(false, status(401, None, body)).await;
}

async fn dies_at_every_request(film: bool, death: Death) {
    for n in 1.. {
        let mut world = eventful(film).await;
        let dying = Dying::at(&world.cloud, n, death);
        world.open_through(Arc::<Dying>::clone(&dying)).await;
        let died = tokio::select! {
            () = dying.died() => true,
            _ = world.run() => false,
        };
        let when = format!("death {death:?} request {n}");
        world.assert_claims_hold(&when).await;
        assert_converges(&mut world, &when).await;
        if !died {
            assert!(n > 8, "the loop met only {n} requests");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_before_any_request() {
    dies_at_every_request(true, Death::Before).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_after_any_request() {
    dies_at_every_request(true, Death::After).await;
}
