//! A stand-in for the account, and a destination in it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::future::BoxFuture;
use safelight_amazon_photos::AmazonPhotosFactory;
use safelight_core::body::Body;
use safelight_core::class::MediaClass;
use safelight_core::digest::{Digests, Hasher};
use safelight_core::entry::{Entry, Listed, Scope, Version};
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::notebook::{Loose, Notebook};
use safelight_core::permit::{Disposal, Grounds, RemovalPermit};
use safelight_core::provider::{Provider, PutMode, PutRequest, Receipt, Removed};
use safelight_core::registry::{Context, Factory as _, Settings, Value};
use safelight_core::secret::Secret;
use safelight_core::time::{Clock, SystemClock, Timestamp};
use safelight_http::ReqwestTransport;
use safelight_sandbox::AmazonSandbox;
#[allow(unused_imports)]
pub use safelight_sandbox::amazon::{Behaviour, Expiry, Plan, RateLimit};
use tokio_util::sync::CancellationToken;

pub const ROOT: &str = "Pictures/Safelight";

/// A clock that runs faster than the machine's, so that waits do not make tests long.
#[derive(Debug)]
pub struct Quick {
    started: tokio::time::Instant,
    factor: u32,
}

impl Quick {
    pub fn start(factor: u32) -> Arc<Self> {
        Arc::new(Self { started: tokio::time::Instant::now(), factor })
    }
}

impl Clock for Quick {
    fn now(&self) -> Timestamp {
        Timestamp::from_parts(1_719_835_200, 0).plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed() * self.factor
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span / self.factor))
    }
}

/// A stand-in and what belongs to it.
pub struct Account {
    pub folder: tempfile::TempDir,
    pub sandbox: AmazonSandbox,
    pub clock: Arc<dyn Clock>,
    pub notebook: Arc<dyn Notebook>,
}

impl Account {
    pub async fn new(clock: Arc<dyn Clock>, behaviour: Behaviour) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = AmazonSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
        Self { folder, sandbox, clock, notebook: Arc::new(Loose::default()) }
    }

    pub async fn quick() -> Self {
        Self::new(Quick::start(100), Behaviour::default()).await
    }

    pub async fn behaving(change: impl FnOnce(&mut Behaviour)) -> Self {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        Self::new(Quick::start(100), behaviour).await
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
        context(self.clock.clone(), self.notebook.clone())
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

pub fn context(clock: Arc<dyn Clock>, notebook: Arc<dyn Notebook>) -> Context {
    let http = ReqwestTransport::new(Arc::new(SystemClock::start())).unwrap();
    Context { clock, http: Arc::new(http), cancel: CancellationToken::new(), notebook }
}

pub fn at(metadata: &str, content: &str) -> Settings {
    Settings::new("amazon")
        .with_text("metadata_url", metadata)
        .with_text("content_url", content)
        .with_text("thumbnail_url", content)
        .with_text("root", ROOT)
}

pub const SECRET: &str = "canary-Atza|AbCdEf";

/// A destination at an address that answers by script.
pub async fn scripted(url: &str, clock: Arc<dyn Clock>) -> Arc<dyn Provider> {
    let cookies = format!("session-id={SECRET}; ubid-main={SECRET}; at-main={SECRET}");
    let settings =
        at(url, url).with_text("root", "").with("account", Value::Secret(Secret::new(cookies)));
    let context = context(clock, Arc::new(Loose::default()));
    AmazonPhotosFactory.open(settings, context).await.unwrap()
}

pub fn key(path: &str) -> Key {
    Key::new(path).unwrap()
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

pub fn digests(provider: &dyn Provider, bytes: &[u8]) -> Digests {
    Hasher::of(bytes, provider.capabilities().digests)
}

pub fn request(path: &str, length: usize, mode: PutMode) -> PutRequest {
    PutRequest {
        key: key(path),
        length: length as u64,
        class: MediaClass::Photo,
        modified: Some(Timestamp::from_parts(1_600_000_000, 0)),
        mode,
        digests: Digests::default(),
    }
}

pub async fn put(provider: &dyn Provider, path: &str, bytes: &Bytes) -> Result<Receipt> {
    put_as(provider, path, bytes, PutMode::Create).await
}

pub async fn put_as(
    provider: &dyn Provider,
    path: &str,
    bytes: &Bytes,
    mode: PutMode,
) -> Result<Receipt> {
    let body = Body::whole(bytes.clone(), digests(provider, bytes));
    provider.put(request(path, bytes.len(), mode), body).await
}

/// Stores bytes that arrive in chunks of 1 MiB.
pub async fn stream(provider: &dyn Provider, path: &str, bytes: &Bytes) -> Result<Receipt> {
    stream_of(provider, path, bytes, digests(provider, bytes)).await
}

pub async fn stream_of(
    provider: &dyn Provider,
    path: &str,
    bytes: &Bytes,
    digests: Digests,
) -> Result<Receipt> {
    let (sender, body) = Body::stream(bytes.len() as u64, 8);
    let feed = async {
        for start in (0..bytes.len()).step_by(1 << 20) {
            let end = bytes.len().min(start + (1 << 20));
            if sender.send(Ok(bytes.slice(start..end))).await.is_err() {
                return;
            }
        }
        sender.finish(digests);
    };
    let storing = provider.put(request(path, bytes.len(), PutMode::Create), body);
    futures::future::join(storing, feed).await.0
}

pub async fn read(provider: &dyn Provider, path: &str) -> Result<Bytes> {
    let opened = provider.read(&key(path), None, None).await?;
    let chunks: Vec<Bytes> = opened.bytes.try_collect().await?;
    Ok(chunks.concat().into())
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

pub async fn list(provider: &dyn Provider, scope: Scope) -> Result<Vec<Listed>> {
    let pages: Vec<_> = provider.list(scope).try_collect().await?;
    Ok(pages.into_iter().flat_map(|page| page.entries).collect())
}

pub async fn files(provider: &dyn Provider) -> Vec<Entry> {
    let listed = list(provider, Scope::default()).await.unwrap();
    let files = listed.into_iter().map(|listed| match listed {
        Listed::File(entry) => entry,
        other => panic!("the listing says {other:?}"),
    });
    let mut files: Vec<_> = files.collect();
    files.sort_by(|a, b| a.key.cmp(&b.key));
    files
}

pub async fn keys(provider: &dyn Provider) -> Vec<String> {
    files(provider).await.into_iter().map(|entry| entry.key.to_string()).collect()
}
