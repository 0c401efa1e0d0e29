//! References to secrets, and fetching what they refer to.
//!
//! A config file never holds a secret, only where it is. A reference is fetched when a destination is opened,
//! never while the file is checked. No error and no `Debug` shows a value.

use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;

use crate::codes;
use crate::env::Env;

/// No password or token is longer; more means that the reference points at the wrong thing.
const LONGEST: u64 = 64 * 1024;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file, readable by nobody else.
    File(PathBuf),
    /// On the standard output of this program; never empty, no shell in between.
    Command(Vec<String>),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Command(words) => write!(f, "cmd:{}", words.join(" ")),
        }
    }
}

/// Fetches a secret; a trailing line end is cut off. Blocks: files are read and programs are waited for.
pub fn resolve(reference: &SecretRef, env: &Env) -> Result<Secret> {
    let text = match reference {
        SecretRef::Env(name) => from_env(name, env)?,
        SecretRef::File(path) => from_file(path)?,
        SecretRef::Command(words) => from_command(words)?,
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(missing(format!("the secret {reference} is empty")));
    }
    Ok(Secret::new(text))
}

fn missing(context: impl Into<String>) -> Error {
    Error::new(Kind::SignIn, context).code(codes::SECRET_MISSING)
}

fn from_env(name: &str, env: &Env) -> Result<String> {
    let value = env.get(name).map(|value| OsString::from(value).into_string());
    match value {
        Some(Ok(text)) => Ok(text),
        Some(Err(_)) => Err(missing(format!("the variable {name} is not readable text"))),
        None => Err(missing(format!("the variable {name} is not set"))),
    }
}

fn from_file(path: &Path) -> Result<String> {
    let shown = path.display();
    let failed = |error| missing(format!("cannot read the secret file {shown}")).source(error);
    // A pipe would block for ever when opened, so the kind is looked at first; the mode is that of the
    // opened file, so that it cannot be exchanged in between.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(missing(format!("the secret file {shown} is not a plain file")));
    }
    let mut file = std::fs::File::open(path).map_err(failed)?;
    refuse_open_mode(&file.metadata().map_err(failed)?, path)?;
    read_text(&mut file).map_err(failed)
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

fn from_command(words: &[String]) -> Result<String> {
    let program = words.first().map_or("", String::as_str);
    let failed = |error| missing(format!("cannot run `{program}` for a secret")).source(error);
    let mut child = Command::new(program)
        .args(words.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let answer = match child.stdout.take() {
        Some(mut output) => read_text(&mut output),
        None => Ok(String::new()),
    };
    // The pipe is closed by now, so a program that still writes ends instead of waiting for ever.
    let status = child.wait().map_err(failed)?;
    let answer = answer.map_err(failed)?;
    if status.success() {
        Ok(answer)
    } else {
        Err(missing(format!("`{program}` gave no secret: {status}")))
    }
}

fn read_text(source: &mut impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    source.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(std::io::Error::other("far too long for a secret"));
    }
    Ok(text)
}
