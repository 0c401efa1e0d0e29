//! A small world for engine tests: a library and destinations in memory, a real catalog, a clock that tests
//! move.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::{Catalog, RunId};
use safelight_core::class::Classifier;
use safelight_core::codes::Code;
use safelight_core::error::Result;
use safelight_core::filter::Filter;
use safelight_core::inspect::ByName;
use safelight_core::job::{
    ChangeRules, DeletionRules, Destination, Guard, MirrorJob, MirrorOptions, Stop, Tools,
};
use safelight_core::key::Key;
use safelight_core::mirror::{DestinationReport, RunReport, mirror};
use safelight_core::monitor::{Event, Monitor};
use safelight_core::provider::Provider;
use safelight_core::time::Clock;
use safelight_core::wrap::{RetryPolicy, Retrying};
use safelight_testkit::clock::SimClock;
use safelight_testkit::memory::MemoryProvider;

pub const DAY: Duration = Duration::from_hours(24);

/// What the monitor heard, as words.
#[derive(Default)]
pub struct Heard(pub Mutex<Vec<String>>);

impl Monitor for Heard {
    fn event(&self, event: &Event<'_>) {
        let words = match event {
            Event::Problem { problem, .. } => format!("problem {}", problem.code),
            Event::Copied { destination, key, moved, .. } => {
                format!("{} {destination} {key}", if *moved { "moved" } else { "copied" })
            }
            Event::Stopped { destination, code, .. } => format!("stopped {destination} {code}"),
            Event::Waiting { destination, code, .. } => format!("waiting {destination} {code}"),
            Event::Resumed { destination } => format!("resumed {destination}"),
            Event::Removed { destination, key } => format!("removed {destination} {key}"),
            _ => return,
        };
        self.0.lock().unwrap().push(words);
    }
}

pub struct World {
    pub clock: Arc<SimClock>,
    pub library: Arc<MemoryProvider>,
    pub stores: Vec<Arc<MemoryProvider>>,
    pub catalog: Arc<SqliteCatalog>,
    pub heard: Arc<Heard>,
    pub stop: Stop,
    pub job: MirrorJob,
}

pub fn key(path: impl AsRef<[u8]>) -> Key {
    Key::new(path).unwrap()
}

impl World {
    /// A library and `count` destinations named `d0`, `d1` ... that are like disks.
    pub async fn new(count: usize) -> Self {
        let clock = Arc::new(SimClock::start());
        let store = |at: usize| {
            let name = format!("d{at}");
            let build = MemoryProvider::build(&name).clock(clock.clone()).like_a_disk();
            Arc::new(build.finish())
        };
        let stores = (0..count).map(store).collect();
        Self::with(clock.clone(), stores).await
    }

    pub async fn with(clock: Arc<SimClock>, stores: Vec<Arc<MemoryProvider>>) -> Self {
        let library =
            MemoryProvider::build("library").clock(clock.clone()).like_a_disk().read_only();
        let library = Arc::new(library.finish());
        let catalog = SqliteCatalog::scratch(Path::new("/nonexistent/catalog.db")).await.unwrap();
        let destination = |(at, store): (usize, &Arc<MemoryProvider>)| {
            Destination::new(format!("d{at}"), store.clone())
        };
        let job = MirrorJob {
            name: "mirror".to_owned(),
            library: library.clone(),
            filter: Filter::default(),
            classifier: Classifier::default(),
            inspector: Arc::new(ByName::default()),
            settle: Duration::ZERO,
            destinations: stores.iter().enumerate().map(destination).collect(),
            deletions: DeletionRules {
                propagate_after: Some(30 * DAY),
                keep_for: 180 * DAY,
                guard: Guard { files: 200, share: 0.02 },
            },
            changes: ChangeRules { keep_versions: 3, guard: Guard { files: 500, share: 0.05 } },
            memory_bytes: 128 << 20,
        };
        Self {
            clock,
            library,
            stores,
            catalog: Arc::new(catalog),
            heard: Arc::default(),
            stop: Stop::default(),
            job,
        }
    }

    pub fn tools(&self) -> Tools {
        Tools {
            catalog: self.catalog.clone(),
            clock: self.clock.clone(),
            monitor: self.heard.clone(),
            stop: self.stop.clone(),
        }
    }

    /// Puts retries around every destination, as the program does.
    pub fn retrying(&mut self) {
        let clock: Arc<dyn Clock> = self.clock.clone();
        for one in &mut self.job.destinations {
            if let Ok(opened) = &one.opened {
                let policy = RetryPolicy::default();
                one.opened = Ok(Arc::new(Retrying::new(opened.clone(), clock.clone(), policy)));
            }
        }
    }

    pub fn replace(&mut self, at: usize, provider: Arc<dyn Provider>) {
        self.job.destinations[at].opened = Ok(provider);
    }

    pub async fn try_run(&self, options: &MirrorOptions) -> Result<RunReport> {
        mirror(&self.job, options, &self.tools()).await
    }

    pub async fn run(&self) -> RunReport {
        self.run_with(&MirrorOptions::default()).await
    }

    pub async fn run_with(&self, options: &MirrorOptions) -> RunReport {
        let report = self.try_run(options).await.expect("a run that ends with a report");
        for one in &report.destinations {
            assert!(one.adds_up(), "totals of {}: {one:?}", one.name);
        }
        let internal = safelight_core::codes::INTERNAL;
        assert!(!report.problem_counts.contains_key(&internal), "{:?}", report.problems);
        report
    }

    /// A small photo.
    pub fn photo(&self, path: &str) -> Key {
        self.library.write(path, format!("photo {path}").into_bytes())
    }

    pub fn photos(&self, count: usize) -> Vec<Key> {
        (0..count).map(|at| self.photo(&format!("2024/IMG_{at:04}.jpg"))).collect()
    }

    /// Whether a destination holds exactly the present files of the library, by content.
    pub fn assert_mirrored(&self, at: usize) {
        let wanted: Vec<_> = self.library.keys();
        for key in &wanted {
            assert_eq!(self.stores[at].content(key), self.library.content(key), "{key} at d{at}");
        }
        let photos =
            |keys: Vec<Key>| keys.into_iter().filter(|key| !key.is_reserved()).collect::<Vec<_>>();
        assert_eq!(photos(self.stores[at].keys()), wanted, "d{at}");
    }

    pub fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.0.lock().unwrap())
    }

    /// What is kept below an area of the reserved folder.
    pub fn kept(&self, at: usize, area: &str) -> Vec<String> {
        let keys = self.stores[at].keys();
        let prefix = format!(".safelight/{area}/");
        keys.iter().map(ToString::to_string).filter(|key| key.starts_with(&prefix)).collect()
    }
}

pub fn codes(report: &RunReport) -> Vec<Code> {
    report.problems.iter().map(|problem| problem.code).collect()
}

pub fn at<'a>(report: &'a RunReport, name: &str) -> &'a DestinationReport {
    report.destinations.iter().find(|one| one.name == name).unwrap()
}

pub async fn last_run(world: &World) -> RunId {
    world.catalog.runs(1).await.unwrap()[0].id
}
