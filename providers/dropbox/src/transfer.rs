//! Moving and copying on Dropbox's side: many at once, one direction per call.
//!
//! Dropbox moves whatever is at a path, so what is there is looked at right before: only the version that was
//! meant is moved. A change of case only is no move to Dropbox; it goes by way of another name.
//!
//! Invariant: nothing is ever moved onto something, and both steps of a move by way of another name are made by
//! the clerk, so that no caller who leaves can leave an item half-way.

use std::collections::VecDeque;

use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result, Retry};
use safelight_core::key::{Key, RESERVED};
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{Proof, Receipt, Relocate, Removed};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::facts::Facts;
use crate::names::{Spot, fold};
use crate::put::died;
use crate::step::{Outcome, Step, apart, success};
use crate::store::{Store, missing, pinned};
use crate::trouble::Trouble;
use crate::wire::Metadata;

const TRIES: u32 = 6;

/// Something that is to stand elsewhere.
pub(crate) struct Transfer {
    pub(crate) from: Key,
    pub(crate) to: Key,
    pub(crate) source: Spot,
    goal: Spot,
    /// Where it stands for a moment if only the case of its name changes.
    between: String,
    pin: Option<Version>,
    permit: Option<RemovalPermit>,
    answer: oneshot::Sender<Result<Metadata>>,
}

impl Store {
    /// Moves or copies one item.
    pub(crate) async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        let found = self.transfer(from, to, how == Relocate::Move, pin.cloned(), None).await?;
        let entry = found.entry(to.clone());
        Ok(Receipt {
            version: entry.version,
            remote_id: entry.remote_id,
            modified: entry.modified,
            digests: entry.digests,
            // The hash is the service's; nobody compared it with the item of the library here.
            proof: Proof::SizeOnly,
        })
    }

    /// Moves what a permit names to the place that it names.
    pub(crate) async fn set_aside(&self, permit: RemovalPermit, place: Key) -> Result<Removed> {
        let (from, pin) = (permit.key().clone(), permit.version().cloned());
        self.transfer(&from, &place, true, pin, Some(permit)).await?;
        Ok(Removed::Kept(place))
    }

    async fn transfer(
        &self,
        from: &Key,
        to: &Key,
        moves: bool,
        pin: Option<Version>,
        permit: Option<RemovalPermit>,
    ) -> Result<Metadata> {
        let (source, goal) = (self.names.spot(from)?, self.names.spot(to)?);
        let between = format!("{}/{RESERVED}/tmp/{}", self.names.root(), tag(&source.path));
        let (from, to) = (from.clone(), to.clone());
        let (answer, answered) = oneshot::channel();
        self.desk
            .relocate(Transfer { from, to, source, goal, between, pin, permit, answer }, moves);
        answered.await.map_err(|_| died())?
    }

    /// Makes a batch of moves, or of copies.
    pub(crate) async fn transfer_all(&self, transfers: Vec<Transfer>, moves: bool) {
        let doing = if moves { "moving files" } else { "copying files" };
        let live: Vec<_> = transfers.into_iter().filter(|one| !one.answer.is_closed()).collect();
        let paths: Vec<_> = live.iter().flat_map(|one| one.source.paths()).collect();
        let facts = match self.facts(&paths, doing).await {
            Ok(facts) => facts,
            Err(trouble) => {
                for one in live {
                    one.end(Err(trouble.error.duplicate()));
                }
                return;
            }
        };
        let clock = &**self.api.pace.clock();
        let ready = live.into_iter().filter_map(|one| one.ready(&facts, moves, clock));
        let mut left: Vec<Step> = ready.collect();
        let (mut tries, mut unsure) = (0, false);
        while !left.is_empty() {
            let (now, later) = apart(left);
            let (route, check) = if moves {
                ("files/move_batch_v2", "files/move_batch/check_v2")
            } else {
                ("files/copy_batch_v2", "files/copy_batch/check_v2")
            };
            let entries: Vec<_> = now
                .iter()
                .filter_map(|step| step.way.front())
                .map(|(from, to)| json!({"from_path": from, "to_path": to}))
                .collect();
            let argument = json!({"entries": entries, "autorename": false});
            let answer = self.api.batch(route, check, &argument, now.len(), doing).await;
            let (mut again, why) = match answer {
                Ok(results) => self.judge_all(now, results, unsure).await,
                Err(trouble) => {
                    unsure |= trouble.unknown();
                    let final_one = !trouble.may_pass();
                    (now, Some((trouble.error, final_one)))
                }
            };
            if let Some((error, final_one)) = why {
                tries += 1;
                if final_one
                    || tries == TRIES
                    || self.api.pace.back_off(tries, &error).await.is_err()
                {
                    self.give_up_transfers(again, later, &error, unsure).await;
                    return;
                }
            }
            again.extend(later);
            left = again;
        }
    }

    /// What is to be tried again, and why; steps that only go on are no reason to wait.
    async fn judge_all(
        &self,
        steps: Vec<Step>,
        results: Vec<Value>,
        unsure: bool,
    ) -> (Vec<Step>, Option<(Error, bool)>) {
        let (mut again, mut why) = (Vec::new(), None);
        for (mut step, result) in steps.into_iter().zip(results) {
            if let Some(found) = success(&result) {
                step.way.pop_front();
                if step.way.is_empty() {
                    step.end(Ok(found));
                } else {
                    again.push(step);
                }
                continue;
            }
            let failure = result.get("failure").unwrap_or(&Value::Null);
            let doing = format!("moving {} to {}", step.transfer.from, step.transfer.to);
            let trouble = Trouble::of_entry(failure, &doing);
            match self.outcome(&mut step, &trouble, unsure).await {
                Outcome::End(answer) => step.end(*answer),
                Outcome::On => again.push(step),
                Outcome::Later => {
                    why = Some((trouble.error, false));
                    again.push(step);
                }
            }
        }
        (again, why)
    }

    async fn outcome(&self, step: &mut Step, trouble: &Trouble, unsure: bool) -> Outcome {
        let kind = trouble.error.kind();
        if trouble.has("to")
            && trouble.has("malformed_path")
            && let Some(spare) = step.transfer.goal.spare.take()
            && let Some((_, to)) = step.way.back_mut()
        {
            *to = spare;
            self.learn_planes_refused().await;
            return Outcome::On;
        }
        if unsure
            && matches!(kind, Kind::NotFound | Kind::Exists)
            && let Some(found) = self.arrived(step).await
        {
            return Outcome::End(Box::new(Ok(found)));
        }
        if matches!(kind, Kind::RateLimited | Kind::Unavailable | Kind::Protocol) {
            return Outcome::Later;
        }
        step.turn_back(trouble.error.duplicate())
    }

    /// What stands at the goal, if it is what was to go there.
    async fn arrived(&self, step: &Step) -> Option<Metadata> {
        let (_, to) = step.way.back()?;
        let found = self.look_at(to, "looking for what was moved").await.ok()??;
        let same = found.hash().is_some() && found.hash() == step.seen.hash();
        // A target that was there before would be the same file as before.
        (same && found.size() == step.seen.size()).then_some(found)
    }

    async fn give_up_transfers(
        &self,
        tried: Vec<Step>,
        untried: Vec<Step>,
        error: &Error,
        unsure: bool,
    ) {
        let told = match error.retry_advice() {
            Retry::After(_) => error.duplicate(),
            _ => error.duplicate().retry(Retry::Never),
        };
        for step in tried {
            let arrived = if unsure { self.arrived(&step).await } else { None };
            step.end(arrived.ok_or_else(|| told.duplicate()));
        }
        for step in untried {
            step.end(Err(told.duplicate()));
        }
    }
}

