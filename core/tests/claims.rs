//! How claims get into the catalog: soon, and many at a time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use safelight_core::job::{MirrorOptions, Tools};
use safelight_core::mirror::mirror;
use safelight_core::monitor::{Event, Monitor};
use safelight_core::time::Clock;
use safelight_testkit::clock::SimClock;
use safelight_testkit::slow::SlowProvider;
use world::World;

const BETWEEN_COMMITS: Duration = Duration::from_millis(50);

/// When copies were told of, which is after the commit that holds the claims.
struct Told {
    clock: Arc<SimClock>,
    times: Mutex<Vec<Duration>>,
}

impl Monitor for Told {
    fn event(&self, event: &Event<'_>) {
        if let Event::Copied { .. } = event {
            self.times.lock().unwrap().push(self.clock.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn copies_that_come_close_together_are_claimed_by_one_commit() {
    let mut world = World::new(1).await;
    world.photos(2000);
    let slow = SlowProvider::new(world.stores[0].clone(), world.clock.clone());
    world.replace(0, Arc::new(slow.latency(Duration::from_millis(1))));
    let told = Arc::new(Told { clock: world.clock.clone(), times: Mutex::default() });
    let tools = Tools { monitor: told.clone(), ..world.tools() };
    let began = world.clock.elapsed();
    let report = mirror(&world.job, &MirrorOptions::default(), &tools).await.unwrap();
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    let took = world.clock.elapsed().saturating_sub(began);

    let times = told.times.lock().unwrap();
    assert_eq!(times.len(), 2000);
    let commits: BTreeSet<Duration> = times.iter().copied().collect();
    let most = took.as_millis() / BETWEEN_COMMITS.as_millis() + 2;
    assert!((commits.len() as u128) <= most, "{} commits in {took:?}", commits.len());
}
