//! Inspect: looks into what is new or changed, before the plan decides where it may go.
//!
//! Invariant: an item is looked at once for each of its versions; a run with nothing new reads nothing here. What
//! cannot be read keeps the class of its name, and the transfer says what is wrong with it.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};

use super::record::Totals;
use super::source::stat_of;
use crate::catalog::{Catalog, Grouped, Known, Problem, Record, RunId, Sibling};
use crate::class::Classifier;
use crate::codes;
use crate::error::{Error, Kind, Result, Retry};
use crate::group::{Subject, groups};
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

/// Inspects what was not inspected in its present form, and finds the groups of the folders concerned. A gentle stop
/// ends it early; the rest goes by name until a later run.
///
/// # Errors
/// The catalog's; [`Kind::Cancelled`] if the run was stopped at once.
pub async fn inspect(
    job: &MirrorJob,
    tools: &Tools,
    run: RunId,
    totals: &mut Totals,
) -> Result<()> {
    let look = Look {
        library: &job.library,
        inspector: &*job.inspector,
        classifier: &job.classifier,
        now: tools.clock.now(),
        run,
    };
    let working = async {
        look.at_all(tools, totals).await?;
        group_all(tools).await
    };
    tokio::select! {
        biased;
        () = tools.stop.now.cancelled() => {
            Err(Error::new(Kind::Cancelled, "new files were being looked into"))
        }
        done = working => done,
    }
}

struct Look<'a> {
    library: &'a Arc<dyn Provider>,
    inspector: &'a dyn Inspector,
    classifier: &'a Classifier,
    now: Timestamp,
    run: RunId,
}

impl Look<'_> {
    async fn at_all(&self, tools: &Tools, totals: &mut Totals) -> Result<()> {
        let mut after = None;
        loop {
            let items = tools.catalog.uninspected(after, PAGE).await?;
            let Some(last) = items.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let found: Vec<(Known, Traits)> = futures::stream::iter(items)
                .map(|known| self.at_one(known))
                .buffer_unordered(READS)
                .take_until(tools.stop.gently.cancelled())
                .filter_map(std::future::ready)
                .collect()
                .await;
            let (mut records, mut problems) = (Vec::with_capacity(found.len()), Vec::new());
            for (Known { item, key, .. }, traits) in found {
                problems.extend(traits.health.and_then(|flaw| self.problem(key, flaw)));
                records.push(Record::Inspected { item, traits });
            }
            records.extend(problems.iter().cloned().map(Record::Problem));
            tools.catalog.record(records).await?;
            for problem in problems {
                tools.monitor.event(&Event::Problem { problem: &problem, retry: Retry::Never });
                totals.problem(problem);
            }
            if tools.stop.gently.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// What is worth a word in the report; empty files are named by the transfer, and what a Mac
    /// keeps apart is nothing that anybody could do something about.
    fn problem(&self, key: Key, flaw: Flaw) -> Option<Problem> {
        let (code, message) = match flaw {
            Flaw::AllZero => (codes::ALL_ZERO, "it holds nothing but zeros"),
            Flaw::Truncated => (codes::TRUNCATED, "a part of it is missing"),
            Flaw::Empty | Flaw::AppleDouble => return None,
        };
        let message = format!("{message}; it is backed up as it is");
        Some(Problem { run: self.run, destination: None, key: Some(key), code, message })
    }

    async fn at_one(&self, known: Known) -> Option<(Known, Traits)> {
        let mut traits = self.read(&known).await.ok()?;
        traits.class = self.classifier.chosen(known.key.name()).unwrap_or(traits.class);
        traits.taken = traits.taken.or_else(|| Taken::from_modified(known.stat.modified));
        Some((known, traits))
    }

    /// # Errors
    /// The library's; [`Kind::Changed`] if it is not the version that was listed.
    async fn read(&self, known: &Known) -> Result<Traits> {
        let mut inspecting = self.inspector.begin(known.key.name(), known.stat.size, self.now);
        while let Some(range) = inspecting.wants() {
            let at = range.start;
            let mut opened = self.library.read(&known.key, Some(range), None).await?;
            let stat = stat_of(&opened.entry);
            if (stat.size, stat.modified) != (known.stat.size, known.stat.modified) {
                return Err(Error::new(Kind::Changed, "it is not the version that was listed"));
            }
            // Usually one chunk is all.
            let first = opened.bytes.try_next().await?.unwrap_or_default();
            let Some(second) = opened.bytes.try_next().await? else {
                inspecting.give(at, &first);
                continue;
            };
            let mut all = [first, second].concat();
            while let Some(chunk) = opened.bytes.try_next().await? {
                all.extend_from_slice(&chunk);
            }
            inspecting.give(at, &all);
        }
        Ok(inspecting.finish())
    }
}

async fn group_all(tools: &Tools) -> Result<()> {
    loop {
        let folders = tools.catalog.ungrouped(FOLDERS).await?;
        if folders.is_empty() {
            return Ok(());
        }
        let mut records = Vec::with_capacity(folders.len());
        for folder in folders {
            records.push(group_one(&*tools.catalog, folder).await?);
        }
        tools.catalog.record(records).await?;
    }
}

fn subject(one: &Sibling) -> Subject<'_> {
    let content_id = one.content_id.as_deref();
    Subject { key: &one.key, class: one.class, content_id, taken: one.taken }
}

async fn group_one(catalog: &dyn Catalog, folder: Option<Key>) -> Result<Record> {
    let siblings = catalog.siblings(folder.clone()).await?;
    let subjects: Vec<Subject<'_>> = siblings.iter().map(subject).collect();
    let item_of = |key: &Key| {
        let at = siblings.binary_search_by(|one| one.key.cmp(key));
        at.ok().map(|at| siblings[at].item)
    };
    let owned = groups(&subjects).into_iter().map(|group| {
        let members = group.members.iter();
        let members = members.filter_map(|one| Some((item_of(one.key)?, one.role))).collect();
        Grouped { kind: group.kind, by: group.by, complete: group.complete, members }
    });
    let groups = owned.collect();
    Ok(Record::Grouped { folder, groups })
}
