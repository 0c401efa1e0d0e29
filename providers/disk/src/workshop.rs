//! The folder of unfinished files, `.safelight/tmp`, and clearing it of what dead runs left.
//!
//! Invariant: every unfinished file carries the token of its run, and the run holds a lock on
//! `<token>.lock` for as long as it lives. Only files whose run is provably dead are removed.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, flock, fstat, openat, unlinkat};
use rustix::io::Errno;
use safelight_core::error::{Error, Kind, Result};

use crate::facts::Facts;
use crate::fault::{Act, fault};
use crate::findings::Note;
use crate::root::{look_in, stat_in};
use crate::sync;
use crate::tree::Tree;
use crate::trial::{discard, try_out};

const FOLDER: &[u8] = b".safelight/tmp";
const LOCK_ENDING: &str = ".lock";
const TOKEN_BYTES: usize = 8;

/// The folder of unfinished files, as one run uses it.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) tree: Arc<Tree>,
    pub(crate) folder: OwnedFd,
    token: String,
    count: AtomicU64,
    /// Locked while this value lives.
    _lock: OwnedFd,
}

impl Workshop {
    /// Opens the folder, makes it first if need be, and clears what dead runs left.
    pub(crate) fn open(tree: Arc<Tree>) -> Result<Self> {
        let failed = |errno| fault(errno, Act::Write, "preparing the folder for unfinished files");
        let (folder, grown) = tree.root.make_folder(FOLDER).map_err(failed)?;
        for folder in &grown {
            sync::folder(folder).map_err(failed)?;
        }
        let (token, lock) = enrol(&folder)?;
        sweep(&folder, &token).map_err(failed)?;
        Ok(Self { tree, folder, token, count: AtomicU64::new(0), _lock: lock })
    }

    /// Tries out what names the file system holds, unless a note of it is certain, and keeps the note. From
    /// then on the tree of this workshop goes by it.
    ///
    /// # Errors
    /// Those of the disk; nothing is known then.
    pub(crate) fn learn(&mut self) -> Result<()> {
        let note = self.tree.note().copied();
        if note.is_some_and(|note| note.certain) {
            return Ok(());
        }
        let found = try_out(&self.folder, &self.name(), &self.tree.rules)?;
        let findings = note.map_or(found, |note| note.findings.and(found));
        if note.is_none_or(|note| note.findings != findings) {
            Note::keep(self, &findings)?;
        }
        let failed = |errno| fault(errno, Act::Write, "taking what was found into account");
        self.tree = Arc::new(self.tree.with(findings).map_err(failed)?);
        Ok(())
    }

    /// A name for an unfinished file that nobody else has.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.token, self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// A name for a finished file that is on its way to another name. It is never swept.
    pub(crate) fn transit_name(&self) -> String {
        format!("moving-{}", self.name())
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // If it stays, the next run finds it unlocked and removes it.
        let _ = unlinkat(&self.folder, lock_name(&self.token), AtFlags::empty());
    }
}

fn lock_name(token: &str) -> String {
    format!("{token}{LOCK_ENDING}")
}

/// Takes a new token and locks its file.
fn enrol(folder: &OwnedFd) -> Result<(String, OwnedFd)> {
    let failed = |errno| fault(errno, Act::Write, "locking the folder for unfinished files");
    loop {
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random)
            .map_err(|error| Error::new(Kind::Internal, "no random numbers").source(error))?;
        let token = hex::encode(random);
        let name = lock_name(&token);
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = match openat(folder, &*name, flags, Mode::from_raw_mode(0o600)) {
            Err(Errno::EXIST) => continue,
            answer => answer.map_err(failed)?,
        };
        // Without locks on this file system nobody sweeps, which costs litter and no file.
        let _ = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        // Between the two steps another run may have taken us for dead and removed the file.
        let ours = Facts::from(fstat(&lock).map_err(failed)?);
        if stat_in(folder, name.as_bytes()).is_ok_and(|named| named.is_same_thing(&ours)) {
            return Ok((token, lock));
        }
    }
}

fn sweep(folder: &OwnedFd, own: &str) -> Result<(), Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        names.extend(entry?.file_name().to_str().ok().map(str::to_owned));
    }
    let tokens: BTreeSet<&str> = names.iter().filter_map(|name| token_of(name)).collect();
    for token in tokens.into_iter().filter(|token| *token != own) {
        let Verdict::Dead { _held } = judge(folder, token)? else {
            continue;
        };
        let left = names.iter().filter(|name| token_of(name) == Some(token));
        for name in left.filter(|name| !name.ends_with(LOCK_ENDING)) {
            // What cannot be removed is tried again by the next run, as long as the lock file stays.
            match unlinkat(folder, name.as_str(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                // It died while it tried out names.
                Err(Errno::ISDIR | Errno::PERM) => discard(folder, name)?,
                Err(errno) => return Err(errno),
            }
        }
        let _ = unlinkat(folder, lock_name(token), AtFlags::empty());
    }
    Ok(())
}

/// The token that the name of an unfinished file or of a lock carries.
fn token_of(name: &str) -> Option<&str> {
    let (token, rest) = name.split_at_checked(2 * TOKEN_BYTES)?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let known = rest == LOCK_ENDING || rest.strip_prefix('-').is_some_and(number);
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (known && token.bytes().all(hex)).then_some(token)
}

/// Whether a run still lives.
enum Verdict {
    Alive,
    /// Its lock is ours now. A run without a lock file is dead too: the file is made before the first
    /// unfinished one.
    Dead {
        _held: Option<OwnedFd>,
    },
}

fn judge(folder: &OwnedFd, token: &str) -> Result<Verdict, Errno> {
    let name = lock_name(token);
    if look_in(folder, name.as_bytes())?.is_none() {
        return Ok(Verdict::Dead { _held: None });
    }
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(lock) = openat(folder, &*name, flags, Mode::empty()) else {
        return Ok(Verdict::Alive);
    };
    let free = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
    Ok(if free { Verdict::Dead { _held: Some(lock) } } else { Verdict::Alive })
}

#[cfg(test)]
mod tests {
    use super::token_of;

    #[test]
    fn only_names_of_our_making_carry_a_token() {
        let token = "0123456789abcdef";
        assert_eq!(token_of("0123456789abcdef-17"), Some(token));
        assert_eq!(token_of("0123456789abcdef.lock"), Some(token));
        for name in [
            "holiday.jpg",
            "0123456789abcdef",
            "0123456789abcdef-x",
            "moving-0123456789abcdef-1",
            "é",
        ] {
            assert_eq!(token_of(name), None, "{name}");
        }
    }
}
