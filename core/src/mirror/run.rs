//! One run of a mirror job, from listing to report.

use std::sync::Arc;

use super::guard;
use super::inspect::{group, inspect};
use super::lane::Lane;
use super::ledger::Ledger;
use super::plan::{Planned, Planning, is_choosy, plan};
use super::record::Totals;
use super::removals::{Removals, due_before, follow_deletions, purge};
use super::report::{DestinationReport, DestinationState, RunReport, exit_code_of};
use super::rounds::Done;
use super::scan::{Scanned, scan};
use super::stage::{Stage, Staged, enroll, stage};
use crate::catalog::{Catalog, DestinationId, DestinationRecord, Problem, RunId, Tally, WorkQuery};
use crate::codes;
use crate::error::Result;
use crate::job::{MirrorJob, MirrorOptions, Tools};
use crate::key::Key;
use crate::monitor::{Event, Monitor};

/// Runs a mirror job.
///
/// # Errors
/// What ends a run as a whole: the library or the catalog. What concerns one file or one destination is in
/// the report, and the others go on.
pub async fn mirror(job: &MirrorJob, options: &MirrorOptions, tools: &Tools) -> Result<RunReport> {
    let run = tools.catalog.begin_run(&job.name, tools.clock.now()).await?;
    let result = Running { job, options, tools, run }.go().await;
    let (exit, report) = match &result {
        Ok(report) => (report.exit_code(), report.to_json().to_string()),
        Err(error) => (exit_code_of(error), String::new()),
    };
    tools.catalog.end_run(run, tools.clock.now(), exit, report).await?;
    result
}

/// A run that is under way.
pub struct Running<'a> {
    /// What it is to do.
    pub job: &'a MirrorJob,
    /// What a person decided for it.
    pub options: &'a MirrorOptions,
    /// What it was handed.
    pub tools: &'a Tools,
    /// Its number.
    pub run: RunId,
}

/// The lanes of a run, and what is to be done there.
pub struct Prepared {
    /// Destinations that take part.
    pub lanes: Vec<Planning>,
    /// What is to be done.
    pub planned: Planned,
}

impl Prepared {
    /// Tells what every destination has to do.
    pub fn announce(&self, monitor: &dyn Monitor) {
        for (planning, plan) in self.lanes.iter().zip(&self.planned.lanes) {
            let destination = &planning.lane.name;
            monitor.event(&Event::Planned { destination, send: plan.send });
        }
    }
}

