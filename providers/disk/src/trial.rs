//! Trying out what names and times a file system keeps, in a folder of its own inside the workshop.
//!
//! It happens before the first file is written, never when a destination is only opened or looked at.
//!
//! Invariant: nothing of it stays. Should the run die meanwhile, a later one sweeps the folder away.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, mkdirat, openat, unlinkat, utimensat};
use rustix::io::Errno;
use safelight_core::capability::Length;
use safelight_core::error::{Error, Kind, Result, Retry, Scope};
use safelight_core::time::Timestamp;

use crate::fault::{Act, fault};
use crate::filesystem::Rules;
use crate::findings::Findings;
use crate::names::Spelling;
use crate::root::{look_in, stat_in};
use crate::temp::both;

const PLAIN: &[u8] = b"Plain";
const PLAIN_IN_OTHER_CASE: &[u8] = b"pLAIN";
const COMPOSED: &[u8] = "caf\u{e9}".as_bytes();
const DECOMPOSED: &[u8] = "cafe\u{301}".as_bytes();
/// Names that only this spelling and those before it leave as they are. The letters beyond ASCII have neither
/// case nor a second form.
const NEEDS: [(Spelling, &[&[u8]]); 3] = [
    (Spelling::Bytes, &[b"\xff\xfe"]),
    (
        Spelling::Utf8,
        &[
            b"a\"", b"a*b", b"a:b", b"a<b", b"a>b", b"a?b", b"a\\b", b"a|b", b"dot.", b"blank ",
            b"a\nb", b"a\x01b", b"a\x7fb", b"aux",
        ],
    ),
    (Spelling::Windows, &["\u{65e5}\u{672c}".as_bytes(), "\u{df}".as_bytes()]),
];
/// A time that no file system with coarser steps keeps.
const MOMENT: (i64, u32) = (1_700_000_007, 987_654_321);
const STEPS_NS: [u64; 7] = [1, 100, 1_000, 1_000_000, 10_000_000, 1_000_000_000, 2_000_000_000];

/// Tries out the file system of `workshop` in a new folder called `name` there. `rules` are what its kind
/// promises.
///
/// # Errors
/// If not even a plain file can be made, or there is no room. [`Kind::Unsupported`] if the case of letters is
/// lost: then stored names could not be read back, escapes least of all.
pub(crate) fn try_out(workshop: &OwnedFd, name: &str, rules: &Rules) -> Result<Findings> {
    let failed = |errno| fault(errno, Act::Write, "trying out what names can be here");
    mkdirat(workshop, name, Mode::from_raw_mode(0o700)).map_err(failed)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let findings = openat(workshop, name, flags, Mode::empty())
        .map_err(failed)
        .and_then(|folder| Trial { folder }.run(rules));
    // What stays is swept away by a later run.
    let _ = discard(workshop, name);
    findings
}

/// Removes the folder of a trial with everything in it.
pub(crate) fn discard(workshop: &OwnedFd, name: &str) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(workshop, name, flags, Mode::empty())?;
    for name in names_in(&folder)? {
        unlinkat(&folder, &*name, AtFlags::empty())?;
    }
    unlinkat(workshop, name, AtFlags::REMOVEDIR)
}

struct Trial {
    folder: OwnedFd,
}

impl Trial {
    fn run(&self, rules: &Rules) -> Result<Findings> {
        let failed = |errno| fault(errno, Act::Write, "trying out what names can be here");
        self.make(PLAIN).map_err(failed)?;
        let is_there = |name| look_in(&self.folder, name).is_ok_and(|found| found.is_some());
        // Where it cannot be made, it has no second form either.
        let _ = self.makes(COMPOSED)?;
        let (case_blind, normalises) = (is_there(PLAIN_IN_OTHER_CASE), is_there(DECOMPOSED));
        let step_ns = self.step().unwrap_or(0);
        Ok(Findings {
            case_blind,
            normalises,
            spelling: self.spelling()?,
            longest: self.longest(rules)?,
            step_ns,
        })
    }

