//! What wrappers have in common: whatever one does not do itself goes to the provider inside, unchanged.

use std::ops::Range;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::body::Body;
use crate::capability::Capabilities;
use crate::entry::{Entry, Page, Scope, Version};
use crate::error::Result;
use crate::extras::Extras;
use crate::key::Key;
use crate::permit::RemovalPermit;
use crate::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
};

/// A provider around another one. Each method is that of [`Provider`] and stands for the one of the provider inside
/// until it is written anew; every wrapper is a provider by itself.
#[async_trait]
#[allow(missing_docs)] // as `Provider` says
pub trait Wrapper: Send + Sync {
    /// The provider inside.
    fn inner(&self) -> &dyn Provider;

    fn identity(&self) -> &Identity {
        self.inner().identity()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner().capabilities()
    }

    fn reads_at_once(&self) -> usize {
        self.inner().reads_at_once()
    }

    async fn check(&self) -> Result<Health> {
        self.inner().check().await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.inner().quota().await
    }

    async fn extras(&self) -> Result<Extras> {
        self.inner().extras().await
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        self.inner().list(scope)
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        self.inner().stat(key).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.inner().read(key, range, pin).await
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        self.inner().put(request, body).await
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        self.inner().remove(permit).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        self.inner().relocate(from, to, how, pin).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<W: Wrapper> Provider for W {
    fn identity(&self) -> &Identity {
        Wrapper::identity(self)
    }

    fn capabilities(&self) -> &Capabilities {
        Wrapper::capabilities(self)
    }

    fn reads_at_once(&self) -> usize {
        Wrapper::reads_at_once(self)
    }

    async fn check(&self) -> Result<Health> {
        Wrapper::check(self).await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        Wrapper::quota(self).await
    }

    async fn extras(&self) -> Result<Extras> {
        Wrapper::extras(self).await
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        Wrapper::list(self, scope)
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        Wrapper::stat(self, key).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        Wrapper::read(self, key, range, pin).await
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        Wrapper::put(self, request, body).await
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        Wrapper::remove(self, permit).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        Wrapper::relocate(self, from, to, how, pin).await
    }
}
