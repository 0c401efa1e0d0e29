//! One gate per destination that every request passes: when the service asks to slow down, everybody waits,
//! not only the one who was told.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
use safelight_core::error::{Error, Kind, Result, Retry};
use safelight_core::time::Clock;
use tokio_util::sync::CancellationToken;

/// A longer pause is reported instead of waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// A service that asks for more is not believed.
const LONGEST: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(crate) struct Gate {
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    closed_until: Mutex<Duration>,
}

impl Gate {
    pub(crate) fn new(clock: Arc<dyn Clock>, cancel: CancellationToken) -> Self {
        Self { clock, cancel, closed_until: Mutex::default() }
    }

    /// Nobody passes before `span` is over. A shorter pause never shortens a longer one.
    pub(crate) fn pause(&self, span: Duration) {
        let until = self.clock.elapsed() + span.min(LONGEST);
        let mut closed = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = until.max(*closed);
    }

    /// How long the gate stays closed.
    pub(crate) fn closed_for(&self) -> Duration {
        let closed = *self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        closed.saturating_sub(self.clock.elapsed())
    }

    /// Waits until the gate is open.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] with the time left if that is long; [`Kind::Cancelled`].
    pub(crate) async fn pass(&self) -> Result<()> {
        loop {
            let left = self.closed_for();
            if left.is_zero() {
                return Ok(());
            }
            if left > PATIENCE {
                let context = "the service asked for a pause";
                return Err(Error::new(Kind::RateLimited, context).retry(Retry::After(left)));
            }
            let cancelled = pin!(self.cancel.cancelled());
            if let Either::Right(_) = select(self.clock.sleep(left), cancelled).await {
                return Err(Error::new(Kind::Cancelled, "stopped during a pause"));
            }
        }
    }
}
