//! Destinations for the tests: S3 by s3s-fs, WebDAV by dav-server, and scripted answers.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use dav_server::DavHandler;
use dav_server::localfs::LocalFs;
use safelight_core::body::Body;
use safelight_core::class::MediaClass;
use safelight_core::digest::{Digests, Hasher};
use safelight_core::error::Result;
use safelight_core::http::HttpTransport;
use safelight_core::key::Key;
use safelight_core::provider::{Provider, PutMode, PutRequest, Receipt};
use safelight_core::registry::{Context, Factory, Settings, Value};
use safelight_core::time::{Clock, SystemClock};
use safelight_http::ReqwestTransport;
use safelight_object::{OpenDalFactory, S3Factory};
use safelight_sandbox::{Loopback, S3Sandbox, Traffic};

/// A canary: it must never be seen in an error.
pub const SECRET: &str = "canary-wJalrXUtnFEMI";

pub fn context(clock: Arc<dyn Clock>) -> Context {
    let http = ReqwestTransport::new(Arc::new(SystemClock::start())).unwrap();
    context_with(clock, Arc::new(http))
}

pub fn context_with(clock: Arc<dyn Clock>, http: Arc<dyn HttpTransport>) -> Context {
    Context {
        clock,
        http,
        notebook: Arc::new(safelight_core::notebook::Loose::default()),
        cancel: tokio_util::sync::CancellationToken::new(),
    }
}

pub fn s3_settings(sandbox: &S3Sandbox) -> Settings {
    Settings::new("cloud")
        .with_text("bucket", sandbox.bucket())
        .with_text("endpoint", sandbox.endpoint())
        .with_text("access_key_id", sandbox.access_key_id())
        .with("secret_access_key", Value::Secret(sandbox.secret_access_key().clone()))
        .with_text("root", "lib")
        .with_text("max_key_bytes", sandbox.longest_key().to_string())
}

pub async fn s3(sandbox: &S3Sandbox) -> Arc<dyn Provider> {
    let clock = Arc::new(SystemClock::start());
    S3Factory.open(s3_settings(sandbox), context(clock)).await.unwrap()
}

/// An S3 destination at an address that answers by script.
pub async fn scripted(endpoint: &str, context: Context) -> Arc<dyn Provider> {
    S3Factory.open(scripted_settings(endpoint), context).await.unwrap()
}

pub fn scripted_settings(endpoint: &str) -> Settings {
    Settings::new("cloud")
        .with_text("bucket", "photos")
        .with_text("endpoint", endpoint)
        .with_text("access_key_id", "AKIDEXAMPLE")
        .with_text("secret_access_key", SECRET)
        .with_text("session_token", SECRET)
}

pub async fn dav(folder: &Path) -> (Loopback, Traffic) {
    let handler = DavHandler::builder().filesystem(LocalFs::new(folder, false, false, false));
    let handler = handler.build_handler();
    let traffic = Traffic::default();
    let server = Loopback::serve(traffic.clone(), move |request| {
        let handler = handler.clone();
        async move {
            use http_body_util::BodyExt;
            handler.handle(request).await.map(|body| body.map_err(Into::into).boxed_unsync())
        }
    })
    .await
    .unwrap();
    (server, traffic)
}

pub async fn webdav(endpoint: &str, context: Context) -> Arc<dyn Provider> {
    let settings = Settings::new("nas")
        .with_text("service", "webdav")
        .with_text("endpoint", endpoint)
        .with_text("root", "backup/lib");
    OpenDalFactory.open(settings, context).await.unwrap()
}

pub fn key(path: &str) -> Key {
    Key::new(path).unwrap()
}

pub fn digests(provider: &dyn Provider, bytes: &[u8]) -> Digests {
    Hasher::of(bytes, provider.capabilities().digests)
}

pub fn request(path: &str, length: usize, mode: PutMode) -> PutRequest {
    PutRequest {
        key: key(path),
        length: length as u64,
        class: MediaClass::Photo,
        modified: None,
        mode,
        digests: Digests::default(),
    }
}

pub async fn put(provider: &dyn Provider, path: &str, bytes: &[u8]) -> Result<Receipt> {
    put_as(provider, path, bytes, PutMode::Create).await
}

pub async fn put_as(
    provider: &dyn Provider,
    path: &str,
    bytes: &[u8],
    mode: PutMode,
) -> Result<Receipt> {
    let body = Body::whole(Bytes::copy_from_slice(bytes), digests(provider, bytes));
    provider.put(request(path, bytes.len(), mode), body).await
}
