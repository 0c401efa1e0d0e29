//! Removing for good: many at once, each exactly the version that was meant.
//!
//! Invariant: nothing is removed without its revision, which Dropbox compares. So neither an edit by somebody
//! else nor a folder can go this way.

use safelight_core::entry::Version;
use safelight_core::error::{Kind, Result, Retry};
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::Removed;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::facts::Facts;
use crate::names::{Spot, fold};
use crate::put::{died, is_revision};
use crate::store::{Store, missing};
use crate::trouble::{Trouble, foreign};

const TRIES: u32 = 6;
const DOING: &str = "removing files";

/// Something that is to go.
pub(crate) struct Discard {
    permit: RemovalPermit,
    spot: Spot,
    answer: oneshot::Sender<Result<Removed>>,
}

/// One of which path and revision are known.
struct Known {
    discard: Discard,
    path: String,
    revision: Version,
}

impl Store {
    /// Removes what a permit names, for good.
    pub(crate) async fn discard(&self, permit: RemovalPermit) -> Result<Removed> {
        if permit.version().is_some_and(|version| !is_revision(version)) {
            return Err(foreign(&format!("removing {}", permit.key())));
        }
        let spot = self.names.spot(permit.key())?;
        let (answer, answered) = oneshot::channel();
        self.desk.discard(Discard { permit, spot, answer });
        answered.await.map_err(|_| died())?
    }

    /// Removes a batch.
    pub(crate) async fn discard_all(&self, discards: Vec<Discard>) {
        let live: Vec<_> = discards.into_iter().filter(|one| !one.answer.is_closed()).collect();
        let unknown = live.iter().filter(|one| !one.is_known());
        let paths: Vec<_> = unknown.flat_map(|one| one.spot.paths()).collect();
        let facts =
            if paths.is_empty() { Ok(Facts::new()) } else { self.facts(&paths, DOING).await };
        let facts = match facts {
            Ok(facts) => facts,
            Err(trouble) => {
                for one in live {
                    one.end(Err(trouble.error.duplicate()));
                }
                return;
            }
        };
        let clock = &**self.api.pace.clock();
        let known = live.into_iter().filter_map(|one| match one.place(&facts, clock) {
            Ok((path, revision)) => Some(Known { discard: one, path, revision }),
            Err(error) => {
                one.end(Err(error));
                None
            }
        });
        self.discard_known(known.collect()).await;
    }

    async fn discard_known(&self, mut left: Vec<Known>) {
        let (mut tries, mut unsure) = (0, false);
        while !left.is_empty() {
            let entries: Vec<_> = left
                .iter()
                .map(|one| json!({"path": one.path, "parent_rev": &*one.revision.0}))
                .collect();
            let argument = json!({"entries": entries});
            let (route, check) = ("files/delete_batch", "files/delete_batch/check");
            let answer = self.api.batch(route, check, &argument, left.len(), DOING).await;
            let why = match answer {
                Ok(results) => {
                    let judged = left.into_iter().zip(results);
                    let mut why = None;
                    left = judged
                        .filter_map(|(one, result)| one.judge(&result, unsure, &mut why))
                        .collect();
                    why
                }
                Err(trouble) => {
                    unsure |= trouble.unknown();
                    Some(trouble)
                }
            };
            let Some(trouble) = why else { continue };
            tries += 1;
            if !trouble.may_pass()
                || tries == TRIES
                || self.api.pace.back_off(tries, &trouble.error).await.is_err()
            {
                let told = match trouble.error.retry_advice() {
                    Retry::After(_) => trouble.error,
                    _ => trouble.error.retry(Retry::Never),
                };
                for one in left {
                    one.discard.end(Err(told.duplicate()));
                }
                return;
            }
        }
    }
}

impl Discard {
    fn is_known(&self) -> bool {
        self.permit.version().is_some() && self.spot.spare.is_none()
    }

    fn end(self, answer: Result<Removed>) {
        // Who left does not want to know.
        let _ = self.answer.send(answer);
    }

    /// Path and revision, once the permit was asked.
    fn place(
        &self,
        facts: &Facts,
        clock: &dyn safelight_core::time::Clock,
    ) -> Result<(String, Version)> {
        self.permit.still_good(clock)?;
        if self.is_known()
            && let Some(version) = self.permit.version()
        {
            return Ok((self.spot.path.clone(), version.clone()));
        }
        let doing = format!("removing {}", self.permit.key());
        let found = self.spot.paths().find_map(|path| Some((facts.get(&fold(&path))?, path)));
        let (seen, path) = found.ok_or_else(|| missing(&doing))?;
        let revision = self.permit.version().cloned().or_else(|| seen.version());
        Ok((path, revision.ok_or_else(|| missing(&doing))?))
    }
}

impl Known {
    /// Answers the caller, or gives itself back to be tried again.
    fn judge(self, result: &Value, unsure: bool, why: &mut Option<Trouble>) -> Option<Self> {
        if result.get(".tag").and_then(Value::as_str) == Some("success") {
            self.discard.end(Ok(Removed::Gone));
            return None;
        }
        let doing = format!("removing {}", self.discard.permit.key());
        let failure = result.get("failure").unwrap_or(&Value::Null);
        let trouble = Trouble::of_entry(failure, &doing);
        let answer = match trouble.error.kind() {
            // The try whose answer was lost did it.
            Kind::NotFound if unsure => Ok(Removed::Gone),
            Kind::Exists => Err(foreign(&doing)),
            Kind::RateLimited | Kind::Unavailable | Kind::Protocol => {
                *why = Some(trouble);
                return Some(self);
            }
            _ => Err(trouble.error),
        };
        self.discard.end(answer);
        None
    }
}
