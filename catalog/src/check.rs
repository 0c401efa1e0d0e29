//! The look at the whole file that every start begins with.
//!
//! It runs beside the start of the run, on a thread and a connection of its own; whatever writes or makes a
//! claim waits for it. Invariant: nothing is written to a catalog, and nothing claimed from it, before it was
//! looked through and found whole.

use std::thread::JoinHandle;

use rusqlite::{Connection, InterruptHandle};
use safelight_core::error::{Error, Result};
use tokio::sync::{oneshot, watch};

use crate::fault::{Fault, damaged, failed, mistake};

type Outcome = Option<Result<()>>;

/// How the check ended, for a thread that waits for it.
pub(crate) type Passed = oneshot::Receiver<Result<()>>;

/// A check that is under way or done. Dropping it stops it.
pub(crate) struct Check {
    outcome: watch::Receiver<Outcome>,
    running: Option<(InterruptHandle, JoinHandle<()>)>,
}

impl Check {
    /// Looks through the file of `connection`. The receiver is for the writer, whose thread waits for it.
    pub(crate) fn start(connection: Connection) -> Result<(Self, Passed)> {
        let (tell, outcome) = watch::channel(None);
        let (tell_writer, passed) = oneshot::channel();
        let interrupt = connection.get_interrupt_handle();
        let thread = std::thread::Builder::new()
            .name("catalog-check".to_owned())
            .spawn(move || {
                let found = look_through(&connection)
                    .map_err(|fault| fault.into_error("checking the catalog"));
                // A catalog that was opened only for looking has no writer that listens.
                let _ = tell_writer.send(found.as_ref().copied().map_err(Error::duplicate));
                tell.send_replace(Some(found));
            })
            .map_err(|error| failed(error, "starting the check of the catalog"))?;
        Ok((Self { outcome, running: Some((interrupt, thread)) }, passed))
    }

    /// A check that needs not be made, because the file was just made or already looked through.
    pub(crate) fn passed_before() -> (Self, Passed) {
        let (tell_writer, passed) = oneshot::channel();
        // The receiver is in our hands.
        let _ = tell_writer.send(Ok(()));
        (Self { outcome: watch::channel(Some(Ok(()))).1, running: None }, passed)
    }

    /// Whether the check is through, however it ended.
    pub(crate) fn is_through(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    /// Waits until the check is through.
    ///
    /// # Errors
    /// `catalog/damaged`, every time, if the file is damaged.
    pub(crate) async fn passed(&self) -> Result<()> {
        let mut outcome = self.outcome.clone();
        let seen = outcome.wait_for(Option::is_some).await;
        match seen.as_deref() {
            Ok(Some(result)) => result.as_ref().map_err(Error::duplicate).copied(),
            _ => Err(mistake("the check of the catalog ended without an answer")),
        }
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        if let Some((interrupt, thread)) = self.running.take() {
            interrupt.interrupt();
            // A check that panicked gave no answer, and whoever waited for one was told.
            let _ = thread.join();
        }
    }
}

/// Reads every page.
pub(crate) fn look_through(connection: &Connection) -> Result<(), Fault> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(damaged(format!("the catalog is damaged: {found}")).into())
    }
}
