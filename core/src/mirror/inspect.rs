//! Inspect: finds out what items are by their content, and which belong together.
//!
//! Usually an item is looked into when it passes through on its way to the destinations, so that this costs no
//! reading. Only where it decides what goes where is it done before, and afterwards for what nobody waits for.
//!
//! Invariant: an item is looked into once for each of its versions; a run with nothing new reads nothing here. What
//! cannot be read keeps the class of its name, and the transfer says what is wrong with it.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};

use super::record::Totals;
use super::source::stat_of;
use crate::catalog::{Catalog, Grouped, Known, Problem, Record, RunId, Sibling, Stat};
use crate::class::Classifier;
use crate::codes::{self, Code};
use crate::error::{Error, Kind, Result, Retry};
use crate::group::{Role, Subject, groups};
use crate::inspect::Inspector;
use crate::job::{MirrorJob, Tools};
use crate::key::Key;
use crate::monitor::Event;
use crate::provider::Provider;
use crate::taken::Taken;
use crate::time::Timestamp;
use crate::traits::{Flaw, Traits};

const PAGE: usize = 2048;
/// How many files are looked into at once: enough for the disk to sort its work.
const READS: usize = 8;
const FOLDERS: usize = 64;

/// How items are looked into.
#[derive(Clone)]
pub struct Look {
    inspector: Arc<dyn Inspector>,
    classifier: Classifier,
    now: Timestamp,
}

impl Look {
    /// As the job says; dates well after `now` are none.
    pub fn new(job: &MirrorJob, now: Timestamp) -> Self {
        let (inspector, classifier) = (Arc::clone(&job.inspector), job.classifier.clone());
        Self { inspector, classifier, now }
    }

    /// Looks into an item that is all in memory.
    pub fn at_bytes(&self, key: &Key, stat: &Stat, bytes: &[u8]) -> Traits {
        let mut inspecting = self.inspector.begin(key.name(), bytes.len() as u64, self.now);
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        while let Some(Range { start, end }) = inspecting.wants() {
            inspecting.give(start, &bytes[place(start)..place(end)]);
        }
        self.judged(key, stat, inspecting.finish())
    }

    /// Looks into an item by reading what is needed of it. Also answers how many bytes that were.
    ///
    /// # Errors
    /// The library's; [`Kind::Changed`] if it is not the version that was listed.
    pub async fn at_item(
        &self,
        library: &dyn Provider,
        key: &Key,
        stat: &Stat,
    ) -> Result<(Traits, usize)> {
        let mut inspecting = self.inspector.begin(key.name(), stat.size, self.now);
        let mut read = 0;
        while let Some(range) = inspecting.wants() {
            let from = range.start;
            let mut opened = library.read(key, Some(range), None).await?;
            let found = stat_of(&opened.entry);
            if (found.size, found.modified) != (stat.size, stat.modified) {
                return Err(Error::new(Kind::Changed, "it is not the version that was listed"));
            }
            // Usually one chunk is all.
            let mut all = opened.bytes.try_next().await?.unwrap_or_default();
            while let Some(chunk) = opened.bytes.try_next().await? {
                all = [all, chunk].concat().into();
            }
            read += all.len();
            inspecting.give(from, &all);
        }
        Ok((self.judged(key, stat, inspecting.finish()), read))
    }

    /// The user's own words stand above the content's, the file's date below all others.
    fn judged(&self, key: &Key, stat: &Stat, mut traits: Traits) -> Traits {
        traits.class = self.classifier.chosen(key.name()).unwrap_or(traits.class);
        traits.taken = traits.taken.or_else(|| Taken::from_modified(stat.modified));
        traits
    }
}

/// What is worth a word in the report; empty files are named by the transfer, and what a Mac keeps apart is nothing
/// that anybody could do something about.
pub fn remark(flaw: Flaw) -> Option<(Code, &'static str)> {
    match flaw {
        Flaw::AllZero => {
            Some((codes::ALL_ZERO, "it holds nothing but zeros; it is backed up as it is"))
        }
        Flaw::Truncated => {
            Some((codes::TRUNCATED, "a part of it is missing; it is backed up as it is"))
        }
        Flaw::Empty | Flaw::AppleDouble => None,
    }
}

