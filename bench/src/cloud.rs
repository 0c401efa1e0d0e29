//! A mirror to the Dropbox stand-in, which runs in a process of its own, so that the memory counted is the mirror's.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use safelight_core::notebook::Loose;
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Factory, Settings, Value};
use safelight_core::secret::Secret;
use safelight_core::time::{Clock, SystemClock};
use safelight_dropbox::DropboxFactory;
use safelight_http::ReqwestTransport;
use safelight_sandbox::DropboxSandbox;
use safelight_sandbox::dropbox::Behaviour;
use tokio_util::sync::CancellationToken;

use crate::{Bench, peak_megabytes};

/// Serves a stand-in until stdin closes; its address, key and token stand on the first line of stdout.
pub async fn serve(folder: &Path) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let behaviour = Behaviour::default();
    let sandbox = DropboxSandbox::start(folder, clock, behaviour).await.expect("a stand-in");
    let token = sandbox.refresh_token().expose();
    println!("{} {} {token}", sandbox.url(), sandbox.app_key());
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
    waiting.await.expect("the end of stdin");
    sandbox.stop().await;
}

/// Mirrors a folder to a stand-in and tells time and peak memory.
pub async fn mirror(library: &Path) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut serving = Command::new(std::env::current_exe().expect("this program"))
        .args(["serve-dropbox".as_ref(), folder.path().as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second process");
    let mut line = String::new();
    let out = serving.stdout.take().expect("its stdout");
    BufReader::new(out).read_line(&mut line).expect("a line");
    let words: Vec<&str> = line.split_whitespace().collect();
    let [url, key, token] = words[..] else { panic!("no stand-in: {line}") };

    let bench = Bench::new(library);
    let provider = open(url, key, token, &bench.clock).await;
    let job = bench.job(vec![provider]);
    let (report, took, ..) = bench.run(&job, "catalog.db").await;
    println!(
        "{} files, {} MB in {:.1} s; peak memory {} MB",
        report.files.files,
        report.files.bytes / 1_000_000,
        took.as_secs_f64(),
        peak_megabytes()
    );
    drop(serving.stdin.take());
    serving.wait().expect("the end of the stand-in");
}

async fn open(url: &str, key: &str, token: &str, clock: &Arc<dyn Clock>) -> Arc<dyn Provider> {
    let hosts = ["api_url", "content_url", "notify_url", "www_url"];
    let settings = hosts
        .into_iter()
        .fold(Settings::new("dropbox"), |settings, host| settings.with_text(host, url))
        .with_text("app_key", key)
        .with("token", Value::Secret(Secret::new(token)));
    let context = Context {
        clock: Arc::clone(clock),
        http: Arc::new(ReqwestTransport::new(Arc::clone(clock)).expect("a client")),
        cancel: CancellationToken::new(),
        notebook: Arc::new(Loose::default()),
    };
    DropboxFactory.open(settings, context).await.expect("a destination")
}
