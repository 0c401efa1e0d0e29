//! An export from an S3 stand-in that is far away and runs in a process of its own. Other tools read from the same one.

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use safelight_catalog::SqliteCatalog;
use safelight_core::job::{Destination, Stop, Tools};
use safelight_core::monitor::Silent;
use safelight_core::notebook::Loose;
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Settings, Value};
use safelight_core::secret::Secret;
use safelight_core::time::{Clock, SystemClock};
use safelight_core::wrap::{RetryPolicy, wrapped};
use safelight_export::inventory::{Inventory, Look};
use safelight_export::plan::{Export, Wishes};
use safelight_export::run::Options;
use safelight_export::weigh::Standing;
use safelight_http::ReqwestTransport;
use safelight_sandbox::{Fault, Rule, S3Sandbox};
use tokio_util::sync::CancellationToken;

use crate::peak_megabytes;

const LATENCY: Duration = Duration::from_millis(40);
const LENGTH: usize = 200_000;
const BUCKET: &str = "photos";

/// Serves so many photos until stdin closes; what has to be known stands on the first line of stdout, as a shell reads
/// it.
pub async fn serve(folder: &Path, files: u64) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    for n in 0..files {
        let place = folder.join(BUCKET).join(format!("{:02}", n % 50));
        std::fs::create_dir_all(&place).expect("a folder");
        std::fs::write(place.join(format!("IMG_{n:05}.jpg")), noise(n)).expect("a file");
    }
    let sandbox = S3Sandbox::start(folder, BUCKET).await.expect("a stand-in");
    sandbox.traffic().inject(Rule::next(Fault::Delay(LATENCY, clock)).times(u64::MAX));
    println!(
        "AWS_ENDPOINT_URL={} AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}",
        sandbox.endpoint(),
        sandbox.access_key_id(),
        sandbox.secret_access_key().expose()
    );
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
    waiting.await.expect("the end of stdin");
    sandbox.stop().await;
}

/// Bytes that no two photos share.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).take(LENGTH / 8).flatten().collect()
}

/// Exports everything to a folder, as the program does without any tuning, and tells time and peak memory.
pub async fn export(target: &Path) {
    let began = Instant::now();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let told = |name| env::var(name).expect("what serve-s3 told");
    let secret = |name| Value::Secret(Secret::new(told(name)));
    let s3 = Settings::new("s3")
        .with_text("bucket", BUCKET)
        .with_text("endpoint", told("AWS_ENDPOINT_URL"))
        .with("access_key_id", secret("AWS_ACCESS_KEY_ID"))
        .with("secret_access_key", secret("AWS_SECRET_ACCESS_KEY"));
    let service = open("s3", s3, &clock).await;
    std::fs::create_dir_all(target).expect("the target");
    let disk = Settings::new("target").with_text("path", target.to_str().expect("a plain path"));
    let disk = open("disk", disk, &clock).await;

    let state = tempfile::tempdir().expect("a temporary folder");
    let catalog = SqliteCatalog::open(&state.path().join("catalog.db"), "export").await;
    let tools = Tools {
        catalog: Arc::new(catalog.expect("a catalog")),
        clock,
        monitor: Arc::new(Silent),
        stop: Stop::default(),
    };
    let inventory = Inventory::take(&*service, &Look::default(), &tools).await.expect("a listing");
    let listed = began.elapsed();
    let standings = vec![Standing::default(); inventory.items.len()];
    let export = Export {
        name: "bench".to_owned(),
        service,
        inventory: Arc::new(inventory),
        standings: Arc::new(standings),
        targets: vec![Destination::new("target", disk)],
        wishes: Wishes { sidecars: true, ..Wishes::default() },
        memory_bytes: 128 << 20,
    };
    let plan = export.plan(&*tools.catalog).await.expect("a plan");
    let outcome = export.run(&plan, &Options::default(), &tools).await.expect("an export");
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    println!(
        "{} files, listed after {:.2} s, done after {:.2} s; peak memory {} MB",
        outcome.account.all().exported.files,
        listed.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        peak_megabytes()
    );
}

async fn open(kind: &str, settings: Settings, clock: &Arc<dyn Clock>) -> Arc<dyn Provider> {
    let context = Context {
        clock: Arc::clone(clock),
        http: Arc::new(ReqwestTransport::new(Arc::clone(clock)).expect("a client")),
        cancel: CancellationToken::new(),
        notebook: Arc::new(Loose::default()),
    };
    let registry = safelight_providers::registry().expect("the providers");
    let opened = registry.get(kind).expect("a provider").open(settings, context).await;
    wrapped(opened.expect("it to open"), clock, RetryPolicy::default(), None)
}
