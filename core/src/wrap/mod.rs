//! What is put around every provider: tracing, retries, a shared pause, a limit on bandwidth, as many reads at once as pay.
//!
//! Each is one wrapper around the trait, so that no provider has its own. The order matters and is fixed here:
//! a retry waits outside of the limit, so that what is sent again is paid for again, and outside of the seats for
//! reads, so that a refused read frees its own.

mod limit;
mod retry;
mod trace;
mod tuned;
mod tuning;
mod wrapper;

use std::sync::Arc;

pub use limit::{Limited, Meter};
pub use retry::{RetryPolicy, Retrying};
pub use trace::Traced;
pub use tuned::Tuned;
pub use wrapper::Wrapper;

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
    let can = limited.capabilities();
    let tuned: Arc<dyn Provider> = if can.most_reads > can.reads {
        Arc::new(Tuned::new(limited, Arc::clone(clock)))
    } else {
        limited
    };
    let retrying = Retrying::new(tuned, Arc::clone(clock), policy);
    Arc::new(Traced::new(Arc::new(retrying)))
}
