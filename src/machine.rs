//! What the program asks of the machine for its own safety.

use std::path::Path;

use safelight_core::error::{Error, Result};

/// While secrets are in memory, a crash must not write them to the disk.
#[cfg(unix)]
pub fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::info!(%error, "core dumps stay possible");
    }
}

/// Makes the state folder, for the user alone.
///
/// # Errors
/// Those of the file system.
#[cfg(unix)]
pub fn make_state_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Error::io(error, format!("making the state folder {}", folder.display())))
}
