//! Guards: a run that would remove or change suspiciously much stops that part and asks.
//!
//! Invariant: a guard counts what would really happen. Files whose date changed but whose content did not are
//! no changes; they are read once, here or in the transfer, and done.

use std::sync::Arc;

use super::record::failure;
use super::report::GuardTripped;
use super::source::{Judgement, Source, judge};
use crate::catalog::{DestinationId, Freshness, Record, RunId, WorkQuery};
use crate::codes;
use crate::digest::Algorithms;
use crate::error::Result;
use crate::job::{Guard, MirrorJob, Tools};

const PAGE: usize = 256;

/// Whether more files changed their content than the guard allows. `files` is the size of the library.
pub async fn changes(
    job: &MirrorJob,
    tools: &Tools,
    run: RunId,
    files: u64,
    destinations: &[DestinationId],
    accepted: Option<RunId>,
) -> Result<Option<GuardTripped>> {
    let allowed = job.changes.guard.allows(files);
    let suspects = tools.catalog.count_changed().await?;
    if suspects <= allowed {
        return Ok(None);
    }
    let source =
        Source::new(Arc::clone(&job.library), Arc::clone(&tools.clock), Algorithms::default());
    let mut changed = 0;
    let mut after = None;
    loop {
        let query = WorkQuery {
            destinations: destinations.to_vec(),
            after,
            not_tried_in: Some(run),
            with_held: true,
            limit: PAGE,
        };
        let works = tools.catalog.work(query).await?;
        let Some(last) = works.last() else { break };
        after = Some(last.item);
        let mut records = Vec::new();
        for work in works {
            let Some(known) = work.content.filter(|_| work.freshness == Freshness::Stale) else {
                continue;
            };
            match source.digest(&work).await {
                Err(error) => records.push(failure(work.item, None, run, &error)),
                Ok((content, stat))
                    if judge(&work, &stat, &content.digests) == Judgement::Suspect => {}
                Ok((content, stat)) if content.digests.sha256 == known.digests.sha256 => {
                    let item = work.item;
                    records.push(Record::Read { item, stat, content });
                    let has_it = |leg: &&crate::catalog::Leg| {
                        leg.held.as_ref().is_some_and(|held| {
                            held.content.digests.sha256 == content.digests.sha256
                        })
                    };
                    for leg in work.legs.iter().filter(has_it) {
                        records.push(Record::Unchanged { item, destination: leg.destination });
                    }
                }
                Ok(_) => changed += 1,
            }
        }
        if !records.is_empty() {
            tools.catalog.record(records).await?;
        }
        if changed > allowed && !answered(tools, accepted, "changes", suspects).await? {
            return Ok(Some(GuardTripped {
                code: codes::GUARD_CHANGES,
                kind: "changes",
                destination: None,
                count: suspects,
                allowed,
            }));
        }
    }
    Ok(None)
}

/// Whether more copies would be removed at one destination than the guard allows.
pub async fn deletions(
    guard: Guard,
    tools: &Tools,
    destination: &str,
    due: u64,
    stored: u64,
    accepted: Option<RunId>,
) -> Result<Option<GuardTripped>> {
    let allowed = guard.allows(stored);
    if due <= allowed || answered(tools, accepted, "deletions", due).await? {
        return Ok(None);
    }
    Ok(Some(GuardTripped {
        code: codes::GUARD_DELETIONS,
        kind: "deletions",
        destination: Some(destination.to_owned()),
        count: due,
        allowed,
    }))
}

/// Whether a person looked at this very guard in an earlier run, and it does not ask for more now.
async fn answered(tools: &Tools, accepted: Option<RunId>, kind: &str, count: u64) -> Result<bool> {
    let Some(accepted) = accepted else { return Ok(false) };
    let runs = tools.catalog.runs(1000).await?;
    let report = runs.into_iter().find(|run| run.id == accepted).and_then(|run| run.report);
    let tripped = report.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let shown =
        tripped.as_ref().and_then(|report| report["guards"].as_array()).into_iter().flatten();
    Ok(shown
        .filter(|guard| guard["kind"] == kind)
        .filter_map(|guard| guard["count"].as_u64())
        .any(|seen| count <= seen))
}
