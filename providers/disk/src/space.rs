//! Room at a destination: a reserve stays free, and bytes that are announced but not yet written count.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use safelight_core::class::MediaClass;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{PoolUsage, Room};

use crate::fault::{Act, fault};
use crate::options::Reserve;

/// The room of one destination.
#[derive(Debug)]
pub(crate) struct Space {
    reserve: Reserve,
    announced: Mutex<u64>,
}

/// Room that was promised to one item. What has been written is taken off; dropping it gives the rest back.
#[derive(Debug)]
pub(crate) struct Claim {
    space: Arc<Space>,
    rest: u64,
}

impl Space {
    /// All room but the reserve.
    pub(crate) fn new(reserve: Reserve) -> Self {
        Self { reserve, announced: Mutex::new(0) }
    }

    /// Promises `length` bytes on the file system of `root`.
    ///
    /// # Errors
    /// [`Kind::NoRoom`] if they would eat into the reserve. Where the room is not known, all are promised.
    pub(crate) fn claim(self: &Arc<Self>, root: &OwnedFd, length: u64) -> Result<Claim> {
        let mut announced = self.lock();
        let (total, available) = measure(root)?.unwrap_or((u64::MAX, u64::MAX));
        let free = available.saturating_sub(self.reserve.of(total)).saturating_sub(*announced);
        if length > free {
            let context = format!("{length} bytes wanted, {free} free besides the reserve");
            return Err(Error::new(Kind::NoRoom, context));
        }
        *announced += length;
        Ok(Claim { space: Arc::clone(self), rest: length })
    }

    /// The one pool that everything counts against.
    pub(crate) fn pool(&self, root: &OwnedFd) -> Result<PoolUsage> {
        let limited = |(total, available): (u64, u64)| {
            let reserve = self.reserve.of(total);
            let (total, free) = (total.saturating_sub(reserve), available.saturating_sub(reserve));
            Room::Limited { used: total.saturating_sub(free), total }
        };
        Ok(PoolUsage {
            counts: MediaClass::ALL.to_vec(),
            room: measure(root)?.map_or(Room::Unknown, limited),
        })
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// So many more bytes are on the file system now and no longer only announced.
    pub(crate) fn written(&mut self, bytes: u64) {
        let bytes = bytes.min(self.rest);
        self.rest -= bytes;
        *self.space.lock() -= bytes;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.written(self.rest);
    }
}

/// Bytes in all, and bytes that an ordinary user can still write. `None` where the file system does not tell:
/// some that are served through FUSE or the network have no blocks at all.
fn measure(root: &OwnedFd) -> Result<Option<(u64, u64)>> {
    let vfs = rustix::fs::fstatvfs(root)
        .map_err(|errno| fault(errno, Act::Read, "asking for the room left"))?;
    let block = vfs.f_frsize;
    let (total, available) =
        (vfs.f_blocks.saturating_mul(block), vfs.f_bavail.saturating_mul(block));
    Ok((total > 0).then_some((total, available)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn announced_bytes_count_until_they_are_written_or_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let root =
            rustix::fs::open(dir.path(), rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty())
                .unwrap();
        let space = Arc::new(Space::new(Reserve::Bytes(0)));
        let (_, available) = measure(&root).unwrap().unwrap();
        let mut claim = space.claim(&root, available / 4 * 3).unwrap();
        let refused = space.claim(&root, available / 2).unwrap_err();
        assert_eq!(refused.kind(), Kind::NoRoom);
        claim.written(available / 4);
        assert_eq!(*space.lock(), available / 4 * 3 - available / 4);
        drop(claim);
        assert_eq!(*space.lock(), 0);
        assert!(space.claim(&root, available / 2).is_ok());
    }

    #[test]
    fn the_reserve_is_not_offered() {
        let dir = tempfile::tempdir().unwrap();
        let root =
            rustix::fs::open(dir.path(), rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty())
                .unwrap();
        let space = Arc::new(Space::new(Reserve::Bytes(u64::MAX)));
        assert_eq!(space.claim(&root, 1).unwrap_err().kind(), Kind::NoRoom);
        assert!(matches!(space.pool(&root).unwrap().room, Room::Limited { used: 0, total: 0 }));
    }
}
