//! Rejoin: a destination that no longer took our sign-in comes back into the run once somebody has signed in again.
//!
//! Invariant: nobody waits for it. It comes back while the others have work, or in the next run.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use super::stage::{Stage, Staged};
use crate::error::{Error, Kind};
use crate::job::{Destination, MirrorJob};
use crate::provider::Provider;
use crate::time::Clock;

/// How often new credentials are looked for.
const LOOK: Duration = Duration::from_secs(10);

/// A destination that was opened anew.
pub struct Renewed {
    /// Its place in the job.
    pub at: usize,
    /// What takes the place of its provider.
    pub provider: Arc<dyn Provider>,
}

/// Completes when one of the destinations that are out was signed in to again; never, where nobody signs in.
pub async fn renewed(
    job: &MirrorJob,
    clock: &dyn Clock,
    is_out: impl Fn(&Destination) -> bool,
) -> Renewed {
    let all = job.destinations.iter().enumerate();
    let renewable: Vec<_> =
        all.filter_map(|(at, one)| Some((at, one, one.renewal.as_ref()?))).collect();
    while !renewable.is_empty() {
        clock.sleep(LOOK).await;
        for (at, destination, renewal) in &renewable {
            if is_out(destination)
                && let Some(provider) = renewal.renewed().await
            {
                return Renewed { at: *at, provider };
            }
        }
    }
    pending().await
}

/// Whether signing in again may mend this.
pub fn is_refused(error: &Error) -> bool {
    error.kind() == Kind::SignIn
}

/// The names of the destinations that were refused from the start.
pub fn refused(staged: &[Staged<'_>]) -> Vec<String> {
    let is_refused =
        |one: &&Staged<'_>| matches!(&one.stage, Stage::Stopped(error) if is_refused(error));
    staged.iter().filter(is_refused).map(|one| one.record.name.clone()).collect()
}
