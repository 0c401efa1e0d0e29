//! `safelight adopt`: take over a destination that already holds files.

use std::sync::Arc;

use safelight_core::adopt::{Adopted, Believe, adopt};
use safelight_core::catalog::Catalog;
use safelight_core::codes;
use safelight_core::error::{Error, Result as CoreResult};
use safelight_core::job::{Stop, Tools};
use safelight_core::monitor::Silent;

use super::names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::adopted;
use crate::session::{Session, catalog_path};
use crate::stop::Signals;
use crate::wiring::{self, Opener};
use crate::{machine, open_catalog};

/// Compares, records what is equal, and says what is not.
pub async fn run(session: &Session, name: &str) -> Result<Exit, Failure> {
    let config = session.config()?;
    names::destination(&config, name)?;
    let leads_there = |job: &&safelight_config::Mirror| job.to.iter().any(|to| to == name);
    let job = config.jobs.iter().find(leads_there).ok_or_else(|| Failure::Usage {
        message: format!("no mirror job copies to `{name}`"),
        help: Some("name it in the `to` of a job first".to_owned()),
    })?;
    wiring::check_nesting(&config)?;
    let (clock, stop, mut signals) = (session.clock(), Stop::default(), Signals::listen()?);
    machine::make_state_folder(&config.state)?;
    let path = catalog_path(&config);
    let catalog = Arc::new(open_catalog::for_run(&path, "adopt", &*clock).await?);
    let pages: Arc<dyn Catalog> = catalog.clone();
    let cancel = stop.now.clone();
    let opener = Opener::new(&config, &session.env, &clock, cancel, Some(&pages))?;
    drop(pages);
    let wired = wiring::mirror_job(&config, job, &[name.to_owned()], opener, None).await?;
    let tools = Tools {
        catalog: Arc::clone(&catalog) as Arc<dyn Catalog>,
        clock: Arc::clone(&clock),
        monitor: Arc::new(Silent),
        stop: stop.clone(),
    };
    // What was compared is recorded page by page, so stopping at any point loses nothing.
    let adopted: CoreResult<Adopted> = tokio::select! {
        adopted = adopt(&wired.job, name, Believe::Bytes, &tools) => adopted,
        () = stop.gently.cancelled() => Err(cancelled()),
        () = signals.pass_on(&stop, &session.out) => Err(cancelled()),
    };
    drop(tools);
    wired.close().await;
    if let Some(catalog) = Arc::into_inner(catalog) {
        catalog.close().await;
    }
    let adopted = match adopted {
        Ok(adopted) => adopted,
        Err(error) if error.id() == codes::CATALOG_DAMAGED => {
            return Err(open_catalog::set_aside(&path, &*clock, error).await.into());
        }
        Err(error) => return Err(error.into()),
    };
    if session.flags.json {
        let mut document = adopted::json(name, &adopted);
        document["v"] = 1.into();
        session.out.line(document);
    } else {
        session.out.text(&adopted::text(name, &adopted));
        session
            .out
            .line(format_args!("Nothing there was changed. Next: safelight mirror --to {name}"));
    }
    Ok(if adopted.problems.is_empty() { Exit::OK } else { Exit::LEFT_OVER })
}

fn cancelled() -> Error {
    Error::new(safelight_core::error::Kind::Cancelled, "comparing the destination with the library")
}
