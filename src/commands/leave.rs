//! `safelight leave`: may the membership end? Looks at the service, changes nothing, and says "Safe to cancel" only
//! when every file of it is proven elsewhere.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_catalog::SqliteCatalog;
use safelight_config::{AmazonPlan, Config, Destination, Storage};
use safelight_core::class::MediaClass;
use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::job::{KeepFree, Pool, PoolLimit, Stop, Tools, WhenFull};
use safelight_core::monitor::Silent;
use safelight_core::time::Clock;
use safelight_export::inventory::{Inventory, Look};
use safelight_export::leave::{Answer, Question};
use safelight_export::page;
use safelight_export::papers::index;
use safelight_export::weigh::Standing;
use safelight_media::Media;

use super::names;
use crate::args::LeaveArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::{self, Progress, Surroundings};
use crate::render::leaving::{Leaving, NAMED};
use crate::session::{Session, catalog_path};
use crate::stop::Signals;
use crate::wiring::exports::{Remembered, Target};
use crate::wiring::{self, Opener, Shelves};

/// What an account at Amazon holds that pays nothing.
const FREE: u64 = 5_000_000_000;

/// Answers, and writes the page that was asked for.
pub async fn run(session: &Session, args: &LeaveArgs) -> Result<Exit, Failure> {
    session.online("`leave` has to look at the service", "")?;
    let config = session.config()?;
    let destination = names::destination(&config, &args.destination)?;
    let (clock, stop, mut signals) = (session.clock(), Stop::default(), Signals::listen()?);
    let look = look(session, args, &config, destination, &clock, &stop);
    let (inventory, standings, shelves) = tokio::select! {
        looked = look => looked?,
        () = signals.pass_on(&stop, &session.out) => return Ok(Exit::INTERRUPTED),
    };
    let rules = wiring::leaving_rules(&config, destination, clock.now());
    let question = Question {
        rules,
        afterwards: afterwards(destination),
        whole_account: matches!(destination.storage, Storage::AmazonPhotos(_)),
        name_at_most: NAMED,
    };
    let answer = Answer::of(&inventory, &standings, &question, |_, _| {});
    if let Some(path) = &args.report {
        let path = session.env.current_dir().join(path);
        report(&path, &inventory, &standings, &answer, rules.copies)?;
    }
    let leaving = Leaving {
        name: &destination.name,
        inventory: &inventory,
        answer: &answer,
        rules,
        checked: safelight_config::units::format_duration(config.safety.checked),
        remarks: &shelves.remarks,
        written_down: shelves.finished.iter().flat_map(written_down).collect(),
        next: next(&config, destination),
    };
    if session.flags.json {
        session.out.line(leaving.json());
    } else {
        session.out.text(&leaving.text());
        if let Some(path) = &args.report {
            session.out.line(format_args!("The page with every file: {}", path.display()));
        }
    }
    Ok(if answer.is_safe() { Exit::OK } else { Exit::LEFT_OVER })
}

/// Where a finished export wrote down what was at the service, and when, as far as that can be seen to be there.
fn written_down(export: &Remembered) -> impl Iterator<Item = (String, String)> + use<> {
    let finished = export.finished.clone().unwrap_or_default();
    let path = export.path.clone();
    let is_there = |target: &Target| {
        target.folder.as_ref().is_none_or(|folder| folder.join(index::NAME).is_file())
    };
    export.targets.clone().into_iter().filter(is_there).map(move |target| {
        let inside = || format!("{}: {path}", target.name);
        let place = target.folder.as_ref().map_or_else(inside, |at| at.display().to_string());
        (place, finished.clone())
    })
}

/// What to type for what is nowhere else.
fn next(config: &Config, destination: &Destination) -> String {
    let job = config.exports.iter().find(|job| job.from == destination.name);
    match job {
        Some(job) if !job.to.is_empty() => format!("safelight export {}", job.name),
        Some(job) => format!("safelight export {} --to DIR", job.name),
        None => format!("safelight export {} --to DIR", destination.name),
    }
}

/// The quotas without membership.
fn afterwards(destination: &Destination) -> Vec<Pool> {
    let Storage::AmazonPhotos(amazon) = &destination.storage else { return Vec::new() };
    if amazon.plan != AmazonPlan::Prime {
        return Vec::new();
    }
    vec![Pool {
        counts: MediaClass::ALL.to_vec(),
        limit: PoolLimit::Bytes(FREE),
        keep_free: KeepFree::Bytes(0),
        when_full: WhenFull::Stop,
    }]
}

async fn look(
    session: &Session,
    args: &LeaveArgs,
    config: &Config,
    destination: &Destination,
    clock: &Arc<dyn Clock>,
    stop: &Stop,
) -> Result<(Inventory, Vec<Standing>, Shelves), Failure> {
    let progress: Arc<dyn Progress> = if session.flags.json {
        Arc::new(Silent)
    } else {
        let (out, overdue) = (Arc::clone(&session.out), BTreeMap::new());
        let (clock, source) = (Arc::clone(clock), destination.name.clone());
        progress::choose(session, Surroundings { out, clock, overdue, source })
    };
    // Looking writes nothing; what is worked out on the way goes away with this.
    let catalog = SqliteCatalog::scratch(&catalog_path(config).with_extension("none")).await?;
    let tools = Tools {
        catalog: Arc::new(catalog),
        clock: Arc::clone(clock),
        monitor: Arc::<dyn Progress>::clone(&progress),
        stop: stop.clone(),
    };
    let mut opener = Opener::new(config, &session.env, clock, stop.now.clone(), None)?;
    let looking = async {
        let opening = wiring::open_service(config, destination, &mut opener, args.trash, None);
        let service = tokio::select! {
            ready = opening => ready?,
            () = stop.gently.cancelled() => {
                return Err(Error::new(Kind::Cancelled, "the service was being opened"));
            }
        };
        let classifier = config.library.media.classifier();
        let look = Look { trashed: args.trash, classifier, inspector: Arc::new(Media) };
        let mut inventory = Inventory::take(&*service, &look, &tools).await?;
        let shelves = Shelves::open(config, destination, None, clock).await?;
        shelves.know(&mut inventory, destination).await?;
        shelves.know_from_exports(&mut inventory).await?;
        let rules = wiring::leaving_rules(config, destination, clock.now());
        let standings = shelves.weigh(&inventory, rules, stop).await?;
        CoreResult::Ok((inventory, standings, shelves))
    };
    let looked = progress::ticking(&**clock, &*progress, None, looking).await;
    opener.close().await;
    progress.clear();
    Ok(looked?)
}

fn report(
    path: &Path,
    inventory: &Inventory,
    standings: &[Standing],
    answer: &Answer,
    copies: u32,
) -> CoreResult<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let written = std::fs::File::create(&new).and_then(|file| {
        let mut out = BufWriter::new(file);
        page::write(&mut out, inventory, standings, answer, copies)?;
        out.flush()?;
        std::fs::rename(&new, path)
    });
    written.map_err(|error| Error::io(error, format!("writing {}", path.display())))
}
