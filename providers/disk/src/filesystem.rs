//! What the kinds of file system can hold, told by their type, so that opening a destination changes nothing.
//!
//! What this table promises too freely (a folder of ext4 that ignores case, a layer that shortens names) is
//! found by trial before the first file is written, see `trial`. What it forbids stays forbidden: a disk
//! travels, and where it is plugged in next, other drivers may refuse what this one takes.
//!
//! Invariant: an unknown kind gets the strictest rules. They cost readable names, never a file.

use rustix::fd::AsFd;
use rustix::io::Errno;
use safelight_core::capability::{Length, NameRules};

use crate::findings::Findings;
use crate::names::Spelling;

/// What one kind of file system can hold and promises.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a promise of its own")]
pub(crate) struct Rules {
    /// Which names are the same.
    pub(crate) names: NameRules,
    /// How names are written there.
    pub(crate) spelling: Spelling,
    /// The smallest step of modification times.
    pub(crate) granularity_ns: u64,
    /// The largest file.
    pub(crate) max_item_bytes: Option<u64>,
    /// Inode numbers stay the same when it is mounted again.
    pub(crate) stable_inodes: bool,
    /// One `syncfs` makes many files durable and reports what failed.
    pub(crate) syncs_as_a_whole: bool,
    /// A name goes over from one file to another in one step, whoever looks and whenever the power fails.
    pub(crate) replaces_at_once: bool,
    /// The id in `statfs` comes from the file system itself and not from the device it is on.
    pub(crate) lasting_id: bool,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Rules {
    /// Names are bytes, times are exact: ext4, XFS, Btrfs and their like.
    pub(crate) const fn exact() -> Self {
        Self {
            names: NameRules {
                case_blind: false,
                normalises: false,
                max_segment: Some(Length::Bytes(255)),
                max_key_bytes: None,
            },
            spelling: Spelling::Bytes,
            granularity_ns: 1,
            max_item_bytes: None,
            stable_inodes: true,
            syncs_as_a_whole: false,
            replaces_at_once: true,
            lasting_id: false,
        }
    }

    /// Whatever is not known.
    pub(crate) const fn cautious() -> Self {
        Self {
            names: NameRules {
                case_blind: true,
                normalises: true,
                max_segment: Some(Length::Bytes(255)),
                max_key_bytes: None,
            },
            spelling: Spelling::Windows,
            granularity_ns: 2 * SECOND_NS,
            max_item_bytes: None,
            stable_inodes: false,
            syncs_as_a_whole: false,
            replaces_at_once: false,
            lasting_id: false,
        }
    }

    const fn windows(granularity_ns: u64) -> Self {
        let mut rules = Self::cautious();
        rules.names.normalises = false;
        rules.names.max_segment = Some(Length::Utf16(255));
        rules.granularity_ns = granularity_ns;
        rules
    }

    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "asked for by macOS only"))]
    const fn apple(granularity_ns: u64) -> Self {
        let mut rules = Self::cautious();
        rules.names.max_segment = Some(Length::Utf16(255));
        rules.spelling = Spelling::Utf8;
        rules.granularity_ns = granularity_ns;
        rules.stable_inodes = true;
        rules.replaces_at_once = true;
        rules
    }

    const fn fat() -> Self {
        let mut rules = Self::windows(2 * SECOND_NS);
        rules.max_item_bytes = Some(u32::MAX as u64);
        rules
    }

    /// Whether both promise the same to those who store: names, times, sizes. How names are written is no
    /// promise: nobody outside sees it.
    pub(crate) fn promises_like(&self, other: &Self) -> bool {
        let promise = |rules: &Self| (rules.names, rules.granularity_ns, rules.max_item_bytes);
        promise(self) == promise(other)
    }

    /// The same rules, made stricter by what was found by trial.
    pub(crate) fn and(mut self, found: &Findings) -> Self {
        self.names.case_blind |= found.case_blind;
        self.names.normalises |= found.normalises;
        if let Some(longest) = found.longest {
            self.names.max_segment = Some(Length::Bytes(longest));
        }
        self.spelling = self.spelling.max(found.spelling);
        self.granularity_ns = self.granularity_ns.max(found.step_ns);
        self
    }

    /// Whether every name in a stored path is short enough.
    pub(crate) fn holds(&self, stored: &[u8]) -> bool {
        let fits = |name: &[u8]| match self.names.max_segment {
            None => true,
            Some(Length::Bytes(most)) => name.len() <= most,
            Some(Length::Utf16(most)) => {
                String::from_utf8_lossy(name).encode_utf16().count() <= most
            }
        };
        stored.split(|byte| *byte == b'/').all(fits)
    }

    /// The rules of the file system that `fd` stands on.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(fd: impl AsFd) -> Result<Self, Errno> {
        let found = rustix::fs::fstatfs(fd)?.f_type;
        Ok(u32::try_from(found).map_or_else(|_| Self::cautious(), Self::of_magic))
    }

    /// The rules by the number in `statfs` that tells the kind (see `linux/magic.h`).
    #[cfg(target_os = "linux")]
    fn of_magic(magic: u32) -> Self {
        match magic {
            // ext2, ext3, ext4; Btrfs
            0xef53 | 0x9123_683e => {
                Self { syncs_as_a_whole: true, lasting_id: true, ..Self::exact() }
            }
            // XFS; F2FS; tmpfs
            0x5846_5342 | 0xf2f5_2010 | 0x0102_1994 => {
                Self { syncs_as_a_whole: true, ..Self::exact() }
            }
            // ZFS
            0x2fc1_2fc1 => Self { lasting_id: true, ..Self::exact() },
            // bcachefs; overlay; ramfs; NFS
            0xca45_1a4e | 0x794c_7630 | 0x8584_58f6 | 0x6969 => Self::exact(),
            // FAT in all its widths
            0x4d44 => Self { syncs_as_a_whole: true, ..Self::fat() },
            // exFAT
            0x2011_bab0 => Self { syncs_as_a_whole: true, ..Self::windows(2 * SECOND_NS) },
            // NTFS: ntfs3, ntfs
            0x7366_746e | 0x5346_544e => {
                Self { stable_inodes: true, replaces_at_once: true, ..Self::windows(100) }
            }
            // HFS+
            0x482b => Self::apple(SECOND_NS),
            // FUSE, SMB and everything else
            _ => Self::cautious(),
        }
    }

    /// The rules of the file system that `fd` stands on.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of(fd: impl AsFd) -> Result<Self, Errno> {
        let found = rustix::fs::fstatfs(fd)?;
        let name: Vec<u8> = found
            .f_fstypename
            .iter()
            .map(|letter| letter.cast_unsigned())
            .take_while(|letter| *letter != 0)
            .collect();
        Ok(match name.as_slice() {
            b"apfs" => Self::apple(1),
            b"hfs" => Self::apple(SECOND_NS),
            b"msdos" => Self::fat(),
            b"exfat" => Self::windows(2 * SECOND_NS),
            b"ntfs" => Self::windows(100),
            _ => Self::cautious(),
        })
    }
}

