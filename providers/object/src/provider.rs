//! Core's trait, answered by the store.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::class::MediaClass;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed, Room,
};

use crate::list;
use crate::store::ObjectStore;

/// A destination behind OpenDAL. Listings and opened objects share the store, so they may outlive this.
pub(crate) struct ObjectProvider(pub(crate) Arc<ObjectStore>);

#[async_trait]
impl Provider for ObjectProvider {
    fn identity(&self) -> &Identity {
        &self.0.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0.capabilities
    }

    async fn check(&self) -> Result<Health> {
        self.0.health().await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        Ok(vec![PoolUsage { counts: MediaClass::ALL.to_vec(), room: Room::Unknown }])
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        list::pages(self.0.clone(), scope)
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        let path = self.0.names.encode(key)?;
        let found = self.0.look(key, &path).await?;
        Ok(found.map(|found| self.0.entry(key.clone(), &found)))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.0.clone().open(key, range, pin).await
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        self.0.store(request, body).await
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        self.0.dispose(permit).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        self.0.transfer(from, to, how, pin, || Ok(())).await
    }
}
