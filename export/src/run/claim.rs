//! Making a target ours, so that it stays ours whenever the process dies.
//!
//! The engine claims an empty place by writing its marker, and remembers that afterwards. A death in between would leave a
//! marker that nobody knows. So the catalog of an export notes first that it is about to claim; a marker that then stands
//! in a place with nothing else is the one it wrote.

use safelight_core::catalog::{Catalog, DestinationRecord};
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::Result;
use safelight_core::marker::{self, Ownership};
use safelight_core::provider::{Provider, Root};

use futures::StreamExt as _;

const PAGE: &str = "export/claiming";

/// Notes that the target is about to be claimed, or takes over the marker of a run that died while it did.
///
/// # Errors
/// The catalog's. A target that does not answer is left to the engine, which says so.
pub(super) async fn prepare(
    provider: &dyn Provider,
    catalog: &dyn Catalog,
    name: &str,
) -> Result<()> {
    let record = catalog.enroll(name).await?;
    if record.marker.is_some() {
        return Ok(());
    }
    if catalog.page(name, PAGE).await?.is_none() {
        // Only a place that carries no marker yet can get ours.
        let Ok(health) = provider.check().await else { return Ok(()) };
        if health.root == Root::New || matches!(marker::read(provider).await, Ok(None)) {
            catalog.keep_page(name, PAGE, Some("1".to_owned())).await?;
        }
        return Ok(());
    }
    if let Ok(Some(found)) = marker::read(provider).await
        && is_empty(provider).await
    {
        let marker = Some(found.id);
        catalog.remember_destination(DestinationRecord { marker, ..record }).await?;
    }
    Ok(())
}

/// Makes sure that the target is ours, as the engine does; it did so already if there was something to take out.
pub(super) async fn claim(
    provider: &dyn Provider,
    catalog: &dyn Catalog,
    name: &str,
) -> Result<()> {
    let record = catalog.enroll(name).await?;
    let health = provider.check().await?;
    let marker = match marker::check(provider, health.root, &record).await? {
        Ownership::Ours => return Ok(()),
        Ownership::Unclaimed => marker::claim(provider).await?,
    };
    let record = DestinationRecord { marker: Some(marker), volume: health.volume, ..record };
    catalog.remember_destination(record).await
}

async fn is_empty(provider: &dyn Provider) -> bool {
    let mut pages = provider.list(Scope::default());
    while let Some(page) = pages.next().await {
        let Ok(page) = page else { return false };
        let nothing = |listed: &Listed| matches!(listed, Listed::Mount { .. });
        if !page.entries.iter().all(nothing) {
            return false;
        }
    }
    true
}
