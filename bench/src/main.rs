//! Measurements that need no other tool. `bench/README.md` says what each figure means and when it was taken.
//!
//! ```text
//! bench tree DIR FILES          make a library of small files
//! bench memory DIR              mirror DIR to three destinations that discard, tell time and peak memory
//! bench lanes DIR               one destination 20 times slower: read amplification, and how far the others
//!                               are held back
//! bench dropbox DIR             mirror DIR to the Dropbox stand-in in another process, tell time and peak memory
//! bench serve-s3 DIR FILES      serve so many files of 200 KB as S3 does, 40 ms away, until stdin closes
//! bench export DIR              export what is served to DIR; the environment says where it is (see export_s3.sh)
//! ```
#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used)]

mod cloud;
mod discard;
mod export;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use discard::Discard;
use safelight_catalog::SqliteCatalog;
use safelight_core::class::Classifier;
use safelight_core::filter::Filter;
use safelight_core::job::{
    ChangeRules, DeletionRules, Destination, Guard, MirrorJob, MirrorOptions, Stop, Tools,
};
use safelight_core::mirror::{RunReport, mirror};
use safelight_core::monitor::{Event, Monitor};
use safelight_core::provider::Provider;
use safelight_core::time::{Clock, SystemClock};
use safelight_disk::Disk;
use safelight_media::Media;
use safelight_testkit::generate::Tree;
use safelight_testkit::slow::SlowProvider;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tree", folder, files] => tree(Path::new(folder), files.parse().expect("a number")),
        ["memory", library] => memory(Path::new(library)).await,
        ["lanes", library] => lanes(Path::new(library)).await,
        ["dropbox", library] => cloud::mirror(Path::new(library)).await,
        ["serve-dropbox", folder] => cloud::serve(Path::new(folder)).await,
        ["serve-s3", folder, files] => {
            export::serve(Path::new(folder), files.parse().expect("a number")).await;
        }
        ["export", target] => export::export(Path::new(target)).await,
        _ => println!(
            "usage: bench tree DIR FILES | memory DIR | lanes DIR | dropbox DIR | serve-s3 DIR FILES | export DIR"
        ),
    }
}

fn tree(folder: &Path, files: u64) {
    std::fs::create_dir_all(folder).expect("the folder");
    let written = Tree::new(7, files).lengths(100, 1400).write_to(folder).expect("the tree");
    println!("{} files, {} bytes", written.files, written.bytes);
}

/// When each destination got its last copy.
#[derive(Default)]
struct Finish {
    last: Mutex<std::collections::BTreeMap<String, Instant>>,
    copied: AtomicU64,
}

impl Monitor for Finish {
    fn event(&self, event: &Event<'_>) {
        if let Event::Copied { destination, .. } = event {
            self.copied.fetch_add(1, Ordering::Relaxed);
            self.last.lock().unwrap().insert((*destination).to_owned(), Instant::now());
        }
    }
}

struct Bench {
    folder: tempfile::TempDir,
    library: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Bench {
    fn new(library: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, library: library.to_owned(), clock: Arc::new(SystemClock::start()) }
    }

    fn job(&self, destinations: Vec<Arc<dyn Provider>>) -> MirrorJob {
        let destination = |provider: Arc<dyn Provider>| {
            Destination::new(provider.identity().name.clone(), provider)
        };
        let guard = Guard { files: 200, share: 0.02 };
        MirrorJob {
            name: "bench".to_owned(),
            library: Arc::new(Disk::library(&self.library)),
            filter: Filter::default(),
            classifier: Classifier::default(),
            inspector: Arc::new(Media),
            settle: Duration::ZERO,
            destinations: destinations.into_iter().map(destination).collect(),
            deletions: DeletionRules { propagate_after: None, keep_for: Duration::ZERO, guard },
            changes: ChangeRules { keep_versions: 0, guard },
            memory_bytes: 128 << 20,
        }
    }

    async fn run(
        &self,
        job: &MirrorJob,
        catalog: &str,
    ) -> (RunReport, Duration, Arc<Finish>, Instant) {
        let path = self.folder.path().join(catalog);
        let catalog = Arc::new(SqliteCatalog::open(&path, "bench").await.expect("a catalog"));
        let monitor = Arc::new(Finish::default());
        let tools = Tools {
            catalog,
            clock: Arc::clone(&self.clock),
            monitor: monitor.clone(),
            stop: Stop::default(),
        };
        let began = Instant::now();
        let report = mirror(job, &MirrorOptions::default(), &tools).await.expect("a run");
        assert_eq!(report.exit_code(), 0, "{report:?}");
        (report, began.elapsed(), monitor, began)
    }
}

async fn memory(library: &Path) {
    let bench = Bench::new(library);
    let names = ["one", "two", "three"];
    let stores: Vec<Arc<Discard>> =
        names.into_iter().map(|name| Arc::new(Discard::new(name))).collect();
    let job = bench.job(stores.iter().map(|one| Arc::clone(one) as Arc<dyn Provider>).collect());
    let (report, took, monitor, _) = bench.run(&job, "catalog.db").await;
    println!(
        "first run   {} files, {} copies in {:.1} s; peak memory {} MB",
        report.files.files,
        monitor.copied.load(Ordering::Relaxed),
        took.as_secs_f64(),
        peak_megabytes()
    );
    for _ in 0..3 {
        let (report, took, ..) = bench.run(&job, "catalog.db").await;
        println!(
            "nothing new {} to send in {:.3} s; peak memory {} MB",
            report.new.files,
            took.as_secs_f64(),
            peak_megabytes()
        );
    }
}

/// Two destinations of a given speed, and a third that is as fast, or 20 times slower.
async fn lanes(library: &Path) {
    const LATENCY: Duration = Duration::from_millis(4);
    let bench = Bench::new(library);
    let mut alike = Duration::ZERO;
    for (round, factor) in [1, 20, 1, 20, 1, 20].into_iter().enumerate() {
        let slowed = |name: &str, factor: u32| -> Arc<dyn Provider> {
            let slow = SlowProvider::new(Arc::new(Discard::new(name)), Arc::clone(&bench.clock));
            Arc::new(slow.latency(LATENCY * factor))
        };
        let job = bench.job(vec![slowed("a", 1), slowed("b", 1), slowed("c", factor)]);
        let (report, took, monitor, began) = bench.run(&job, &format!("catalog-{round}.db")).await;
        let last = monitor.last.lock().unwrap();
        let others = last["a"].max(last["b"]).duration_since(began);
        println!(
            "third {factor:>2} x slower: read amplification {:.3}, the others done after {:.2} s, all after {:.2} s{}",
            report.read_amplification().unwrap_or(1.0),
            others.as_secs_f64(),
            took.as_secs_f64(),
            if factor == 1 {
                String::new()
            } else {
                format!(
                    " ({:+.1} % for the others)",
                    (others.as_secs_f64() / alike.as_secs_f64() - 1.0) * 100.0
                )
            }
        );
        if factor == 1 {
            alike = others;
        }
    }
}

/// The most memory this process ever held, as the kernel counts it.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("VmHWM: 0 kB");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0)
        / 1000
}
