//! `safelight restore`: bring files back from a destination, as the catalog knows them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use safelight_config::{Config, Destination, DiskPlace, Storage};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::job::{Stop, Tools};
use safelight_core::key::{Key, RESERVED};
use safelight_core::time::Clock;
use safelight_export::restore::{Outcome, Plan, Restore};
use safelight_export::source::Patience;

use super::export::open_folder;
use super::names;
use crate::args::RestoreArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::open_catalog;
use crate::progress::{self, Progress, Surroundings};
use crate::render::codes::shown_path;
use crate::render::restored::Restored;
use crate::session::{Session, catalog_path};
use crate::stop::Signals;
use crate::wiring::{self, Opener};

/// Brings back what was asked for, or goes on with it.
pub async fn run(session: &Session, args: &RestoreArgs) -> Result<Exit, Failure> {
    progress::heard(session, run_restore(session, args).await)
}

async fn run_restore(session: &Session, args: &RestoreArgs) -> Result<Exit, Failure> {
    session
        .online("`restore` has to fetch from the destination", ", or look with: safelight ls")?;
    let config = session.config()?;
    let destination = names::destination(&config, &args.from)?;
    let mut paths = Vec::new();
    for path in &args.paths {
        paths.push(names::key(&config, &session.env, path)?);
    }
    // The library itself among them means everything.
    let paths: Vec<Key> = paths.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
    let to = session.env.current_dir().join(&args.to);
    let to = std::path::absolute(&to).unwrap_or(to);
    if let Storage::Disk(disk) = &destination.storage
        && let DiskPlace::Folder(folder) = &disk.place
    {
        wiring::check_folder(&to, &[(destination.name.as_str(), folder)])?;
    }
    let (clock, stop, mut signals) = (session.clock(), Stop::default(), Signals::listen()?);
    let call = Call { session, args, config: &config, destination, clock, stop: stop.clone() };
    // What the disk needs to work in is not part of anybody's photos.
    let workshop = to.join(RESERVED);
    let done = tokio::select! {
        done = call.carry_out(&to, paths) => done,
        () = signals.pass_on(&stop, &session.out) => Ok(Exit::INTERRUPTED),
    };
    if !args.dry_run {
        tidy(&workshop);
    }
    done
}

/// Removes the folder that the disk worked in. Where it is a destination's, more stands in it, and it stays.
fn tidy(workshop: &Path) {
    const WORK: [&str; 2] = ["disk", "tmp"];
    let Ok(entries) = std::fs::read_dir(workshop) else { return };
    let only_work = entries.flatten().all(|entry| {
        let name = entry.file_name();
        WORK.iter().any(|work| name == *work)
    });
    if only_work && let Err(error) = std::fs::remove_dir_all(workshop) {
        tracing::info!(%error, "the folder {} stays", workshop.display());
    }
}

struct Call<'a> {
    session: &'a Session,
    args: &'a RestoreArgs,
    config: &'a Config,
    destination: &'a Destination,
    clock: Arc<dyn Clock>,
    stop: Stop,
}

impl Call<'_> {
    async fn carry_out(&self, to: &Path, paths: Vec<Key>) -> Result<Exit, Failure> {
        let catalog: Arc<dyn Catalog> = open_catalog::to_look(&catalog_path(self.config)).await?;
        let (env, cancel) = (&self.session.env, self.stop.now.clone());
        let mut opener = Opener::new(self.config, env, &self.clock, cancel, None)?;
        let progress = self.progress();
        let tools = Tools {
            catalog,
            clock: Arc::clone(&self.clock),
            monitor: Arc::<dyn Progress>::clone(&progress),
            stop: self.stop.clone(),
        };
        let work = self.restore(to, paths, &mut opener, &tools);
        let done = progress::ticking(&*self.clock, &*progress, None, work).await;
        opener.close().await;
        progress.clear();
        let (plan, outcome) = done?;
        if !self.args.paths.is_empty() && plan.is_empty() {
            let shown: Vec<_> = self.args.paths.iter().map(|path| shown_path(path)).collect();
            let message = format!("the catalog knows nothing at {}", shown.join(", "));
            return Err(Failure::Usage { message, help: None });
        }
        let restored = Restored { from: &self.destination.name, to, plan: &plan };
        let exit = match &outcome {
            Some(outcome) => Exit(outcome.exit_code(&plan)),
            None if plan.is_whole() => Exit::OK,
            None => Exit::LEFT_OVER,
        };
        progress.close("restore", restored.json(outcome.as_ref()), exit);
        if !self.session.flags.json {
            let text = match &outcome {
                Some(outcome) => restored.summary(outcome),
                None => restored.rehearsal(self.args.list),
            };
            self.session.out.text(&text);
        }
        Ok(exit)
    }

    fn progress(&self) -> Arc<dyn Progress> {
        let (out, clock) = (Arc::clone(&self.session.out), Arc::clone(&self.clock));
        let source = self.destination.name.clone();
        let with = Surroundings { out, clock, overdue: BTreeMap::new(), source };
        progress::choose(self.session, with)
    }

    async fn restore(
        &self,
        to: &Path,
        paths: Vec<Key>,
        opener: &mut Opener,
        tools: &Tools,
    ) -> CoreResult<(Plan, Option<Outcome>)> {
        let opening = opener.open(self.destination);
        let source = tokio::select! {
            ready = opening => ready?,
            () = self.stop.gently.cancelled() => {
                return Err(Error::new(Kind::Cancelled, "the destination was being opened"));
            }
        };
        let restore = Restore {
            from: self.destination.name.clone(),
            source,
            target: open_folder(&to.display().to_string(), to.to_owned(), &self.clock),
            paths,
            patience: Patience::default(),
        };
        let plan = restore.plan(tools).await?;
        if self.args.dry_run {
            return Ok((plan, None));
        }
        let outcome = restore.run(&plan, tools).await?;
        Ok((plan, Some(outcome)))
    }
}
