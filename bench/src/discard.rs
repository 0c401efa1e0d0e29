//! A destination that takes everything and keeps nothing but its marker: so that a measurement shows the
//! engine and the catalog, not a disk.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::digest::Algorithm;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Proof, Provider, PutRequest, Receipt, Relocate, Removed,
};
use safelight_testkit::memory::MemoryProvider;

/// Swallows items; what stands in the reserved folder is kept.
pub struct Discard {
    inner: Arc<MemoryProvider>,
}

impl Discard {
    /// A destination of this name.
    pub fn new(name: &str) -> Self {
        let wide = |capabilities: &mut Capabilities| capabilities.concurrency = 16;
        Self { inner: Arc::new(MemoryProvider::build(name).with(wide).finish()) }
    }
}

#[async_trait]
impl Provider for Discard {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn check(&self) -> Result<Health> {
        self.inner.check().await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.inner.quota().await
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        self.inner.list(scope)
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        self.inner.stat(key).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.inner.read(key, range, pin).await
    }

    async fn put(&self, request: PutRequest, mut body: Body) -> Result<Receipt> {
        if request.key.is_reserved() {
            return self.inner.put(request, body).await;
        }
        while body.chunk().await?.is_some() {}
        Ok(Receipt {
            version: Some(Version::new("discarded")),
            remote_id: None,
            modified: request.modified,
            digests: body.digests().await?,
            proof: Proof::ServerHash(Algorithm::Sha256),
        })
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        self.inner.remove(permit).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        self.inner.relocate(from, to, how, pin).await
    }
}
