//! What the kinds of file system can hold, told by their type and not by trial, so that opening a
//! destination changes nothing.
//!
//! Invariant: an unknown kind gets the strictest rules. They cost readable names, never a file.

use rustix::fd::AsFd;
use rustix::io::Errno;
use safelight_core::capability::{Length, NameRules};

use crate::names::Spelling;

/// What one kind of file system can hold and promises.
#[derive(Debug, Clone, PartialEq)]
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
        rules
    }

    const fn fat() -> Self {
        let mut rules = Self::windows(2 * SECOND_NS);
        rules.max_item_bytes = Some(u32::MAX as u64);
        rules
    }

    /// Whether both promise the same to those who store: names, times, sizes.
    pub(crate) fn promises_like(&self, other: &Self) -> bool {
        let promise = |rules: &Self| {
            (rules.names, rules.spelling, rules.granularity_ns, rules.max_item_bytes)
        };
        promise(self) == promise(other)
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
            0x7366_746e | 0x5346_544e => Self { stable_inodes: true, ..Self::windows(100) },
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
}
