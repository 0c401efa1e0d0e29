//! What runs that were killed left at the service: unfinished uploads in parts, which cost money and show up in
//! no listing, and temporary objects.
//!
//! Done once in the life of a destination, before its first `put`. Invariant: only what lies below our own root
//! goes, and only what is old; a failure is noted for who looks for it, and changes nothing else.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use opendal::ErrorKind;
use safelight_core::error::{Kind, Result};
use safelight_core::time::Timestamp;

use crate::call::Manner;
use crate::deadline::within;
use crate::errors::translate;
use crate::keys::Found;
use crate::multipart::Marker;
use crate::signed::Signed;
use crate::store::{ObjectStore, to_the_second};
use crate::upload::is_temporary;

/// What is younger stays: another machine may be at work below the same root. A line that needs longer than this
/// for one object (2.6 TB at 10 MB/s, 26 GB at 100 KB/s) cannot share its root.
const AGE: Duration = Duration::from_hours(72);
/// More pages of a list are not looked at; the next run goes on with what is left.
const PAGES: usize = 100;
const DOING: &str = "clearing away what earlier runs left";

impl ObjectStore {
    /// Clears away what earlier runs left, unless that was tried already, or the service asks for a pause.
    pub(crate) async fn sweep(&self) {
        if !self.gate.closed_for().is_zero() || self.swept.swap(true, Ordering::Relaxed) {
            return;
        }
        let sweeping = async {
            match &self.signed {
                Some(signed) => self.sweep_uploads(signed).await,
                None if self.ways.staged => self.sweep_temporaries().await,
                None => Ok(()),
            }
        };
        // OpenDAL panics on some answers that no honest service gives.
        let sweeping = AssertUnwindSafe(within(&*self.context.clock, 0, DOING, sweeping));
        match self.context.cancel.run_until_cancelled(sweeping.catch_unwind()).await {
            Some(Ok(Err(error))) => tracing::debug!(%error, "not everything was cleared away"),
            Some(Err(_)) => tracing::debug!("what earlier runs left cannot be understood"),
            Some(Ok(Ok(()))) | None => {}
        }
    }

    async fn sweep_uploads(&self, signed: &Signed) -> Result<()> {
        let (operator, http) = (&self.operator, &*self.context.http);
        let prefix = self.names.prefix();
        let mut from = Marker::default();
        for _ in 0..PAGES {
            let (uploads, next) = signed.uploads(operator, http, prefix, &from).await?;
            for upload in uploads {
                // A service may look at the prefix in its own way.
                let ours = matches!(self.names.decode(&upload.path), Ok(Found::Key(_)));
                if !ours || !self.is_old(upload.initiated) {
                    continue;
                }
                match signed.abort(operator, http, &upload).await {
                    Ok(()) => tracing::debug!(path = ?upload.path, "an old upload was aborted"),
                    Err(error) if error.kind() == Kind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            let Some(next) = next else { break };
            from = next;
        }
        Ok(())
    }

    async fn sweep_temporaries(&self) -> Result<()> {
        let (operator, call) = self.call(Manner::default());
        let told = |error: opendal::Error| -> Result<()> {
            // Nothing was ever sent there, or somebody else was faster.
            match error.kind() {
                ErrorKind::NotFound => Ok(()),
                _ => Err(translate(&call, &error, DOING)),
            }
        };
        let mut lister = match operator.lister(&self.staging()).await {
            Ok(lister) => lister,
            Err(error) => return told(error),
        };
        while let Some(entry) = lister.next().await {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return told(error),
            };
            let modified = entry.metadata().last_modified().map(to_the_second);
            if entry.metadata().is_file() && is_temporary(entry.name()) && self.is_old(modified) {
                operator.delete(entry.path()).await.or_else(told)?;
                tracing::debug!(path = ?entry.path(), "an old temporary object was removed");
            }
        }
        Ok(())
    }

    /// What has no date is not old, nor is what lies ahead.
    fn is_old(&self, time: Option<Timestamp>) -> bool {
        time.is_some_and(|time| self.context.clock.now().since(time) > AGE)
    }
}
