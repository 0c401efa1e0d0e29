//! `safelight mirror`: copy what is new to every destination.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use safelight_catalog::SqliteCatalog;
use safelight_config::{Config, Mirror};
use safelight_core::catalog::Catalog;
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::job::{Stop, Tools};
use safelight_core::mirror::{RunReport, exit_code_of, mirror};
use safelight_core::time::{Clock, Timestamp};

use super::names;
use crate::args::MirrorArgs;
use crate::exit::{Exit, combine};
use crate::failure::Failure;
use crate::progress::{self, Listing, Progress, Surroundings};
use crate::render::{dry_run, guard, safety, summary};
use crate::session::{Session, catalog_path};
use crate::stop::Signals;
use crate::wiring::{self, Bandwidth, Opener};
use crate::{machine, open_catalog};

/// Runs the jobs one after the other.
pub async fn run(session: &Session, args: &MirrorArgs) -> Result<Exit, Failure> {
    progress::heard(session, Box::pin(run_jobs(session, args)).await)
}

async fn run_jobs(session: &Session, args: &MirrorArgs) -> Result<Exit, Failure> {
    session.online(
        "`mirror` has to contact its destinations",
        ", or look with: safelight status --offline",
    )?;
    let config = session.config()?;
    let jobs = chosen_jobs(&config, args)?;
    nesting(&config).await?;
    let mut signals = Signals::listen()?;
    let stop = Stop::default();
    let call = Call { session, args, config: &config, clock: session.clock(), stop: stop.clone() };
    tokio::select! {
        exit = call.all(&jobs) => exit,
        () = signals.pass_on(&stop, &session.out) => Ok(Exit::INTERRUPTED),
    }
}

fn chosen_jobs<'a>(config: &'a Config, args: &MirrorArgs) -> Result<Vec<&'a Mirror>, Failure> {
    for name in &args.to {
        names::destination(config, name)?;
    }
    let mut jobs = Vec::new();
    for name in &args.jobs {
        jobs.push(names::job(config, name)?);
    }
    if args.jobs.is_empty() {
        jobs.extend(&config.jobs);
    }
    let goes_there =
        |job: &&Mirror| args.to.is_empty() || job.to.iter().any(|to| args.to.contains(to));
    jobs.retain(goes_there);
    if jobs.is_empty() {
        let message = format!("none of these jobs copies to {}", args.to.join(", "));
        return Err(Failure::Usage { message, help: None });
    }
    Ok(jobs)
}

async fn nesting(config: &Config) -> Result<(), Failure> {
    let config = config.clone();
    let looking = tokio::task::spawn_blocking(move || {
        wiring::check_nesting(&config)?;
        Ok(wiring::neighbours(&config))
    });
    let looked: CoreResult<_> =
        looking.await.map_err(|error| Failure::other("looking at the folders", &error))?;
    for (one, other) in looked? {
        tracing::info!("{one} and {other} are on one file system: one broken disk takes both");
    }
    Ok(())
}

/// One call of the command.
struct Call<'a> {
    session: &'a Session,
    args: &'a MirrorArgs,
    config: &'a Config,
    clock: Arc<dyn Clock>,
    stop: Stop,
}

