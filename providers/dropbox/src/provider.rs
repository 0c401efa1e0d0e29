//! Core's trait, answered by the store.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::permit::{Disposal, RemovalPermit};
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
};
use tokio::task::JoinSet;

use crate::clerk::clerk;
use crate::courier::courier;
use crate::list;
use crate::store::Store;

/// A destination at Dropbox. Dropping it ends its two tasks.
pub(crate) struct DropboxProvider {
    store: Arc<Store>,
    _workers: JoinSet<()>,
}

impl DropboxProvider {
    /// Starts the tasks.
    pub(crate) fn new(store: Store) -> Self {
        let store = Arc::new(store);
        let mut workers = JoinSet::new();
        workers.spawn(clerk(Arc::clone(&store)));
        workers.spawn(courier(Arc::clone(&store)));
        Self { store, _workers: workers }
    }
}

#[async_trait]
impl Provider for DropboxProvider {
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
        self.store.api.space().await
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
        permit.still_good(&**self.store.api.pace.clock())?;
        match permit.disposal() {
            Disposal::Trash(place) => {
                let place = place.clone();
                self.store.set_aside(permit, place).await
            }
            Disposal::Purge => self.store.discard(permit).await,
        }
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        self.store.relocate(from, to, how, pin).await
    }
}