/// The name of the kind of file system that `fd` stands on, as the system has it.
pub(crate) fn kind(fd: impl AsFd) -> Result<String, Errno> {
    let found = rustix::fs::fstatfs(fd)?;
    #[cfg(target_os = "linux")]
    let name = format!("{:x}", found.f_type);
    #[cfg(not(target_os = "linux"))]
    let name = found
        .f_fstypename
        .iter()
        .take_while(|letter| **letter != 0)
        .map(|letter| char::from(letter.cast_unsigned()))
        .collect();
    Ok(name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_are_told_apart_and_unknown_ones_get_strict_rules() {
        assert_eq!(Rules::of_magic(0xef53).spelling, Spelling::Bytes);
        assert_eq!(Rules::of_magic(0x4d44).max_item_bytes, Some(4_294_967_295));
        assert!(!Rules::of_magic(0x4d44).stable_inodes);
        assert!(Rules::of_magic(0x2011_bab0).names.case_blind);
        assert_eq!(Rules::of_magic(0x6573_5546), Rules::cautious());
        assert_eq!(Rules::of_magic(1), Rules::cautious());
    }

    #[test]
    fn what_is_found_only_makes_rules_stricter() {
        let loose = Findings { spelling: Spelling::Bytes, step_ns: 1, ..Findings::default() };
        assert_eq!(Rules::cautious().and(&loose), Rules::cautious());
        let strict = Findings {
            case_blind: true,
            normalises: false,
            spelling: Spelling::Ascii,
            longest: Some(143),
            step_ns: SECOND_NS,
        };
        let rules = Rules::exact().and(&strict);
        assert!(rules.names.case_blind && !rules.names.normalises);
        assert_eq!(rules.names.max_segment, Some(Length::Bytes(143)));
        assert_eq!((rules.spelling, rules.granularity_ns), (Spelling::Ascii, SECOND_NS));
    }

    #[test]
    fn the_length_of_a_name_is_counted_as_the_kind_counts() {
        let wide = "\u{65e5}".repeat(255);
        assert!(Rules::windows(1).holds(wide.as_bytes()));
        assert!(!Rules::windows(1).holds(format!("a/{wide}x").as_bytes()));
        assert!(!Rules::exact().holds(wide.as_bytes()));
    }
}
