//! One destination far slower than the others: it neither slows them nor makes the library be read again and
//! again, and in the end it has everything.
//!
//! Time does not run here: the slow destination may take its next step each time a fast one has stored so many
//! files. So the tests say what waits for what and not how long it took.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use safelight_core::job::{MirrorOptions, Tools};
use safelight_core::mirror::{RunReport, mirror};
use safelight_core::monitor::{Event, Monitor};
use safelight_core::time::{Clock, Timestamp};
use safelight_testkit::slow::SlowProvider;
use tokio::sync::Semaphore;
use world::{World, at};

/// How many files a fast destination stores while the slow one stores one.
const SLOWER: usize = 20;

/// Hands turns to the slow destination while the fast ones go on.
#[derive(Debug)]
struct Turns {
    given: Semaphore,
    begun: AtomicBool,
    copied: [AtomicUsize; 2],
    /// What the slow one had stored when the fast one had stored all.
    slow_had: Mutex<Option<usize>>,
    files: usize,
}

impl Turns {
    fn new(files: usize) -> Arc<Self> {
        Arc::new(Self {
            given: Semaphore::new(0),
            begun: AtomicBool::new(false),
            copied: Default::default(),
            slow_had: Mutex::default(),
            files,
        })
    }
}

/// The clock of the slow destination: a wait lasts until it is its turn.
#[derive(Debug)]
struct Turn(Arc<Turns>);

impl Clock for Turn {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        let turns = Arc::clone(&self.0);
        Box::pin(async move {
            if turns.begun.load(Ordering::SeqCst)
                && !span.is_zero()
                && let Ok(turn) = turns.given.acquire().await
            {
                turn.forget();
            }
        })
    }
}

impl Monitor for Turns {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { .. } => self.begun.store(true, Ordering::SeqCst),
            Event::Copied { destination: "d0", .. } => {
                let fast = 1 + self.copied[0].fetch_add(1, Ordering::SeqCst);
                if fast.is_multiple_of(SLOWER) {
                    self.given.add_permits(1);
                }
                if fast == self.files {
                    let slow = self.copied[1].load(Ordering::SeqCst);
                    self.slow_had.lock().unwrap().get_or_insert(slow);
                    self.given.close();
                }
            }
            Event::Copied { destination: "d2", .. } => {
                self.copied[1].fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }
}

/// Mirrors `files` files of `size` bytes to two fast destinations and a slow one, within `memory` bytes.
async fn run(files: usize, size: usize, memory: u64) -> (World, RunReport) {
    let mut world = World::new(3).await;
    for number in 0..files {
        let bytes = format!("photo {number} ").into_bytes().into_iter().cycle().take(size);
        world.library.write(format!("2024/IMG_{number:05}.jpg"), bytes.collect::<Vec<_>>());
    }
    world.job.memory_bytes = memory;
    let turns = Turns::new(files);
    let clock = Arc::new(Turn(Arc::clone(&turns)));
    let slow = SlowProvider::new(world.stores[2].clone(), clock).latency(Duration::from_secs(1));
    world.replace(2, Arc::new(slow));
    let tools = Tools { monitor: turns.clone(), ..world.tools() };
    let report = mirror(&world.job, &MirrorOptions::default(), &tools).await.unwrap();

    let slow_had = turns.slow_had.lock().unwrap().expect("the fast one stored everything");
    assert!(slow_had <= files / SLOWER, "{slow_had}");
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    for store in 0..3 {
        assert!(at(&report, &format!("d{store}")).adds_up());
        world.assert_mirrored(store);
    }
    (world, report)
}

#[tokio::test]
async fn what_the_slow_one_waits_for_is_kept_in_memory_and_read_once() {
    let (world, report) = run(1000, 2000, 128 << 20).await;
    assert_eq!(report.read_amplification(), Some(1.0));
    assert_eq!(world.library.counts().bytes_read, 1000 * 2000);
}

#[tokio::test]
async fn what_does_not_fit_into_memory_is_read_again_for_the_slow_one_alone() {
    let (_, report) = run(400, 20_000, 1 << 20).await;
    let again = report.read_amplification().unwrap();
    assert!(again > 1.0 && again <= 2.0, "{again}");
}

#[tokio::test]
async fn many_tiny_files_that_wait_for_the_slow_one_do_not_use_up_the_memory_of_the_others() {
    let (_, report) = run(1500, 10, 1 << 20).await;
    assert!(report.read_amplification().unwrap() <= 2.0);
}

#[tokio::test]
async fn films_that_pass_through_are_not_held_up_by_the_slow_one() {
    let (_, report) = run(20, 9 << 20, 256 << 20).await;
    assert!(report.read_amplification().unwrap() <= 2.0);
}

#[tokio::test]
async fn films_are_read_once_for_destinations_of_like_speed() {
    let mut world = World::new(3).await;
    for number in 0..6 {
        world.library.write(format!("VID_{number}.mov"), vec![number; 9 << 20]);
    }
    for at in 0..3 {
        let store = world.stores[at].clone();
        let slow = SlowProvider::new(store, world.clock.clone()).rate(100 << 20);
        world.replace(at, Arc::new(slow));
    }
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    assert_eq!(report.read_amplification(), Some(1.0));
    (0..3).for_each(|at| world.assert_mirrored(at));
}
