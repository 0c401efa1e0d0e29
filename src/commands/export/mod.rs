//! `safelight export`: take everything out of a service.

mod asked;
mod notice;

use std::collections::BTreeMap;
use std::sync::Arc;

use safelight_catalog::SqliteCatalog;
use safelight_config::Config;
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::job::{Stop, Tools};
use safelight_core::provider::Provider;
use safelight_core::time::Clock;
use safelight_export::inventory::{Inventory, Look};
use safelight_export::plan::{Export, Plan};
use safelight_export::run::{Options, Outcome};
use safelight_media::Media;

use self::asked::Asked;
pub use self::asked::open_folder;
use self::notice::notice_gone;
use crate::args::ExportArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::{self, Progress, Surroundings};
use crate::render::exported::Exported;
use crate::render::moment;
use crate::session::Session;
use crate::stop::Signals;
use crate::wiring::exports::Remembered;
use crate::wiring::{self, Bandwidth, Opener, Shelves};
use crate::{machine, open_catalog};

/// The byte budget for items on their way.
const MEMORY: u64 = 128 << 20;

/// Carries an export out, or goes on with it.
pub async fn run(session: &Session, args: &ExportArgs) -> Result<Exit, Failure> {
    progress::heard(session, Box::pin(run_export(session, args)).await)
}

async fn run_export(session: &Session, args: &ExportArgs) -> Result<Exit, Failure> {
    session.online("`export` has to fetch from the service", "")?;
    let config = session.config()?;
    let (clock, stop, mut signals) = (session.clock(), Stop::default(), Signals::listen()?);
    let asked = Asked::new(session, &config, args)?;
    let mut remembered = asked.remembered(&config, &moment::day(clock.now()))?;
    if !args.dry_run {
        machine::make_state_folder(&remembered.folder)?;
    }
    let path = remembered.catalog();
    let opened = if args.dry_run {
        SqliteCatalog::scratch(&path).await
    } else {
        open_catalog::for_run(&path, "export", &*clock).await
    };
    let catalog = Arc::new(opened?);
    let call = Call { session, args, config: &config, asked: &asked, clock, stop: stop.clone() };
    let done = tokio::select! {
        done = call.carry_out(&catalog, &mut remembered) => done,
        () = signals.pass_on(&stop, &session.out) => Ok(Exit::INTERRUPTED),
    };
    if let Some(catalog) = Arc::into_inner(catalog) {
        catalog.close().await;
    }
    Ok(done?)
}

/// One call of the command.
struct Call<'a> {
    session: &'a Session,
    args: &'a ExportArgs,
    config: &'a Config,
    asked: &'a Asked<'a>,
    clock: Arc<dyn Clock>,
    stop: Stop,
}

