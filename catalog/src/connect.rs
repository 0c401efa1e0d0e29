//! Opening the database file, with the settings every connection has.
//!
//! Invariant: a commit is on the disk when it returns (`synchronous = FULL`, also past macOS's disk cache), and
//! a connection holds a bounded number of pages, however large the catalog is.

use std::fs;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use safelight_core::error::Result;

use crate::fault::{Fault, failed};

const STATEMENTS: usize = 64;
const WRITER_CACHE_KIB: i64 = 16 * 1024;
const READER_CACHE_KIB: i64 = 4 * 1024;
/// The log is folded back into the file when it has this many pages of 4 KiB.
const CHECKPOINT_PAGES: i64 = 4096;
const LOG_BYTES: i64 = 64 * 1024 * 1024;

/// The one connection that writes; makes the file if there is none.
pub(crate) fn writer(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    open(path, flags, WRITER_CACHE_KIB)
}

/// The settings of the writer; the first of them may change the file, which must be known to be ours.
pub(crate) fn make_durable(connection: &Connection) -> Result<(), Fault> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    Ok(())
}

/// A connection that cannot write.
pub(crate) fn reader(path: &Path) -> Result<Connection, Fault> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)
}

fn open(path: &Path, flags: OpenFlags, cache_kib: i64) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Another process that reads may be folding the log back for a moment.
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Otherwise SQLite plans a statement anew for every other value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Makes the folder (only for the user) and an empty file (only for the user) if they are not there.
pub(crate) fn make_file(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    private_file(path).map(drop)
}

/// Opens a file that only the user can read, making it if it is not there.
pub(crate) fn private_file(path: &Path) -> Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| failed(error, format!("opening {}", path.display())))
}

fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| failed(error, format!("making {}", folder.display())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let connection = writer(&folder.path().join("catalog.db")).unwrap();
        let schema =
            "CREATE TABLE leg (item, todo); CREATE INDEX due ON leg (item) WHERE todo = 1;";
        connection.execute_batch(schema).unwrap();
        let question = "SELECT item FROM leg WHERE item > ?1 AND todo = ?2";
        let mut statement = connection.prepare(question).unwrap();
        for n in 0..10 {
            let _ = statement.query([n, n % 2]).unwrap().next().unwrap();
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
