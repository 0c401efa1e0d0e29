//! Reads the body of a request at the speed of a line.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Body;
use safelight_core::time::Clock;

use crate::faults::FlipSent;

/// The body of a request on its way.
pub(super) trait Asked: Body<Data = Bytes, Error: Send> + Send + Unpin + 'static {}

impl<B: Body<Data = Bytes, Error: Send> + Send + Unpin + 'static> Asked for B {}

/// The most that one call may carry.
pub(super) const LONGEST: usize = 150 * 1024 * 1024;

/// A body that has arrived.
pub(super) struct Arrived {
    /// The bytes; empty if there were too many.
    pub(super) bytes: Bytes,
    /// There was more than [`LONGEST`]; the rest was read and thrown away.
    pub(super) too_long: bool,
}

/// Reads everything, no faster than `rate` bytes per second.
///
/// # Errors
/// If the connection broke.
pub(super) async fn arrive<B: Asked>(
    request: Request<B>,
    clock: &dyn Clock,
    rate: Option<u64>,
) -> Result<Arrived, B::Error> {
    let flip = request.extensions().get::<FlipSent>().map(|FlipSent(at)| *at);
    let (began, mut seen) = (clock.elapsed(), 0);
    let (mut bytes, mut body) = (BytesMut::new(), request.into_body());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        seen += data.len() as u64;
        if bytes.len() + data.len() <= LONGEST && seen <= LONGEST as u64 {
            bytes.extend_from_slice(&data);
        } else {
            bytes = BytesMut::new();
        }
        if let Some(rate) = rate {
            let due = Duration::from_secs_f64(seen as f64 / rate.max(1) as f64);
            let ahead = due.saturating_sub(clock.elapsed().saturating_sub(began));
            // Timers are coarse: many short waits would add up to a slower line.
            if ahead >= Duration::from_millis(5) {
                clock.sleep(ahead).await;
            }
        }
    }
    if let Some(byte) = flip.and_then(|at| bytes.get_mut(at)) {
        *byte ^= 1;
    }
    Ok(Arrived { bytes: bytes.freeze(), too_long: seen > LONGEST as u64 })
}
