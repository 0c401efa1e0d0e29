//! File systems that are made and mounted for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Something mounted for one test.
pub(crate) struct Mounted {
    pub(crate) at: PathBuf,
    _device: Option<LoopDevice>,
    _dir: tempfile::TempDir,
}

/// How to make a file system in an image, and the ways to mount it: by the kernel, else by a program that
/// serves it through FUSE.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    make: &'static [&'static str],
    ways: &'static [Way],
}

struct Way {
    command: &'static [&'static str],
    /// The program asks for a device, not for the image.
    wants_device: bool,
}

const fn way(command: &'static [&'static str]) -> Way {
    Way { command, wants_device: false }
}

impl Kind {
    pub(crate) const EXT4: Self = Self {
        name: "ext4",
        make: &["mkfs.ext4", "-q"],
        ways: &[way(&["mount", "-t", "ext4", "-o", "loop"])],
    };
    pub(crate) const FAT: Self = Self {
        name: "FAT",
        make: &["mkfs.vfat", "-F", "32", "-s", "8"],
        ways: &[way(&["mount", "-t", "vfat", "-o", "loop,utf8=1"])],
    };
    /// Served by a program that takes no letters beyond ASCII and does not tell the room left.
    pub(crate) const POOR_FAT: Self = Self {
        name: "FAT through FUSE",
        make: &["mkfs.vfat", "-F", "32", "-s", "8"],
        ways: &[way(&["fusefat", "-o", "rw+"])],
    };
    pub(crate) const EXFAT: Self = Self {
        name: "exFAT",
        make: &["mkfs.exfat"],
        ways: &[
            way(&["mount", "-t", "exfat", "-o", "loop"]),
            Way { command: &["mount.exfat-fuse"], wants_device: true },
        ],
    };
    pub(crate) const NTFS: Self =
        Self { name: "NTFS", make: &["mkntfs", "-F", "-q", "-f"], ways: &[way(&["ntfs-3g"])] };
    /// Served so that all names come back in lower case.
    pub(crate) const NTFS_LOWER: Self = Self {
        name: "NTFS in lower case",
        make: &["mkntfs", "-F", "-q", "-f"],
        ways: &[way(&["lowntfs-3g", "-o", "ignore_case"])],
    };
}

impl Mounted {
    /// Mounts what `mount` says into a fresh folder. `None` with a printed line where that is not possible.
    pub(crate) fn new(what: &str, options: &[&str]) -> Option<Self> {
        let (dir, at) = mount_point();
        if can(limited(&["mount"]).args(options).arg(&at)) {
            return Some(Self { at, _device: None, _dir: dir });
        }
        println!("skipped: {what} cannot be mounted here");
        None
    }

    /// A file system in memory of so many KiB.
    pub(crate) fn memory(kib: u32) -> Option<Self> {
        let size = format!("size={kib}k");
        Self::new("a tmpfs", &["-t", "tmpfs", "-o", &size, "safelight-test"])
    }

    /// An ext4 file system in a file that the caller keeps.
    pub(crate) fn ext4(image: &Path) -> Option<Self> {
        Self::image(&Kind::EXT4, image, 16)
    }

    /// A file system of so many MiB in a file that the caller keeps, made if the file is not there. `None` with a
    /// printed line where that is not possible.
    pub(crate) fn image(kind: &Kind, image: &Path, mib: u64) -> Option<Self> {
        if !image.exists() {
            std::fs::File::create(image).unwrap().set_len(mib << 20).unwrap();
            if !can(limited(kind.make).arg(image)) {
                println!("skipped: there is no {} here", kind.make[0]);
                return None;
            }
        }
        let (dir, at) = mount_point();
        let Some(device) = kind.ways.iter().find_map(|way| way.mount(image, &at).ok()) else {
            println!("skipped: {} cannot be mounted here", kind.name);
            return None;
        };
        Some(Self { at, _device: device, _dir: dir })
    }

    pub(crate) fn remount(&self, options: &str) {
        assert!(can(limited(&["mount", "-o", &format!("remount,{options}")]).arg(&self.at)));
    }

    pub(crate) fn unmount_lazily(&self) {
        assert!(can(limited(&["umount", "-l"]).arg(&self.at)));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // At once if nobody uses it any more, so that the image is whole when it is mounted again; a test may
        // have unmounted it already.
        if !can(limited(&["umount"]).arg(&self.at)) {
            can(limited(&["umount", "-l"]).arg(&self.at));
        }
    }
}

impl Way {
    /// Mounts the image. `Err` if that cannot be done in this way.
    fn mount(&self, image: &Path, at: &Path) -> Result<Option<LoopDevice>, ()> {
        let device = if self.wants_device { Some(LoopDevice::of(image).ok_or(())?) } else { None };
        let what = device.as_ref().map_or(image, |device| Path::new(&device.0));
        if can(limited(self.command).arg(what).arg(at)) { Ok(device) } else { Err(()) }
    }
}

/// A loop device that is given back at the end.
struct LoopDevice(String);

impl LoopDevice {
    fn of(image: &Path) -> Option<Self> {
        let output = run(limited(&["losetup", "-f", "--show"]).arg(image))?;
        Some(Self(output.trim().to_owned()))
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        can(&mut limited(&["losetup", "-d", &self.0]));
    }
}

fn mount_point() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("mount");
    std::fs::create_dir(&at).unwrap();
    (dir, at)
}

/// A command that is ended if it hangs.
fn limited(command: &[&str]) -> Command {
    let mut limited = Command::new("timeout");
    limited.arg("20").args(command);
    limited
}

/// Whether the command can be run and succeeds.
pub(crate) fn can(command: &mut Command) -> bool {
    run(command).is_some()
}

/// What the command prints, if it can be run and succeeds.
pub(crate) fn run(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
