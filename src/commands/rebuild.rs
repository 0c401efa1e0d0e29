//! `safelight rebuild`: a new catalog from the library and the destinations, after the old one was lost.
//!
//! Invariant: nothing is changed or removed at the library or a destination, and the old catalog, if there is one, is
//! kept under another name.

use std::path::Path;
use std::sync::Arc;

use safelight_catalog::SqliteCatalog;
use safelight_core::adopt::{Adopted, Believe, adopt};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind};
use safelight_core::job::{Stop, Tools};
use safelight_core::monitor::Silent;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::adopted;
use crate::session::{Session, catalog_path};
use crate::stop::Signals;
use crate::wiring::{self, Opener};
use crate::{input, machine, open_catalog};

/// What became of each destination.
type Outcome = (String, Result<Adopted, Error>);

/// Sets an old catalog aside and takes over every destination of every job anew.
pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let config = session.config()?;
    wiring::check_nesting(&config)?;
    let (clock, stop, mut signals) = (session.clock(), Stop::default(), Signals::listen()?);
    machine::make_state_folder(&config.state)?;
    let path = catalog_path(&config);
    if path.exists() {
        let question =
            "There is a catalog. Set it aside and begin a new one from what the destinations hold?";
        if !input::confirm(session, question).await? {
            return Ok(Exit::OK);
        }
        set_aside(session, &path).await?;
    }
    let catalog = Arc::new(open_catalog::for_run(&path, "rebuild", &*clock).await?);
    let tools = Tools {
        catalog: Arc::clone(&catalog) as Arc<dyn Catalog>,
        clock: Arc::clone(&clock),
        monitor: Arc::new(Silent),
        stop: stop.clone(),
    };
    // What was compared is recorded page by page; a rebuild that was stopped is begun again.
    let done: Result<Vec<Outcome>, Failure> = tokio::select! {
        done = take_over(session, &config, &tools) => done,
        () = stop.gently.cancelled() => Err(cancelled().into()),
        () = signals.pass_on(&stop, &session.out) => Err(cancelled().into()),
    };
    drop(tools);
    if let Some(catalog) = Arc::into_inner(catalog) {
        catalog.close().await;
    }
    Ok(tell(session, &done?))
}

fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "comparing the destinations with the library")
}

async fn set_aside(session: &Session, path: &Path) -> Result<(), Failure> {
    // Whoever works on it right now holds its lock; a damaged one has none to take.
    match SqliteCatalog::open(path, "safelight rebuild").await {
        Ok(catalog) => catalog.close().await,
        Err(error) if error.kind() == Kind::Corrupt => {}
        Err(error) => return Err(error.into()),
    }
    let aside = SqliteCatalog::set_aside(path, session.clock().now()).await?;
    session.out.talk(format_args!("The old catalog is now {}", aside.display()));
    Ok(())
}

async fn take_over(
    session: &Session,
    config: &safelight_config::Config,
    tools: &Tools,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for job in &config.jobs {
        let new = |name: &&String| !outcomes.iter().any(|(known, _)| known == *name);
        let names: Vec<String> = job.to.iter().filter(new).cloned().collect();
        if names.is_empty() {
            continue;
        }
        let (clock, cancel) = (&tools.clock, tools.stop.now.clone());
        let opener = Opener::new(config, &session.env, clock, cancel, Some(&tools.catalog))?;
        let wired = wiring::mirror_job(config, job, &names, opener, None).await?;
        for name in names {
            let adopted = adopt(&wired.job, &name, Believe::Catalog, tools).await;
            outcomes.push((name, adopted));
        }
        wired.close().await;
    }
    Ok(outcomes)
}

fn tell(session: &Session, outcomes: &[Outcome]) -> Exit {
    let out = &session.out;
    let whole =
        |(_, outcome): &Outcome| outcome.as_ref().is_ok_and(|adopted| adopted.problems.is_empty());
    if session.flags.json {
        let one = |(name, outcome): &Outcome| match outcome {
            Ok(found) => adopted::json(name, found),
            Err(error) => {
                json!({ "destination": name, "code": error.id(), "message": error.to_string() })
            }
        };
        let all: Vec<_> = outcomes.iter().map(one).collect();
        out.line(json!({ "v": 1, "destinations": all }));
    } else {
        for (name, outcome) in outcomes {
            match outcome {
                Ok(found) => out.text(&adopted::text(name, found)),
                Err(error) => out.line(format_args!(
                    "{name}   could not be looked at: {error}   [{}]\n  once it can:   safelight adopt {name}",
                    error.id()
                )),
            }
        }
        out.line("Nothing was changed anywhere. Next: safelight mirror");
    }
    if outcomes.iter().all(whole) { Exit::OK } else { Exit::LEFT_OVER }
}
