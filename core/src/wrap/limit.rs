//! A limit on bytes per second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::Wrapper;
use crate::body::Body;
use crate::error::Result;
use crate::provider::{Provider, PutRequest, Receipt};
use crate::time::Clock;

/// Counts bytes and makes whoever takes too many wait. One meter may be shared by several destinations.
#[derive(Debug)]
pub struct Meter {
    clock: Arc<dyn Clock>,
    /// Zero stands for no limit.
    bytes_per_second: AtomicU64,
    /// The point of [`Clock::elapsed`] at which everything taken so far is paid for.
    paid_until: Mutex<Duration>,
}

impl Meter {
    /// Lets `bytes_per_second` pass.
    pub fn new(clock: Arc<dyn Clock>, bytes_per_second: u64) -> Self {
        let paid_until = Mutex::new(clock.elapsed());
        Self { clock, bytes_per_second: bytes_per_second.max(1).into(), paid_until }
    }

    /// From now on lets so many bytes per second pass; `None`: as many as come. What waits already goes on
    /// waiting as it was told.
    pub fn set_rate(&self, bytes_per_second: Option<u64>) {
        let rate = bytes_per_second.map_or(0, |rate| rate.max(1));
        self.bytes_per_second.store(rate, Ordering::Relaxed);
    }

    /// Waits until `bytes` may pass.
    pub async fn take(&self, bytes: u64) {
        let rate = self.bytes_per_second.load(Ordering::Relaxed);
        if rate == 0 {
            return;
        }
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let wait = {
            let mut paid = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.elapsed();
            *paid = (*paid).max(now) + cost;
            paid.saturating_sub(now)
        };
        self.clock.sleep(wait).await;
    }
}

/// A provider to which bytes go no faster than a meter lets them.
pub struct Limited {
    inner: Arc<dyn Provider>,
    meter: Arc<Meter>,
}

impl Limited {
    /// Wraps a provider.
    pub fn new(inner: Arc<dyn Provider>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

#[async_trait]
impl Wrapper for Limited {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        let body = body.metered(Arc::clone(&self.meter)).await;
        self.inner.put(request, body).await
    }
}
