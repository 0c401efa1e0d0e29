//! Secrets in files: read only where nobody else can read or change them, written so that nobody ever could.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;

use super::{missing, read_text};
use crate::codes;
use crate::env::Env;

/// The text of a file that only its owner can use.
pub(super) fn read(path: &Path) -> Result<String> {
    let (mut file, failed) = open(path)?;
    // The mode is that of the opened file, so that it cannot be exchanged in between.
    refuse_open_mode(&file.metadata().map_err(&failed)?, path)?;
    read_text(&mut file).map_err(failed)
}

/// The text of a credential. systemd guards the folder, and gives the files modes of its own.
pub(super) fn credential(name: &str, env: &Env) -> Result<String> {
    let folder = env.get("CREDENTIALS_DIRECTORY").ok_or_else(|| {
        missing(format!("systemd handed over no credentials, and so not {name} either"))
    })?;
    let (mut file, failed) = open(&Path::new(folder).join(name))?;
    read_text(&mut file).map_err(failed)
}

fn open(path: &Path) -> Result<(File, impl Fn(std::io::Error) -> Error + use<>)> {
    let shown = path.display().to_string();
    let read = format!("cannot read the secret file {shown}");
    let failed = move |error| missing(read.clone()).source(error);
    // A pipe would block for ever when opened, so the kind is looked at first.
    if !std::fs::metadata(path).map_err(&failed)?.is_file() {
        return Err(missing(format!("the secret file {shown} is not a plain file")));
    }
    Ok((File::open(path).map_err(&failed)?, failed))
}

/// Replaces the file as a whole: whoever reads it sees the old secret or the new one. Folders that are not there
/// are made for the user alone.
pub(super) fn write(path: &Path, secret: &Secret) -> Result<()> {
    // A link stays a link; what it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let failed = |error| Error::io(error, format!("writing the secret file {}", path.display()));
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(not_plain(path));
    };
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(not_plain(path));
    }
    private_folders().recursive(true).create(folder).map_err(failed)?;
    let mut unfinished = std::ffi::OsString::from(".");
    unfinished.push(name);
    unfinished.push(format!(".{}", std::process::id()));
    let unfinished = folder.join(unfinished);
    let written = write_new(&unfinished, secret)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        // After the name was given there is nothing left to remove.
        let _ = std::fs::remove_file(&unfinished);
    }
    written.map_err(failed)
}

fn write_new(path: &Path, secret: &Secret) -> std::io::Result<()> {
    // What a process of the same number left behind when it was killed.
    let _ = std::fs::remove_file(path);
    let mut file = private_file().write(true).create_new(true).open(path)?;
    file.write_all(secret.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(error, format!("removing the secret file {}", path.display()))),
    }
}

fn not_plain(path: &Path) -> Error {
    Error::new(Kind::Unsupported, format!("the secret file {} is no plain file", path.display()))
}

#[cfg(unix)]
fn private_folders() -> std::fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(unix)]
fn private_file() -> std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.mode(0o600);
    options
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn private_folders() -> std::fs::DirBuilder {
    std::fs::DirBuilder::new()
}

#[cfg(not(unix))]
fn private_file() -> std::fs::OpenOptions {
    File::options()
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)] // the same shape as on systems that can
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn refuse_open_mode(metadata: &std::fs::Metadata, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    let shown = path.display();
    let context = format!("the secret file {shown} can be used by others (mode {mode:04o})");
    Err(Error::new(Kind::SignIn, context).code(codes::SECRET_FILE_MODE))
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)] // the same shape as on systems that have modes
fn refuse_open_mode(_: &std::fs::Metadata, _: &Path) -> Result<()> {
    Ok(())
}
