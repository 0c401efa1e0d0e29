//! Trying again, as the errors advise.
//!
//! One pause is shared by everything that goes to a destination: when the service says "not before", nobody asks
//! before. Nothing is sent twice without looking whether the first try arrived after all.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::Wrapper;
use crate::body::Body;
use crate::entry::{Entry, Version};
use crate::error::{Error, Kind, Result, Retry};
use crate::extras::Extras;
use crate::key::Key;
use crate::permit::RemovalPermit;
use crate::provider::{
    Health, Opened, PoolUsage, Provider, PutMode, PutRequest, Receipt, Relocate, Removed,
};
use crate::time::Clock;

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries in all, the first one included.
    pub tries: u32,
    /// First wait of a back-off; each further one is twice as long.
    pub first_wait: Duration,
    /// Longest wait, also for what a service asks for; beyond it the error is final for this run.
    pub longest_wait: Duration,
    /// Seed of the jitter.
    pub seed: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 4,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_mins(5),
            seed: 0x5afe,
        }
    }
}

/// A provider whose operations are tried again.
pub struct Retrying {
    inner: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    policy: RetryPolicy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: u64,
    /// Nothing is sent before this point of [`Clock::elapsed`].
    quiet_until: Duration,
}

impl Retrying {
    /// Wraps a provider.
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>, policy: RetryPolicy) -> Self {
        let state = State { random: policy.seed | 1, quiet_until: Duration::ZERO };
        Self { inner, clock, policy, state: Mutex::new(state) }
    }

    async fn quiet(&self) {
        loop {
            let until = self.state.lock().unwrap_or_else(PoisonError::into_inner).quiet_until;
            match until.checked_sub(self.clock.elapsed()) {
                Some(left) if !left.is_zero() => self.clock.sleep(left).await,
                _ => return,
            }
        }
    }

    /// How long to wait before try number `next` after `error`; `None` if it is final.
    fn wait_before(&self, next: u32, error: &Error) -> Option<Duration> {
        if next > self.policy.tries {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = match error.retry_advice() {
            Retry::Never | Retry::NeedsPerson => return None,
            Retry::Now => Duration::ZERO,
            Retry::After(wait) => {
                state.quiet_until = state.quiet_until.max(self.clock.elapsed() + wait);
                wait
            }
            Retry::BackOff => {
                state.random ^= state.random << 13;
                state.random ^= state.random >> 7;
                state.random ^= state.random << 17;
                let jitter = u32::try_from(state.random % 512).unwrap_or(0);
                let doubled = self.policy.first_wait * 2_u32.saturating_pow(next - 2);
                doubled.min(self.policy.longest_wait) * (768 + jitter) / 1024
            }
        };
        (wait <= self.policy.longest_wait).then_some(wait)
    }

    async fn again<T, F>(&self, attempt: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        let mut tries = 1;
        loop {
            self.quiet().await;
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            tries += 1;
            let Some(wait) = self.wait_before(tries, &error) else { return Err(error) };
            tracing::debug!(%error, tries, ?wait, "trying again");
            self.clock.sleep(wait).await;
        }
    }

    /// After a try whose outcome is unknown: whether something now stands where the item was to go.
    async fn arrived(&self, request: &PutRequest) -> Result<()> {
        let Some(there) = self.inner.stat(&request.key).await? else { return Ok(()) };
        match &request.mode {
            PutMode::Create => {
                Err(Error::new(Kind::Exists, format!("{} may have arrived", request.key)))
            }
            PutMode::Replace(old) if there.version.as_ref() == Some(old) => Ok(()),
            PutMode::Replace(_) => {
                Err(Error::new(Kind::Changed, format!("{} may have arrived", request.key)))
            }
        }
    }
}

#[async_trait]
impl Wrapper for Retrying {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    async fn check(&self) -> Result<Health> {
        self.again(|| self.inner.check()).await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.again(|| self.inner.quota()).await
    }

    async fn extras(&self) -> Result<Extras> {
        self.again(|| self.inner.extras()).await
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        self.again(|| self.inner.stat(key)).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.again(|| self.inner.read(key, range.clone(), pin)).await
    }

    /// A body that is not all in memory cannot be sent twice; its error goes up, and whoever reads the item
    /// decides.
    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        if body.try_clone().is_none() {
            self.quiet().await;
            return self.inner.put(request, body).await;
        }
        let mut tries = 1;
        loop {
            self.quiet().await;
            let Some(copy) = body.try_clone() else {
                return Err(Error::new(Kind::Internal, "a body changed its nature"));
            };
            let error = match self.inner.put(request.clone(), copy).await {
                Ok(receipt) => return Ok(receipt),
                Err(error) => error,
            };
            tries += 1;
            let Some(wait) = self.wait_before(tries, &error) else { return Err(error) };
            tracing::debug!(%error, tries, ?wait, key = %request.key, "sending again");
            self.clock.sleep(wait).await;
            if matches!(error.kind(), Kind::Unavailable | Kind::Timeout | Kind::Protocol) {
                self.again(|| self.arrived(&request)).await?;
            }
        }
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        self.quiet().await;
        self.inner.remove(permit).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        self.quiet().await;
        self.inner.relocate(from, to, how, pin).await
    }
}
