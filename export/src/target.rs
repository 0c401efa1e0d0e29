//! A target that also speaks the digests of the service that is read.
//!
//! The engine computes what its destinations speak, in the pass in which it reads. So the catalog of an export knows its
//! copies by the service's own digest as well, and a later look recognises them without reading anything.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::digest::Algorithms;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::Result;
use safelight_core::extras::Extras;
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
};

pub(crate) struct Target {
    inner: Arc<dyn Provider>,
    capabilities: Capabilities,
}

impl Target {
    pub(crate) fn new(inner: Arc<dyn Provider>, spoken: Algorithms) -> Self {
        let own = inner.capabilities();
        let capabilities = Capabilities { digests: own.digests.union(spoken), ..own.clone() };
        Self { inner, capabilities }
    }
}

#[async_trait]
impl Provider for Target {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn check(&self) -> Result<Health> {
        self.inner.check().await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.inner.quota().await
    }

    async fn extras(&self) -> Result<Extras> {
        self.inner.extras().await
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

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        self.inner.put(request, body).await
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
