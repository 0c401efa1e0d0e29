//! Notices exchanges that stand still or drip, by the clock that was handed in.
//!
//! Invariant: only time spent waiting for the other side counts. A consumer that takes long between two
//! chunks, or a library that is slow to give its bytes, is not the network's fault.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::{self, BoxStream};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::time::Clock;

use crate::failure;
use crate::transport::Limits;

/// When the sending side last moved.
#[derive(Debug)]
pub(crate) struct Progress {
    clock: Arc<dyn Clock>,
    moved: AtomicU64,
    starved: AtomicBool,
}

impl Progress {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let progress = Self { clock, moved: AtomicU64::new(0), starved: AtomicBool::new(false) };
        progress.mark();
        Arc::new(progress)
    }

    /// Bytes were handed to the connection.
    pub(crate) fn mark(&self) {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(now, Ordering::Relaxed);
    }

    /// From now on the connection waits for us, or no longer does.
    pub(crate) fn starve(&self, waits_for_us: bool) {
        self.starved.store(waits_for_us, Ordering::Relaxed);
        self.mark();
    }

    fn still(&self) -> Duration {
        if self.starved.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let moved = Duration::from_millis(self.moved.load(Ordering::Relaxed));
        self.clock.elapsed().saturating_sub(moved)
    }
}

/// Runs an exchange up to the head of its answer; `None` if nothing moved for `idle`.
pub(crate) async fn until_idle<F: Future>(
    exchange: F,
    progress: &Progress,
    idle: Duration,
) -> Option<F::Output> {
    let mut exchange = pin!(exchange);
    loop {
        // One millisecond more, since progress is kept in whole ones.
        let left = idle.checked_sub(progress.still())? + Duration::from_millis(1);
        match select(exchange, progress.clock.sleep(left)).await {
            Either::Left((answer, _)) => return Some(answer),
            Either::Right(((), unfinished)) => exchange = unfinished,
        }
    }
}

struct Watched {
    chunks: BoxStream<'static, reqwest::Result<Bytes>>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    host: String,
    waited: Duration,
    received: u64,
}

/// The chunks of an answer, ended by an error when they stop coming or come too slowly.
pub(crate) fn guarded(
    chunks: BoxStream<'static, reqwest::Result<Bytes>>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    host: String,
) -> BoxStream<'static, Result<Bytes>> {
    let watched = Watched { chunks, clock, limits, host, waited: Duration::ZERO, received: 0 };
    stream::unfold(Some(watched), |state| async move {
        let mut watched = state?;
        match watched.next().await {
            None => None,
            Some(Ok(chunk)) => Some((Ok(chunk), Some(watched))),
            Some(Err(error)) => Some((Err(error), None)),
        }
    })
    .boxed()
}

impl Watched {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        let began = self.clock.elapsed();
        let chunk = match select(self.chunks.next(), self.clock.sleep(self.limits.idle)).await {
            Either::Left((None, _)) => return None,
            Either::Left((Some(Ok(chunk)), _)) => chunk,
            Either::Left((Some(Err(error)), _)) => {
                return Some(Err(failure::of(&error, &self.host)));
            }
            Either::Right(_) => return Some(Err(failure::silent(&self.host))),
        };
        self.waited += self.clock.elapsed().saturating_sub(began);
        self.received += chunk.len() as u64;
        if self.waited >= self.limits.window {
            if self.received < self.limits.window_bytes {
                let context = format!("{} sends too slowly", self.host);
                return Some(Err(Error::new(Kind::Timeout, context)));
            }
            (self.waited, self.received) = (Duration::ZERO, 0);
        }
        Some(Ok(chunk))
    }
}
