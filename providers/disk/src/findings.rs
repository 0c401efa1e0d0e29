//! What trial showed of a file system, and the note of it, `.safelight/disk`.
//!
//! The note is read when the destination is opened, so that what is declared then is what holds. It says on
//! which file system it was made: in a folder that was copied to another disk it counts for nothing.
//!
//! Invariant: a note that is missing, foreign or damaged is like none. Then the kind of the file system
//! decides, and the next trial what it promised too freely.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};

use rustix::fs::{Mode, OFlags, openat, renameat};
use safelight_core::error::Result;

use crate::fault::{Act, fault, number};
use crate::filesystem::{Rules, kind};
use crate::names::Spelling;
use crate::root::Root;
use crate::sync;
use crate::volume;
use crate::workshop::Workshop;

const FOLDER: &[u8] = b".safelight";
const NAME: &[u8] = b"disk";
const PATH: &[u8] = b".safelight/disk";
const TITLE: &str =
    "safelight-disk 1: how names are written here, found by trial; leave it in place";
const LONGEST_NOTE: u64 = 4096;
const SPELLINGS: [(Spelling, &str); 4] = [
    (Spelling::Bytes, "bytes"),
    (Spelling::Utf8, "utf8"),
    (Spelling::Windows, "windows"),
    (Spelling::Ascii, "ascii"),
];

/// What trial showed of a file system. The default is what an exact one shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Findings {
    /// `IMG.JPG` and `img.jpg` are one file.
    pub(crate) case_blind: bool,
    /// Composed and decomposed spellings are one file.
    pub(crate) normalises: bool,
    /// The plainest way of writing names that it keeps.
    pub(crate) spelling: Spelling,
    /// The longest name in bytes, if it is shorter than the kind promises.
    pub(crate) longest: Option<usize>,
    /// The smallest step of modification times; 0 if none was recognised.
    pub(crate) step_ns: u64,
}

impl Findings {
    /// What holds if both were found.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            case_blind: self.case_blind || other.case_blind,
            normalises: self.normalises || other.normalises,
            spelling: self.spelling.max(other.spelling),
            longest: self.longest.into_iter().chain(other.longest).min(),
            step_ns: self.step_ns.max(other.step_ns),
        }
    }

    fn write(&self) -> String {
        let spelling = SPELLINGS.iter().find(|(spelling, _)| *spelling == self.spelling);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "case-blind {}", self.case_blind);
        let _ = writeln!(text, "normalises {}", self.normalises);
        let _ = writeln!(text, "spelling {}", spelling.map_or("bytes", |(_, word)| word));
        let _ = writeln!(text, "longest {}", self.longest.unwrap_or(0));
        let _ = writeln!(text, "step-ns {}", self.step_ns);
        text
    }

    fn read<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut next = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let case_blind = next("case-blind")?.parse().ok()?;
        let normalises = next("normalises")?.parse().ok()?;
        let word = next("spelling")?;
        let (spelling, _) = *SPELLINGS.iter().find(|(_, known)| *known == word)?;
        let longest = Some(next("longest")?.parse().ok()?).filter(|longest| *longest > 0);
        let step_ns = next("step-ns")?.parse().ok()?;
        Some(Self { case_blind, normalises, spelling, longest, step_ns })
    }
}

/// A note, and whether it is certain that it was made on this very file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) findings: Findings,
    pub(crate) certain: bool,
}

impl Note {
    /// Reads the note below `root`, if there is one that was made on this file system or on one that cannot be
    /// told from it. Changes nothing.
    pub(crate) fn recall(root: &Root, rules: &Rules) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file = File::from(root.open_below(PATH, flags, Mode::empty()).ok()?);
        let mut text = String::new();
        file.take(LONGEST_NOTE).read_to_string(&mut text).ok()?;
        let volume = volume::identity(root.facts().device, root, rules);
        let findings = text.strip_prefix(&head(root, volume.as_deref())?)?;
        let findings = Findings::read(findings.lines())?;
        Some(Self { findings, certain: volume.is_some() })
    }

    /// Writes `findings` down and makes the note durable.
    ///
    /// # Errors
    /// Those of writing; the note is then as it was.
    pub(crate) fn keep(workshop: &Workshop, findings: &Findings) -> Result<()> {
        let failed = |errno| fault(errno, Act::Write, "noting what names can be here");
        let (root, rules) = (&workshop.tree.root, &workshop.tree.rules);
        let volume = volume::identity(root.facts().device, root, rules);
        let Some(head) = head(root, volume.as_deref()) else { return Ok(()) };
        let name = workshop.name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&workshop.folder, &*name, flags, Mode::from_raw_mode(0o644));
        let mut file = File::from(file.map_err(failed)?);
        let text = head + &findings.write();
        file.write_all(text.as_bytes()).map_err(|error| failed(number(&error)))?;
        sync::file(&file.into()).map_err(failed)?;
        let folder = root.folder(FOLDER).map_err(failed)?;
        renameat(&workshop.folder, &*name, &folder, NAME).map_err(failed)?;
        sync::folder(&folder).map_err(failed)
    }
}

/// The first lines of a note that was made on this file system. `None` if its kind cannot be told.
fn head(root: &Root, volume: Option<&str>) -> Option<String> {
    let kind = kind(root.handle()).ok()?;
    Some(format!("{TITLE}\nkind {kind}\nvolume {}\n", volume.unwrap_or("unknown")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FOUND: Findings = Findings {
        case_blind: true,
        normalises: false,
        spelling: Spelling::Windows,
        longest: Some(143),
        step_ns: 2_000_000_000,
    };

    #[test]
    fn findings_come_back_as_they_were_written() {
        for findings in [FOUND, Findings::default()] {
            assert_eq!(Findings::read(findings.write().lines()), Some(findings));
        }
        for damaged in ["", "case-blind yes\n", "case-blind true\nnormalises false\n"] {
            assert_eq!(Findings::read(damaged.lines()), None, "{damaged}");
        }
    }

    #[test]
    fn two_findings_together_are_as_strict_as_each() {
        let other = Findings { normalises: true, longest: Some(100), ..Findings::default() };
        let both = FOUND.and(other);
        assert_eq!(both, Findings { normalises: true, longest: Some(100), ..FOUND });
        assert_eq!(both, other.and(FOUND));
    }

    #[test]
    fn a_note_from_another_file_system_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".safelight")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        let rules = Rules::of(root.handle()).unwrap();
        let volume = volume::identity(root.facts().device, &root, &rules);
        let head = head(&root, volume.as_deref()).unwrap();
        let recall = |text: String| {
            std::fs::write(dir.path().join(".safelight/disk"), text).unwrap();
            Note::recall(&root, &rules)
        };
        let own = recall(format!("{head}{}", FOUND.write())).unwrap();
        assert_eq!(own, Note { findings: FOUND, certain: volume.is_some() });
        assert_eq!(recall(format!("{TITLE}\nkind 1\nvolume uuid:1\n{}", FOUND.write())), None);
        assert_eq!(recall(head), None);
        assert_eq!(recall("x".repeat(10_000)), None);
    }
}
