//! Tracing: one line per operation, at debug level; keys only at trace level.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use tracing::Instrument as _;

use super::Wrapper;
use crate::body::Body;
use crate::entry::{Entry, Version};
use crate::error::Result;
use crate::extras::Extras;
use crate::key::Key;
use crate::permit::RemovalPermit;
use crate::provider::{
    Health, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
};

/// A provider whose operations show up in traces.
pub struct Traced {
    inner: Arc<dyn Provider>,
}

impl Traced {
    /// Wraps a provider.
    pub fn new(inner: Arc<dyn Provider>) -> Self {
        Self { inner }
    }

    async fn seen<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let span = tracing::debug_span!("provider", name = %self.inner.identity().name, operation);
        async {
            let result = work.await;
            match &result {
                Ok(_) => tracing::debug!("done"),
                Err(error) => tracing::debug!(code = %error.id(), kind = ?error.kind(), "failed"),
            }
            result
        }
        .instrument(span)
        .await
    }
}

#[async_trait]
impl Wrapper for Traced {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    async fn check(&self) -> Result<Health> {
        self.seen("check", self.inner.check()).await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.seen("quota", self.inner.quota()).await
    }

    async fn extras(&self) -> Result<Extras> {
        self.seen("extras", self.inner.extras()).await
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        tracing::trace!(%key, "stat");
        self.seen("stat", self.inner.stat(key)).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        tracing::trace!(%key, "read");
        self.seen("read", self.inner.read(key, range, pin)).await
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        tracing::trace!(key = %request.key, bytes = request.length, "put");
        self.seen("put", self.inner.put(request, body)).await
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        tracing::debug!(grounds = ?permit.grounds(), "remove");
        self.seen("remove", self.inner.remove(permit)).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        tracing::trace!(%from, %to, "relocate");
        self.seen("relocate", self.inner.relocate(from, to, how, pin)).await
    }
}
