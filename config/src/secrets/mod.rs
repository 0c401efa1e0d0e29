//! References to secrets: fetching what they refer to, and keeping or forgetting it where that is possible.
//!
//! A config file never holds a secret, only where it is. A reference is fetched when a destination is opened,
//! never while the file is checked. No error and no `Debug` shows a value.

mod command;
mod file;
mod keyring;

use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;

use crate::codes;
use crate::env::Env;

pub use keyring::{SERVICE, is_there as keyring_is_there};

/// No secret has more bytes; more means that the reference points at the wrong thing.
pub const LONGEST: u64 = 64 * 1024;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In the system's keyring, under [`SERVICE`] and this name.
    Keyring(String),
    /// In this environment variable.
    Env(String),
    /// In this file, readable by nobody else.
    File(PathBuf),
    /// On the standard output of this program; never empty, no shell in between.
    Command(Vec<String>),
    /// What systemd hands to a service as the credential of this name.
    Systemd(String),
}

impl SecretRef {
    /// Whether [`keep`] and [`forget`] can do something there.
    pub const fn can_keep(&self) -> bool {
        matches!(self, Self::Keyring(_) | Self::File(_))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring(name) => write!(f, "keyring:{name}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Command(words) => write!(f, "cmd:{}", words.join(" ")),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

/// Fetches a secret; a trailing line end is cut off. Blocks: files are read, programs and the keyring, which may
/// ask the user to unlock it, are waited for.
///
/// # Errors
/// [`Kind::SignIn`] if nothing usable is there.
pub fn resolve(reference: &SecretRef, env: &Env) -> Result<Secret> {
    let text = match reference {
        SecretRef::Keyring(name) => keyring::fetch(name)?,
        SecretRef::Env(name) => from_env(name, env)?,
        SecretRef::File(path) => file::read(path)?,
        SecretRef::Command(words) => command::output(words)?,
        SecretRef::Systemd(name) => file::credential(name, env)?,
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(missing(format!("the secret {reference} is empty")));
    }
    Ok(Secret::new(text))
}

/// Keeps a secret in the keyring or a file, in place of what was there. Blocks. After an error the old one is
/// still there.
///
/// # Errors
/// [`Kind::Unsupported`] where nothing can be kept, see [`SecretRef::can_keep`], and for what [`resolve`] would not
/// take; those of the file system; [`Kind::SignIn`] if there is no keyring.
pub fn keep(reference: &SecretRef, secret: &Secret) -> Result<()> {
    // A file gets a line end behind it.
    if secret.expose().len() as u64 >= LONGEST {
        return Err(Error::new(
            Kind::Unsupported,
            "what is to be kept is far too long for a secret",
        ));
    }
    match reference {
        SecretRef::Keyring(name) => keyring::keep(name, secret),
        SecretRef::File(path) => file::write(path, secret),
        other => Err(read_only(other)),
    }
}

/// Forgets a secret; whether there was one. Blocks.
///
/// # Errors
/// As [`keep`].
pub fn forget(reference: &SecretRef) -> Result<bool> {
    match reference {
        SecretRef::Keyring(name) => keyring::forget(name),
        SecretRef::File(path) => file::remove(path),
        other => Err(read_only(other)),
    }
}

fn read_only(reference: &SecretRef) -> Error {
    Error::new(Kind::Unsupported, format!("{reference} can only be read"))
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

fn read_text(source: &mut impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    source.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(std::io::Error::other("far too long for a secret"));
    }
    Ok(text)
}
