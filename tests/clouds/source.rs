//! The cloud as the library: the two loops with everything read from there into a store in memory.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use safelight_core::catalog::Catalog;
use safelight_core::class::Classifier;
use safelight_core::error::Result;
use safelight_core::filter::Filter;
use safelight_core::http::HttpTransport;
use safelight_core::job::{Destination, MirrorJob, MirrorOptions};
use safelight_core::mirror::{RunReport, mirror};
use safelight_sandbox::{Fault, Rule};
use safelight_testkit::memory::MemoryProvider;

use crate::world::{Death, Dying, World, scratch};

/// Larger than what is read whole, so that a stream that breaks is met as well.
const FILM: u64 = 9 << 20;

struct Source {
    world: World,
    store: Arc<MemoryProvider>,
    catalog: Arc<dyn Catalog>,
}

impl Source {
    /// A Dropbox with some photos and a film, nothing of it fetched yet.
    async fn new() -> Self {
        let mut world = World::new().await;
        for at in 0..6 {
            world.photo(&format!("2024/IMG_{at:04}.jpg"));
        }
        world.photo("Ünïcode/Ωmega.jpg");
        world.library.write_made("film.mov", 3, FILM);
        assert_eq!(world.run().await.exit_code(), 0);
        world.open().await;
        world.cloud.forget();
        let store = MemoryProvider::build("store").clock(world.clock.clone()).like_a_disk();
        Self { world, store: Arc::new(store.finish()), catalog: scratch().await }
    }

    async fn fetch(&self) -> Result<RunReport> {
        let library = self.world.job.destinations[0].opened.as_ref().unwrap();
        let job = MirrorJob {
            name: "fetch".to_owned(),
            library: Arc::clone(library),
            filter: Filter::default(),
            classifier: Classifier::default(),
            inspector: Arc::new(safelight_core::inspect::ByName::default()),
            settle: Duration::ZERO,
            destinations: vec![Destination::new("store", self.store.clone())],
            deletions: self.world.job.deletions,
            changes: self.world.job.changes,
            memory_bytes: self.world.job.memory_bytes,
        };
        let tools = self.world.tools(&self.catalog);
        mirror(&job, &MirrorOptions::default(), &tools).await
    }

    async fn assert_converges(&mut self, when: &str) {
        self.world.cloud.traffic().heal();
        self.world.open().await;
        let healed = self.fetch().await.unwrap();
        assert_eq!(healed.exit_code(), 0, "{when}: {:?}", healed.problems);
        self.assert_only_whole_files(when);
        assert_eq!(self.photos(), self.world.library.keys(), "{when}");
        let before = self.world.cloud.calls("files/download");
        let idle = self.fetch().await.unwrap();
        assert_eq!((idle.exit_code(), idle.new.files), (0, 0), "{when}");
        assert_eq!(self.world.cloud.calls("files/download"), before, "{when}");
    }

    fn photos(&self) -> Vec<safelight_core::key::Key> {
        self.store.keys().into_iter().filter(|key| !key.is_reserved()).collect()
    }

    fn assert_only_whole_files(&self, when: &str) {
        for key in self.photos() {
            assert!(self.store.content(&key) == self.world.library.content(&key), "{when}: {key}");
        }
    }
}

async fn nth_request_fails(fault: Fault) {
    for n in 0.. {
        let mut source = Source::new().await;
        source.world.cloud.traffic().inject(Rule::next(fault.clone()).after(n));
        let when = format!("{fault:?} at request {n}");
        // A library that cannot be listed ends the run, and nothing counts as gone.
        let _ = source.fetch().await;
        let met = source.world.cloud.traffic().count(&Method::POST);
        source.assert_only_whole_files(&when);
        source.assert_converges(&when).await;
        if met <= n {
            assert!(n > 8, "the loop met only {n} requests");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_request_may_fail() {
    nth_request_fails(Fault::Reset).await;
}

#[tokio::test(start_paused = true)]
async fn any_answer_may_break_off() {
    nth_request_fails(Fault::CutBody(10)).await;
}

#[tokio::test(start_paused = true)]
async fn any_download_may_be_wrong_in_one_bit() {
    nth_request_fails(Fault::FlipBody(5)).await;
}

#[tokio::test(start_paused = true)]
async fn the_process_may_die_at_any_request() {
    for n in 1.. {
        let mut source = Source::new().await;
        let dying = Dying::at(&source.world.cloud, n, Death::After);
        source.world.open_through(Arc::clone(&dying) as Arc<dyn HttpTransport>).await;
        let died = tokio::select! {
            () = dying.died() => true,
            _ = source.fetch() => false,
        };
        let when = format!("death at request {n}");
        source.assert_only_whole_files(&when);
        source.assert_converges(&when).await;
        if !died {
            assert!(n > 8, "the loop met only {n} requests");
            return;
        }
    }
}
