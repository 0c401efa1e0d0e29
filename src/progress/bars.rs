//! One bar per destination, redrawn in place; what else is said scrolls above.

use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use safelight_core::error::Error;
use safelight_core::mirror::RunReport;
use safelight_core::monitor::{Event, Monitor};

use super::board::{Board, Halt, Row};
use super::{Progress, Surroundings};
use crate::exit::Exit;
use crate::render::codes::title;
use crate::render::summary;
use crate::render::text::{count, files, size, span};

/// Redraws per second; more would cost more than it shows.
const DRAWS: u8 = 10;

/// See the module.
pub struct Bars {
    with: Surroundings,
    all: MultiProgress,
    head: ProgressBar,
    state: Mutex<(Board, Vec<ProgressBar>)>,
}

impl Bars {
    /// Draws the line at the top.
    pub fn new(with: Surroundings) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS));
        let head = all.add(ProgressBar::no_length().with_style(style("{msg}")));
        with.out.put_bars(Some(all.clone()));
        Self { with, all, head, state: Mutex::default() }
    }

    fn draw(&self, board: &Board, bars: &mut Vec<ProgressBar>) {
        self.head.set_message(head(board, &self.with.source));
        let width = board.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        for (at, row) in board.rows.iter().enumerate() {
            if bars.len() == at {
                bars.push(self.all.add(ProgressBar::new(0)));
            }
            let name = format!("{:<width$}", row.name);
            let (template, message) = line(row);
            bars[at].set_style(style(template));
            bars[at].set_prefix(name);
            bars[at].set_length(row.total.bytes.max(1));
            bars[at].set_position(if row.total.files == 0 { 1 } else { row.done().bytes });
            bars[at].set_message(message);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▓░")
}

fn head(board: &Board, source: &str) -> String {
    match board.run {
        None => format!("looking at {source}: {}", files(board.files)),
        Some(_) => format!(
            "{}   {} in {source}, {} new ({})",
            board.job,
            files(board.files),
            count(board.new.files),
            size(board.new.bytes)
        ),
    }
}

fn line(row: &Row) -> (&'static str, String) {
    const BAR: &str = "{prefix}   ▕{bar:17}▏ {msg}";
    const WORDS: &str = "{prefix}   {msg}";
    if let Some((halt, code)) = row.halt {
        let word = match halt {
            Halt::Waiting => "waiting",
            Halt::Stopped => "stopped",
        };
        return (WORDS, format!("{word}: {}", title(code)));
    }
    let done = row.done();
    let mut text = format!(
        "{}/{}   {} of {}",
        count(done.files),
        count(row.total.files),
        size(done.bytes),
        size(row.total.bytes)
    );
    if row.is_busy() && row.rate() > 0 {
        text += &format!("   {}/s", size(row.rate()));
        if let Some(rest) = row.rest() {
            text += &format!("   about {}", span(rest));
        }
    }
    (BAR, text)
}

impl Monitor for Bars {
    fn event(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (board, bars) = &mut *state;
        board.apply(event);
        // What comes often is drawn by the tick.
        let often = matches!(
            event,
            Event::Sent { .. }
                | Event::Copied { .. }
                | Event::Intended { .. }
                | Event::Removed { .. }
        );
        if !often {
            self.draw(board, bars);
        }
        drop(state);
        if let Event::Problem { problem, .. } = event {
            self.with.out.talk(summary::line(problem));
        }
    }
}

impl Progress for Bars {
    fn tick(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (board, bars) = &mut *state;
        board.tick(self.with.clock.elapsed());
        self.draw(board, bars);
    }

    fn end(&self, _: Result<&RunReport, &Error>, _: Exit) {
        self.clear();
    }

    fn close(&self, _: &str, _: serde_json::Value, _: Exit) {
        self.clear();
    }

    fn clear(&self) {
        self.with.out.put_bars(None);
        // A terminal that is gone cannot be cleared, and need not be.
        let _ = self.all.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_core::catalog::Amount;
    use std::time::Duration;

    #[test]
    fn a_bar_says_files_bytes_speed_and_rest() {
        let mut board = Board::default();
        let send = Amount { files: 360, bytes: 1_900_000_000 };
        board.apply(&Event::Planned { destination: "amazon", send });
        for second in 0..5 {
            board.tick(Duration::from_secs(second));
            board.apply(&Event::Sent { destination: "amazon", bytes: 3_100_000 });
        }
        let (_, text) = line(&board.rows[0]);
        assert_eq!(text, "0/360   16 MB of 1.9 GB   3.1 MB/s   about 10 min");
        let code = safelight_core::codes::ABSENT;
        board.apply(&Event::Waiting { destination: "amazon", code, message: "" });
        assert_eq!(line(&board.rows[0]).1, "waiting: the destination is not there");
    }
}
