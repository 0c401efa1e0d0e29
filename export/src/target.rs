//! A target that also speaks the digests of the service that is read.
//!
//! The engine computes what its destinations speak, in the pass in which it reads. So the catalog of an export knows its
//! copies by the service's own digest as well, and a later look recognises them without reading anything.

use std::sync::Arc;

use safelight_core::capability::Capabilities;
use safelight_core::digest::Algorithms;
use safelight_core::provider::Provider;
use safelight_core::wrap::Wrapper;

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

impl Wrapper for Target {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
}
