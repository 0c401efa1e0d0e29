//! Removal permits: the only way to delete anything.
//!
//! Invariant: a [`RemovalPermit`] exists only for a reason that was checked a moment ago, names one exact
//! version, and expires. A provider takes it by value, so that it serves once.

use std::time::Duration;

use crate::entry::Version;
use crate::error::{Error, Kind, Result};
use crate::key::Key;
use crate::time::{Clock, Timestamp};

/// For how long a permit is good.
pub const PERMIT_LIFE: Duration = Duration::from_mins(15);

/// Why something may be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grounds {
    /// Deleted from the library, seen by complete listings since then, the waiting time is over and the guard
    /// let it pass. It goes to the trash.
    DeletedFromLibrary {
        /// When the deletion was noticed.
        noticed: Timestamp,
    },
    /// It was in the trash or among the kept versions for the time that the rules ask for.
    RetentionOver {
        /// Since when it was kept.
        kept_since: Timestamp,
    },
    /// More replaced versions are kept than the rules ask for, and this is the oldest.
    TooManyVersions,
    /// A test object of our own, below the reserved folder.
    OwnProbe,
}

/// Where what is removed goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposal {
    /// To the destination's own trash where the service has one, else under this key.
    Trash(Key),
    /// Nowhere: it is gone.
    Purge,
}

/// Permission to remove one object at one destination, once.
#[derive(Debug)]
pub struct RemovalPermit {
    key: Key,
    version: Option<Version>,
    disposal: Disposal,
    grounds: Grounds,
    expires: Duration,
}

impl RemovalPermit {
    /// Grants a permit that is good for [`PERMIT_LIFE`] from now.
    ///
    /// # Errors
    /// [`Kind::Denied`] if the grounds do not carry the disposal: a photo deleted from the library goes to the
    /// trash, and only what stands in the reserved folder may be purged.
    pub fn grant(
        key: Key,
        version: Option<Version>,
        disposal: Disposal,
        grounds: Grounds,
        clock: &dyn Clock,
    ) -> Result<Self> {
        let purges = disposal == Disposal::Purge;
        let sound = match grounds {
            Grounds::DeletedFromLibrary { .. } => !purges && !key.is_reserved(),
            Grounds::RetentionOver { .. } | Grounds::TooManyVersions | Grounds::OwnProbe => {
                purges && key.is_reserved()
            }
        };
        if !sound {
            return Err(Error::new(Kind::Denied, format!("no grounds to remove {key}")));
        }
        Ok(Self { key, version, disposal, grounds, expires: clock.elapsed() + PERMIT_LIFE })
    }

    /// What may be removed.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The exact version that may be removed; another version must stay.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Where it goes.
    pub fn disposal(&self) -> &Disposal {
        &self.disposal
    }

    /// Why.
    pub fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// Must be asked right before the removal.
    ///
    /// # Errors
    /// [`Kind::Denied`] once the permit has expired.
    pub fn still_good(&self, clock: &dyn Clock) -> Result<()> {
        if clock.elapsed() <= self.expires {
            Ok(())
        } else {
            Err(Error::new(Kind::Denied, format!("the permit to remove {} has expired", self.key)))
        }
    }
}
