//! Bringing files back from a destination, as the catalog knows them: in the library's own layout, compared with the
//! recorded content while they come.
//!
//! Invariant: what stands at the target is never overwritten, and what was stored there has the recorded SHA-256. What is
//! there already is recognised by its content, so that a restore that was cut off goes on where it was.

mod carry;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use safelight_core::catalog::{Amount, Catalog, Held, ItemDetail, Presence};
use safelight_core::class::MediaClass;
use safelight_core::error::{Error, Kind, Result, Retry, Scope};
use safelight_core::job::Tools;
use safelight_core::key::Key;
use safelight_core::provider::Provider;
use safelight_core::recognise;
use safelight_core::time::Timestamp;

use crate::source::Patience;

const PAGE: usize = 4096;
/// Files that are looked at at once.
const AT_ONCE: usize = 8;

/// What is brought back, from where, and where to.
pub struct Restore {
    /// The destination's name, as the catalog knows it.
    pub from: String,
    /// The destination; only read.
    pub source: Arc<dyn Provider>,
    /// Where files go.
    pub target: Arc<dyn Provider>,
    /// Only what is at or below these; everything if empty.
    pub paths: Vec<Key>,
    /// When reading counts as standing still.
    pub patience: Patience,
}

/// What a restore is going to do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Files to be fetched.
    pub send: Amount,
    /// Files that stand at the target already, with the recorded content.
    pub there: Amount,
    /// Files whose place at the target holds something else.
    pub occupied: Vec<Key>,
    /// Files of which the destination has no copy.
    pub without: Vec<Key>,
    /// Among the files: deleted from the library.
    pub deleted: u64,
    /// Among the files: older than what the library had last.
    pub older: u64,
    wishes: Vec<Wish>,
}

impl Plan {
    /// The files to be fetched, with their sizes.
    pub fn files(&self) -> impl Iterator<Item = (&Key, u64)> {
        self.wishes.iter().map(|wish| (&wish.key, wish.held.content.size))
    }
}

/// One file to be brought back.
#[derive(Debug, Clone)]
struct Wish {
    key: Key,
    class: MediaClass,
    modified: Timestamp,
    held: Held,
}

/// What became of a restore.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files that were brought back.
    pub restored: Amount,
    /// Files that could not be, and why.
    pub failed: Vec<(Key, Error)>,
    /// Files that were not tried any more.
    pub left: u64,
    /// Why the destination was not asked any more, if it was not.
    pub down: Option<Error>,
    /// Why nothing more can be stored at the target, if so.
    pub halted: Option<Error>,
    /// Somebody stopped it.
    pub stopped: bool,
}

impl Outcome {
    /// The exit code, as the manual lists them: 0 only if everything that was planned stands at the target.
    pub fn exit_code(&self, plan: &Plan) -> i32 {
        let later =
            |error: &Error| matches!(error.retry_advice(), Retry::BackOff | Retry::After(_));
        match self.down.as_ref().or(self.halted.as_ref()) {
            _ if self.stopped => 130,
            Some(error) if error.kind() == Kind::SignIn => 7,
            Some(error) if self.down.is_some() || later(error) => 5,
            None if plan.is_whole() && self.failed.is_empty() && self.left == 0 => 0,
            _ => 3,
        }
    }
}

impl Plan {
    /// Whether nothing was found that was asked for.
    pub fn is_empty(&self) -> bool {
        self.send.files + self.there.files == 0 && self.is_whole()
    }

    /// Whether every file that was asked for can be brought back.
    pub fn is_whole(&self) -> bool {
        self.occupied.is_empty() && self.without.is_empty()
    }
}

/// What looking at the place of a file found.
enum Place {
    Free(Wish),
    Same(u64),
    Other(Key),
}

impl Restore {
    /// Looks up what there is to do. Reads only the catalog and the target.
    ///
    /// # Errors
    /// Those of the catalog and of the target.
    pub async fn plan(&self, tools: &Tools) -> Result<Plan> {
        let mut plan = Plan::default();
        let mut wishes = BTreeMap::new();
        let below: Vec<Option<Key>> = match self.paths.as_slice() {
            [] => vec![None],
            paths => paths.iter().cloned().map(Some).collect(),
        };
        for below in below {
            let mut after = None;
            loop {
                let items = tools.catalog.browse(below.clone(), after, PAGE).await?;
                let Some(last) = items.last() else { break };
                after = Some(last.key.clone());
                for item in items {
                    if !wishes.contains_key(&item.key) {
                        self.wish(item, &mut plan, &mut wishes);
                    }
                }
            }
        }
        plan.without.sort();
        plan.without.dedup();
        let now = tools.clock.now();
        let looks = stream::iter(wishes.into_values()).map(|wish| self.look(wish, now));
        let mut places = looks.buffered(AT_ONCE);
        while let Some(place) = places.try_next().await? {
            if tools.stop.gently.is_cancelled() {
                return Err(Error::new(Kind::Cancelled, "the target was being looked at"));
            }
            match place {
                Place::Free(wish) => {
                    plan.send.add(wish.held.content.size);
                    plan.wishes.push(wish);
                }
                Place::Same(bytes) => plan.there.add(bytes),
                Place::Other(key) => plan.occupied.push(key),
            }
        }
        drop(places);
        Ok(plan)
    }

    fn wish(&self, item: ItemDetail, plan: &mut Plan, wishes: &mut BTreeMap<Key, Wish>) {
        let leg = item.legs.into_iter().find(|leg| leg.destination == self.from);
        let todo = leg.as_ref().is_some_and(|leg| leg.todo);
        let Some(held) = leg.and_then(|leg| leg.leg.held) else {
            if matches!(item.presence, Presence::Present | Presence::Suspect) {
                plan.without.push(item.key);
            }
            return;
        };
        let (key, class, modified) = (item.key, item.class, item.stat.modified);
        plan.deleted += u64::from(matches!(item.presence, Presence::Gone(_)));
        let recorded = item.content.and_then(|content| content.digests.sha256);
        plan.older += u64::from(todo && recorded != held.content.digests.sha256);
        wishes.insert(key.clone(), Wish { key, class, modified, held });
    }

    async fn look(&self, wish: Wish, now: Timestamp) -> Result<Place> {
        let content = wish.held.content;
        let entry = match self.target.stat(&wish.key).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(Place::Free(wish)),
            // Whether it can be stored is found out by storing it.
            Err(error) if error.reach() == Scope::Item => return Ok(Place::Free(wish)),
            Err(error) => return Err(error),
        };
        let found = recognise::compare(&*self.target, &entry, &content, now).await;
        Ok(match found {
            Ok(Some(_)) => Place::Same(content.size),
            Ok(None) => Place::Other(wish.key),
            Err(error) if error.reach() == Scope::Item => Place::Other(wish.key),
            Err(error) => return Err(error),
        })
    }

    /// Brings back what was planned.
    ///
    /// # Errors
    /// What ends it as a whole, for reasons of this program.
    pub async fn run(&self, plan: &Plan, tools: &Tools) -> Result<Outcome> {
        carry::all(self, plan, tools).await
    }
}

/// The catalog is only read.
pub async fn knows(catalog: &dyn Catalog, destination: &str) -> Result<bool> {
    let known = catalog.destinations().await?;
    Ok(known.iter().any(|record| record.name == destination))
}
