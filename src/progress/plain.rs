//! A line for each change of state, and one line of progress a minute; no control characters.

use std::sync::{Mutex, PoisonError};

use safelight_core::catalog::RunId;
use safelight_core::error::Error;
use safelight_core::mirror::RunReport;
use safelight_core::monitor::{Event, Monitor};

use super::board::Board;
use super::{Progress, Surroundings};
use crate::exit::Exit;
use crate::render::codes::reason;
use crate::render::text::{size, span};
use crate::render::{moment, summary};

/// Seconds between two lines of progress.
const INTERVAL: u32 = 60;

/// See the module.
pub struct Plain {
    with: Surroundings,
    state: Mutex<(Board, u32)>,
}

impl Plain {
    /// Shows nothing yet.
    pub fn new(with: Surroundings) -> Self {
        Self { with, state: Mutex::default() }
    }

    fn say(&self, text: &str) {
        self.with.out.talk(format_args!("{} {text}", moment::stamp(self.with.clock.now())));
    }
}

impl Monitor for Plain {
    fn event(&self, event: &Event<'_>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.apply(event);
        match event {
            Event::Started { run, job, new, .. } => {
                let bytes = size(new.bytes).replace(' ', "");
                let known = *run != RunId::NONE;
                let run = if known { format!(" run={}", run.0) } else { String::new() };
                self.say(&format!("{job} start{run} new={} bytes={bytes}", new.files));
            }
            Event::Waiting { destination, code, .. } => {
                let due = self.with.overdue.get(*destination).map_or(String::new(), |at| {
                    format!(
                        " overdue_in={}",
                        span(at.since(self.with.clock.now())).replace(' ', "")
                    )
                });
                self.say(&format!("{destination} waiting reason={}{due}", reason(*code)));
            }
            Event::Stopped { destination, code, .. } => {
                self.say(&format!("{destination} stopped code={code}"));
            }
            Event::Resumed { destination } => self.say(&format!("{destination} resumed")),
            Event::Problem { problem, .. } => {
                self.say(&format!("problem {}", summary::line(problem)));
            }
            _ => {}
        }
    }
}

impl Progress for Plain {
    fn tick(&self) {
        let line = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (board, seconds) = &mut *state;
            board.tick(self.with.clock.elapsed());
            *seconds += 1;
            if *seconds % INTERVAL != 0 {
                return;
            }
            line(board, &self.with.source)
        };
        self.say(&line);
    }

    fn end(&self, result: Result<&RunReport, &Error>, exit: Exit) {
        let job = result.map_or("run", |report| report.job.as_str());
        self.say(&format!("{job} end exit={}", exit.0));
    }

    fn close(&self, job: &str, _: serde_json::Value, exit: Exit) {
        self.say(&format!("{job} end exit={}", exit.0));
    }
}

fn line(board: &Board, source: &str) -> String {
    if board.run.is_none() {
        return format!("looking at {source} files={}", board.files);
    }
    let mut line = "progress".to_owned();
    for row in board.rows.iter().filter(|row| row.halt.is_none()) {
        line += &format!(" {}={}/{}", row.name, row.done().files, row.total.files);
    }
    let longest =
        board.rows.iter().filter(|row| row.is_busy()).filter_map(super::board::Row::rest).max();
    if let Some(rest) = longest {
        line += &format!(" eta={}", span(rest).replace(' ', ""));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_core::catalog::Amount;

    #[test]
    fn a_line_of_progress_names_every_destination_that_takes_part() {
        let mut board = Board::default();
        board.apply(&Event::Scanning { files: 12 });
        assert_eq!(line(&board, "the library"), "looking at the library files=12");
        let new = Amount { files: 2, bytes: 2_000 };
        board.apply(&Event::Started { run: RunId(3), job: "mirror", files: 12, new });
        board.apply(&Event::Planned { destination: "nas", send: new });
        let code = safelight_core::codes::ABSENT;
        board.apply(&Event::Waiting { destination: "disk", code, message: "" });
        assert_eq!(line(&board, "the library"), "progress nas=0/2");
    }
}
