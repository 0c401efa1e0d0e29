//! What of an export is still in its folders on this machine: a copy that is gone does not count as one.
//!
//! Invariant: looking changes neither the folders nor what is remembered of the export.

use std::sync::Arc;

use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::Catalog;
use safelight_core::error::Result;
use safelight_core::time::Clock;
use safelight_disk::{Disk, Options};
use safelight_export::gone::{self, Seen};

use super::exports::Remembered;
use crate::render::text::count;

/// The catalog of an export without the copies that are gone, and what is to be said about them. Targets that are
/// `absent` are not looked into. `catalog` is what is remembered, opened only to look.
///
/// # Errors
/// Those of the catalogs.
pub async fn still_there(
    export: &Remembered,
    absent: &[String],
    catalog: Arc<dyn Catalog>,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn Catalog>, Vec<String>)> {
    let (mut catalog, mut remarks, mut is_scratch) = (catalog, Vec::new(), false);
    for target in export.targets.iter().filter(|target| !absent.contains(&target.name)) {
        let Some(folder) = &target.folder else { continue };
        let (name, from) = (&target.name, &export.from);
        let disk = Disk::destination(name, folder, Options::default(), Arc::clone(clock));
        let seen = match Seen::at(&disk).await {
            Ok(seen) => seen,
            Err(error) => {
                remarks.push(format!(
                    "The export of {from} in {name} could not be looked through, so all of it counts: {error}."
                ));
                continue;
            }
        };
        if !gone::lacks(&*catalog, name, &seen).await? {
            continue;
        }
        if !is_scratch {
            catalog = Arc::new(SqliteCatalog::scratch(&export.catalog()).await?);
            is_scratch = true;
        }
        let items = gone::forget(&*catalog, name, &seen).await?.items;
        remarks.push(if items == 1 {
            format!("1 file of the export of {from} in {name} is not there any more and does not count.")
        } else {
            let items = count(items);
            format!("{items} files of the export of {from} in {name} are not there any more and do not count.")
        });
    }
    Ok((catalog, remarks))
}
