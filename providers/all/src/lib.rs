//! The one list of built-in providers.

use std::sync::Arc;

use safelight_amazon_photos::AmazonPhotosFactory;
use safelight_core::error::Result;
use safelight_core::registry::Registry;
use safelight_dropbox::DropboxFactory;
use safelight_object::{OpenDalFactory, S3Factory};

/// All providers that are built in; `disk` only where its system calls are. A program adds its own with [`Registry::with`].
///
/// # Errors
/// None in practice: only if two of them had the same name.
pub fn registry() -> Result<Registry> {
    let registry = Registry::default();
    #[cfg(unix)]
    let registry = registry.with(Arc::new(safelight_disk::DiskFactory))?;
    registry
        .with(Arc::new(S3Factory))?
        .with(Arc::new(OpenDalFactory))?
        .with(Arc::new(DropboxFactory))?
        .with(Arc::new(AmazonPhotosFactory))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_provider_is_found_and_explains_itself() {
        let registry = registry().unwrap();
        let kinds = ["disk", "s3", "opendal", "dropbox", "amazon-photos"];
        for kind in kinds.into_iter().skip(usize::from(!cfg!(unix))) {
            let factory = registry.get(kind).unwrap();
            assert_eq!(factory.kind(), kind);
            assert!(!factory.about().is_empty());
            assert!(factory.settings().iter().all(|setting| !setting.help.is_empty()));
        }
        assert!(registry.get("gopher").is_err());
    }
}
