//! How commands come to the catalog: for a run, for a rehearsal, or only to look.

use std::path::Path;
use std::sync::Arc;

use safelight_catalog::SqliteCatalog;
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::time::Clock;

use crate::render::moment;

/// Opens the catalog for a run and takes its lock; `command` is what another process is told.
///
/// # Errors
/// The catalog's own; a damaged one is set aside first.
pub async fn for_run(path: &Path, command: &str, clock: &dyn Clock) -> Result<SqliteCatalog> {
    let holder = format!("safelight {command}, since {}", moment::stamp(clock.now()));
    match SqliteCatalog::open(path, &holder).await {
        Err(error) if error.id() == codes::CATALOG_DAMAGED => {
            Err(set_aside(path, clock, error).await)
        }
        other => other,
    }
}

/// Opens the catalog only to look.
///
/// # Errors
/// The catalog's own; if there is none yet, a hint to the first run.
pub async fn to_look(path: &Path) -> Result<Arc<SqliteCatalog>> {
    SqliteCatalog::open_read_only(path).await.map(Arc::new).map_err(|error| match error.kind() {
        Kind::NotFound => {
            let context = "nothing was mirrored with this config yet: run `safelight mirror` first";
            Error::new(Kind::Absent, context).code(codes::NO_CATALOG).scope(Scope::Run)
        }
        _ => error,
    })
}

/// Gives a damaged catalog another name, so that the next run can begin a new one; the answer is the error
/// that tells about it. The catalog must be closed.
pub async fn set_aside(path: &Path, clock: &dyn Clock, damage: Error) -> Error {
    match SqliteCatalog::set_aside(path, clock.now()).await {
        Ok(aside) => {
            let context = format!("{}; it is now {}", damage.context(), aside.display());
            Error::new(Kind::Corrupt, context).code(codes::CATALOG_DAMAGED).scope(Scope::Run)
        }
        Err(error) => error,
    }
}
