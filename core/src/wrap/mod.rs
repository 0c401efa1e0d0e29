//! What is put around every provider: tracing, retries, a shared pause, a limit on bandwidth.
//!
//! Each is one wrapper around the trait, so that no provider has its own. The order matters and is fixed here:
//! a retry waits outside of the limit, so that what is sent again is paid for again.

mod limit;
mod retry;
mod trace;

use std::sync::Arc;

pub use limit::{Limited, Meter};
pub use retry::{RetryPolicy, Retrying};
pub use trace::Traced;

use crate::provider::Provider;
use crate::time::Clock;

/// Puts all wrappers around a provider.
pub fn wrapped(
    provider: Arc<dyn Provider>,
    clock: &Arc<dyn Clock>,
    policy: RetryPolicy,
    meter: Option<Arc<Meter>>,
) -> Arc<dyn Provider> {
    let limited = match meter {
        Some(meter) => Arc::new(Limited::new(provider, meter)),
        None => provider,
    };
    let retrying = Retrying::new(limited, Arc::clone(clock), policy);
    Arc::new(Traced::new(Arc::new(retrying)))
}

/// Hands the named methods on to `self.inner` unchanged.
macro_rules! hand_on {
    (identity) => {
        fn identity(&self) -> &crate::provider::Identity {
            self.inner.identity()
        }
    };
    (capabilities) => {
        fn capabilities(&self) -> &crate::capability::Capabilities {
            self.inner.capabilities()
        }
    };
    (list) => {
        fn list(
            &self,
            scope: crate::entry::Scope,
        ) -> futures::stream::BoxStream<'static, crate::error::Result<crate::entry::Page>> {
            self.inner.list(scope)
        }
    };
}
pub(crate) use hand_on;