/// Looks into what was not looked into in its present form; without `to_send`, only into what no destination waits
/// for. A gentle stop ends it early; the rest goes by name until a later run.
///
/// # Errors
/// The catalog's; [`Kind::Cancelled`] if the run was stopped at once.
pub async fn inspect(
    job: &MirrorJob,
    tools: &Tools,
    run: RunId,
    to_send: bool,
    totals: &mut Totals,
) -> Result<()> {
    let look = Look::new(job, tools.clock.now());
    let mut after = None;
    while !tools.stop.gently.is_cancelled() {
        let items = tools.catalog.uninspected(after, PAGE, to_send).await?;
        let Some(last) = items.last() else { break };
        after = Some(last.key.clone());
        let looking = futures::stream::iter(items)
            .map(|known| async {
                let found = look.at_item(&*job.library, &known.key, &known.stat).await;
                found.ok().map(|(traits, _)| (known, traits))
            })
            .buffer_unordered(READS)
            .take_until(tools.stop.gently.cancelled())
            .filter_map(std::future::ready)
            .collect();
        let found: Vec<(Known, Traits)> = unless_stopped(tools, looking).await?;
        let (mut records, mut problems) = (Vec::with_capacity(found.len()), Vec::new());
        for (Known { item, key, .. }, traits) in found {
            problems.extend(traits.health.and_then(remark).map(|(code, message)| Problem {
                run,
                destination: None,
                key: Some(key),
                code,
                message: message.to_owned(),
            }));
            records.push(Record::Inspected { item, traits });
        }
        records.extend(problems.iter().cloned().map(Record::Problem));
        tools.catalog.record(records).await?;
        for problem in problems {
            tools.monitor.event(&Event::Problem { problem: &problem, retry: Retry::Never });
            totals.problem(problem);
        }
    }
    Ok(())
}

async fn unless_stopped<T>(tools: &Tools, work: impl Future<Output = T>) -> Result<T> {
    tokio::select! {
        biased;
        () = tools.stop.now.cancelled() => {
            Err(Error::new(Kind::Cancelled, "new files were being looked into"))
        }
        done = work => Ok(done),
    }
}

/// Finds the groups of all folders in which something was inspected or left.
///
/// # Errors
/// The catalog's; [`Kind::Cancelled`] if the run was stopped at once.
pub async fn group(tools: &Tools) -> Result<()> {
    loop {
        let folders = tools.catalog.ungrouped(FOLDERS).await?;
        if folders.is_empty() {
            return Ok(());
        }
        let grouping = async {
            let mut records = Vec::with_capacity(folders.len());
            for folder in folders {
                records.push(group_one(&*tools.catalog, folder).await?);
            }
            tools.catalog.record(records).await
        };
        unless_stopped(tools, grouping).await??;
    }
}

fn subject(one: &Sibling) -> Subject<'_> {
    let content_id = one.content_id.as_deref();
    Subject { key: &one.key, class: one.class, content_id, taken: one.taken }
}

async fn group_one(catalog: &dyn Catalog, folder: Option<Key>) -> Result<Record> {
    let siblings = catalog.siblings(folder.clone()).await?;
    let subjects: Vec<Subject<'_>> = siblings.iter().map(subject).collect();
    let of_key = |key: &Key| {
        let at = siblings.binary_search_by(|one| one.key.cmp(key));
        at.ok().map(|at| &siblings[at])
    };
    let owned = groups(&subjects).into_iter().map(|group| {
        let members = group.members.iter();
        let members: Vec<_> =
            members.filter_map(|one| Some((of_key(one.key)?, one.role))).collect();
        Grouped {
            kind: group.kind,
            by: group.by,
            complete: group.complete,
            taken: corrected(&members),
            members: members.into_iter().map(|(one, role)| (one.item, role)).collect(),
        }
    });
    let groups = owned.collect();
    Ok(Record::Grouped { folder, groups })
}

/// The date that a sidecar gives.
fn corrected(members: &[(&Sibling, Role)]) -> Option<Taken> {
    let sidecars = members.iter().filter(|(_, role)| *role == Role::Sidecar);
    let dates = sidecars.filter_map(|(one, _)| one.taken);
    dates
        .filter(|taken| taken.source() == crate::taken::Source::Sidecar)
        .reduce(|best, next| best.or_better(Some(next)))
}
