//! Secrets that a program prints.

use std::process::{Command, Stdio};

use safelight_core::error::Result;

use super::{missing, read_text};

/// What the program prints; no shell in between.
pub(super) fn output(words: &[String]) -> Result<String> {
    let program = words.first().map_or("", String::as_str);
    let failed = |error| missing(format!("cannot run `{program}` for a secret")).source(error);
    let mut child = Command::new(program)
        .args(words.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let answer = match child.stdout.take() {
        Some(mut output) => read_text(&mut output),
        None => Ok(String::new()),
    };
    // The pipe is closed by now, so a program that still writes ends instead of waiting for ever.
    let status = child.wait().map_err(failed)?;
    let answer = answer.map_err(failed)?;
    if status.success() {
        Ok(answer)
    } else {
        Err(missing(format!("`{program}` gave no secret: {status}")))
    }
}
