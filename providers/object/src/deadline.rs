//! How long an operation may take: by its size and the slowest line that is still of use.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::time::Clock;

/// For everything but the bytes: connecting, waiting in line, the service's own work.
const GRACE: Duration = Duration::from_mins(1);
/// The slowest line, in bytes per second.
const FLOOR: u64 = 50_000;

/// The time for an operation that moves `bytes`.
pub(crate) fn allowed(bytes: u64) -> Duration {
    GRACE + Duration::from_millis(bytes.saturating_mul(1000) / FLOOR)
}

/// Ends `operation` with [`Kind::Timeout`] when its time is over; it is dropped then.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    bytes: u64,
    doing: &str,
    operation: impl Future<Output = Result<T>>,
) -> Result<T> {
    let operation = pin!(operation);
    match select(operation, clock.sleep(allowed(bytes))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(Error::new(Kind::Timeout, format!("{doing}: it took too long"))),
    }
}
