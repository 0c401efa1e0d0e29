//! `safelight status`: are my photos safe? Contacts nothing over the network; looks whether disks are there.

use std::sync::Arc;

use safelight_config::{Config, Destination, Storage};
use safelight_core::catalog::{Catalog, DestinationRecord, DestinationSurvey, RunRecord};
use safelight_core::codes::{self, Code};
use safelight_core::error::{Error, Result as CoreResult};
use safelight_core::key::Key;
use safelight_core::marker;
use safelight_core::provider::Room;
use safelight_core::time::{Clock, Timestamp};
use safelight_core::verdict::{Place, Standing, Verdict, judge};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::names;
use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::status::{Row, Status};
use crate::render::{codes as pages, key, pools};
use crate::session::{Session, catalog_path};
use crate::wiring::{self, Opener};

/// How many runs are looked through for the last word on a destination.
const RUNS: usize = 100;
const PAGE: usize = 1000;

/// Answers, or lists files with too few copies.
pub async fn run(session: &Session, args: &StatusArgs) -> Result<Exit, Failure> {
    let config = session.config()?;
    let catalog = open_catalog::to_look(&catalog_path(&config)).await?;
    let clock = session.clock();
    if let Some(fewer_than) = args.fewer_than {
        return list(session, args, &config, &*catalog, (fewer_than, clock.now())).await;
    }
    let status = status(session, &config, &*catalog, &clock).await?;
    if session.flags.json {
        session.out.line(status.json());
    } else {
        session.out.text(&status.text(session.out.colours_results()));
    }
    Ok(match status.verdict {
        Verdict::Safe => Exit::OK,
        Verdict::Waiting if !args.strict => Exit::OK,
        Verdict::Waiting | Verdict::NeedsYou => Exit::LEFT_OVER,
    })
}

async fn status(
    session: &Session,
    config: &Config,
    catalog: &dyn Catalog,
    clock: &Arc<dyn Clock>,
) -> Result<Status, Failure> {
    let now = clock.now();
    let rules = names::safety_rules(config, now);
    let survey = catalog.survey(rules, names::places(config)).await?;
    let records = catalog.destinations().await?;
    let reports = reports(catalog.runs(RUNS).await?);
    let mut opener = if session.flags.offline {
        None
    } else {
        Some(Opener::new(config, &session.env, clock, CancellationToken::new(), None)?)
    };
    let mut rows = Vec::new();
    for destination in &config.destinations {
        let counted = survey.destinations.iter().find(|one| one.name == destination.name);
        let nothing = || DestinationSurvey {
            name: destination.name.clone(),
            behind: survey.files,
            ..DestinationSurvey::default()
        };
        let counted = counted.cloned().unwrap_or_else(nothing);
        let record = records.iter().find(|one| one.name == destination.name);
        let looked = match opener.as_mut().zip(record) {
            Some((opener, record)) => look(destination, record, opener).await,
            None => None,
        };
        let last = last_code(&reports, &destination.name);
        let (standing, room) = standing(destination, record, looked, last, now);
        let place = Place {
            name: destination.name.clone(),
            standing,
            behind: counted.behind.files,
            last_done: counted.last_done,
        };
        let pools = match &destination.storage {
            Storage::Disk(_) => Vec::new(),
            _ => pools::of(destination, &counted.stored, &[]),
        };
        rows.push(Row { place, survey: counted, room, pools });
    }
    let places: Vec<Place> = rows.iter().map(|row| row.place.clone()).collect();
    let (mut verdict, needs) = judge(&survey, &places, config.safety.grace, now);
    let guards = open_guards(config, &reports);
    if !guards.is_empty() {
        verdict = Verdict::NeedsYou;
    }
    let sign_in = wiring::signing_in(config)?;
    Ok(Status { verdict, needs, guards, survey, rows, sign_in, copies: rules.copies, now })
}

