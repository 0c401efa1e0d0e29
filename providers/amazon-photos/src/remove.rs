//! Removing: a key goes; its node goes along only if no other key of ours stands under it.
//!
//! Invariant: nothing is trashed that another item relies on, and nothing purged that does not stand in the reserved
//! folder by its own name.

use std::time::Duration;

use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::key::Key;
use safelight_core::permit::{Disposal, RemovalPermit};
use safelight_core::provider::Removed;

use crate::ledger::Place;
use crate::store::{Standing, Store, pinned};
use crate::trouble::missing;

/// For how long the service keeps what is in its trash.
const TRASH_LIFE: Duration = Duration::from_hours(30 * 24);

/// What became of the node of a key that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Released {
    /// It is in the trash.
    Trashed,
    /// It stays: other keys stand under it, or it was never ours.
    Stays,
}

impl Store {
    pub(crate) async fn discard(&self, permit: RemovalPermit) -> Result<Removed> {
        let key = permit.key().clone();
        let doing = format!("removing {key}");
        permit.still_good(&**self.api.pace.clock())?;
        let Some(found) = self.locate(&key, &doing).await? else {
            // Should its bytes come back for another key, they are not this one's any more.
            let mut entries = self.ledger.entries().await?;
            self.ledger.note(&mut entries, &key, None, &[]).await?;
            return Err(missing(&doing));
        };
        pinned(&found.node, permit.version(), &doing)?;
        let until = Some(self.api.pace.clock().now().plus(TRASH_LIFE));
        match self.release(&key, &found, Some(&permit), &doing).await? {
            Released::Stays if *permit.disposal() == Disposal::Purge => Ok(Removed::Gone),
            // The name is gone. The bytes are kept, for as long as others need them.
            Released::Stays => Ok(Removed::Trashed { until: None }),
            Released::Trashed if *permit.disposal() == Disposal::Purge && !found.by_alias => {
                match self.bin.purge(&self.api, &found.node.id).await {
                    Ok(()) => Ok(Removed::Gone),
                    Err(error) => {
                        tracing::debug!("it stays in the trash: {error}");
                        Ok(Removed::Trashed { until })
                    }
                }
            }
            Released::Trashed => Ok(Removed::Trashed { until }),
        }
    }

    /// Parts a key from the node under which it was found; the node goes to the trash if nothing else needs it.
    pub(crate) async fn release(
        &self,
        key: &Key,
        found: &Standing,
        permit: Option<&RemovalPermit>,
        doing: &str,
    ) -> Result<Released> {
        let id = found.node.id.as_str();
        let mut entries = self.ledger.entries().await?;
        if permit.is_some() && !entries.is_complete() {
            let context = format!(
                "{doing}: the notes on which items share their bytes are lost, so it stays; \
                 taking the destination over (`adopt`) begins them anew"
            );
            return Err(Error::new(Kind::Denied, context));
        }
        let in_many_folders = found.node.folders.len() > 1;
        // A replaced version stays too where that is not known, or somebody has put it into several folders.
        let stays = !entries.is_complete() || (permit.is_none() && in_many_folders);
        let shared = stays || entries.keys(id).any(|other| other != key);
        let hidden = entries.is_hidden(id);
        let noted = entries.alias(key).is_some_and(|alias| alias.id == id);
        if found.by_alias && (shared || !hidden) {
            if noted {
                self.ledger.note(&mut entries, key, None, &[]).await?;
            }
            return Ok(Released::Stays);
        }
        if !found.by_alias && shared {
            // What others stand under keeps its name, but that is no key any more.
            let place = [(id, Place::Hidden(Some(key.clone())))];
            let alias = entries.alias(key).cloned();
            self.ledger.note(&mut entries, key, alias, &place).await?;
            self.fresh.forget(key);
            return Ok(Released::Stays);
        }
        if in_many_folders {
            let context = format!("{doing}: it stands in several folders, so it stays");
            return Err(Error::new(Kind::Denied, context));
        }
        let busy = || {
            let context = format!("{doing}: it is just being removed");
            Error::new(Kind::Unavailable, context).scope(Scope::Item)
        };
        // From here on nobody takes it for a place of theirs.
        let _leaving = self.fresh.leave(id).ok_or_else(busy)?;
        drop(entries);
        if let Some(permit) = permit {
            permit.still_good(&**self.api.pace.clock())?;
        }
        self.bin.trash(&self.api, id).await?;
        self.fresh.trashed(id);
        if self.fresh.node(key).as_deref() == Some(id) {
            self.fresh.forget(key);
        }
        if noted || hidden {
            let mut entries = self.ledger.entries().await?;
            let alias = entries.alias(key).filter(|alias| alias.id != id).cloned();
            self.ledger.note(&mut entries, key, alias, &[(id, Place::Counts)]).await?;
        }
        Ok(Released::Trashed)
    }
}
