//! A destination that takes everything and keeps nothing but its marker: so that a measurement shows the
//! engine and the catalog, not a disk.

use std::sync::Arc;

use async_trait::async_trait;
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::digest::Algorithm;
use safelight_core::entry::Version;
use safelight_core::error::Result;
use safelight_core::provider::{Proof, Provider, PutRequest, Receipt};
use safelight_core::wrap::Wrapper;
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
impl Wrapper for Discard {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
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
}
