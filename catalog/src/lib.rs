//! SQLite: what is stored where, and how we know.
//!
//! One file, one thread that writes and two that read, behind core's [`Catalog`](safelight_core::catalog::Catalog).
//! `schema` says which tables there are and what they promise; `scan`, `records`, `work`, `survey`, `gone`, `holders`, `destinations`,
//! `items`, `library`, `pages` and `runs` hold the questions and changes, each as plain functions over a connection;
//! `writer`, `reader` and `check` are the threads.
//!
//! Invariants: what is recorded is durable before anybody hears of it; nothing is written or claimed before
//! the file was looked through; a damaged file is set aside by [`SqliteCatalog::set_aside`], never repaired or
//! overwritten; one process at a time works on a catalog, any number may look.

mod aside;
mod catalog;
mod check;
mod connect;
mod destinations;
mod fault;
mod gone;
mod groups;
mod holders;
mod inspected;
mod items;
mod legs;
mod library;
mod lock;
mod pages;
mod reader;
mod records;
mod rows;
mod runs;
mod scan;
mod schema;
mod scratch;
mod survey;
mod work;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;

use rusqlite::Connection;
use safelight_core::error::{Error, Kind, Result, Retry, Scope};
use safelight_core::time::Timestamp;

use crate::check::Check;
use crate::fault::{Fault, mistake};
use crate::lock::Lock;
use crate::reader::Readers;
use crate::writer::Writer;

/// So that a long count does not hold up the scan.
const READERS: usize = 2;

/// A catalog in an SQLite file.
///
/// Dropping it waits until what was accepted is written and its threads have ended; [`SqliteCatalog::close`]
/// does the same without holding up the runtime. The fields stand in the order in which they have to go: the
/// writer after all others, because the last connection folds the log back into the file; then the lock.
pub struct SqliteCatalog {
    check: Check,
    readers: Readers,
    writer: Option<Writer>,
    next_run: AtomicI64,
    _lock: Option<Lock>,
    _scratch: Option<tempfile::TempDir>,
}

impl SqliteCatalog {
    /// Opens the catalog at `path` for one run, making folder (0700) and file (0600) if they are not there.
    /// `holder` is what another process is told that finds it in use: the command and when it began.
    ///
    /// The file is looked through while the run begins: a damage may be reported only by the first call that
    /// writes or claims something.
    ///
    /// # Errors
    /// `run/locked`, `catalog/damaged`, `catalog/newer`, `catalog/failed`.
    pub async fn open(path: &Path, holder: &str) -> Result<Self> {
        let (path, holder) = (path.to_owned(), holder.to_owned());
        blocking(move || {
            let lock = Lock::take(&path, &holder)?;
            Self::start(&path, Some(lock), None)
        })
        .await
    }

    /// Opens the catalog at `path` only for looking, beside a run or without one. Everything that would write
    /// fails with [`Kind::Unsupported`].
    ///
    /// # Errors
    /// [`Kind::NotFound`] if there is no catalog; `catalog/damaged`, `catalog/newer`; `catalog/failed` also if
    /// an older program wrote the file and it was not opened for a run since.
    pub async fn open_read_only(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        blocking(move || {
            if !path.exists() {
                let context = format!("there is no catalog at {}", path.display());
                return Err(Error::new(Kind::NotFound, context).scope(Scope::Run));
            }
            Self::look_at(&path).map_err(|fault| fault.into_error("opening the catalog"))
        })
        .await
    }

    /// Opens a copy of the catalog at `path` that may be written and goes away when it is dropped; the catalog
    /// itself stays as it is, and needs not be there.
    ///
    /// # Errors
    /// As [`SqliteCatalog::open`], except for the lock, which is not needed.
    pub async fn scratch(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        blocking(move || {
            let folder = scratch::copy(&path)?;
            Self::start(&scratch::file_in(&folder), None, Some(folder))
        })
        .await
    }

    /// Renames a damaged catalog and its log to a name with the date of `at` in it, and answers that name.
    ///
    /// # Errors
    /// `run/locked` while it is open; `catalog/failed`, and then nothing is lost: what could not be renamed
    /// stands where it was.
    pub async fn set_aside(path: &Path, at: Timestamp) -> Result<PathBuf> {
        let path = path.to_owned();
        blocking(move || aside::set_aside(&path, at)).await
    }

    /// Writes what was accepted, folds the log into the file and ends the threads.
    pub async fn close(self) {
        // The closure cannot fail, and a runtime that is shutting down drops it, which closes as well.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    fn start(path: &Path, lock: Option<Lock>, scratch: Option<tempfile::TempDir>) -> Result<Self> {
        connect::make_file(path)?;
        let opened = prepare(path).map_err(|fault| fault.into_error("opening the catalog"));
        let Prepared { writer, next_run, check, readers } = opened?;
        let (check, passed) = check.map_or_else(|| Ok(Check::passed_before()), Check::start)?;
        Ok(Self {
            check,
            readers: Readers::start(readers)?,
            writer: Some(Writer::start(writer, passed)?),
            next_run: next_run.into(),
            _lock: lock,
            _scratch: scratch,
        })
    }

    fn look_at(path: &Path) -> Result<Self, Fault> {
        let first = connect::reader(path)?;
        if schema::is_behind(&first)? {
            let error =
                Error::new(Kind::Unsupported, "the catalog was written by an older Safelight");
            let error = error.code(safelight_core::codes::CATALOG_FAILED).scope(Scope::Run);
            return Err(error.retry(Retry::NeedsPerson).into());
        }
        let readers = [first, connect::reader(path)?];
        Ok(Self {
            check: Check::start(connect::reader(path)?)?.0,
            readers: Readers::start(readers)?,
            writer: None,
            next_run: 0.into(),
            _lock: None,
            _scratch: None,
        })
    }

    /// Asks what claims nothing.
    async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        self.readers.ask(question).await
    }

    /// Asks what is only to be believed of a whole file.
    async fn claim<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        self.check.passed().await?;
        self.readers.ask(question).await
    }

    async fn write<T: Send + 'static>(
        &self,
        command: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        self.writer()?.run(command).await
    }

    fn writer(&self) -> Result<&Writer> {
        let refusal = || Error::new(Kind::Unsupported, "the catalog was opened only for looking");
        self.writer.as_ref().ok_or_else(|| refusal().scope(Scope::Run))
    }
}

/// Connections to a file of the present form.
struct Prepared {
    writer: Connection,
    next_run: i64,
    /// For the check, unless it is not needed any more.
    check: Option<Connection>,
    readers: Vec<Connection>,
}

fn prepare(path: &Path) -> Result<Prepared, Fault> {
    let mut writer = connect::writer(path)?;
    let is_behind = schema::is_behind(&writer)?;
    connect::make_durable(&writer)?;
    if is_behind {
        // Nothing is written to a damaged file, so here the look cannot run beside the start.
        check::look_through(&writer)?;
        schema::migrate(&mut writer)?;
    }
    let check = if is_behind { None } else { Some(connect::reader(path)?) };
    let readers = (0..READERS).map(|_| connect::reader(path)).collect::<Result<_, _>>()?;
    Ok(Prepared { next_run: runs::next(&writer)?, writer, check, readers })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| mistake("opening the catalog").source(error))?
}