impl Transfer {
    pub(crate) fn end(self, answer: Result<Metadata>) {
        // A caller who left finds the item at one of the two places.
        let _ = self.answer.send(answer);
    }

    /// Compares what was seen with what was meant; answers the caller if that is the end of it.
    fn ready(
        self,
        facts: &Facts,
        moves: bool,
        clock: &dyn safelight_core::time::Clock,
    ) -> Option<Step> {
        match self.way(facts, moves, clock) {
            Ok((way, seen)) => Some(Step { transfer: self, way, seen, failed: None }),
            Err(error) => {
                self.end(Err(error));
                None
            }
        }
    }

    fn way(
        &self,
        facts: &Facts,
        moves: bool,
        clock: &dyn safelight_core::time::Clock,
    ) -> Result<(VecDeque<(String, String)>, Metadata)> {
        let doing = format!("moving {} to {}", self.from, self.to);
        if let Some(permit) = &self.permit {
            permit.still_good(clock)?;
        }
        let found = self.source.paths().find_map(|path| Some((facts.get(&fold(&path))?, path)));
        let (seen, from) = found.ok_or_else(|| missing(&doing))?;
        pinned(seen, self.pin.as_ref(), &doing)?;
        let to = self.goal.path.clone();
        if fold(&from) != fold(&to) {
            return Ok((VecDeque::from([(from, to)]), seen.clone()));
        }
        if from == to || !moves {
            return Err(Error::new(Kind::Exists, format!("{doing}: it is the same place there")));
        }
        let between = self.between.clone();
        let way = VecDeque::from([(from, between.clone()), (between, to)]);
        Ok((way, seen.clone()))
    }
}

/// A short name that follows from a path.
fn tag(path: &str) -> String {
    let digests: Digests = Hasher::of(path.as_bytes(), Algorithms::default());
    hex::encode(&digests.sha256.unwrap_or_default()[..8])
}
