//! The numbers of a run that is under way.

use std::collections::VecDeque;
use std::time::Duration;

use safelight_core::catalog::{Amount, RunId};
use safelight_core::codes::Code;
use safelight_core::monitor::Event;

/// Over how many seconds a speed is measured.
const WINDOW: usize = 10;

/// All destinations of a run.
#[derive(Debug, Default)]
pub struct Board {
    /// The run, once it has begun.
    pub run: Option<RunId>,
    /// Its job.
    pub job: String,
    /// Files in the library; while it is listed, those seen so far.
    pub files: u64,
    /// What is new.
    pub new: Amount,
    /// The destinations in the order in which they were first heard of.
    pub rows: Vec<Row>,
}

/// One destination.
#[derive(Debug, Default)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it has to get.
    pub total: Amount,
    /// What it got.
    copied: Amount,
    /// Bytes that went there.
    sent: u64,
    /// Waits or stopped, and why.
    pub halt: Option<(Halt, Code)>,
    /// Bytes sent at past ticks.
    past: VecDeque<(Duration, u64)>,
}

/// Why nothing goes to a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// It is not there, and that is all right.
    Waiting,
    /// It cannot go on.
    Stopped,
}

impl Board {
    /// Takes note of an event.
    pub fn apply(&mut self, event: &Event<'_>) {
        match event {
            Event::Scanning { files } => self.files = *files,
            Event::Started { run, job, files, new } => {
                self.run = Some(*run);
                (*job).clone_into(&mut self.job);
                (self.files, self.new) = (*files, *new);
            }
            Event::Planned { destination, send } => {
                let row = self.row(destination);
                row.total = Amount {
                    files: row.copied.files + send.files,
                    bytes: row.copied.bytes + send.bytes,
                };
            }
            Event::Resumed { destination } => self.row(destination).halt = None,
            Event::Waiting { destination, code, .. } => {
                self.row(destination).halt = Some((Halt::Waiting, *code));
            }
            Event::Stopped { destination, code, .. } => {
                self.row(destination).halt = Some((Halt::Stopped, *code));
            }
            Event::Sent { destination, bytes } => self.row(destination).sent += bytes,
            Event::Copied { destination, bytes, .. } => self.row(destination).copied.add(*bytes),
            Event::Intended { .. } | Event::Removed { .. } | Event::Problem { .. } => {}
        }
    }

    /// The number of the run, if a catalog has it.
    pub fn number(&self) -> Option<RunId> {
        self.run.filter(|run| *run != RunId::NONE)
    }

    fn row(&mut self, name: &str) -> &mut Row {
        let at = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            self.rows.push(Row { name: name.to_owned(), ..Row::default() });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    /// A second went by; `now` is that of the clock's count.
    pub fn tick(&mut self, now: Duration) {
        for row in &mut self.rows {
            row.past.push_back((now, row.sent));
            if row.past.len() > WINDOW {
                row.past.pop_front();
            }
        }
    }
}

impl Row {
    /// What is done, the part of files that are under way included.
    pub fn done(&self) -> Amount {
        let sent = self.sent.min(self.total.bytes);
        let all = self.copied.files >= self.total.files;
        let bytes = if all { self.total.bytes } else { self.copied.bytes.max(sent) };
        Amount { files: self.copied.files, bytes }
    }

    /// Whether it still gets something.
    pub fn is_busy(&self) -> bool {
        self.halt.is_none() && self.copied.files < self.total.files
    }

    /// Bytes per second over the last ticks.
    pub fn rate(&self) -> u64 {
        let (Some(first), Some(last)) = (self.past.front(), self.past.back()) else { return 0 };
        let millis = u64::try_from(last.0.saturating_sub(first.0).as_millis()).unwrap_or(u64::MAX);
        (last.1 - first.1).saturating_mul(1000).checked_div(millis).unwrap_or(0)
    }

    /// How much longer it takes at this speed.
    pub fn rest(&self) -> Option<Duration> {
        let left = self.total.bytes.saturating_sub(self.done().bytes);
        left.checked_div(self.rate()).map(Duration::from_secs)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn speed_and_rest_come_from_the_last_seconds() {
        let mut board = Board::default();
        let send = Amount { files: 2, bytes: 10_000 };
        board.apply(&Event::Planned { destination: "nas", send });
        for second in 0..4 {
            board.tick(Duration::from_secs(second));
            board.apply(&Event::Sent { destination: "nas", bytes: 1_000 });
        }
        let row = &board.rows[0];
        assert_eq!((row.rate(), row.done().bytes), (1_000, 4_000));
        assert_eq!(row.rest(), Some(Duration::from_secs(6)));
        assert!(row.is_busy());
    }
}
