//! A provider of a third party: it is proven by the public conformance suite, added to the registry beside
//! those built in, and mirrored to. Nothing of Safelight had to be changed for it.
//!
//! ```sh
//! cargo run --example custom_provider
//! ```
//!
//! `shelf` is the provider and its factory, which is all that a provider consists of.
#![allow(clippy::print_stdout)]

mod shelf;

use std::path::Path;
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
use safelight_core::mirror::mirror;
use safelight_core::monitor::Silent;
use safelight_core::notebook::Loose;
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Settings};
use safelight_core::time::{Clock, SystemClock};
use safelight_http::ReqwestTransport;
use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Subject};
use safelight_testkit::memory::MemoryProvider;
use tokio_util::sync::CancellationToken;

use crate::shelf::{Shelf, ShelfFactory};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = conformance::run(async || {
        let clock = Arc::new(SimClock::start());
        Subject::new(Arc::new(Shelf::new("shelf", clock.clone())), clock)
    })
    .await;
    print!("{outcome}");
    let failed = outcome.failures().count();
    println!("{} cases, {failed} failed", outcome.cases.len());
    match mirrored().await {
        Ok(exit) if failed == 0 => ExitCode::from(exit),
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}   [{}]", error.id());
            ExitCode::FAILURE
        }
    }
}

/// Mirrors a small library to the provider, opened by its kind as the program opens its own; answers the exit
/// code.
async fn mirrored() -> Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let registry = safelight_providers::registry()?.with(Arc::new(ShelfFactory))?;
    let http = Arc::new(ReqwestTransport::new(clock.clone())?);
    let context = Context {
        clock: clock.clone(),
        http,
        notebook: Arc::new(Loose::default()),
        cancel: CancellationToken::new(),
    };
    let shelf = registry.get("shelf")?.open(Settings::new("mine"), context).await?;

    let library = MemoryProvider::library();
    for number in 1..=12 {
        library.write(format!("2024/IMG_{number:04}.jpg"), format!("photo {}", number % 5));
    }
    let job = job(Arc::new(library), shelf);
    let tools = Tools {
        catalog: Arc::new(SqliteCatalog::scratch(Path::new("custom_provider.db")).await?),
        clock,
        monitor: Arc::new(Silent),
        stop: Stop::default(),
    };
    for _ in 0..2 {
        let report = mirror(&job, &MirrorOptions::default(), &tools).await?;
        let mine = &report.destinations[0];
        println!("mirror: {} copied, {} unchanged", mine.copied.files, mine.unchanged);
        if report.exit_code() != 0 || !mine.adds_up() {
            return Ok(1);
        }
    }
    Ok(0)
}

fn job(library: Arc<dyn Provider>, shelf: Arc<dyn Provider>) -> MirrorJob {
    let guard = Guard { files: 200, share: 0.02 };
    MirrorJob {
        name: "mirror".to_owned(),
        library,
        filter: Filter::default(),
        settle: Duration::ZERO,
        classifier: Classifier::default(),
        inspector: Arc::new(ByName::default()),
        destinations: vec![Destination::new("mine", shelf)],
        deletions: DeletionRules { propagate_after: None, keep_for: Duration::ZERO, guard },
        changes: ChangeRules { keep_versions: 0, guard },
        memory_bytes: 16 << 20,
    }
}
