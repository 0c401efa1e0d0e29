//! Looking before many bytes are sent: what stands there may be this very item, or in the way of it.

use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{PutMode, PutRequest, Receipt};

use crate::finish::Target;
use crate::names::Spot;
use crate::store::Store;
use crate::trouble::foreign;

impl Store {
    /// The receipt, if the item is there already.
    ///
    /// # Errors
    /// [`Kind::Exists`] or [`Kind::Changed`] if something else is, as the mode says.
    pub(crate) async fn there_already(
        &self,
        request: &PutRequest,
        doing: &str,
    ) -> Result<Option<Receipt>> {
        let spot = self.names.spot(&request.key)?;
        let found = self.look(&spot, doing).await?;
        let Some(hash) = request.digests.dropbox else {
            return match (found, &request.mode) {
                (None, PutMode::Create) => Ok(None),
                (Some((_, found)), PutMode::Replace(version))
                    if found.version().as_ref() == Some(version) =>
                {
                    Ok(None)
                }
                (_, mode) => Err(occupied(mode, doing)),
            };
        };
        let Some((path, found)) = found else {
            return match &request.mode {
                PutMode::Create => Ok(None),
                PutMode::Replace(_) => Err(foreign(doing)),
            };
        };
        if found.hash() == Some(hash) && found.size() == request.length {
            let target = Target {
                key: request.key.clone(),
                spot: Spot { path, spare: None },
                mode: request.mode.clone(),
                modified: request.modified,
                size: request.length,
                hash,
                digests: request.digests,
                vouched: true,
            };
            return self.receipt(&target, &found).await.map(Some);
        }
        match &request.mode {
            PutMode::Replace(version) if found.version().as_ref() == Some(version) => Ok(None),
            mode => Err(occupied(mode, doing)),
        }
    }
}

fn occupied(mode: &PutMode, doing: &str) -> Error {
    match mode {
        PutMode::Create => Error::new(Kind::Exists, format!("{doing}: something is already there")),
        PutMode::Replace(_) => foreign(doing),
    }
}
