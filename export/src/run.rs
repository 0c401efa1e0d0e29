//! The export itself: the engine that mirrors, with the service as its library; then the account and the papers.
//!
//! Invariant: every item of the inventory is accounted for: exported, proven elsewhere, left out on request, or named as
//! missing with the reason.

mod account;
mod finish;
mod links;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use safelight_core::catalog::{Problem, Record};
use safelight_core::class::Classifier;
use safelight_core::codes::{self, Code};
use safelight_core::digest::Algorithms;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::filter::Filter;
use safelight_core::inspect::ByName;
use safelight_core::job::{
    ChangeRules, DeletionRules, Destination, Guard, MirrorJob, MirrorOptions, Stop, Tools,
};
use safelight_core::key::Key;
use safelight_core::mirror::{DestinationState, RunReport, mirror};

pub use self::account::{Account, ClassAccount, Missing};
pub(crate) use self::finish::forget_papers;
use self::whole::Whole;
use crate::layout::Placed;
use crate::plan::{Export, Plan};
use crate::source::{Patience, Source};
use crate::writer::Written;

/// How often the engine goes through what failed in a way that may pass.
const PASSES: usize = 3;
/// More versions than anybody replaces: nothing that was exported is ever lost for a newer one.
const VERSIONS: u32 = 1000;
const NO_LIMIT: Guard = Guard { files: u64::MAX, share: 1.0 };

/// What a person decided for one run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Begin although a target says that it is too small.
    pub despite_room: bool,
    /// End after this long.
    pub max_duration: Option<Duration>,
    /// End after so many bytes were stored.
    pub max_transfer: Option<u64>,
    /// When reading counts as standing still.
    pub patience: Patience,
}

/// What became of an export.
#[derive(Debug)]
pub struct Outcome {
    /// The engine's reports, one for each pass; none if nothing had to be taken out.
    pub reports: Vec<RunReport>,
    /// Every item, accounted for.
    pub account: Account,
    /// The papers of each target, or why it has none.
    pub papers: Vec<(String, Result<Written>)>,
    /// Items of which the service gives other bytes than it says; kept as they came.
    pub flagged: Vec<Key>,
    /// Why the service was not asked any more, if it was not.
    pub down: Option<Error>,
    /// Somebody stopped it at once; what was stored until then is in the account.
    pub stopped: bool,
}

impl Outcome {
    /// Why it ended early, if it did.
    pub fn cut(&self) -> Option<Code> {
        let down = self.down.as_ref().map(Error::id);
        let down = down.or(self.stopped.then_some(codes::CANCELLED));
        down.or_else(|| self.reports.last().and_then(|report| report.cut))
    }

    /// The exit code, as the manual lists them: 0 only if nothing is missing and the papers stand.
    pub fn exit_code(&self) -> i32 {
        let last = self.reports.last().map_or(0, RunReport::exit_code);
        let papers = |one: &(String, Result<Written>)| {
            one.1.as_ref().is_ok_and(|written| written.failed.is_empty())
        };
        if let Some(error) = &self.down {
            return if error.kind() == Kind::SignIn { 7 } else { 5 };
        }
        match last {
            _ if self.stopped => 130,
            7 | 8 | 10 | 130 => last,
            _ if !self.account.is_complete() || !self.papers.iter().all(papers) => 3,
            other => other,
        }
    }
}

impl Export {
    /// Carries a plan out. The catalog in `tools` is that of this export and of nothing else.
    ///
    /// # Errors
    /// [`NoRoom`](safelight_core::error::Kind::NoRoom) before anything is done; what ends a run as a whole.
    pub async fn run(&self, plan: &Plan, options: &Options, tools: &Tools) -> Result<Outcome> {
        if !options.despite_room {
            Self::check_room(plan)?;
        }
        let monitor = Arc::new(Whole::new(plan, Arc::clone(&tools.monitor)));
        let tools = &Tools { monitor, ..tools.clone() };
        let mut running = Running::new(self, plan, options, tools);
        running.transfer().await?;
        let (down, at_once) = (running.down.take(), running.stopped);
        let (reports, flagged) = running.close().await?;
        let account = self.account(plan, &reports, tools).await?;
        let papers = if tools.stop.now.is_cancelled() {
            Vec::new()
        } else {
            self.write_papers(plan, &account, tools).await?
        };
        Ok(Outcome { reports, account, papers, flagged, down, stopped: at_once })
    }
}

struct Running<'a> {
    export: &'a Export,
    plan: &'a Plan,
    options: &'a Options,
    tools: &'a Tools,
    reports: Vec<RunReport>,
    flagged: Vec<Key>,
    down: Option<Error>,
    stopped: bool,
    began: Duration,
}

impl<'a> Running<'a> {
    fn new(export: &'a Export, plan: &'a Plan, options: &'a Options, tools: &'a Tools) -> Self {
        let began = tools.clock.elapsed();
        let (reports, flagged) = (Vec::new(), Vec::new());
        Self { export, plan, options, tools, reports, flagged, down: None, stopped: false, began }
    }

