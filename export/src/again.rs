//! A target that was lost: what it held is forgotten, so that the next run stores everything there again.

use safelight_core::catalog::{Catalog, DestinationRecord, ItemDetail, Record};
use safelight_core::error::Result;

use crate::run::PAPERS;

const PAGE: usize = 4096;

/// Forgets everything that `target` held, and its marker. What other targets hold stays known. Answers whether it ever
/// was in use.
///
/// # Errors
/// The catalog's; the same again goes on.
pub async fn forget(catalog: &dyn Catalog, target: &str) -> Result<bool> {
    let known = catalog.destinations().await?;
    let used = |record: &DestinationRecord| record.name == target && record.marker.is_some();
    let Some(record) = known.into_iter().find(used) else { return Ok(false) };
    for page in PAPERS {
        catalog.keep_page(target, page, None).await?;
    }
    let mut after = None;
    loop {
        let items = catalog.browse(None, after, PAGE).await?;
        let Some(last) = items.last() else { break };
        after = Some(last.key.clone());
        let holds = |item: &ItemDetail| {
            item.legs.iter().any(|leg| leg.destination == target && leg.leg.held.is_some())
        };
        let held = items.iter().filter(|item| holds(item));
        let dropped = held.map(|item| Record::Dropped { item: item.item, destination: record.id });
        catalog.record(dropped.collect()).await?;
    }
    // The marker goes last: as long as it is known, nothing is stored anywhere else in its stead.
    let record = DestinationRecord { marker: None, volume: None, ..record };
    catalog.remember_destination(record).await?;
    Ok(true)
}
