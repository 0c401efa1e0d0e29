//! JSON Lines on stdout: one event per line, `run.end` always last.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use safelight_core::error::{Error, Retry};
use safelight_core::mirror::{DestinationReport, RunReport};
use safelight_core::monitor::{Event, Monitor};
use serde_json::{Value, json};

use super::board::Board;
use super::{Progress, Surroundings};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::codes::reason;
use crate::render::{item, key, moment};
use crate::session::Session;

/// See the module.
pub struct JsonLines {
    with: Surroundings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    board: Board,
    /// What was heard before the run had a number.
    early: Vec<Value>,
}

impl JsonLines {
    /// Says nothing yet.
    pub fn new(with: Surroundings) -> Self {
        Self { with, state: Mutex::default() }
    }

    fn say(&self, state: &mut State, mut line: Value) {
        if state.board.run.is_none() {
            state.early.push(line);
            return;
        }
        line["run"] = json!(state.board.number());
        self.with.out.line_now(&line);
    }

    fn line(&self, event: &Event<'_>) -> Option<Value> {
        Some(match event {
            Event::Waiting { destination, code, message } => {
                let due = self.with.overdue.get(*destination).map(|at| moment::stamp(*at));
                json!({ "v": 1, "type": "destination.waiting", "destination": destination,
                        "reason": reason(*code), "code": code, "message": message, "overdue_at": due })
            }
            Event::Stopped { destination, code, message } => {
                json!({ "v": 1, "type": "destination.stopped", "destination": destination,
                        "reason": reason(*code), "code": code, "message": message })
            }
            Event::Resumed { destination } => {
                json!({ "v": 1, "type": "destination.resumed", "destination": destination })
            }
            Event::Copied { destination, key, bytes, proof, moved } => {
                let mut line = json!({ "v": 1, "type": "file.copied", "destination": destination,
                                       "bytes": bytes, "proof": item::proof_word(*proof), "moved": moved });
                key::put(&mut line, key);
                line
            }
            Event::Intended { destination, key, bytes, hold } => {
                let mut line = json!({ "v": 1, "type": "file.planned", "destination": destination,
                                       "bytes": bytes, "hold": hold });
                key::put(&mut line, key);
                line
            }
            Event::Removed { destination, key } => {
                let mut line =
                    json!({ "v": 1, "type": "file.removed", "destination": destination });
                key::put(&mut line, key);
                line
            }
            Event::Problem { problem, retry } => {
                let mut line = json!({ "v": 1, "type": "file.problem", "destination": problem.destination,
                                       "code": problem.code, "message": problem.message,
                                       "retry": retry_word(*retry) });
                if let Some(key) = &problem.key {
                    key::put(&mut line, key);
                }
                line
            }
            Event::Scanning { .. }
            | Event::Started { .. }
            | Event::Planned { .. }
            | Event::Sent { .. } => return None,
        })
    }
}

impl Monitor for JsonLines {
    fn event(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.board.apply(event);
        if let Event::Started { job, files, new, .. } = event {
            let run = state.board.number();
            let at = moment::stamp(self.with.clock.now());
            self.with.out.line_now(json!({
                "v": 1, "type": "run.start", "run": run, "job": job, "at": at, "files": files,
                "files_new": new.files, "bytes_new": new.bytes,
            }));
            for early in std::mem::take(&mut state.early) {
                self.say(&mut state, early);
            }
        }
        if let Some(line) = self.line(event) {
            self.say(&mut state, line);
        }
    }
}

impl Progress for JsonLines {
    fn tick(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.board.tick(self.with.clock.elapsed());
        if state.board.run.is_none() {
            return;
        }
        let run = state.board.number();
        for row in state.board.rows.iter().filter(|row| row.is_busy()) {
            let (done, total) = (row.done(), row.total);
            self.with.out.line_now(json!({
                "v": 1, "type": "progress", "run": run, "destination": row.name,
                "files_done": done.files, "files_total": total.files,
                "bytes_done": done.bytes, "bytes_total": total.bytes,
                "bytes_per_s": row.rate(), "eta_s": row.rest().map(|rest| rest.as_secs()),
            }));
        }
    }

    fn end(&self, result: Result<&RunReport, &Error>, exit: Exit) {
        let line = match result {
            Ok(report) => end_of(report),
            Err(error) => failure(error),
        };
        self.last(line, exit);
    }

    fn close(&self, job: &str, mut line: Value, exit: Exit) {
        line["v"] = json!(1);
        line["type"] = json!("run.end");
        line["job"] = json!(job);
        self.last(line, exit);
    }
}

impl JsonLines {
    fn last(&self, mut line: Value, exit: Exit) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for early in std::mem::take(&mut state.early) {
            self.with.out.line_now(early);
        }
        let run = state.board.number();
        line["exit"] = json!(exit.0);
        line["run"] = json!(run);
        self.with.out.line_now(line);
    }
}

fn end_of(report: &RunReport) -> Value {
    let by_name = |number: fn(&DestinationReport) -> u64| -> BTreeMap<&str, u64> {
        let all = report.destinations.iter().map(|one| (one.name.as_str(), number(one)));
        all.filter(|(_, number)| *number > 0).collect()
    };
    let problems: u64 = report.problem_counts.values().sum();
    json!({
        "v": 1, "type": "run.end", "job": report.job, "dry_run": report.dry_run,
        "files": report.files.files, "files_new": report.new.files,
        "copied": by_name(|one| one.copied.files), "planned": by_name(|one| one.intended.files),
        "does_not_fit": by_name(|one| one.does_not_fit.files), "failed": by_name(|one| one.failed),
        "left_for_next_run": by_name(|one| one.skipped), "removed": by_name(|one| one.trashed),
        "problems": problems, "guards": report.guards.iter().map(|guard| guard.code).collect::<Vec<_>>(),
        "bytes_sent": report.bytes_sent, "read_amplification": report.read_amplification(),
        "seconds": report.took.as_secs_f64(),
    })
}

fn failure(error: &Error) -> Value {
    json!({ "v": 1, "type": "run.end", "code": error.id(), "message": error.to_string() })
}

/// How a run ended; of one that could not even begin, a program that listens hears that in one line.
///
/// # Errors
/// Those of the run.
pub fn heard(session: &Session, done: Result<Exit, Failure>) -> Result<Exit, Failure> {
    done.inspect_err(|failure| {
        if session.flags.json {
            failed_before_start(&session.out, failure);
        }
    })
}

fn failed_before_start(out: &Output, failure: &Failure) {
    let mut line = match failure {
        Failure::Config(report) => json!({ "errors": report.to_json() }),
        Failure::Unasked { question } => json!({ "message": question }),
        Failure::Usage { message, .. } => json!({ "message": message }),
        Failure::Error(error) => self::failure(error),
    };
    line["v"] = json!(1);
    line["type"] = json!("run.end");
    line["exit"] = json!(failure.exit().0);
    out.line_now(line);
}

fn retry_word(retry: Retry) -> &'static str {
    match retry {
        Retry::NeedsPerson => "needs-you",
        Retry::Never | Retry::Now | Retry::After(_) | Retry::BackOff => "next-run",
    }
}