impl Call<'_> {
    async fn carry_out(
        &self,
        catalog: &Arc<SqliteCatalog>,
        remembered: &mut Remembered,
    ) -> CoreResult<Exit> {
        let catalog: Arc<dyn Catalog> = Arc::<SqliteCatalog>::clone(catalog);
        if !self.args.dry_run {
            let unused = unused(&*catalog, remembered).await?;
            save(remembered, unused).await?;
        }
        let bandwidth = Bandwidth::new(self.args.bandwidth, &[], &self.clock);
        let (env, cancel) = (&self.session.env, self.stop.now.clone());
        let mut opener = Opener::new(self.config, env, &self.clock, cancel, Some(&catalog))?;
        let progress = self.progress();
        let tools = Tools {
            catalog,
            clock: Arc::clone(&self.clock),
            monitor: Arc::<dyn Progress>::clone(&progress),
            stop: self.stop.clone(),
        };
        let work = Box::pin(self.export(remembered, &mut opener, bandwidth.as_ref(), &tools));
        let done = progress::ticking(&*self.clock, &*progress, bandwidth.as_ref(), work).await;
        opener.close().await;
        progress.clear();
        let (export, plan, outcome) = done?;
        if let Some(outcome) = &outcome {
            if outcome.exit_code() == 0 {
                remembered.finished = Some(moment::day(self.clock.now()));
            }
            save(remembered, Vec::new()).await?;
        }
        self.conclude(&export, &plan, outcome.as_ref(), &tools, &*progress).await
    }

    fn progress(&self) -> Arc<dyn Progress> {
        let (out, clock) = (Arc::clone(&self.session.out), Arc::clone(&self.clock));
        let source = self.asked.from.name.clone();
        let with = Surroundings { out, clock, overdue: BTreeMap::new(), source };
        progress::choose(self.session, with)
    }

    /// Looks, plans, and unless it is a rehearsal or there is no room, fetches.
    async fn export(
        &self,
        remembered: &mut Remembered,
        opener: &mut Opener,
        bandwidth: Option<&Bandwidth>,
        tools: &Tools,
    ) -> CoreResult<(Export, Plan, Option<Outcome>)> {
        let opening = async {
            let meter = bandwidth.map(Bandwidth::meter);
            let (from, trash) = (self.asked.from, self.args.trash);
            let service = wiring::open_service(self.config, from, opener, trash, meter).await?;
            let shelves =
                Shelves::open(self.config, from, Some(&remembered.folder), &self.clock).await?;
            let (library, rehearsal) = (shelves.of_library(), self.args.dry_run);
            let targets =
                self.asked.open_targets(remembered, library, opener, &self.clock, rehearsal);
            let (targets, lost) = targets.await;
            if notice_gone(&*tools.catalog, &targets, &lost, &self.session.out).await? {
                remembered.finished = None;
            }
            if !rehearsal {
                save(remembered, Vec::new()).await?;
            }
            Ok((service, shelves, targets))
        };
        let ready: CoreResult<(Arc<dyn Provider>, _, _)> = tokio::select! {
            ready = opening => ready,
            () = self.stop.gently.cancelled() => {
                Err(Error::new(Kind::Cancelled, "the service was being opened"))
            }
        };
        let (service, shelves, targets) = ready?;
        let classifier = self.config.library.media.classifier();
        let look = Look { trashed: self.args.trash, classifier, inspector: Arc::new(Media) };
        let mut inventory = Inventory::take(&*service, &look, tools).await?;
        shelves.know(&mut inventory, self.asked.from).await?;
        let rules = wiring::leaving_rules(self.config, self.asked.from, self.clock.now());
        // What earlier exports found out proves what is elsewhere, but by it this one would not know its own items again.
        let mut known = inventory.clone();
        shelves.know_from_exports(&mut known).await?;
        let standings = shelves.weigh(&known, rules, &self.stop).await?;
        drop(known);
        let export = Export {
            name: self.asked.name.clone(),
            service,
            inventory: Arc::new(inventory),
            standings: Arc::new(standings),
            targets,
            wishes: self.asked.wishes.clone(),
            memory_bytes: MEMORY,
        };
        let plan = export.plan(&*tools.catalog).await?;
        if self.args.dry_run || (!plan.fits() && !self.args.despite_room) {
            return Ok((export, plan, None));
        }
        let options = Options {
            despite_room: self.args.despite_room,
            max_duration: self.args.max_duration,
            max_transfer: self.args.max_transfer.map(safelight_config::units::ByteSize::bytes),
            ..Options::default()
        };
        let outcome = export.run(&plan, &options, tools).await?;
        Ok((export, plan, Some(outcome)))
    }

    async fn conclude(
        &self,
        export: &Export,
        plan: &Plan,
        outcome: Option<&Outcome>,
        tools: &Tools,
        progress: &dyn Progress,
    ) -> CoreResult<Exit> {
        let exported = Exported {
            from: &self.asked.from.name,
            export,
            plan,
            places: self.asked.places(),
            speed: speed(&*tools.catalog).await?,
        };
        let too_small = !plan.fits() && !self.args.despite_room;
        let exit = match outcome {
            Some(outcome) => Exit(outcome.exit_code()),
            None if too_small || !export.inventory.is_complete() => Exit::LEFT_OVER,
            None => Exit::OK,
        };
        // Somebody who stopped it knows why it is not complete.
        let stopped = self.stop.gently.is_cancelled() && exit != Exit::OK;
        let exit = if stopped { Exit::INTERRUPTED } else { exit };
        let out = &self.session.out;
        let line = match outcome {
            Some(outcome) => exported.end(outcome),
            None => exported.planned(self.args.dry_run),
        };
        progress.close(&export.name, line, exit);
        if too_small {
            out.problem(&exported.too_small());
        }
        if self.session.flags.json {
            return Ok(exit);
        }
        match outcome {
            Some(outcome) => out.text(&exported.summary(outcome)),
            None if self.args.dry_run => {
                out.text(&exported.rehearsal(self.args.list, &self.asked.command));
            }
            None => {}
        }
        Ok(exit)
    }
}

/// The targets that hold nothing yet, as far as is known.
async fn unused(catalog: &dyn Catalog, remembered: &Remembered) -> CoreResult<Vec<String>> {
    let mut used = catalog.destinations().await?;
    used.retain(|record| record.marker.is_some());
    let names = remembered.targets.iter().map(|target| target.name.clone());
    Ok(names.filter(|name| used.iter().all(|record| record.name != *name)).collect())
}

/// Writes down what is remembered of the export, with where its targets are seen now, and where those that are `unused`
/// are going to be made.
async fn save(remembered: &mut Remembered, unused: Vec<String>) -> CoreResult<()> {
    let mut note = remembered.clone();
    let saving = tokio::task::spawn_blocking(move || note.save(&unused).map(|()| note));
    let broken = |error| Error::new(Kind::Internal, "noting where the export is").source(error);
    *remembered = saving.await.map_err(broken)??;
    Ok(())
}

/// Bytes per second of earlier runs of this export, if there were any.
async fn speed(catalog: &dyn Catalog) -> CoreResult<Option<u64>> {
    const RUNS: usize = 20;
    let (mut bytes, mut millis) = (0_u64, 0_u64);
    for run in catalog.runs(RUNS).await? {
        let report =
            run.report.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        let Some(report) = report else { continue };
        bytes += report["bytes_sent"].as_u64().unwrap_or_default();
        let seconds = report["seconds"].as_f64().unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let of_run = (seconds * 1000.0) as u64;
        millis += of_run;
    }
    Ok(bytes.saturating_mul(1000).checked_div(millis).filter(|speed| *speed > 0))
}
