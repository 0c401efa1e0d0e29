//! Which file system something stands on, and where a given file system is mounted.

#[cfg(target_os = "linux")]
pub(crate) use linux::{identity, mount_point};

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::path::{Path, PathBuf};

    use rustix::fs::{major, minor};

    use crate::filesystem::Rules;
    use crate::root::Root;

    const MOUNTS: &str = "/proc/self/mountinfo";
    const BY_UUID: &str = "/dev/disk/by-uuid";
    const BY_LABEL: &str = "/dev/disk/by-label";

    /// One line of the kernel's list of mounts.
    #[derive(Debug, PartialEq, Eq)]
    struct Mount {
        /// `major:minor` of the file system.
        device: String,
        /// What part of the file system is mounted: `/` for all of it.
        part: PathBuf,
        /// Where.
        point: PathBuf,
        /// The device, for file systems that have one.
        source: PathBuf,
    }

    fn parse(line: &[u8]) -> Option<Mount> {
        let mut words = line.split(|byte| *byte == b' ');
        let device = String::from_utf8(words.nth(2)?.to_vec()).ok()?;
        let (part, point) = (plain(words.next()?), plain(words.next()?));
        words.find(|word| *word == b"-")?;
        Some(Mount { device, part, point, source: plain(words.nth(1)?) })
    }

    /// Takes the kernel's octal escapes (`\040` for a blank) out of a path.
    fn plain(word: &[u8]) -> PathBuf {
        let mut out = Vec::with_capacity(word.len());
        let mut at = 0;
        while at < word.len() {
            let digits = word.get(at + 1..at + 4).filter(|_| word[at] == b'\\');
            let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
                out.push(byte);
                at += 4;
            } else {
                out.push(word[at]);
                at += 1;
            }
        }
        std::ffi::OsString::from_vec(out).into()
    }

    fn mounts() -> Vec<Mount> {
        let list = std::fs::read(MOUNTS).unwrap_or_default();
        list.split(|byte| *byte == b'\n').filter_map(parse).collect()
    }

    fn pair(device: u64) -> String {
        format!("{}:{}", major(device), minor(device))
    }

    /// The number of the block device that `path` names.
    fn block_device(path: &Path) -> Option<u64> {
        rustix::fs::stat(path).ok().map(|stat| stat.st_rdev).filter(|number| *number != 0)
    }

    /// The lasting identity of the file system with the number `device`, on which `root` stands or which is
    /// mounted below it; `rules` are those of the root. `None` if nothing about it lasts.
    pub(crate) fn identity(device: u64, root: &Root, rules: &Rules) -> Option<String> {
        let mounts = mounts();
        let mount = mounts.iter().find(|mount| mount.device == pair(device));
        let block = mount.and_then(|mount| block_device(&mount.source)).unwrap_or(device);
        let by_uuid = std::fs::read_dir(BY_UUID).ok().and_then(|names| {
            let is_it = |name: &std::fs::DirEntry| block_device(&name.path()) == Some(block);
            names.flatten().find(is_it).map(|name| name.file_name())
        });
        if let Some(uuid) = by_uuid {
            return Some(format!("uuid:{}", uuid.to_string_lossy()));
        }
        let lasting = rules.lasting_id && device == root.facts().device;
        let id = rustix::fs::fstatvfs(root.handle()).ok()?.f_fsid;
        (lasting && id != 0).then(|| format!("fsid:{id:016x}"))
    }

    /// Where the file system with this label or id is mounted.
    pub(crate) fn mount_point(label: Option<&str>, id: Option<&str>) -> Option<PathBuf> {
        let by_id = id.map(|id| block_device(&Path::new(BY_UUID).join(id)));
        let by_label = label.map(|label| {
            let name = udev_name(label);
            block_device(&Path::new(BY_LABEL).join(OsStr::from_bytes(name.as_bytes())))
        });
        let device = match (by_id, by_label) {
            (Some(a), Some(b)) if a != b => None,
            (a, b) => a.or(b)?,
        }?;
        find(&mounts(), device, &|source| block_device(source))
    }

    /// The first place where the whole file system of the block device is mounted. Some file systems (Btrfs)
    /// have a number of their own, so the device that a mount names counts too.
    fn find(
        mounts: &[Mount],
        device: u64,
        number: &dyn Fn(&Path) -> Option<u64>,
    ) -> Option<PathBuf> {
        let is_it = |mount: &&Mount| {
            let whole = mount.part == Path::new("/");
            whole && (mount.device == pair(device) || number(&mount.source) == Some(device))
        };
        mounts.iter().find(is_it).map(|mount| mount.point.clone())
    }

    /// A label as udev writes it into a file name.
    fn udev_name(label: &str) -> String {
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "#+-.:=@_".contains(c);
        let written = |c| {
            if is_plain(c) { String::from(c) } else { format!("\\x{:02x}", u32::from(c)) }
        };
        label.chars().map(written).collect()
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    mod tests {
        use super::*;

        const LINE: &[u8] =
            br"36 35 8:17 / /media/anna/MY\040PHOTOS rw,noatime shared:1 - exfat /dev/sdb1 rw";

        #[test]
        fn the_list_of_mounts_is_understood() {
            let mount = parse(LINE).unwrap();
            assert_eq!(mount.point, Path::new("/media/anna/MY PHOTOS"));
            assert_eq!((mount.device.as_str(), mount.source.to_str()), ("8:17", Some("/dev/sdb1")));
            assert_eq!(parse(b"garbage"), None);
        }

        #[test]
        fn a_volume_is_found_by_number_or_by_its_device_and_only_as_a_whole() {
            let lines: [&[u8]; 3] = [
                b"1 1 8:17 /sub /bind rw - ext4 /dev/sdb1 rw",
                b"2 1 0:44 / /butter rw - btrfs /dev/sdc rw",
                LINE,
            ];
            let mounts: Vec<_> = lines.iter().filter_map(|line| parse(line)).collect();
            let sdc = rustix::fs::makedev(8, 32);
            let number = |path: &Path| (path == Path::new("/dev/sdc")).then_some(sdc);
            let found = find(&mounts, rustix::fs::makedev(8, 17), &number).unwrap();
            assert_eq!(found, Path::new("/media/anna/MY PHOTOS"));
            assert_eq!(find(&mounts, sdc, &number).unwrap(), Path::new("/butter"));
            assert_eq!(find(&mounts, rustix::fs::makedev(8, 1), &number), None);
        }

        #[test]
        fn labels_are_written_as_udev_does() {
            assert_eq!(udev_name("MY PHOTOS/1"), r"MY\x20PHOTOS\x2f1");
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use other::{identity, mount_point};

#[cfg(not(target_os = "linux"))]
mod other {
    use std::path::{Path, PathBuf};

    use crate::filesystem::Rules;
    use crate::root::Root;

    /// The number in `statfs` is only the device's and does not last, so nothing is said.
    pub(crate) fn identity(_device: u64, _root: &Root, _rules: &Rules) -> Option<String> {
        None
    }

    /// Volumes stand in `/Volumes` by their label; looking for one by its id is not possible here.
    pub(crate) fn mount_point(label: Option<&str>, id: Option<&str>) -> Option<PathBuf> {
        let label = label.filter(|label| id.is_none() && !label.contains('/'))?;
        let point = Path::new("/Volumes").join(label);
        let device = |path: &Path| rustix::fs::stat(path).ok().map(|stat| stat.st_dev);
        (device(&point)? != device(Path::new("/Volumes"))?).then_some(point)
    }
}
