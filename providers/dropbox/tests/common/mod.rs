//! A stand-in for the account, and a destination in it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use bytes::Bytes;
use safelight_core::http::HttpTransport;
use safelight_core::notebook::{Loose, Notebook};
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Factory as _, Settings, Value};
use safelight_core::secret::Secret;
use safelight_core::time::{Clock, SystemClock};
use safelight_dropbox::DropboxFactory;
use safelight_http::ReqwestTransport;
use safelight_sandbox::DropboxSandbox;
pub use safelight_sandbox::dropbox::Behaviour;
#[allow(unused_imports)]
pub use safelight_testkit::clock::{QuickClock as Quick, SimClock};
#[allow(unused_imports)]
pub use safelight_testkit::short::{
    digests, files, files_in, key, list, put, put_as, read, request, stream,
};
use tokio_util::sync::CancellationToken;

/// A stand-in and what belongs to it.
pub struct Account {
    pub folder: tempfile::TempDir,
    pub sandbox: DropboxSandbox,
    pub clock: Arc<SimClock>,
    pub notebook: Arc<dyn Notebook>,
}

impl Account {
    pub async fn new(behaviour: Behaviour) -> Self {
        let clock = Arc::new(SimClock::start());
        let folder = tempfile::tempdir().unwrap();
        let sandbox = DropboxSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
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
        at(&self.sandbox.url())
            .with_text("app_key", self.sandbox.app_key())
            .with("token", Value::Secret(self.sandbox.refresh_token().clone()))
    }

    pub async fn open(&self) -> Arc<dyn Provider> {
        self.open_with(self.settings()).await
    }

    pub async fn open_with(&self, settings: Settings) -> Arc<dyn Provider> {
        DropboxFactory.open(settings, self.context()).await.unwrap()
    }

    pub fn context(&self) -> Context {
        let http = Arc::new(self.sandbox.direct());
        context(self.clock.clone(), http, self.notebook.clone())
    }

    /// Calls besides those for tokens.
    pub fn calls(&self) -> u64 {
        self.sandbox.traffic().total() - self.sandbox.calls("oauth2/token")
    }
}

pub fn context(
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpTransport>,
    notebook: Arc<dyn Notebook>,
) -> Context {
    Context { clock, http, cancel: CancellationToken::new(), notebook }
}

pub fn at(url: &str) -> Settings {
    Settings::new("dropbox")
        .with_text("api_url", url)
        .with_text("content_url", url)
        .with_text("notify_url", url)
        .with_text("www_url", url)
}

pub const SECRET: &str = "canary-sl.u.AbCdEf";

/// A destination at an address that answers by script, over a socket.
pub async fn scripted(url: &str, clock: Arc<dyn Clock>) -> Arc<dyn Provider> {
    let settings = at(url).with("access_token", Value::Secret(Secret::new(SECRET)));
    let http = ReqwestTransport::new(Arc::new(SystemClock::start())).unwrap();
    let context = context(clock, Arc::new(http), Arc::new(Loose::default()));
    DropboxFactory.open(settings, context).await.unwrap()
}

/// Bytes that follow from a seed; no two stretches of 64 KiB are the same.
pub fn noise(seed: usize, length: usize) -> Bytes {
    const STRETCH: usize = 1 << 16;
    let base: Vec<u8> = (0..STRETCH.min(length))
        .map(|i| u8::try_from((i * 31 + i / 251 + seed * 7919) % 251).unwrap())
        .collect();
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let from = bytes.len();
        bytes.extend_from_slice(&base[..base.len().min(length - from)]);
        let mark = (from / STRETCH).to_le_bytes();
        bytes[from..].iter_mut().zip(mark).for_each(|(byte, mark)| *byte ^= mark);
    }
    bytes.into()
}
