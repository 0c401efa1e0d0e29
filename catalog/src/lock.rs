//! The lock that keeps two runs from meeting in one catalog.
//!
//! Invariant: the lock belongs to the open file and dies with the process, so none is ever stale. The file
//! itself stays, because removing it would let two processes lock two different files of the same name.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use safelight_core::codes;
use safelight_core::error::{Error, Kind, Result, Retry, Scope};
use safelight_core::key::printable;

use crate::connect;
use crate::fault::failed;

/// Longest text read from a lock file, in bytes.
const TEXT: u64 = 1024;

/// Holds the lock until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the catalog at `path` without waiting. `holder` says for people what takes it: the
    /// command and when it began.
    ///
    /// # Errors
    /// `run/locked` with the other holder's words.
    pub(crate) fn take(path: &Path, holder: &str) -> Result<Self> {
        let path = lock_path(path);
        connect::make_file(&path)?;
        let mut file = connect::private_file(&path)?;
        let io = |error| failed(error, format!("writing {}", path.display()));
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(&mut file)),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        write!(file, "process {}: {holder}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

fn locked(file: &mut File) -> Error {
    let mut holder = Vec::new();
    let read = file.take(TEXT).read_to_end(&mut holder);
    let context = match read {
        Ok(length) if length > 0 => format!("the catalog is in use by {}", printable(&holder)),
        _ => "the catalog is in use by another process".to_owned(),
    };
    Error::new(Kind::Unavailable, context)
        .code(codes::LOCKED)
        .scope(Scope::Run)
        .retry(Retry::NeedsPerson)
}

fn lock_path(path: &Path) -> PathBuf {
    crate::aside::with_suffix(path, ".lock")
}
