//! `safelight adopt`: take over a destination that already holds files.

use std::sync::Arc;

use safelight_core::adopt::{Adopted, adopt};
use safelight_core::catalog::Catalog;
use safelight_core::codes;
use safelight_core::error::{Error, Result as CoreResult};
use safelight_core::job::{Stop, Tools};
use safelight_core::key::{Key, printable};
use safelight_core::monitor::Silent;
use serde_json::{Value, json};

use super::names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::key;
use crate::render::text::{count, files, size};
use crate::session::{Session, catalog_path};
use crate::stop::Signals;
use crate::wiring::{self, Opener};
use crate::{machine, open_catalog};

/// Most names of a kind that are printed.
const NAMED: usize = 20;

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
        adopted = adopt(&wired.job, name, &tools) => adopted,
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
        session.out.line(json_of(name, &adopted));
    } else {
        tell(&session.out, name, &adopted);
    }
    Ok(if adopted.problems.is_empty() { Exit::OK } else { Exit::LEFT_OVER })
}

fn cancelled() -> Error {
    Error::new(safelight_core::error::Kind::Cancelled, "comparing the destination with the library")
}

fn tell(out: &Output, name: &str, adopted: &Adopted) {
    out.line(format_args!(
        "{name}   {} equal to the library, now recorded as copies ({})",
        files(adopted.equal.files),
        size(adopted.equal.bytes)
    ));
    let list = |number: u64, what: &str, keys: &[Key]| {
        if number == 0 {
            return;
        }
        out.line(format_args!("\n{} {what}", files(number)));
        for key in keys.iter().take(NAMED) {
            out.line(format_args!("  {key}"));
        }
        let shown = keys.len().min(NAMED) as u64;
        if number > shown {
            out.line(format_args!("  and {} more", count(number - shown)));
        }
    };
    list(
        adopted.differs_count,
        "with other content than in the library, left as they are",
        &adopted.differs,
    );
    list(
        adopted.foreign_count,
        "that the library does not have, left as they are",
        &adopted.foreign,
    );
    for (key, error) in &adopted.problems {
        let key = key.as_ref().map_or(String::new(), |key| format!("{key}   "));
        let message = printable(error.to_string().as_bytes());
        out.line(format_args!("  {key}{message}   [{}]", error.id()));
    }
    out.line(format_args!("Nothing there was changed. Next: safelight mirror --to {name}"));
}

fn json_of(name: &str, adopted: &Adopted) -> Value {
    let keys = |keys: &[Key]| -> Vec<Value> {
        let object = |key: &Key| {
            let mut object = json!({});
            key::put(&mut object, key);
            object
        };
        keys.iter().map(object).collect()
    };
    let problem = |(key, error): &(Option<Key>, Error)| {
        let mut object = json!({ "code": error.id(), "message": error.to_string() });
        if let Some(key) = key {
            key::put(&mut object, key);
        }
        object
    };
    json!({
        "v": 1, "destination": name, "equal": adopted.equal,
        "differs": adopted.differs_count, "differing": keys(&adopted.differs),
        "foreign": adopted.foreign_count, "foreign_files": keys(&adopted.foreign),
        "problems": adopted.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}
