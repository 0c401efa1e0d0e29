//! Moving, copying and removing on the service's own side.

use opendal::options::{CopyOptions, DeleteOptions};
use safelight_core::digest::Digests;
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::permit::{Disposal, RemovalPermit};
use safelight_core::provider::{Proof, Receipt, Relocate, Removed};

use crate::call::Manner;
use crate::deadline::within;
use crate::errors::translate;
use crate::store::{ObjectStore, condition};

impl ObjectStore {
    /// Copies, looks whether the copy is whole, and for a move then removes the old place. A move that fails
    /// in between leaves both; nothing is ever at neither place. `go_on` is asked before the old place goes.
    pub(crate) async fn transfer(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
        go_on: impl Fn() -> Result<()> + Send,
    ) -> Result<Receipt> {
        let moves = how == Relocate::Move;
        if !(self.ways.copies || moves && self.ways.renames) {
            return Err(Error::new(Kind::Unsupported, "the service cannot copy on its own side"));
        }
        let (source, target) = (self.names.encode(from)?, self.names.encode(to)?);
        let (found, version) = self.exactly(from, &source, pin).await?;
        if self.look(to, &target).await?.is_some() {
            return Err(Error::new(Kind::Exists, format!("something is already at {to}")));
        }
        let doing = format!("moving {from} to {to}");
        let in_one_step = moves && self.ways.renames;
        let (operator, call) = self.call(Manner { keep_target: true, parallel: true });
        let work = async {
            let done = if in_one_step {
                go_on()?;
                operator.rename(&source, &target).await
            } else {
                let if_not_exists = self.ways.copy_create_only;
                let options = CopyOptions { if_not_exists, ..CopyOptions::default() };
                operator.copy_options(&source, &target, options).await.map(drop)
            };
            done.map_err(|error| {
                let error = translate(&call, &error, &doing);
                // The condition was that nothing is at the target.
                if error.kind() == Kind::Changed {
                    Error::new(Kind::Exists, error.context())
                } else {
                    error
                }
            })
        };
        within(&*self.context.clock, found, &doing, work).await?;
        let there = self.look(to, &target).await?;
        let Some(there) = there.filter(|there| there.content_length() == found) else {
            return Err(Error::new(Kind::Corrupt, format!("{doing}: the copy is not whole")));
        };
        if moves && !in_one_step {
            go_on()?;
            self.delete(from, &source, version.as_ref()).await?;
        }
        let entry = self.entry(to.clone(), &there);
        Ok(Receipt {
            version: entry.version,
            remote_id: None,
            modified: None,
            digests: Digests::default(),
            proof: Proof::SizeOnly,
        })
    }

    /// Removes what the permit names.
    pub(crate) async fn dispose(&self, permit: RemovalPermit) -> Result<Removed> {
        let clock = &*self.context.clock;
        permit.still_good(clock)?;
        match permit.disposal() {
            Disposal::Trash(kept) => {
                let go_on = || permit.still_good(clock);
                let how = Relocate::Move;
                self.transfer(permit.key(), kept, how, permit.version(), go_on).await?;
                Ok(Removed::Kept(kept.clone()))
            }
            Disposal::Purge => {
                let path = self.names.encode(permit.key())?;
                let (_, version) = self.exactly(permit.key(), &path, permit.version()).await?;
                permit.still_good(clock)?;
                self.delete(permit.key(), &path, version.as_ref()).await?;
                Ok(Removed::Gone)
            }
        }
    }

    /// Size and version of what is at `key`, which must be the version `pin`.
    async fn exactly(
        &self,
        key: &Key,
        path: &str,
        pin: Option<&Version>,
    ) -> Result<(u64, Option<Version>)> {
        let missing = || Error::new(Kind::NotFound, format!("nothing is at {key}"));
        let found = self.look(key, path).await?.ok_or_else(missing)?;
        let version = self.version(&found);
        if pin.is_some() && version.as_ref() != pin {
            return Err(Error::new(Kind::Changed, format!("another version is at {key}")));
        }
        Ok((found.content_length(), version))
    }

    async fn delete(&self, key: &Key, path: &str, version: Option<&Version>) -> Result<()> {
        let doing = format!("removing {key}");
        let (operator, call) = self.call(Manner::default());
        let if_match = version.and_then(condition).filter(|_| self.ways.pinned_delete);
        let options = DeleteOptions { if_match, ..DeleteOptions::default() };
        let work = async {
            let done = operator.delete_options(path, options).await;
            done.map_err(|error| translate(&call, &error, &doing))
        };
        within(&*self.context.clock, 0, &doing, work).await
    }
}
