//! Removals: copies of what was deleted from the library follow into the trash, and what was kept long enough
//! is purged.
//!
//! Invariant: everything removed here has a permit, is recorded before it may be purged, and the guard was asked
//! with the exact number beforehand.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, stream};

use super::deliver::reserved;
use super::lane::Lane;
use crate::catalog::{GoneCopy, Keeping, Record, Retained, RetainedId};
use crate::error::{Error, Kind, Result, Scope};
use crate::job::{ChangeRules, DeletionRules, Tools};
use crate::key::Key;
use crate::monitor::Event;
use crate::permit::{Disposal, Grounds, RemovalPermit};
use crate::provider::Removed;
use crate::time::Timestamp;

const PAGE: usize = 1000;

/// What was removed at one destination.
#[derive(Debug, Default)]
pub struct Removals {
    /// Into the trash.
    pub trashed: u64,
    /// For good.
    pub purged: u64,
    /// What could not be removed.
    pub failures: Vec<(Key, Error)>,
}

/// Absences noticed at or before this point are old enough; `None` if nothing ever is.
pub fn due_before(rules: &DeletionRules, now: Timestamp) -> Option<Timestamp> {
    let wait = rules.propagate_after?;
    let nanos = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX);
    Some(Timestamp::from_nanos(now.as_nanos().saturating_sub(nanos)))
}

/// Moves copies of what was deleted from the library into the trash.
///
/// # Errors
/// With scope [`Scope::Run`] only; what goes wrong with one file is in the answer, what goes wrong with the
/// destination ends its removals.
pub async fn follow_deletions(
    lane: &Lane,
    rules: &DeletionRules,
    before: Timestamp,
    tools: &Tools,
    removals: &mut Removals,
) -> Result<()> {
    let over = AtomicBool::new(false);
    let mut after = None;
    while !over.load(Ordering::Relaxed) {
        let page = tools.catalog.deletable(lane.id, before, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.item);
        let trashing = page.into_iter().map(|gone| async {
            if tools.stop.gently.is_cancelled() {
                over.store(true, Ordering::Relaxed);
            }
            let begins = !over.load(Ordering::Relaxed);
            let trashed = if begins { Some(trash(lane, rules, &gone, tools).await) } else { None };
            (gone, trashed)
        });
        // As many at once as the lane is wide, so that a service which removes by the batch gets batches. What
        // has begun is seen through to its end, whatever became of its neighbours.
        let mut trashing = stream::iter(trashing).buffer_unordered(lane.width);
        while let Some((gone, trashed)) = trashing.next().await {
            match trashed {
                None => {}
                Some(Ok(())) => {
                    removals.trashed += 1;
                    let destination = lane.name.as_str();
                    tools.monitor.event(&Event::Removed { destination, key: &gone.key });
                }
                Some(Err(error)) if error.reach() == Scope::Run => return Err(error),
                Some(Err(error)) => {
                    over.fetch_or(error.reach() == Scope::Destination, Ordering::Relaxed);
                    removals.failures.push((gone.key, error));
                }
            }
        }
    }
    Ok(())
}

async fn trash(lane: &Lane, rules: &DeletionRules, gone: &GoneCopy, tools: &Tools) -> Result<()> {
    let now = tools.clock.now();
    let place = reserved("trash", gone.noticed, &gone.held.key)?;
    let permit = RemovalPermit::grant(
        gone.held.key.clone(),
        gone.held.version.clone(),
        Disposal::Trash(place.clone()),
        Grounds::DeletedFromLibrary { noticed: gone.noticed },
        &*tools.clock,
    )?;
    let mut records = vec![Record::Dropped { item: gone.item, destination: lane.id }];
    let removed = match lane.provider.remove(permit).await {
        // It is gone already: moved here by a try whose answer was lost, or removed by somebody else.
        Err(error) if error.kind() == Kind::NotFound => {
            lane.provider.stat(&place).await?.map(|there| Removed::Kept(there.key))
        }
        removed => Some(removed?),
    };
    let kept = match removed {
        None | Some(Removed::Gone) => None,
        Some(Removed::Kept(key)) => Some((Some(key), Some(now.plus(rules.keep_for)))),
        Some(Removed::Trashed { until }) => Some((None, until)),
    };
    records.extend(kept.map(|(key, until)| {
        Record::Retained(Retained {
            id: RetainedId(0),
            destination: lane.id,
            keeping: Keeping::Trash,
            original: gone.held.key.clone(),
            key,
            version: None,
            content: gone.held.content,
            since: now,
            until,
        })
    }));
    tools.catalog.record(records).await
}

/// Purges trash whose time is over and versions beyond the number that is kept.
///
/// # Errors
/// As [`follow_deletions`].
pub async fn purge(
    lane: &Lane,
    changes: &ChangeRules,
    tools: &Tools,
    removals: &mut Removals,
) -> Result<()> {
    loop {
        let now = tools.clock.now();
        let page = tools.catalog.purgeable(lane.id, now, changes.keep_versions, PAGE).await?;
        if page.is_empty() || tools.stop.gently.is_cancelled() {
            return Ok(());
        }
        let mut records = Vec::with_capacity(page.len());
        let purging = page.iter().map(|kept| async move {
            let purged = purge_one(lane, kept, tools).await;
            (kept, purged)
        });
        let mut purging = stream::iter(purging).buffer_unordered(lane.width);
        while let Some((kept, purged)) = purging.next().await {
            match purged {
                Ok(()) => {
                    removals.purged += 1;
                    records.push(Record::Purged(kept.id));
                }
                Err(error) => {
                    let key = kept.original.clone();
                    removals.failures.push((key, error));
                }
            }
        }
        drop(purging);
        let stuck = records.len() < page.len();
        tools.catalog.record(records).await?;
        if stuck {
            return Ok(());
        }
    }
}

async fn purge_one(lane: &Lane, kept: &Retained, tools: &Tools) -> Result<()> {
    let Some(key) = &kept.key else { return Ok(()) };
    let grounds = match kept.keeping {
        Keeping::Trash => Grounds::RetentionOver { kept_since: kept.since },
        Keeping::Version => Grounds::TooManyVersions,
    };
    let permit = RemovalPermit::grant(key.clone(), None, Disposal::Purge, grounds, &*tools.clock)?;
    match lane.provider.remove(permit).await {
        Err(error) if error.kind() != Kind::NotFound => Err(error),
        _ => Ok(()),
    }
}
