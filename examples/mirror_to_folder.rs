//! Safelight as a library: mirrors a folder to another one and prints what came of it.
//!
//! ```sh
//! cargo run --example mirror_to_folder -- ~/Pictures /media/PHOTOS/Safelight ~/photos-catalog.db
//! ```
//!
//! The catalog remembers what was copied, so that a second run sends only what is new.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use safelight_catalog::SqliteCatalog;
use safelight_core::class::Classifier;
use safelight_core::error::Result;
use safelight_core::filter::Filter;
use safelight_core::inspect::ByName;
use safelight_core::job::{
    ChangeRules, DeletionRules, Destination, Guard, MirrorJob, MirrorOptions, Stop, Tools,
};
use safelight_core::mirror::{RunReport, mirror};
use safelight_core::monitor::Silent;
use safelight_core::time::SystemClock;
use safelight_disk::{Disk, Options};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [library, copy, catalog] = arguments.as_slice() else {
        eprintln!("usage: mirror_to_folder LIBRARY COPY CATALOG");
        return ExitCode::from(2);
    };
    match run(library, copy, catalog).await {
        Ok(report) => {
            print(&report);
            ExitCode::from(u8::try_from(report.exit_code()).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("error: {error}   [{}]", error.id());
            ExitCode::FAILURE
        }
    }
}

async fn run(library: &Path, copy: &Path, catalog: &Path) -> Result<RunReport> {
    let clock = Arc::new(SystemClock::start());
    let disk = Disk::destination("copy", copy, Options::default(), clock.clone());
    let day = Duration::from_hours(24);
    let job = MirrorJob {
        name: "mirror".to_owned(),
        library: Arc::new(Disk::library(library)),
        filter: Filter::default(),
        settle: Duration::ZERO,
        classifier: Classifier::default(),
        inspector: Arc::new(ByName::default()),
        destinations: vec![Destination::new("copy", Arc::new(disk))],
        deletions: DeletionRules {
            propagate_after: Some(30 * day),
            keep_for: 180 * day,
            guard: Guard { files: 200, share: 0.02 },
        },
        changes: ChangeRules { keep_versions: 3, guard: Guard { files: 500, share: 0.05 } },
        memory_bytes: 64 << 20,
    };
    let tools = Tools {
        catalog: Arc::new(SqliteCatalog::open(catalog, "mirror_to_folder").await?),
        clock,
        monitor: Arc::new(Silent),
        stop: Stop::default(),
    };
    mirror(&job, &MirrorOptions::default(), &tools).await
}

fn print(report: &RunReport) {
    println!("{} files in the library, {} new", report.files.files, report.new.files);
    for one in &report.destinations {
        println!("{}: {} copied, {} unchanged", one.name, one.copied.files, one.unchanged);
    }
    for problem in &report.problems {
        let what = problem.key.as_ref().map_or(String::new(), ToString::to_string);
        println!("{what}: {}   [{}]", problem.message, problem.code);
    }
}
