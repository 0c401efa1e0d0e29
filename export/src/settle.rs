//! Settling a "perhaps": reading the library's own file once, to compare it by the digest that the service speaks.
//!
//! Invariant: what is computed goes to the catalog only if the file is still the recorded one, by its SHA-256.

use futures::TryStreamExt as _;
use safelight_core::catalog::{Catalog, Content, Freshness, Holding, Presence, Record};
use safelight_core::digest::{Algorithm, Algorithms, Digests, Hasher};
use safelight_core::error::{Kind, Result};
use safelight_core::provider::Provider;

/// Whether reading the library could tell more.
pub fn can_tell(holding: &Holding, wanted: &Digests) -> bool {
    let there =
        holding.presence == Presence::Present && holding.freshness == Some(Freshness::Fresh);
    there && (wanted.md5.is_some() || wanted.dropbox.is_some() || wanted.sha256.is_some())
}

/// The digests that are known of something.
pub fn spoken(digests: &Digests) -> Algorithms {
    let mut spoken = Algorithms::default();
    for (known, algorithm) in [
        (digests.md5.is_some(), Algorithm::Md5),
        (digests.crc32c.is_some(), Algorithm::Crc32c),
        (digests.dropbox.is_some(), Algorithm::DropboxHash),
    ] {
        if known {
            spoken = spoken.with(algorithm);
        }
    }
    spoken
}

/// Reads the library's file and answers its content with the digests that `wanted` has; `None` if it is not what was
/// recorded any more, or cannot be read. The catalog learns them where it can be written.
///
/// # Errors
/// The catalog's.
pub async fn settle_by_reading(
    library: &dyn Provider,
    catalog: &dyn Catalog,
    holding: &Holding,
    wanted: &Digests,
) -> Result<Option<Content>> {
    let Some(digests) = read(library, holding, spoken(wanted)).await else { return Ok(None) };
    if digests.sha256.is_none() || digests.sha256 != holding.content.digests.sha256 {
        return Ok(None);
    }
    let digests = digests.merged(holding.content.digests);
    let content = Content { digests, ..holding.content };
    let record = Record::Read { item: holding.item, stat: holding.stat, content };
    match catalog.record(vec![record]).await {
        // Opened only for looking: it is known for now.
        Err(error) if error.kind() != Kind::Unsupported => Err(error),
        _ => Ok(Some(content)),
    }
}

async fn read(
    library: &dyn Provider,
    holding: &Holding,
    algorithms: Algorithms,
) -> Option<Digests> {
    let mut opened = library.read(&holding.key, None, None).await.ok()?;
    let mut hasher = Hasher::new(algorithms);
    while let Some(chunk) = opened.bytes.try_next().await.ok()? {
        hasher.update(&chunk);
        if hasher.length() > holding.content.size {
            return None;
        }
    }
    (hasher.length() == holding.content.size).then(|| hasher.finish())
}
