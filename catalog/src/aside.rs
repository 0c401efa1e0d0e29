//! Setting a damaged catalog aside.
//!
//! Invariant: nothing is deleted and nothing is overwritten.

use std::fs;
use std::path::{Path, PathBuf};

use safelight_core::error::Result;
use safelight_core::time::Timestamp;

use crate::fault::failed;
use crate::lock::Lock;

/// The database last: a log without its file must never be left for the next database of that name, which
/// would take it for its own.
const PARTS: [&str; 3] = ["-wal", "-shm", ""];

/// Renames the catalog at `path`, with its log, to a name that holds the date of `at` (UTC), and answers that
/// name.
pub(crate) fn set_aside(path: &Path, at: Timestamp) -> Result<PathBuf> {
    let _lock = Lock::take(path, "setting a damaged catalog aside")?;
    let date = jiff::Timestamp::from_second(at.seconds()).map_or_else(
        |_| at.seconds().to_string(),
        |date| date.strftime("%Y%m%dT%H%M%SZ").to_string(),
    );
    let mut aside = with_suffix(path, &format!(".damaged-{date}"));
    let mut number = 1;
    while PARTS.iter().any(|part| is_taken(&with_suffix(&aside, part))) {
        number += 1;
        aside = with_suffix(path, &format!(".damaged-{date}-{number}"));
    }
    for part in PARTS {
        let from = with_suffix(path, part);
        if is_taken(&from) {
            fs::rename(&from, with_suffix(&aside, part))
                .map_err(|error| failed(error, format!("setting {} aside", from.display())))?;
        }
    }
    Ok(aside)
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
