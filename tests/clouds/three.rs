//! The two loops with all three destinations at once: something happens to the n-th request to the clouds.
//!
//! A run makes many requests of the same kind, so not every n is tried: of each kind the last, and
//! where no film makes it slow also the first and every so many.

use std::collections::BTreeMap;

use safelight_sandbox::Fault;

use crate::mission::{Incident, Mission, Wire};
use crate::world::{DAY, Death, key};

/// What is sent in blocks at Dropbox, and read only once for all three.
const FILM: u64 = (8 << 20) + 1000;
/// Besides those.
const EVERY: usize = 20;

/// A world with a past: copies, an edit, a rename, twins, a deletion that is due, all still to be mirrored.
async fn eventful(film: bool) -> Mission {
    let mission = Mission::new().await;
    let world = &mission.world;
    for path in ["2024/IMG_1.jpg", "edited.jpg", "renamed.jpg", "deleted.jpg"] {
        world.photo(path);
    }
    mission.run().await;
    world.library.delete(&key("deleted.jpg"));
    mission.run().await;
    world.clock.skip(31 * DAY);
    world.library.write("edited.jpg", b"edited".to_vec());
    world.library.rename(&key("renamed.jpg"), "2025/renamed.jpg");
    world.photo("new.jpg");
    for twin in ["twin/a.jpg", "twin/b.jpg"] {
        world.library.write(twin, b"the same".to_vec());
    }
    if film {
        world.library.write_made("film.mov", 7, FILM);
    }
    mission
}

/// Which requests of a run something is to happen to.
async fn chosen(film: bool) -> Vec<u64> {
    let mut mission = eventful(film).await;
    let wire = Wire::new(&mission, u64::MAX, Incident::Nothing);
    mission.open_through(&wire).await;
    assert_eq!(mission.run().await.exit_code(), 0);
    let mut places = BTreeMap::<String, Vec<usize>>::new();
    let kinds = wire.kinds();
    for (at, kind) in kinds.iter().enumerate() {
        places.entry(kind.clone()).or_default().push(at);
    }
    // With a film every try takes long, so it is the last of each kind then: the film goes last.
    let of_kind =
        |at: &Vec<usize>| if film { [at.len() - 1; 2] } else { [0, at.len() - 1] }.map(|n| at[n]);
    let every = if film { kinds.len() } else { EVERY };
    let mut chosen: Vec<_> = places.values().flat_map(of_kind).collect();
    chosen.extend((0..kinds.len()).step_by(every));
    chosen.sort_unstable();
    chosen.dedup();
    assert!(places.len() > 8, "only these kinds: {:?}", places.keys());
    chosen.into_iter().map(|at| at as u64 + 1).collect()
}

async fn assert_converges(mission: &mut Mission, when: &str) {
    mission.assert_claims_hold(when).await;
    mission.open().await;
    let healed = mission.run().await;
    assert_eq!(healed.exit_code(), 0, "{when}: {:?}", healed.problems);
    // Amazon moves nothing, so there the old place of what was renamed goes as what was deleted does.
    mission.world.clock.skip(31 * DAY);
    let later = mission.run().await;
    assert_eq!(later.exit_code(), 0, "{when}: {:?}", later.problems);
    mission.assert_mirrored(when).await;
    let before = mission.changes();
    let idle = mission.run().await;
    assert_eq!((idle.exit_code(), idle.new.files), (0, 0), "{when}");
    assert_eq!(mission.changes(), before, "{when}: an idle run changed something");
}

async fn at_chosen_requests(film: bool, incident: Incident) {
    for n in chosen(film).await {
        let mut mission = eventful(film).await;
        let wire = Wire::new(&mission, n, incident.clone());
        mission.open_through(&wire).await;
        tokio::select! {
            () = wire.died() => {}
            _ = mission.run() => {}
        }
        let kinds = wire.kinds();
        let met = kinds.get(usize::try_from(n).unwrap() - 1).map_or("none", String::as_str);
        let when = format!("{incident:?} at request {n}, {met}");
        assert_converges(&mut mission, &when).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_may_fail_before_it_arrives() {
    at_chosen_requests(true, Incident::Fault(Fault::Reset)).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_get_lost() {
    at_chosen_requests(true, Incident::Fault(Fault::LoseAnswer)).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_break_off() {
    at_chosen_requests(false, Incident::Fault(Fault::CutBody(10))).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_may_meet_a_server_in_trouble() {
    let trouble = Fault::Status { status: 503, retry_after: None, body: "<html>upstream</html>" };
    at_chosen_requests(false, Incident::Fault(trouble)).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_may_be_one_too_many() {
    let too_many = Fault::Status { status: 429, retry_after: Some(7), body: "{}" };
    at_chosen_requests(false, Incident::Fault(too_many)).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_before_a_request() {
    at_chosen_requests(true, Incident::Death(Death::Before)).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_after_a_request() {
    at_chosen_requests(true, Incident::Death(Death::After)).await;
}
