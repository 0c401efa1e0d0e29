//! A run whose time is up: what is under way ends well, what waits for its turn is left for the next run.
//!
//! Time does not run here: it is up while a certain copy is being stored.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use safelight_core::job::{MirrorOptions, Tools};
use safelight_core::mirror::mirror;
use safelight_core::time::{Clock, Timestamp};
use safelight_testkit::faulty::{Call, Fault, FaultyProvider, Script};
use tokio::sync::Semaphore;
use world::{World, at};

const LIMIT: Duration = Duration::from_hours(5);
/// How long the copy takes in which the time is up.
const LONG: Duration = Duration::from_hours(50);

/// Lets the limit come while the long copy is under way, and that one end after it.
#[derive(Debug)]
struct Times {
    begun: Semaphore,
    over: Semaphore,
    others: Arc<dyn Clock>,
}

#[derive(Debug)]
struct Scripted(Arc<Times>);

impl Clock for Scripted {
    fn now(&self) -> Timestamp {
        self.0.others.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        let times = Arc::clone(&self.0);
        Box::pin(async move {
            match span {
                LIMIT => {
                    let _ = times.begun.acquire().await.unwrap();
                    times.over.add_permits(1);
                }
                LONG => {
                    times.begun.add_permits(1);
                    let _ = times.over.acquire().await.unwrap();
                }
                other => times.others.sleep(other).await,
            }
        })
    }
}

#[tokio::test]
async fn what_waits_for_its_turn_is_left_once_the_time_is_up() {
    let mut world = World::new(1).await;
    world.photos(30);
    let times = Arc::new(Times {
        begun: Semaphore::new(0),
        over: Semaphore::new(0),
        others: world.clock.clone(),
    });
    let clock = Arc::new(Scripted(times));
    let script = Arc::new(Script::new().on(Call::Put, 7, Fault::Delay(LONG)));
    let slow = FaultyProvider::new(world.stores[0].clone(), script, clock.clone());
    world.replace(0, Arc::new(slow));
    world.job.destinations[0].rules.concurrency = Some(1);
    let options = MirrorOptions { max_duration: Some(LIMIT), ..MirrorOptions::default() };
    let tools = Tools { clock, ..world.tools() };
    let report = mirror(&world.job, &options, &tools).await.unwrap();
    // The first thing that is stored is the marker.
    let one = at(&report, "d0");
    assert_eq!((report.exit_code(), one.copied.files, one.skipped), (10, 6, 24));
    assert!(one.adds_up(), "{one:?}");
    assert_eq!(at(&world.run().await, "d0").copied.files, 24);
}