/// Whether a disk is there and ours, and the room on it; `None` for everything that is not a disk.
async fn look(
    destination: &Destination,
    record: &DestinationRecord,
    opener: &mut Opener,
) -> Option<CoreResult<Option<Room>>> {
    let Storage::Disk(_) = destination.storage else { return None };
    let looking = async {
        let disk = opener.open(destination).await?;
        let health = disk.check().await?;
        marker::check(&*disk, health.root, record).await?;
        let room = disk.quota().await.ok().and_then(|pools| pools.first().map(|pool| pool.room));
        Ok(room)
    };
    Some(looking.await)
}

fn standing(
    destination: &Destination,
    record: Option<&DestinationRecord>,
    looked: Option<CoreResult<Option<Room>>>,
    last: Option<Code>,
    now: Timestamp,
) -> (Standing, Option<Room>) {
    let seen = record.and_then(|record| record.last_seen);
    let overdue_at = destination.removable.then(|| {
        seen.map_or_else(|| now.plus(destination.overdue), |at| at.plus(destination.overdue))
    });
    let because = |code| Standing::because_of(code, overdue_at, now);
    let absence = |code: &Code| [codes::ABSENT, codes::OVERDUE, codes::WRONG_PLACE].contains(code);
    match looked {
        Some(Err(error)) => (because(Error::id(&error)), None),
        // The disk is there now, whatever an earlier run found.
        Some(Ok(room)) => {
            (last.filter(|code| !absence(code)).map_or(Standing::Fine, because), room)
        }
        None => (last.map_or(Standing::Fine, because), None),
    }
}

fn reports(runs: Vec<RunRecord>) -> Vec<(RunRecord, Value)> {
    let parsed = runs.into_iter().filter_map(|run| {
        let report = serde_json::from_str(run.report.as_deref()?).ok()?;
        Some((run, report))
    });
    parsed.collect()
}

/// Why the newest run that knew this destination could not finish with it; `None` if it could.
fn last_code(reports: &[(RunRecord, Value)], name: &str) -> Option<Code> {
    let of = |report: &Value| -> Option<Value> {
        report["destinations"].as_array()?.iter().find(|one| one["name"] == name).cloned()
    };
    let last = reports.iter().find_map(|(_, report)| of(report))?;
    last["code"].as_str().and_then(pages::page).map(|page| page.code)
}

/// Guards that stopped a part of the newest run of a job.
fn open_guards(config: &Config, reports: &[(RunRecord, Value)]) -> Vec<(i64, Code)> {
    let newest = |name: &str| reports.iter().find(|(run, _)| run.job == name);
    let mut open: Vec<(i64, Code)> = Vec::new();
    for (run, report) in config.jobs.iter().filter_map(|job| newest(&job.name)) {
        for guard in report["guards"].as_array().into_iter().flatten() {
            let code = guard["code"].as_str().and_then(pages::page).map(|page| page.code);
            open.extend(code.map(|code| (run.id.0, code)));
        }
    }
    open.dedup();
    open
}

async fn list(
    session: &Session,
    args: &StatusArgs,
    config: &Config,
    catalog: &dyn Catalog,
    (fewer_than, now): (u32, Timestamp),
) -> Result<Exit, Failure> {
    let below =
        args.path.as_deref().map(|path| names::key(config, &session.env, path)).transpose()?;
    let below = below.flatten();
    let rules = names::safety_rules(config, now);
    let mut after: Option<Key> = None;
    let mut named = Vec::new();
    loop {
        let places = names::places(config);
        let keys = catalog.lacking(rules, places, fewer_than, after.take(), PAGE).await?;
        let full = keys.len() == PAGE;
        after = keys.last().cloned();
        let wanted = |key: &&Key| below.as_ref().is_none_or(|folder| key.is_within(folder));
        for key in keys.iter().filter(wanted) {
            if session.flags.json {
                let mut object = json!({});
                key::put(&mut object, key);
                named.push(object);
            } else if args.print0 {
                session.out.bytes(key.as_bytes());
                session.out.bytes(b"\0");
            } else {
                session.out.line(key);
            }
        }
        if !full || session.out.is_closed() {
            break;
        }
    }
    if session.flags.json {
        session.out.line(json!({ "v": 1, "fewer_than": fewer_than, "files": named }));
    }
    Ok(Exit::OK)
}