    async fn transfer(&mut self) -> Result<()> {
        let all: Vec<Placed> =
            self.plan.chosen.iter().map(|at| self.plan.placed[*at].clone()).collect();
        if all.is_empty() {
            return Ok(());
        }
        // The engine works in the order in which it first saw things, so what is nowhere else is shown first.
        let first: Vec<Placed> = all.iter().filter(|one| self.is_urgent(one)).cloned().collect();
        let begun = |one: &Placed| self.plan.known.files.has(&one.key, one.content);
        let urgent = first.iter().any(|one| !begun(one));
        if urgent && first.len() < all.len() && !self.pass(&first).await? {
            return Ok(());
        }
        for _ in 0..PASSES {
            if !self.pass(&all).await? || !self.may_heal() {
                break;
            }
        }
        Ok(())
    }

    /// Proven nowhere else, or begun before: what was begun must stay in sight.
    fn is_urgent(&self, one: &Placed) -> bool {
        let begun = self.plan.known.files.has(&one.key, one.content);
        begun || !self.export.is_elsewhere(one.item)
    }

    /// Whether another pass may do better than the last: something failed, and something else got through or the reason
    /// was one that passes.
    fn may_heal(&self) -> bool {
        let Some(report) = self.reports.last() else { return false };
        let passing =
            [codes::CORRUPT_TRANSFER, codes::UNREADABLE, codes::TIMEOUT, codes::UNAVAILABLE];
        let failed = report
            .destinations
            .iter()
            .any(|one| one.failed > 0 && matches!(one.state, DestinationState::Done));
        failed && passing.iter().any(|code| report.problem_counts.contains_key(code))
    }

    /// One run of the engine; answers whether it may be followed by another.
    async fn pass(&mut self, placed: &[Placed]) -> Result<bool> {
        let elapsed = self.tools.clock.elapsed().saturating_sub(self.began);
        let sent: u64 = self.reports.iter().map(|report| report.bytes_sent).sum();
        let options = MirrorOptions {
            max_duration: self.options.max_duration.map(|most| most.saturating_sub(elapsed)),
            max_transfer: self.options.max_transfer.map(|most| most.saturating_sub(sent)),
            ..MirrorOptions::default()
        };
        let export = self.export;
        // The service may end this pass as well as a person.
        let asked = &self.tools.stop;
        let stop = Stop { gently: asked.gently.child_token(), now: asked.now.clone() };
        let source = Arc::new(Source::new(
            Arc::clone(&export.service),
            &export.inventory,
            placed,
            &self.plan.known.dates,
            Arc::clone(&self.tools.clock),
            self.options.patience,
            stop.clone(),
        ));
        let job = self.job(Arc::clone(&source));
        let report = mirror(&job, &options, &Tools { stop, ..self.tools.clone() }).await;
        self.note_flags(&source).await?;
        let report = match report {
            Err(error) if error.kind() == Kind::Cancelled && asked.now.is_cancelled() => {
                self.stopped = true;
                return Ok(false);
            }
            report => report?,
        };
        self.down = source.down();
        let over = report.cut.is_some() || self.down.is_some() || asked.gently.is_cancelled();
        self.reports.push(report);
        Ok(!over)
    }

    fn job(&self, library: Arc<Source>) -> MirrorJob {
        let export = self.export;
        let spoken = spoken(export);
        let target = |one: &Destination| Destination {
            name: one.name.clone(),
            opened: match &one.opened {
                Ok(provider) => {
                    Ok(Arc::new(crate::target::Target::new(Arc::clone(provider), spoken)) as Arc<_>)
                }
                Err(error) => Err(error.duplicate()),
            },
            // A target goes on in the next run: the session that may die is that of the service.
            renewal: None,
            rules: one.rules.clone(),
        };
        MirrorJob {
            name: export.name.clone(),
            library,
            filter: Filter { hidden: true, ..Filter::default() },
            settle: Duration::ZERO,
            classifier: Classifier::default(),
            inspector: Arc::new(ByName::default()),
            destinations: export.targets.iter().map(target).collect(),
            deletions: DeletionRules {
                propagate_after: None,
                keep_for: Duration::ZERO,
                guard: NO_LIMIT,
            },
            changes: ChangeRules { keep_versions: VERSIONS, guard: NO_LIMIT },
            memory_bytes: export.memory_bytes,
        }
    }

    /// Remembers what came out other than the service says, also of a run that failed as a whole.
    async fn note_flags(&mut self, source: &Source) -> Result<()> {
        let (new, keys) = source.flags();
        if keys.is_empty() {
            return Ok(());
        }
        let catalog = &*self.tools.catalog;
        let mut flags = crate::flags::Flags::load(catalog).await?;
        flags.merge(&new);
        for target in &self.export.targets {
            flags.keep(catalog, &target.name).await?;
        }
        self.flagged.extend(keys);
        Ok(())
    }

    async fn close(self) -> Result<(Vec<RunReport>, Vec<Key>)> {
        let mut flagged = self.flagged;
        flagged.sort();
        flagged.dedup();
        if let Some(report) = self.reports.last() {
            let message = "the same other bytes came twice; they are kept as they came".to_owned();
            let problem = |key: &Key| Problem {
                run: report.run,
                destination: None,
                key: Some(key.clone()),
                code: codes::OTHER_BYTES,
                message: message.clone(),
            };
            let records = flagged.iter().map(|key| Record::Problem(problem(key))).collect();
            self.tools.catalog.record(records).await?;
        }
        Ok((self.reports, flagged))
    }
}

/// The digests that the service tells of its items.
fn spoken(export: &Export) -> Algorithms {
    let items = export.inventory.items.iter();
    items.fold(Algorithms::default(), |all, item| {
        all.union(crate::settle::spoken(&item.entry.digests))
    })
}
