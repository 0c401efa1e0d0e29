//! What all operations share: the account as this destination sees it.

use std::sync::Arc;

use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::notebook::Notebook;
use safelight_core::provider::Identity;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::desk::Desk;
use crate::intake::Intake;
use crate::names::{Names, Spot};
use crate::trouble::{Trouble, foreign};
use crate::wire::Metadata;

/// The page of the notebook that says what kinds of name were refused.
pub(crate) const NAMES_PAGE: &str = "names";
/// What stands on it once letters above U+FFFF were refused.
pub(crate) const PLANES_REFUSED: &str = "letters above U+FFFF are refused";

/// One destination in one account.
pub(crate) struct Store {
    pub(crate) identity: Identity,
    pub(crate) capabilities: Capabilities,
    pub(crate) api: Api,
    pub(crate) names: Names,
    pub(crate) notebook: Arc<dyn Notebook>,
    /// Where everything waits that needs the lock of the account.
    pub(crate) desk: Arc<Desk>,
    /// Where small items wait to be sent together.
    pub(crate) intake: Intake,
    /// Bytes that may be under way in blocks of large items, counted in KiB.
    pub(crate) memory: Semaphore,
}

impl Store {
    /// The file at a path, if one is there.
    pub(crate) async fn look_at(
        &self,
        path: &str,
        doing: &str,
    ) -> Result<Option<Metadata>, Trouble> {
        match self.api.rpc::<Metadata>("files/get_metadata", &json!({"path": path}), doing).await {
            Ok(found) => Ok(found.is_file().then_some(found)),
            // Where no such name can be, nothing is.
            Err(trouble) if matches!(trouble.error.kind(), Kind::NotFound | Kind::Name) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// The file at a spot, and the path at which it was found.
    pub(crate) async fn look(
        &self,
        spot: &Spot,
        doing: &str,
    ) -> Result<Option<(String, Metadata)>, Trouble> {
        if let Some(found) = self.look_at(&spot.path, doing).await? {
            return Ok(Some((spot.path.clone(), found)));
        }
        let Some(spare) = &spot.spare else { return Ok(None) };
        Ok(self.look_at(spare, doing).await?.map(|found| (spare.clone(), found)))
    }

    pub(crate) async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        let doing = format!("looking at {key}");
        let found = self.look(&self.names.spot(key)?, &doing).await?;
        Ok(found.map(|(_, found)| found.entry(key.clone())))
    }

    /// Remembers that letters above U+FFFF are refused.
    pub(crate) async fn learn_planes_refused(&self) {
        self.names.plane_is_refused();
        // Without the note the next run finds it out again.
        let _ = self.notebook.write(NAMES_PAGE, Some(PLANES_REFUSED.to_owned())).await;
    }
}

/// That what was found is the version that was meant, if one was.
pub(crate) fn pinned(found: &Metadata, pin: Option<&Version>, doing: &str) -> Result<()> {
    if pin.is_some() && found.version().as_ref() != pin { Err(foreign(doing)) } else { Ok(()) }
}

/// Nothing is there.
pub(crate) fn missing(doing: &str) -> Error {
    Error::new(Kind::NotFound, format!("{doing}: nothing is there"))
}
