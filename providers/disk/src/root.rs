//! The descriptor of the root folder, and opening what is below it.
//!
//! Invariant: nothing outside the root is ever reached. Every path is relative to the descriptor, and no
//! symbolic link below it is followed: by the kernel (`openat2`) where it can, else segment by segment.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, mkdirat, openat, statat};
use rustix::io::Errno;

use crate::facts::{Facts, What};
use crate::fault::number;

/// What folders are made with; the user's mask takes from it.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// On the way to something only passage is needed, not the right to list.
#[cfg(target_os = "linux")]
const PASSAGE: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const PASSAGE: OFlags = FOLDER.union(OFlags::NOFOLLOW);
/// Longer paths go segment by segment, since one call takes only so much.
#[cfg(target_os = "linux")]
const LONGEST_IN_ONE_CALL: usize = 4000;

/// An opened root folder.
#[derive(Debug)]
pub(crate) struct Root {
    handle: OwnedFd,
    facts: Facts,
    #[cfg(target_os = "linux")]
    beneath: bool,
}

impl Root {
    /// Opens the folder at `path`, which is the user's own word and may lead through links.
    pub(crate) fn open(path: &Path) -> Result<Self, Errno> {
        let handle = rustix::fs::open(path, FOLDER, Mode::empty())?;
        let facts = fstat(&handle)?.into();
        #[cfg(target_os = "linux")]
        let beneath = open_beneath(&handle, b".", FOLDER, Mode::empty()).is_ok();
        Ok(Self {
            handle,
            facts,
            #[cfg(target_os = "linux")]
            beneath,
        })
    }

    /// The same open folder once more.
    pub(crate) fn again(&self) -> Result<Self, Errno> {
        let failed = |error: std::io::Error| number(&error);
        Ok(Self {
            handle: self.handle.try_clone().map_err(failed)?,
            facts: self.facts,
            #[cfg(target_os = "linux")]
            beneath: self.beneath,
        })
    }

    /// The descriptor.
    pub(crate) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// The root as it was when it was opened.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether the folder was removed while it was open.
    pub(crate) fn is_gone(&self) -> bool {
        fstat(&self.handle).map_or(true, |stat| Facts::from(stat).links == 0)
    }

    /// Opens a folder by its stored path; an empty path is the root.
    pub(crate) fn folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open_below(if path.is_empty() { b"." } else { path }, FOLDER, Mode::empty())
    }

    /// Opens `path` with `flags`; never through a link, and never a link itself.
    pub(crate) fn open_below(
        &self,
        path: &[u8],
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        #[cfg(target_os = "linux")]
        if self.beneath && path.len() < LONGEST_IN_ONE_CALL {
            // The kernel answers "again" when something was renamed meanwhile and it cannot be sure.
            for _ in 0..4 {
                match open_beneath(&self.handle, path, flags, mode) {
                    Err(Errno::AGAIN) => {}
                    answer => return answer,
                }
            }
        }
        open_by_segments(&self.handle, path, flags, mode)
    }

    /// What stands at `path`; a link is described itself.
    pub(crate) fn stat(&self, path: &[u8]) -> Result<Facts, Errno> {
        let (folder, name) = split(path);
        if folder.is_empty() {
            return stat_in(&self.handle, name);
        }
        let folder = self.open_below(folder, PASSAGE, Mode::empty())?;
        stat_in(&folder, name)
    }

    /// Opens a folder and makes it first if need be. The second answer are the folders in which a new one was
    /// made; they must be made durable too.
    pub(crate) fn make_folder(&self, path: &[u8]) -> Result<(OwnedFd, Vec<OwnedFd>), Errno> {
        match self.folder(path) {
            Err(Errno::NOENT) => {}
            answer => return answer.map(|folder| (folder, Vec::new())),
        }
        let mut here = self.folder(b"")?;
        let mut grown = Vec::new();
        for name in path.split(|byte| *byte == b'/') {
            let flags = FOLDER | OFlags::NOFOLLOW;
            match openat(&here, name, flags, Mode::empty()) {
                Err(Errno::NOENT) => {
                    make_in(&here, name)?;
                    let next = openat(&here, name, flags, Mode::empty())?;
                    grown.push(std::mem::replace(&mut here, next));
                }
                answer => here = answer?,
            }
        }
        Ok((here, grown))
    }
}

