//! A wrapper that makes a provider slow by the clock.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, once};
use futures::{FutureExt, StreamExt};
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::Result;
use safelight_core::extras::Extras;
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
};
use safelight_core::time::Clock;

use crate::relay::{Pass, put_through};

/// Waits before every call and lets bytes pass no faster than told. Under a paused tokio clock a slow line
/// costs a test no time.
pub struct SlowProvider {
    inner: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    latency: Duration,
    bytes_per_second: Option<u64>,
}

impl SlowProvider {
    /// As fast as the provider itself, until told otherwise.
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock, latency: Duration::ZERO, bytes_per_second: None }
    }

    /// Every call, and every page of a listing, takes this much longer.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Each single transfer runs at most this fast.
    #[must_use]
    pub fn rate(mut self, bytes_per_second: u64) -> Self {
        self.bytes_per_second = Some(bytes_per_second.max(1));
        self
    }

    async fn wait(&self) {
        self.clock.sleep(self.latency).await;
    }

    fn span(&self, bytes: u64) -> Duration {
        span(self.bytes_per_second, bytes)
    }
}

fn span(bytes_per_second: Option<u64>, bytes: u64) -> Duration {
    match bytes_per_second {
        Some(rate) => Duration::from_secs_f64(bytes as f64 / rate as f64),
        None => Duration::ZERO,
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Provider for SlowProvider {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn reads_at_once(&self) -> usize {
        self.inner.reads_at_once()
    }

    async fn check(&self) -> Result<Health> {
        self.wait().await;
        self.inner.check().await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.wait().await;
        self.inner.quota().await
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        let (clock, latency) = (self.clock.clone(), self.latency);
        let pages = self.inner.list(scope).then(move |page| {
            let wait = clock.sleep(latency);
            async move {
                wait.await;
                page
            }
        });
        pages.boxed()
    }

    async fn extras(&self) -> Result<Extras> {
        self.wait().await;
        self.inner.extras().await
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        self.wait().await;
        self.inner.stat(key).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.wait().await;
        let Opened { entry, bytes } = self.inner.read(key, range, pin).await?;
        let (clock, rate) = (self.clock.clone(), self.bytes_per_second);
        let slowed = bytes.flat_map(move |chunk: Result<Bytes>| {
            let length = chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
            let wait = clock.sleep(span(rate, length));
            once(Box::pin(async move {
                wait.await;
                chunk
            }))
        });
        Ok(Opened { entry, bytes: slowed.boxed() })
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        self.wait().await;
        if let Some(bytes) = body.as_whole() {
            self.clock.sleep(self.span(bytes.len() as u64)).await;
            return self.inner.put(request, body).await;
        }
        let (clock, rate) = (self.clock.clone(), self.bytes_per_second);
        let each = move |_, chunk: Bytes| {
            let wait = clock.sleep(span(rate, chunk.len() as u64));
            async move {
                wait.await;
                Pass::On(chunk)
            }
            .boxed()
        };
        put_through(&*self.inner, request, body, each).await
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        self.wait().await;
        self.inner.remove(permit).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        self.wait().await;
        self.inner.relocate(from, to, how, pin).await
    }
}
