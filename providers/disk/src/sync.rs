//! Making things durable.
//!
//! Invariant: a failed sync is never repeated as proof. The kernel reports a lost page once and then calls it
//! clean, so what was to be made durable has to be written again from the start.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

/// Makes the content and size of a file durable.
pub(crate) fn file(file: &OwnedFd) -> Result<(), Errno> {
    // On macOS a plain fsync leaves the bytes in the disk's own cache.
    #[cfg(target_os = "macos")]
    match rustix::fs::fcntl_fullfsync(file) {
        Err(Errno::NOTSUP | Errno::INVAL | Errno::NOTTY) => {}
        answer => return answer,
    }
    rustix::fs::fsync(file)
}

/// Makes the names in a folder durable. Some file systems have no such thing and say so; they make names
/// durable by themselves or not at all.
pub(crate) fn folder(folder: &OwnedFd) -> Result<(), Errno> {
    match rustix::fs::fsync(folder) {
        Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        answer => answer,
    }
}

/// Makes everything on the file system durable at once. `None` where that cannot be done or does not report
/// what failed.
pub(crate) fn whole(root: &OwnedFd) -> Option<Result<(), Errno>> {
    #[cfg(target_os = "linux")]
    {
        reports_lost_pages().then(|| rustix::fs::syncfs(root))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = root;
        None
    }
}

/// Linux tells through `syncfs` what was lost since 5.8.
#[cfg(target_os = "linux")]
fn reports_lost_pages() -> bool {
    use std::sync::OnceLock;
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        is_at_least(&release, (5, 8))
    })
}

#[cfg(target_os = "linux")]
fn is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= wanted,
        _ => false,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::is_at_least;

    #[test]
    fn kernels_are_ordered_by_number() {
        assert!(is_at_least("5.10.0-8-amd64", (5, 8)));
        assert!(is_at_least("6.1", (5, 8)));
        assert!(!is_at_least("5.4.0", (5, 8)));
        assert!(!is_at_least("", (5, 8)));
    }
}