/// Makes the folder `name`, unless it is there.
pub(crate) fn make_in(folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    match mkdirat(folder, name, FOLDER_MODE) {
        Err(Errno::EXIST) => Ok(()),
        answer => answer,
    }
}

/// What stands under `name` in `folder`; a link is described itself.
pub(crate) fn stat_in(folder: &OwnedFd, name: &[u8]) -> Result<Facts, Errno> {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map(Facts::from)
}

/// The same, with `None` for nothing.
pub(crate) fn look_in(folder: &OwnedFd, name: &[u8]) -> Result<Option<Facts>, Errno> {
    match stat_in(folder, name) {
        Ok(facts) => Ok(Some(facts)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// A stored path as folder (empty at the root) and name.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(cut) => (&path[..cut], &path[cut + 1..]),
        None => (b"", path),
    }
}

/// Opens an ordinary file for reading; a pipe does not make it wait.
pub(crate) fn open_file(root: &Root, path: &[u8]) -> Result<(OwnedFd, Facts), Errno> {
    let file = root.open_below(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
    let facts = Facts::from(fstat(&file)?);
    match facts.what {
        What::File => Ok((file, facts)),
        What::Folder => Err(Errno::ISDIR),
        What::Link => Err(Errno::LOOP),
        What::Other => Err(Errno::NXIO),
    }
}

#[cfg(target_os = "linux")]
fn open_beneath(root: &OwnedFd, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, flags, mode, resolve)
}

fn open_by_segments(
    root: &OwnedFd,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let (folders, name) = split(path);
    let mut here: Option<OwnedFd> = None;
    for segment in folders.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
        here = Some(openat(here.as_ref().unwrap_or(root), segment, PASSAGE, Mode::empty())?);
    }
    openat(here.as_ref().unwrap_or(root), name, flags, mode)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tree() -> (tempfile::TempDir, Root) {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(place.path().join("in/a")).unwrap();
        std::fs::write(place.path().join("secret"), b"x").unwrap();
        std::fs::write(place.path().join("in/a/file"), b"x").unwrap();
        std::os::unix::fs::symlink("..", place.path().join("in/up")).unwrap();
        std::os::unix::fs::symlink("file", place.path().join("in/a/link")).unwrap();
        let root = Root::open(&place.path().join("in")).unwrap();
        (place, root)
    }

    #[test]
    fn both_ways_of_opening_stay_below_the_root_and_follow_no_link() {
        let (_place, root) = tree();
        let open = |path: &[u8]| {
            let whole = root.open_below(path, OFlags::RDONLY, Mode::empty());
            let parts = open_by_segments(
                root.handle(),
                path,
                OFlags::RDONLY | OFlags::NOFOLLOW,
                Mode::empty(),
            );
            (whole.is_ok(), parts.is_ok())
        };
        assert_eq!(open(b"a/file"), (true, true));
        assert_eq!(open(b"up/secret"), (false, false));
        assert_eq!(open(b"a/link"), (false, false));
        assert!(!open(b"../secret").0);
    }

    #[test]
    fn paths_longer_than_one_call_takes_can_be_made_and_opened() {
        let (_place, root) = tree();
        let path = vec![[b'n'; 160]; 40].join(&b'/');
        let (_, grown) = root.make_folder(&path).unwrap();
        assert_eq!(grown.len(), 40);
        assert!(root.folder(&path).is_ok());
        assert_eq!(root.stat(&path).unwrap().what, What::Folder);
    }

    #[test]
    fn a_removed_root_is_noticed() {
        let (place, root) = tree();
        assert!(!root.is_gone());
        std::fs::remove_dir_all(place.path().join("in")).unwrap();
        assert!(root.is_gone());
    }
}
