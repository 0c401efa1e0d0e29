//! A copy of the catalog for runs that must leave no trace.

use std::path::Path;

use rusqlite::backup::Backup;
use safelight_core::error::Result;
use tempfile::TempDir;

use crate::connect;
use crate::fault::{Fault, failed};

/// Pages copied at a time; the copy takes no lock that could stop a writer.
const PAGES: i32 = 4096;

/// Copies the catalog at `path`, if there is one, into a folder of its own that goes away when dropped.
pub(crate) fn copy(path: &Path) -> Result<TempDir> {
    let folder = TempDir::with_prefix("safelight-")
        .map_err(|error| failed(error, "making a scratch folder"))?;
    if path.exists() {
        let copied = copy_into(path, &file_in(&folder));
        copied.map_err(|fault| fault.into_error("copying the catalog"))?;
    }
    Ok(folder)
}

pub(crate) fn file_in(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("catalog.db")
}

fn copy_into(from: &Path, to: &Path) -> Result<(), Fault> {
    let from = connect::reader(from)?;
    connect::make_file(to)?;
    let mut to = rusqlite::Connection::open(to)?;
    Backup::new(&from, &mut to)?.run_to_completion(PAGES, std::time::Duration::ZERO, None)?;
    Ok(())
}