impl Running<'_> {
    async fn go(&self) -> Result<RunReport> {
        let Self { job, options, tools, run } = *self;
        let (started, clock_started) = (tools.clock.now(), tools.clock.elapsed());
        let records = enroll(job, tools).await?;
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let (scanned, mut staged) = tokio::try_join!(
            scan(job, options, tools, run),
            stage(job, records, tools, options.dry_run)
        )?;
        let mut report = self.begin(started, &scanned);
        let mut totals = Totals::default();
        for problem in scanned.problems {
            self.tell(&problem, &mut totals).await?;
        }
        let files = scanned.files.files;
        let changes = guard::changes(job, tools, run, files, &ids, options.accept_changes).await?;
        let hold_changed = changes.is_some();
        report.guards.extend(changes);

        let prepared = self.prepare(&staged, hold_changed, &mut totals).await?;
        let (run, job, new) = (self.run, job.name.as_str(), prepared.planned.new);
        tools.monitor.event(&Event::Started { run, job, files, new });
        (report.new, report.perhaps_moved) = (new, prepared.planned.perhaps_moved);
        if options.dry_run {
            prepared.announce(&*tools.monitor);
            self.describe(&mut report, staged, &prepared.planned).await?;
        } else {
            let done = self.rounds(&mut staged, prepared, hold_changed, &mut totals).await?;
            (report.bytes_read, report.bytes_needed) = (done.bytes_read, done.bytes_needed);
            (report.bytes_sent, report.cut) = (done.bytes_sent, done.cut);
            self.conclude(&mut report, staged, &done, &mut totals).await?;
            inspect(self.job, tools, run, false, &mut totals).await?;
            group(tools).await?;
            let parted = self.parted(done.held).await?;
            self.tell_parted(&parted, &mut totals).await?;
        }
        self.check_totals(&mut report, &mut totals).await?;
        (report.problems, report.problem_counts) = (totals.problems, totals.problem_counts);
        report.took = tools.clock.elapsed().saturating_sub(clock_started);
        Ok(report)
    }

    fn begin(&self, started: crate::time::Timestamp, scanned: &Scanned) -> RunReport {
        RunReport {
            run: self.run,
            job: self.job.name.clone(),
            dry_run: self.options.dry_run,
            started,
            took: std::time::Duration::ZERO,
            files: scanned.files,
            new: crate::catalog::Amount::default(),
            perhaps_moved: 0,
            destinations: Vec::new(),
            problems: Vec::new(),
            problem_counts: std::collections::BTreeMap::new(),
            guards: Vec::new(),
            bytes_read: 0,
            bytes_needed: 0,
            bytes_sent: 0,
            cut: None,
        }
    }

    /// Measures the room at every destination that takes part, if anything would go there, and plans.
    pub async fn prepare(
        &self,
        staged: &[Staged<'_>],
        hold_changed: bool,
        totals: &mut Totals,
    ) -> Result<Prepared> {
        let Self { job, options, tools, run } = *self;
        let catalog = &*tools.catalog;
        let mut lanes = Vec::new();
        for one in staged {
            let Stage::Ready(lane) = &one.stage else { continue };
            let pools = if has_work(catalog, lane.id).await? { &one.rules.pools[..] } else { &[] };
            let ledger = Ledger::measure(pools, &*lane.provider, catalog, lane.id).await?;
            lanes.push(Planning { lane: Arc::clone(lane), ledger: Arc::new(ledger) });
        }
        let choosy = is_choosy(&lanes, tools).await?;
        if choosy {
            inspect(job, tools, run, true, totals).await?;
            group(tools).await?;
        }
        let planned = plan(&lanes, tools, choosy, options.dry_run, hold_changed).await?;
        let named = |(lane, key): &(usize, Key)| (lanes[*lane].lane.name.clone(), key.clone());
        let parted: Vec<_> = planned.parted.iter().map(named).collect();
        self.tell_parted(&parted, totals).await?;
        Ok(Prepared { lanes, planned })
    }

    /// A still without its movie is no silent matter, though each has its other copies.
    async fn tell_parted(&self, parted: &[(String, Key)], totals: &mut Totals) -> Result<()> {
        let problem = |(name, key): &(String, Key)| Problem {
            run: self.run,
            destination: Some(name.clone()),
            key: Some(key.clone()),
            code: codes::GROUP_INCOMPLETE,
            message: "it does not fit; others that belong to it are there".to_owned(),
        };
        let problems: Vec<Problem> = parted.iter().map(problem).collect();
        let records = problems.iter().cloned().map(crate::catalog::Record::Problem).collect();
        self.tools.catalog.record(records).await?;
        for problem in problems {
            let retry = crate::error::Retry::Never;
            self.tools.monitor.event(&Event::Problem { problem: &problem, retry });
            totals.problem(problem);
        }
        Ok(())
    }

    /// Of what the transfer held back, that of which others of the group are at the destination.
    async fn parted(&self, mut held: Vec<(String, Key)>) -> Result<Vec<(String, Key)>> {
        let catalog = &self.tools.catalog;
        let mut parted = Vec::new();
        held.sort();
        for (name, key) in held {
            let group = catalog.item(&key).await?.and_then(|item| item.group);
            for (member, _) in group.into_iter().flat_map(|group| group.members) {
                let legs = catalog.item(&member).await?.map(|item| item.legs).unwrap_or_default();
                if legs.iter().any(|one| one.destination == name && one.leg.held.is_some()) {
                    parted.push((name, key));
                    break;
                }
            }
        }
        Ok(parted)
    }

    /// Fills the report of a dry run.
    async fn describe(
        &self,
        report: &mut RunReport,
        staged: Vec<Staged<'_>>,
        planned: &Planned,
    ) -> Result<()> {
        let before = due_before(&self.job.deletions, self.tools.clock.now());
        let mut plans = planned.lanes.iter();
        for staged in staged {
            let record = &staged.record;
            let tally = self.tools.catalog.tally(record.id).await?;
            let due = match before {
                Some(before) if !self.options.keep_deleted => {
                    self.tools.catalog.count_deletable(record.id, before).await?
                }
                _ => 0,
            };
            let tripped = self.deletion_guard(record, due).await?;
            report.guards.extend(tripped);
            let takes_part = matches!(staged.stage, Stage::Ready(_));
            let plan = takes_part.then(|| plans.next().cloned()).flatten().unwrap_or_default();
            let mut one =
                DestinationReport::idle(record.name.clone(), state(staged.stage), &tally, &plan);
            one.trashed = due;
            report.destinations.push(one);
        }
        Ok(())
    }

    /// Removes what is due, and says of every destination how it stands now.
    async fn conclude(
        &self,
        report: &mut RunReport,
        staged: Vec<Staged<'_>>,
        done: &Done,
        totals: &mut Totals,
    ) -> Result<()> {
        let (tools, run) = (self.tools, self.run);
        for Staged { record, stage, .. } in staged {
            let mut removals = Removals::default();
            if let Stage::Ready(lane) = &stage
                && done.cut.is_none()
            {
                report.guards.extend(self.remove(lane, &record, &mut removals).await?);
            }
            for (key, error) in removals.failures.drain(..) {
                let (code, message) = (error.id(), error.to_string());
                let destination = Some(record.name.clone());
                let problem = Problem { run, destination, key: Some(key), code, message };
                self.tell(&problem, totals).await?;
            }
            let after = tools.catalog.tally(record.id).await?;
            let ended = state(stage);
            if matches!(ended, DestinationState::Done) {
                self.remember(&record, &after).await?;
            }
            let counts = done.counts.get(&record.name).cloned().unwrap_or_default();
            let one = DestinationReport::done(record.name, ended, &after, &counts, &removals);
            report.destinations.push(one);
        }
        Ok(())
    }

    /// Trash and purge at one destination; answers the guard if it tripped.
    async fn remove(
        &self,
        lane: &Lane,
        record: &DestinationRecord,
        removals: &mut Removals,
    ) -> Result<Option<super::report::GuardTripped>> {
        let (rules, tools) = (&self.job.deletions, self.tools);
        let mut tripped = None;
        if let Some(before) = due_before(rules, tools.clock.now())
            && !self.options.keep_deleted
        {
            let due = tools.catalog.count_deletable(record.id, before).await?;
            tripped = self.deletion_guard(record, due).await?;
            if tripped.is_none() && due > 0 {
                follow_deletions(lane, rules, before, tools, removals).await?;
            }
        }
        purge(lane, &self.job.changes, tools, removals).await?;
        Ok(tripped)
    }

    async fn deletion_guard(
        &self,
        record: &DestinationRecord,
        due: u64,
    ) -> Result<Option<super::report::GuardTripped>> {
        if due == 0 {
            return Ok(None);
        }
        let stored = self.tools.catalog.stored(record.id).await?;
        let stored = stored.values().map(|amount| amount.files).sum();
        let (rule, accepted) = (self.job.deletions.guard, self.options.accept_deletions);
        guard::deletions(rule, self.tools, &record.name, due, stored, accepted).await
    }

    async fn remember(&self, record: &DestinationRecord, after: &Tally) -> Result<()> {
        if after.todo.files > 0 {
            return Ok(());
        }
        let all = self.tools.catalog.destinations().await?;
        let Some(current) = all.into_iter().find(|one| one.id == record.id) else { return Ok(()) };
        let last_done = Some(self.tools.clock.now());
        self.tools.catalog.remember_destination(DestinationRecord { last_done, ..current }).await
    }

    async fn tell(&self, problem: &Problem, totals: &mut Totals) -> Result<()> {
        let record = crate::catalog::Record::Problem(problem.clone());
        self.tools.catalog.record(vec![record]).await?;
        let retry = crate::error::Retry::Never;
        self.tools.monitor.event(&Event::Problem { problem, retry });
        totals.problem(problem.clone());
        Ok(())
    }

    async fn check_totals(&self, report: &mut RunReport, totals: &mut Totals) -> Result<()> {
        let wrong: Vec<_> = report
            .destinations
            .iter()
            .filter(|one| !one.adds_up())
            .map(|one| one.name.clone())
            .collect();
        for name in wrong {
            let problem = Problem {
                run: self.run,
                destination: Some(name),
                key: None,
                code: codes::INTERNAL,
                message: "the totals of this destination do not add up".to_owned(),
            };
            self.tell(&problem, totals).await?;
        }
        Ok(())
    }
}

/// Whether anything is to be sent to a destination, or waits for room there.
async fn has_work(catalog: &dyn Catalog, destination: DestinationId) -> Result<bool> {
    let query = WorkQuery {
        destinations: vec![destination],
        after: None,
        not_tried_in: None,
        with_held: true,
        limit: 1,
    };
    Ok(!catalog.work(query).await?.is_empty())
}

fn state(stage: Stage) -> DestinationState {
    match stage {
        Stage::Ready(_) => DestinationState::Done,
        Stage::Waiting { error, overdue_at } => {
            DestinationState::Waiting { code: error.id(), overdue_at }
        }
        Stage::Stopped(error) => DestinationState::Stopped(error),
    }
}
