//! What can go wrong inside, and what the callers are told.
//!
//! Invariant: a file that cannot be trusted is `catalog/damaged`; a disk or file system that fails is
//! `catalog/failed`; both reach the whole run, because without the catalog nothing may be claimed.

use rusqlite::ErrorCode;
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Retry, Scope};

/// A failure on the way: SQLite's, or one that is already in the words of core.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Told(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl Fault {
    /// The catalog's answer to its caller; `context` says what was tried.
    pub(crate) fn into_error(self, context: &str) -> Error {
        match self {
            Self::Told(error) => error,
            Self::Sql(error) => {
                let (kind, code) = meaning(&error);
                let told = Error::new(kind, context).code(code).scope(Scope::Run);
                let told =
                    if kind == Kind::Internal { told } else { told.retry(Retry::NeedsPerson) };
                told.source(error)
            }
        }
    }
}

/// The answer when the file does not hold what a catalog must hold.
pub(crate) fn damaged(context: impl Into<String>) -> Error {
    Error::new(Kind::Corrupt, context)
        .code(codes::CATALOG_DAMAGED)
        .scope(Scope::Run)
        .retry(Retry::NeedsPerson)
}

/// The answer when the machine around the catalog fails.
pub(crate) fn failed(error: std::io::Error, context: impl Into<String>) -> Error {
    Error::io(error, context)
        .code(codes::CATALOG_FAILED)
        .scope(Scope::Run)
        .retry(Retry::NeedsPerson)
}

/// The answer when a caller asks for what makes no sense.
pub(crate) fn mistake(context: impl Into<String>) -> Error {
    Error::new(Kind::Internal, context).scope(Scope::Run)
}

fn meaning(error: &rusqlite::Error) -> (Kind, codes::Code) {
    use rusqlite::Error as Sql;
    match error {
        Sql::FromSqlConversionFailure(..)
        | Sql::IntegralValueOutOfRange(..)
        | Sql::InvalidColumnType(..)
        | Sql::Utf8Error(..) => (Kind::Corrupt, codes::CATALOG_DAMAGED),
        Sql::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                (Kind::Corrupt, codes::CATALOG_DAMAGED)
            }
            ErrorCode::DiskFull => (Kind::NoRoom, codes::CATALOG_FAILED),
            ErrorCode::ReadOnly => (Kind::ReadOnly, codes::CATALOG_FAILED),
            ErrorCode::PermissionDenied => (Kind::Denied, codes::CATALOG_FAILED),
            ErrorCode::OperationInterrupted => (Kind::Cancelled, codes::CANCELLED),
            ErrorCode::ConstraintViolation => (Kind::Internal, codes::INTERNAL),
            _ => (Kind::Io, codes::CATALOG_FAILED),
        },
        _ => (Kind::Internal, codes::INTERNAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_a_failing_disk_and_mistakes_are_told_apart() {
        use rusqlite::ffi;
        let cases = [
            (ffi::SQLITE_CORRUPT, codes::CATALOG_DAMAGED),
            (ffi::SQLITE_NOTADB, codes::CATALOG_DAMAGED),
            (ffi::SQLITE_FULL, codes::CATALOG_FAILED),
            (ffi::SQLITE_IOERR_WRITE, codes::CATALOG_FAILED),
            (ffi::SQLITE_CANTOPEN, codes::CATALOG_FAILED),
            (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, codes::INTERNAL),
        ];
        for (result, code) in cases {
            let fault = Fault::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(result), None));
            let error = fault.into_error("writing");
            assert_eq!((error.id(), error.reach()), (code, Scope::Run), "{result}");
        }
    }
}
