//! Ctrl-C and SIGTERM: once ends a run gently, twice at once.

use std::sync::Arc;

use safelight_core::job::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;
use crate::output::Output;

/// Listens to the signals from the moment it is made.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::other("cannot listen to signals", &error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Passes signals on to `stop` for as long as it is awaited; never ends by itself.
    pub async fn pass_on(&mut self, stop: &Stop, out: &Arc<Output>) {
        loop {
            self.next().await;
            if stop.gently.is_cancelled() {
                out.problem("stopping now; nothing half-done is left behind\n");
                stop.now.cancel();
            } else {
                out.problem(
                    "finishing what is under way, then stopping; press again to stop now, \
                     nothing is lost either way\n",
                );
                stop.gently.cancel();
            }
        }
    }
}
