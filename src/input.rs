//! What people type: lines of stdin, and answers to questions.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::session::Session;

/// No code or token is longer.
const LONGEST: u64 = 64 * 1024;

/// The lines of stdin as they come.
pub struct Lines(mpsc::Receiver<String>);

impl Lines {
    /// Begins to read. Reading cannot be broken off, so a thread does it that ends with the program or the input.
    pub fn listen() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            let mut line = Vec::new();
            while let Ok(1..) = stdin.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                if sender.blocking_send(text).is_err() {
                    break;
                }
                line.clear();
            }
        });
        Self(receiver)
    }

    /// The next line, without blanks around it; `None` after the last.
    pub async fn next(&mut self) -> Option<String> {
        self.0.recv().await
    }
}

/// Asks a question that `--yes` answers.
///
/// # Errors
/// If nobody is there to ask.
pub async fn confirm(session: &Session, question: &str) -> Result<bool, Failure> {
    if session.flags.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Unasked { question: question.to_owned() });
    }
    session.out.problem(&format!("{question} [y/N] "));
    let answer = Lines::listen().next().await.unwrap_or_default();
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}
