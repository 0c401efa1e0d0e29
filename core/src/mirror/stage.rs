//! Stage: which destinations take part in a run, and why the others do not.
//!
//! Invariant: a destination takes part only if its marker says that it is ours, or it was empty and never used
//! and carries our marker from now on.

use std::sync::Arc;

use futures::future::join_all;

use super::lane::Lane;
use crate::catalog::{Catalog, DestinationRecord};
use crate::codes;
use crate::error::{Error, Kind, Result, Scope};
use crate::job::{Destination, DestinationRules, MirrorJob, Tools};
use crate::marker;
use crate::monitor::Event;
use crate::provider::{Health, Provider};
use crate::time::Timestamp;

/// One destination at the start of a run.
pub struct Staged<'a> {
    /// What the catalog knows of it.
    pub record: DestinationRecord,
    /// Its rules.
    pub rules: &'a DestinationRules,
    /// How it stands.
    pub stage: Stage,
}

/// How a destination stands.
pub enum Stage {
    /// It takes part.
    Ready(Arc<Lane>),
    /// It is not there, and may be absent for now.
    Waiting {
        /// Why.
        error: Error,
        /// When that stops to be all right.
        overdue_at: Option<Timestamp>,
    },
    /// It cannot take part, and somebody should look after it.
    Stopped(Error),
}

/// Makes every destination known to the catalog, so that new items get a leg there.
pub async fn enroll(job: &MirrorJob, tools: &Tools) -> Result<Vec<DestinationRecord>> {
    let mut records = Vec::with_capacity(job.destinations.len());
    for destination in &job.destinations {
        records.push(tools.catalog.enroll(&destination.name).await?);
    }
    Ok(records)
}

/// Looks at all destinations at once. With `dry_run`, an unclaimed one takes part without getting a marker.
///
/// # Errors
/// Only the catalog's; what is wrong with a destination is in its stage.
pub async fn stage<'a>(
    job: &'a MirrorJob,
    records: Vec<DestinationRecord>,
    tools: &Tools,
    dry_run: bool,
) -> Result<Vec<Staged<'a>>> {
    let looks = job.destinations.iter().zip(records).map(|(destination, record)| async move {
        let stage = match &destination.opened {
            Ok(provider) => look(destination, provider, &record, tools, dry_run).await?,
            Err(error) => Stage::Stopped(error.duplicate()),
        };
        Ok(Staged { record, rules: &destination.rules, stage })
    });
    let staged: Result<Vec<_>> = join_all(looks).await.into_iter().collect();
    for one in staged.as_deref().unwrap_or_default() {
        announce(one, tools);
    }
    staged
}

/// Looks at a destination that was opened anew.
///
/// # Errors
/// Only the catalog's.
pub async fn stage_again<'a>(
    destination: &'a Destination,
    provider: &Arc<dyn Provider>,
    tools: &Tools,
) -> Result<Staged<'a>> {
    let record = tools.catalog.enroll(&destination.name).await?;
    let stage = look(destination, provider, &record, tools, false).await?;
    let staged = Staged { record, rules: &destination.rules, stage };
    if let Stage::Ready(lane) = &staged.stage {
        tools.monitor.event(&Event::Resumed { destination: &lane.name });
    }
    announce(&staged, tools);
    Ok(staged)
}

async fn look(
    destination: &Destination,
    provider: &Arc<dyn Provider>,
    record: &DestinationRecord,
    tools: &Tools,
    dry_run: bool,
) -> Result<Stage> {
    match ready(&**provider, &*tools.catalog, record, dry_run).await {
        Ok((health, marker)) => {
            let seen = DestinationRecord {
                marker,
                volume: health.volume,
                last_seen: Some(tools.clock.now()),
                ..record.clone()
            };
            tools.catalog.remember_destination(seen).await?;
            let (name, places) = (destination.name.clone(), destination.rules.concurrency);
            Ok(Stage::Ready(Arc::new(Lane::new(record.id, name, Arc::clone(provider), places))))
        }
        Err(error) if error.reach() == Scope::Run => Err(error),
        Err(error) if may_be_away(&error) && destination.rules.removable => {
            let overdue_at = record
                .last_seen
                .zip(destination.rules.overdue)
                .map(|(seen, overdue)| seen.plus(overdue));
            if overdue_at.is_some_and(|at| at <= tools.clock.now()) {
                return Ok(Stage::Stopped(error.code(codes::OVERDUE)));
            }
            Ok(Stage::Waiting { error, overdue_at })
        }
        Err(error) => Ok(Stage::Stopped(error)),
    }
}

/// A disk that is not attached, or a machine that does not answer.
fn may_be_away(error: &Error) -> bool {
    matches!(error.kind(), Kind::Absent | Kind::Unavailable | Kind::Timeout)
}

async fn ready(
    provider: &dyn Provider,
    catalog: &dyn Catalog,
    record: &DestinationRecord,
    dry_run: bool,
) -> Result<(Health, Option<String>)> {
    let health = provider.check().await?;
    if dry_run {
        marker::check(provider, health.root, record).await?;
        return Ok((health, record.marker.clone()));
    }
    let marker = marker::own(provider, catalog, health.root, record).await?;
    Ok((health, Some(marker)))
}

fn announce(one: &Staged<'_>, tools: &Tools) {
    let destination = one.record.name.as_str();
    match &one.stage {
        Stage::Ready(_) => {}
        Stage::Waiting { error, .. } => {
            let message = error.to_string();
            let event = Event::Waiting { destination, code: error.id(), message: &message };
            tools.monitor.event(&event);
        }
        Stage::Stopped(error) => {
            let message = error.to_string();
            let event = Event::Stopped { destination, code: error.id(), message: &message };
            tools.monitor.event(&event);
        }
    }
}
