//! `safelight log`: past runs, one run, and what would be removed.

use safelight_core::catalog::{Catalog, ItemId, Problem, RunRecord};
use safelight_core::job::DeletionRules;
use safelight_core::time::Timestamp;
use serde_json::{Value, json};

use super::names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::table::{Table, left, right};
use crate::render::text::{count, files, size, span};
use crate::render::{key, moment, summary};
use crate::session::{Session, catalog_path};
use crate::wiring;

const RUNS: usize = 50;
const EVERY_RUN: usize = 1_000_000;
const PAGE: usize = 1000;

/// Prints what was asked for.
pub async fn run(session: &Session, run: Option<i64>, removals: bool) -> Result<Exit, Failure> {
    let config = session.config()?;
    let catalog = open_catalog::to_look(&catalog_path(&config)).await?;
    let now = session.clock().now();
    if removals {
        let jobs: Vec<_> = config.jobs.iter().collect();
        let record = find(&*catalog, run).await?;
        let job = record.as_ref().and_then(|record| names::job(&config, &record.job).ok());
        for job in job.map_or(jobs, |job| vec![job]) {
            let rules = wiring::deletions(&job.deletions);
            for to in &job.to {
                list_removals(session, &*catalog, to, &rules, now).await?;
            }
        }
        return Ok(Exit::OK);
    }
    match find(&*catalog, run).await? {
        Some(record) => {
            let problems = catalog.problems(record.id).await?;
            one(session, &record, &problems);
        }
        None => many(session, &catalog.runs(RUNS).await?, now),
    }
    Ok(Exit::OK)
}

async fn find(catalog: &dyn Catalog, run: Option<i64>) -> Result<Option<RunRecord>, Failure> {
    let Some(run) = run else { return Ok(None) };
    let runs = catalog.runs(EVERY_RUN).await?;
    let newest = runs.first().map_or(0, |record| record.id.0);
    let found = runs.into_iter().find(|record| record.id.0 == run);
    found.map(Some).ok_or_else(|| Failure::Usage {
        message: format!("there is no run {run}"),
        help: Some(format!("the newest is {newest}")),
    })
}

fn report(record: &RunRecord) -> Value {
    let text = record.report.as_deref().unwrap_or_default();
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn many(session: &Session, runs: &[RunRecord], now: Timestamp) {
    if session.flags.json {
        let runs: Vec<_> = runs.iter().map(run_json).collect();
        session.out.line(json!({ "v": 1, "runs": runs }));
        return;
    }
    let mut table = Table::default();
    table.row([
        right("run"),
        left("job"),
        left("began"),
        left("took"),
        left("exit"),
        left("copied"),
    ]);
    for record in runs {
        let report = report(record);
        let copied: Vec<_> = destinations(&report)
            .filter_map(|(name, one)| {
                let files = one["copied"]["files"].as_u64().filter(|files| *files > 0)?;
                Some(format!("{name} {}", count(files)))
            })
            .collect();
        let took = record.ended.map_or("-".to_owned(), |end| span(end.since(record.started)));
        let exit = record.exit.map_or("did not end".to_owned(), |exit| exit.to_string());
        table.row([
            right(record.id.0.to_string()),
            left(&record.job),
            left(moment::ago(record.started, now)),
            left(took),
            left(exit),
            left(copied.join(", ")),
        ]);
    }
    session.out.text(&table.render("  "));
}

fn destinations(report: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = report["destinations"].as_array().into_iter().flatten();
    all.filter_map(|one| Some((one["name"].as_str()?, one)))
}

fn run_json(record: &RunRecord) -> Value {
    json!({
        "run": record.id, "job": record.job, "started": moment::stamp(record.started),
        "ended": record.ended.map(moment::stamp), "exit": record.exit, "report": report(record),
    })
}

fn one(session: &Session, record: &RunRecord, problems: &[Problem]) {
    if session.flags.json {
        let problem = |one: &Problem| {
            let mut object =
                json!({ "code": one.code, "destination": one.destination, "message": one.message });
            if let Some(key) = &one.key {
                key::put(&mut object, key);
            }
            object
        };
        let mut object = run_json(record);
        object["v"] = json!(1);
        object["problems"] = problems.iter().map(problem).collect();
        session.out.line(object);
        return;
    }
    let out = &session.out;
    let exit = record.exit.map_or("did not end".to_owned(), |exit| format!("exit {exit}"));
    out.line(format_args!(
        "Run {} of {}, {}, {exit}",
        record.id.0,
        record.job,
        moment::short(record.started)
    ));
    let report = report(record);
    let mut table = Table::default();
    for (name, one) in destinations(&report) {
        let number =
            |field: &str| one[field]["files"].as_u64().or(one[field].as_u64()).unwrap_or(0);
        let words = [
            "unchanged",
            "copied",
            "moved",
            "does_not_fit",
            "failed",
            "skipped",
            "trashed",
            "purged",
        ];
        let parts = words.iter().filter(|word| number(word) > 0);
        let parts: Vec<_> = parts
            .map(|word| format!("{} {}", count(number(word)), word.replace('_', " ")))
            .collect();
        let state = one["state"].as_str().unwrap_or("-");
        let code = one["code"].as_str().map_or(String::new(), |code| format!("[{code}]"));
        table.row([left(name), left(state), left(parts.join("   ")), left(code)]);
    }
    out.text(&table.render("   "));
    for guard in report["guards"].as_array().into_iter().flatten() {
        let (code, number) =
            (guard["code"].as_str().unwrap_or("-"), guard["count"].as_u64().unwrap_or(0));
        out.line(format_args!("guard: {} would have been concerned   [{code}]", files(number)));
    }
    for problem in problems {
        out.line(format_args!("  {}", summary::line(problem)));
        if out.is_closed() {
            return;
        }
    }
}

/// Copies of files that are gone from the library and whose time of waiting is over.
async fn list_removals(
    session: &Session,
    catalog: &dyn Catalog,
    to: &str,
    rules: &DeletionRules,
    now: Timestamp,
) -> Result<(), Failure> {
    let known = catalog.destinations().await?;
    let Some(destination) = known.into_iter().find(|one| one.name == to) else { return Ok(()) };
    let Some(wait) = rules.propagate_after else { return Ok(()) };
    let wait = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX);
    let before = Timestamp::from_nanos(now.as_nanos().saturating_sub(wait));
    let mut after: Option<ItemId> = None;
    loop {
        let copies = catalog.deletable(destination.id, before, after, PAGE).await?;
        let Some(last) = copies.last() else { return Ok(()) };
        after = Some(last.item);
        for copy in &copies {
            if session.flags.json {
                let mut object = json!({ "v": 1, "type": "file.would-be-removed", "destination": to,
                    "bytes": copy.held.content.size, "noticed": moment::stamp(copy.noticed) });
                key::put(&mut object, &copy.key);
                session.out.line(object);
            } else {
                let (bytes, when) = (size(copy.held.content.size), moment::ago(copy.noticed, now));
                session
                    .out
                    .line(format_args!("{} -> {to}   {bytes}   gone since {when}", copy.key));
            }
        }
        if session.out.is_closed() {
            return Ok(());
        }
    }
}