    fn make(&self, name: &[u8]) -> Result<(), Errno> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&self.folder, name, flags, Mode::from_raw_mode(0o600)).map(drop)
    }

    /// Whether a file of this name can be made. Refusals come with all kinds of numbers, even "not found"; only
    /// those that say something about the disk itself are errors.
    fn makes(&self, name: &[u8]) -> Result<bool> {
        let refused = |errno| fault(errno, Act::Write, "trying out what names can be here");
        match self.make(name).map_err(refused) {
            Ok(()) => Ok(true),
            Err(error) if is_about_the_disk(&error) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// The plainest spelling whose names are all taken and listed as they were given.
    fn spelling(&self) -> Result<Spelling> {
        let mut taken = Vec::new();
        for (spelling, names) in NEEDS {
            for name in names {
                taken.push((spelling, *name, self.makes(name)?));
            }
        }
        let listed = names_in(&self.folder)
            .map_err(|errno| fault(errno, Act::Write, "listing what names can be here"))?;
        let kept = |name: &[u8]| listed.iter().any(|listed| listed == name);
        if !kept(PLAIN) {
            let context = "the file system does not keep the case of letters in names";
            let error = Error::new(Kind::Unsupported, context);
            return Err(error.scope(Scope::Destination).retry(Retry::NeedsPerson));
        }
        let lost = taken.into_iter().filter(|(_, name, taken)| !taken || !kept(name));
        let needed = lost.map(|(spelling, ..)| match spelling {
            Spelling::Bytes => Spelling::Utf8,
            Spelling::Utf8 => Spelling::Windows,
            Spelling::Windows | Spelling::Ascii => Spelling::Ascii,
        });
        Ok(needed.max().unwrap_or_default())
    }

    /// The longest name in bytes, if it is shorter than `rules` say.
    fn longest(&self, rules: &Rules) -> Result<Option<usize>> {
        let (name, most) = match rules.names.max_segment {
            None => return Ok(None),
            Some(Length::Bytes(most)) => (vec![b'n'; most], most),
            Some(Length::Utf16(most)) => ("\u{df}".repeat(most).into_bytes(), most),
        };
        if self.makes(&name)? {
            return Ok(None);
        }
        let (mut taken, mut refused) = (PLAIN.len(), most + 1);
        while taken + 1 < refused {
            let length = usize::midpoint(taken, refused);
            if self.makes(&vec![b'n'; length])? {
                taken = length;
            } else {
                refused = length;
            }
        }
        Ok(Some(taken))
    }

    /// The step of modification times. `None` if none of the usual ones explains what was kept.
    fn step(&self) -> Option<u64> {
        let given = Timestamp::from_parts(MOMENT.0, MOMENT.1);
        utimensat(&self.folder, PLAIN, &both(given), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let kept = stat_in(&self.folder, PLAIN).ok()?.stamp.modified.as_nanos();
        let given = given.as_nanos();
        let explains = |step: &u64| {
            i64::try_from(*step).is_ok_and(|step| given - given.rem_euclid(step) == kept)
        };
        STEPS_NS.into_iter().find(explains)
    }
}

fn is_about_the_disk(error: &Error) -> bool {
    matches!(error.kind(), Kind::NoRoom | Kind::ReadOnly | Kind::Absent)
}

fn names_in(folder: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_leaves_nothing_and_finds_no_names_too_long_where_there_are_none() {
        let dir = tempfile::tempdir().unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let folder = rustix::fs::open(dir.path(), flags, Mode::empty()).unwrap();
        let rules = Rules::of(&folder).unwrap();
        let found = try_out(&folder, "trial", &rules).unwrap();
        assert_eq!(found.longest, None);
        assert_eq!(names_in(&folder).unwrap(), Vec::<Vec<u8>>::new());
        if rules == Rules::exact() {
            assert_eq!(found, Findings { step_ns: 1, ..Findings::default() });
        }
        let mut hopeful = rules;
        hopeful.names.max_segment = Some(Length::Bytes(300));
        assert_eq!(try_out(&folder, "trial", &hopeful).unwrap().longest, Some(255));
    }
}
