//! Core's trait, answered by the store.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::extras::Extras;
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
};

use crate::list;
use crate::store::Store;

/// A destination at Amazon Photos.
pub(crate) struct AmazonPhotosProvider {
    store: Arc<Store>,
}

impl AmazonPhotosProvider {
    pub(crate) fn new(store: Store) -> Self {
        Self { store: Arc::new(store) }
    }
}

#[async_trait]
impl Provider for AmazonPhotosProvider {
    fn identity(&self) -> &Identity {
        &self.store.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.store.capabilities
    }

    async fn check(&self) -> Result<Health> {
        self.store.health().await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.store.api.room().await
    }

    async fn extras(&self) -> Result<Extras> {
        self.store.extras().await
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        list::pages(Arc::clone(&self.store), scope)
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        self.store.stat(key).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.store.open(key, range, pin).await
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        self.store.store(request, body).await
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        self.store.discard(permit).await
    }

    /// Nobody knows how the service moves a node to another folder, and copies are what it keeps but once.
    async fn relocate(
        &self,
        from: &Key,
        _: &Key,
        _: Relocate,
        _: Option<&Version>,
    ) -> Result<Receipt> {
        let context = format!("moving {from}: Amazon Photos neither moves nor copies");
        Err(Error::new(Kind::Unsupported, context))
    }
}
