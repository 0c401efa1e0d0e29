//! A stand-in for the account, and a destination in it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use bytes::Bytes;
use safelight_amazon_photos::AmazonPhotosFactory;
use safelight_core::entry::Version;
use safelight_core::error::Result;
use safelight_core::http::HttpTransport;
use safelight_core::notebook::{Loose, Notebook};
use safelight_core::permit::{Disposal, Grounds, RemovalPermit};
use safelight_core::provider::{Provider, Removed};
use safelight_core::registry::{Context, Factory as _, Settings, Value};
use safelight_core::secret::Secret;
use safelight_core::time::{Clock, SystemClock, Timestamp};
use safelight_http::ReqwestTransport;
use safelight_sandbox::AmazonSandbox;
#[allow(unused_imports)]
pub use safelight_sandbox::amazon::{Behaviour, Expiry, Plan, RateLimit};
#[allow(unused_imports)]
pub use safelight_testkit::clock::{QuickClock as Quick, SimClock};
#[allow(unused_imports)]
pub use safelight_testkit::short::{
    digests, files, files_in, key, keys, list, put, put_as, read, request, stream, stream_of,
};
use tokio_util::sync::CancellationToken;

pub const ROOT: &str = "Pictures/Safelight";

/// A stand-in and what belongs to it.
pub struct Account {
    pub folder: tempfile::TempDir,
    pub sandbox: AmazonSandbox,
    pub clock: Arc<SimClock>,
    pub notebook: Arc<dyn Notebook>,
}

impl Account {
    pub async fn new(behaviour: Behaviour) -> Self {
        let clock = Arc::new(SimClock::start());
        let folder = tempfile::tempdir().unwrap();
        let sandbox = AmazonSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
        Self { folder, sandbox, clock, notebook: Arc::new(Loose::default()) }
    }

    /// As it is from the start.
    pub async fn ordinary() -> Self {
        Self::new(Behaviour::default()).await
    }

    pub async fn behaving(change: impl FnOnce(&mut Behaviour)) -> Self {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        Self::new(behaviour).await
    }

    pub fn settings(&self) -> Settings {
        at(&self.sandbox.metadata_url(), &self.sandbox.content_url())
            .with("account", Value::Secret(self.sandbox.cookies()))
    }

    pub async fn open(&self) -> Arc<dyn Provider> {
        self.open_with(self.settings()).await
    }

    pub async fn open_with(&self, settings: Settings) -> Arc<dyn Provider> {
        AmazonPhotosFactory.open(settings, self.context()).await.unwrap()
    }

    pub fn context(&self) -> Context {
        let http = Arc::new(self.sandbox.direct());
        context(self.clock.clone(), http, self.notebook.clone())
    }

    /// All calls that this method and route had.
    pub fn calls(&self, route: &str) -> u64 {
        self.sandbox.calls(route)
    }

    /// Calls that sent bytes.
    pub fn uploads(&self) -> u64 {
        self.calls("POST v2/upload") + self.calls("POST cdproxy/nodes")
    }
}

pub fn context(
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpTransport>,
    notebook: Arc<dyn Notebook>,
) -> Context {
    Context { clock, http, cancel: CancellationToken::new(), notebook }
}

pub fn at(metadata: &str, content: &str) -> Settings {
    Settings::new("amazon")
        .with_text("metadata_url", metadata)
        .with_text("content_url", content)
        .with_text("thumbnail_url", content)
        .with_text("root", ROOT)
}

pub const SECRET: &str = "canary-Atza|AbCdEf";

/// A destination at an address that answers by script, over a socket.
pub async fn scripted(url: &str, clock: Arc<dyn Clock>) -> Arc<dyn Provider> {
    let cookies = format!("session-id={SECRET}; ubid-main={SECRET}; at-main={SECRET}");
    let settings =
        at(url, url).with_text("root", "").with("account", Value::Secret(Secret::new(cookies)));
    let http = ReqwestTransport::new(Arc::new(SystemClock::start())).unwrap();
    let context = context(clock, Arc::new(http), Arc::new(Loose::default()));
    AmazonPhotosFactory.open(settings, context).await.unwrap()
}

/// Bytes that follow from a seed.
pub fn noise(seed: usize, length: usize) -> Bytes {
    let mut state = seed as u64 * 2 + 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let words = std::iter::repeat_with(next).take(length.div_ceil(8));
    words.flatten().take(length).collect()
}

/// The same, told by its first bytes for a picture.
pub fn photo(seed: usize, length: usize) -> Bytes {
    let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec();
    bytes.extend_from_slice(&noise(seed, length));
    bytes.truncate(length.max(12));
    bytes.into()
}

pub async fn trash(
    account: &Account,
    provider: &dyn Provider,
    path: &str,
    version: Option<Version>,
) -> Result<Removed> {
    let grounds = Grounds::DeletedFromLibrary { noticed: Timestamp::default() };
    let disposal = Disposal::Trash(key(&format!(".safelight/trash/{path}")));
    let permit =
        RemovalPermit::grant(key(path), version, disposal, grounds, &*account.clock).unwrap();
    provider.remove(permit).await
}
