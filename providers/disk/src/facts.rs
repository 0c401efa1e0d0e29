//! What `stat` says about one thing, in the same words on every system.

use rustix::fs::{FileType, Stat};
use safelight_core::time::Timestamp;

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// An ordinary file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, socket or device.
    Other,
}

impl From<FileType> for What {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

/// What `stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) what: What,
    pub(crate) device: u64,
    pub(crate) links: u64,
    pub(crate) stamp: Stamp,
}

/// What a version of a file is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
    pub(crate) changed: Timestamp,
    pub(crate) inode: u64,
}

impl From<Stat> for Facts {
    // The fields have other integer types on other systems; all real values fit.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        clippy::useless_conversion
    )]
    fn from(stat: Stat) -> Self {
        Self {
            what: FileType::from_raw_mode(stat.st_mode as _).into(),
            device: stat.st_dev as u64,
            links: stat.st_nlink as u64,
            stamp: Stamp {
                size: stat.st_size as u64,
                modified: Timestamp::from_parts(stat.st_mtime as i64, stat.st_mtime_nsec as u32),
                changed: Timestamp::from_parts(stat.st_ctime as i64, stat.st_ctime_nsec as u32),
                inode: stat.st_ino as u64,
            },
        }
    }
}

impl Facts {
    /// Whether both are the same file or folder.
    pub(crate) fn is_same_thing(&self, other: &Self) -> bool {
        (self.device, self.stamp.inode) == (other.device, other.stamp.inode)
    }
}