impl Call<'_> {
    async fn all(&self, jobs: &[&Mirror]) -> Result<Exit, Failure> {
        machine::make_state_folder(&self.config.state)?;
        let path = catalog_path(self.config);
        let catalog = self.catalog(&path).await?;
        let mut exits = Vec::new();
        let mut failed = None;
        for job in jobs {
            if self.stop.gently.is_cancelled() {
                exits.push(Exit::INTERRUPTED);
                break;
            }
            match self.one(job, &catalog).await {
                Ok(exit) => exits.push(exit),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if let Some(catalog) = Arc::into_inner(catalog) {
            catalog.close().await;
        }
        match failed {
            None => Ok(combine(exits)),
            Some(error) => {
                let error = match error.id() {
                    codes::CATALOG_DAMAGED if !self.args.dry_run => {
                        open_catalog::set_aside(&path, &*self.clock, error).await
                    }
                    _ => error,
                };
                let exit = combine(exits.into_iter().chain([Exit(exit_code_of(&error))]));
                let failure = Failure::Error(error);
                self.session.out.problem(&failure.render(self.session.out.colours_talk()));
                Ok(exit)
            }
        }
    }

    async fn catalog(&self, path: &Path) -> CoreResult<Arc<SqliteCatalog>> {
        let opened = if self.args.dry_run {
            SqliteCatalog::scratch(path).await
        } else {
            open_catalog::for_run(path, "mirror", &*self.clock).await
        };
        opened.map(Arc::new)
    }

    async fn one(&self, job: &Mirror, catalog: &Arc<SqliteCatalog>) -> CoreResult<Exit> {
        let catalog: Arc<dyn Catalog> = Arc::<SqliteCatalog>::clone(catalog);
        let progress = self.progress(&*catalog).await?;
        let result = self.carry_out(job, &catalog, &progress).await;
        let exit = match &result {
            Ok(report) => Exit(report.exit_code()),
            Err(error) => Exit(exit_code_of(error)),
        };
        progress.end(result.as_ref(), exit);
        self.conclude(&result?, &*catalog).await?;
        Ok(exit)
    }

    async fn carry_out(
        &self,
        job: &Mirror,
        catalog: &Arc<dyn Catalog>,
        progress: &Arc<dyn Progress>,
    ) -> CoreResult<RunReport> {
        let bandwidth = Bandwidth::new(self.args.bandwidth, &job.limits.bandwidth, &self.clock);
        let meter = bandwidth.as_ref().map(Bandwidth::meter);
        let (config, env) = (self.config, &self.session.env);
        let options = wiring::mirror_options(self.args, job)?;
        let opener = Opener::new(config, env, &self.clock, self.stop.now.clone(), Some(catalog))?;
        let wired = tokio::select! {
            wired = wiring::mirror_job(config, job, &self.args.to, opener, meter.as_ref()) => wired?,
            () = self.stop.gently.cancelled() => {
                return Err(Error::new(Kind::Cancelled, "the destinations were being opened"));
            }
        };
        let tools = Tools {
            catalog: Arc::clone(catalog),
            clock: Arc::clone(&self.clock),
            monitor: Arc::<dyn Progress>::clone(progress),
            stop: self.stop.clone(),
        };
        let run = mirror(&wired.job, &options, &tools);
        let result = progress::ticking(&*self.clock, &**progress, bandwidth.as_ref(), run).await;
        wired.close().await;
        result
    }

    async fn progress(&self, catalog: &dyn Catalog) -> CoreResult<Arc<dyn Progress>> {
        let out = Arc::clone(&self.session.out);
        let overdue = self.overdue(catalog).await?;
        let with = Surroundings {
            out: Arc::clone(&out),
            clock: Arc::clone(&self.clock),
            overdue,
            source: "the library".to_owned(),
        };
        let next = progress::choose(self.session, with);
        let names_all = self.args.list && !self.session.flags.json;
        Ok(if names_all { Arc::new(Listing { out, next }) } else { next })
    }

    async fn overdue(&self, catalog: &dyn Catalog) -> CoreResult<BTreeMap<String, Timestamp>> {
        let known = catalog.destinations().await?;
        let due = known.into_iter().filter_map(|record| {
            let rules = self.config.destination(&record.name)?;
            Some((record.name, record.last_seen?.plus(rules.overdue)))
        });
        Ok(due.collect())
    }

    /// Says what came of a run.
    async fn conclude(&self, report: &RunReport, catalog: &dyn Catalog) -> CoreResult<()> {
        let out = &self.session.out;
        let library = self.config.library.path.display().to_string();
        let guards = guard::blocks(report, &library);
        if !guards.is_empty() {
            out.problem(&guards);
        }
        if self.session.flags.json {
            return Ok(());
        }
        let fixes = summary::fixes(report, &wiring::signing_in(self.config)?);
        if report.dry_run {
            out.text(&dry_run::summary(report, self.args.list));
            out.text(&fixes.unwrap_or_default());
            return Ok(());
        }
        out.text(&summary::summary(report));
        out.text(&fixes.unwrap_or_default());
        // Counting every copy takes longer than a run with nothing to do; `status` is there for that.
        let Some(pointer) = summary::pointer(report) else { return Ok(()) };
        let rules = names::safety_rules(self.config, self.clock.now());
        let survey = catalog.survey(rules, names::places(self.config)).await?;
        let quiet_run = report.problem_counts.is_empty();
        if !quiet_run {
            out.line("");
        }
        for sentence in safety::sentences(&survey, rules.copies, rules.offsite) {
            out.line(sentence);
        }
        if self.session.flags.verbose > 0
            && let Some(reading) = summary::reading(report)
        {
            out.line(reading);
        }
        out.line(pointer);
        Ok(())
    }
}
