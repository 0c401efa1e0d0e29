//! One unfinished file.
//!
//! Invariant: an unfinished file that is not put into its place is removed when its value is dropped, and
//! with it goes its claim on room.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{
    AtFlags, Mode, OFlags, Timespec, Timestamps, fstat, futimens, openat, renameat, unlinkat,
};
use rustix::io::Errno;
use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::time::Timestamp;

use crate::facts::{Facts, Stamp};
use crate::fault::{Act, fault, number};
use crate::root::look_in;
use crate::space::Claim;
use crate::sync;
use crate::workshop::Workshop;

/// What files are made with; the user's mask takes from it.
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);
/// Bytes read at once when a file is read back.
const PIECE: usize = 1024 * 1024;

/// One unfinished file.
#[derive(Debug)]
pub(crate) struct Temp {
    workshop: Arc<Workshop>,
    name: String,
    file: File,
    claim: Claim,
    placed: bool,
}

impl Temp {
    /// Makes an empty one.
    pub(crate) fn create(workshop: Arc<Workshop>, claim: Claim) -> Result<Self> {
        let name = workshop.name();
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&workshop.folder, &*name, flags, FILE_MODE)
            .map_err(|errno| fault(errno, Act::Write, "making an unfinished file"))?
            .into();
        Ok(Self { workshop, name, file, claim, placed: false })
    }

    /// Adds bytes at the end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|error| fault(number(&error), Act::Write, "writing an unfinished file"))?;
        self.claim.written(bytes.len() as u64);
        Ok(())
    }

    /// Adds several pieces at the end.
    pub(crate) fn append_all(&mut self, pieces: &[Bytes]) -> Result<()> {
        pieces.iter().try_for_each(|piece| self.append(piece))
    }

    /// Sets its modification time. A file system that keeps none is no failure: the receipt says what it kept.
    pub(crate) fn set_modified(&self, modified: Timestamp) -> Result<()> {
        match futimens(&self.file, &both(modified)) {
            Ok(()) | Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => Ok(()),
            Err(errno) => Err(fault(errno, Act::Write, "setting the time of an unfinished file")),
        }
    }

    /// Makes its bytes durable.
    pub(crate) fn sync(&self) -> Result<()> {
        // One more descriptor of the same open file.
        let file = self.file.try_clone().map(OwnedFd::from);
        let file = file.map_err(|error| fault(number(&error), Act::Write, "syncing a file"))?;
        sync::file(&file).map_err(|errno| fault(errno, Act::Write, "making a file durable"))
    }

    /// Opens it anew and reads its bytes from the medium.
    ///
    /// # Errors
    /// Those of reading; they concern the whole destination, since it just took the bytes.
    pub(crate) fn read_back(&self) -> Result<(u64, Digests)> {
        use std::io::Read as _;
        let failed = |errno| fault(errno, Act::Write, "reading a stored file back");
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.workshop.folder, &*self.name, flags, Mode::empty());
        let mut file = File::from(file.map_err(failed)?);
        forget_cached(&file);
        let length = Facts::from(fstat(&file).map_err(failed)?).stamp.size;
        let mut hasher = Hasher::new(Algorithms::default());
        let mut piece = vec![0; PIECE.min(usize::try_from(length).unwrap_or(PIECE)).max(1)];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => hasher.update(&piece[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(number(&error))),
            }
        }
        Ok((hasher.length(), hasher.finish()))
    }

    /// What `stat` says of it now.
    pub(crate) fn stamp(&self) -> Result<Stamp> {
        let stat = fstat(&self.file)
            .map_err(|errno| fault(errno, Act::Read, "looking at a stored file"))?;
        Ok(Facts::from(stat).stamp)
    }

    /// Gives it its name, in place of whatever has that name.
    pub(crate) fn place_over(&mut self, folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        renameat(&self.workshop.folder, &*self.name, folder, name)?;
        self.placed = true;
        Ok(())
    }

    /// Gives it its name, if nothing has that name.
    pub(crate) fn place_new(&mut self, folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        rename_new(&self.workshop.folder, self.name.as_bytes(), folder, name)?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.placed {
            // What stays is removed by a later run.
            let _ = unlinkat(&self.workshop.folder, &*self.name, AtFlags::empty());
        }
    }
}

/// Both times of a file. Many programs behind FUSE take no time at all, and say nothing, if only one is given.
pub(crate) fn both(modified: Timestamp) -> Timestamps {
    let time = Timespec { tv_sec: modified.seconds(), tv_nsec: modified.subsec_nanos().into() };
    Timestamps { last_access: time, last_modification: time }
}

/// Renames unless something has the new name: in one step where the file system can, else by a second name
/// for the same file, and at last (FAT through FUSE, old network drives) by looking first.
pub(crate) fn rename_new(
    from: &OwnedFd,
    from_name: &[u8],
    to: &OwnedFd,
    to_name: &[u8],
) -> Result<(), Errno> {
    use rustix::fs::{RenameFlags, linkat, renameat_with};
    match renameat_with(from, from_name, to, to_name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        answer => return answer,
    }
    match linkat(from, from_name, to, to_name, AtFlags::empty()) {
        Ok(()) => return unlinkat(from, from_name, AtFlags::empty()),
        Err(Errno::PERM | Errno::NOSYS | Errno::NOTSUP | Errno::MLINK) => {}
        answer => return answer,
    }
    match look_in(to, to_name)? {
        None => renameat(from, from_name, to, to_name),
        Some(_) => Err(Errno::EXIST),
    }
}

/// Drops what the system keeps of the file in memory, so that the medium is read and not the memory.
fn forget_cached(file: &File) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Advice, fadvise};
        let _ = fadvise(file, 0, None, Advice::DontNeed);
    }
    #[cfg(target_os = "macos")]
    {
        let _ = rustix::fs::fcntl_nocache(file, true);
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    let _ = file;
}

/// Compares what was read back with what was sent.
///
/// # Errors
/// [`Kind::Corrupt`] if they differ.
pub(crate) fn compare(found: &Digests, expected: &Digests, context: &str) -> Result<()> {
    match found.compare(expected) {
        Ok(_) => Ok(()),
        Err(algorithm) => {
            Err(Error::new(Kind::Corrupt, format!("{context}: {algorithm:?} differs")))
        }
    }
}
