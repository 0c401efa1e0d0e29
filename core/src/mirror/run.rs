//! One run of a mirror job, from listing to report.

use std::sync::Arc;

use super::guard;
use super::inspect::{Look, group, inspect};
use super::lane::Lane;
use super::ledger::Ledger;
use super::plan::{Planned, Planning, is_choosy, plan};
use super::record::{LaneTotals, Totals};
use super::removals::{Removals, due_before, follow_deletions, purge};
use super::report::{DestinationReport, DestinationState, RunReport, exit_code_of};
use super::scan::{Scanned, scan};
use super::stage::{Stage, Staged, enroll, stage};
use super::transfer::{Transferred, transfer};
use crate::catalog::{Catalog, DestinationId, DestinationRecord, Problem, RunId, Tally, WorkQuery};
use crate::codes;
use crate::error::Result;
use crate::job::{MirrorJob, MirrorOptions, Tools};
use crate::key::Key;
use crate::monitor::Event;

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

struct Running<'a> {
    job: &'a MirrorJob,
    options: &'a MirrorOptions,
    tools: &'a Tools,
    run: RunId,
}

/// A destination, and its place among the lanes if it takes part.
type Seat<'a> = (Staged<'a>, Option<usize>);

impl Running<'_> {
    async fn go(&self) -> Result<RunReport> {
        let Self { job, options, tools, run } = *self;
        let (started, clock_started) = (tools.clock.now(), tools.clock.elapsed());
        let records = enroll(job, tools).await?;
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let (scanned, staged) = tokio::try_join!(
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

        let (seats, planning) = self.seat(staged).await?;
        let choosy = is_choosy(&planning, tools).await?;
        if choosy {
            inspect(job, tools, run, true, &mut totals).await?;
            group(tools).await?;
        }
        let planned = plan(&planning, tools, choosy, options.dry_run, hold_changed).await?;
        self.announce(files, &planned, &planning);
        self.tell_parted(&planned.parted, &planning, &mut totals).await?;
        (report.new, report.perhaps_moved) = (planned.new, planned.perhaps_moved);

        if options.dry_run {
            self.describe(&mut report, seats, &planned).await?;
        } else {
            let held = self.carry_out(&mut report, seats, &planning, &mut totals).await?;
            inspect(job, tools, run, false, &mut totals).await?;
            group(tools).await?;
            let parted = self.parted(held, &planning).await?;
            self.tell_parted(&parted, &planning, &mut totals).await?;
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

    /// Gives every destination that takes part a lane, and measures the room there if anything would go there.
    async fn seat<'s>(&self, staged: Vec<Staged<'s>>) -> Result<(Vec<Seat<'s>>, Vec<Planning>)> {
        let (mut seats, mut lanes) = (Vec::with_capacity(staged.len()), Vec::new());
        for one in staged {
            let mut at = None;
            if let Stage::Ready(lane) = &one.stage {
                let (lane, rules) = (Arc::clone(lane), one.rules);
                let catalog = &*self.tools.catalog;
                let pools = if has_work(catalog, lane.id).await? { &rules.pools[..] } else { &[] };
                let ledger = Ledger::measure(pools, &*lane.provider, catalog, lane.id).await?;
                at = Some(lanes.len());
                lanes.push(Planning { lane, ledger: Arc::new(ledger) });
            }
            seats.push((one, at));
        }
        Ok((seats, lanes))
    }

    fn announce(&self, files: u64, planned: &Planned, lanes: &[Planning]) {
        let monitor = &self.tools.monitor;
        let (run, job, new) = (self.run, self.job.name.as_str(), planned.new);
        monitor.event(&Event::Started { run, job, files, new });
        for (planning, plan) in lanes.iter().zip(&planned.lanes) {
            let destination = &planning.lane.name;
            monitor.event(&Event::Planned { destination, send: plan.send });
        }
    }

    /// A still without its movie is no silent matter, though each has its other copies.
    async fn tell_parted(
        &self,
        parted: &[(usize, Key)],
        lanes: &[Planning],
        totals: &mut Totals,
    ) -> Result<()> {
        let problem = |(lane, key): &(usize, Key)| Problem {
            run: self.run,
            destination: Some(lanes[*lane].lane.name.clone()),
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

    /// Of what the transfer held back, that of which others of the group are at the lane.
    async fn parted(
        &self,
        mut held: Vec<(usize, Key)>,
        lanes: &[Planning],
    ) -> Result<Vec<(usize, Key)>> {
        let catalog = &self.tools.catalog;
        let mut parted = Vec::new();
        held.sort();
        for (lane, key) in held {
            let group = catalog.item(&key).await?.and_then(|item| item.group);
            for (member, _) in group.into_iter().flat_map(|group| group.members) {
                let legs = catalog.item(&member).await?.map(|item| item.legs).unwrap_or_default();
                let name = &lanes[lane].lane.name;
                if legs.iter().any(|one| one.destination == *name && one.leg.held.is_some()) {
                    parted.push((lane, key));
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
        seats: Vec<Seat<'_>>,
        planned: &Planned,
    ) -> Result<()> {
        let before = due_before(&self.job.deletions, self.tools.clock.now());
        for (staged, lane) in seats {
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
            let plan = lane.map(|at| planned.lanes[at].clone()).unwrap_or_default();
            let mut one =
                DestinationReport::idle(record.name.clone(), state(staged.stage), &tally, &plan);
            one.trashed = due;
            report.destinations.push(one);
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        report: &mut RunReport,
        seats: Vec<Seat<'_>>,
        planning: &[Planning],
        totals: &mut Totals,
    ) -> Result<Vec<(usize, Key)>> {
        let Self { job, options, tools, run } = *self;
        let lanes = planning.iter().map(|one| (Arc::clone(&one.lane), Arc::clone(&one.ledger)));
        let look = Look::new(job, tools.clock.now());
        let Transferred { totals: done, down, bytes_read, bytes_needed, bytes_sent, cut } =
            transfer(job, options, tools, run, lanes.collect(), look).await?;
        (report.bytes_read, report.bytes_needed) = (bytes_read, bytes_needed);
        (report.bytes_sent, report.cut) = (bytes_sent, cut);
        let mut down = down;
        totals.absorb(done.problems, &done.problem_counts);
        for (staged, lane) in seats {
            let record = staged.record.clone();
            let mut removals = Removals::default();
            let mut ended = state(staged.stage);
            let mut counts = LaneTotals::default();
            if let Some(at) = lane {
                counts = done.lanes[at].clone();
                match down[at].take() {
                    Some(error) => ended = DestinationState::Stopped(error),
                    None if report.cut.is_none() => {
                        let lane = &planning[at].lane;
                        let tripped = self.remove(lane, &record, &mut removals).await?;
                        report.guards.extend(tripped);
                    }
                    None => {}
                }
            }
            for (key, error) in removals.failures.drain(..) {
                let (code, message) = (error.id(), error.to_string());
                let destination = Some(record.name.clone());
                let problem = Problem { run, destination, key: Some(key), code, message };
                self.tell(&problem, totals).await?;
            }
            let after = tools.catalog.tally(record.id).await?;
            if matches!(ended, DestinationState::Done) {
                self.remember(&record, &after).await?;
            }
            let name = record.name;
            let one = DestinationReport::done(name, ended, &after, &counts, &removals);
            report.destinations.push(one);
        }
        Ok(done.held)
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
