//! Secrets in the system's keyring: the Secret Service on Linux, the keychain on macOS.
//!
//! Built in with the feature `keyring`. Without it, and where no keyring answers, every call says
//! `auth/no-keyring`; nothing is kept anywhere else instead.

use safelight_core::codes;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;

#[cfg(feature = "keyring")]
use super::missing;

/// The service under which the keyring lists all of Safelight's entries.
pub const SERVICE: &str = "safelight";

/// Whether a keyring answers. Blocks.
///
/// # Errors
/// [`Kind::SignIn`] with `auth/no-keyring` if none does.
pub fn is_there() -> Result<()> {
    platform::open().map(drop)
}

/// What stands under this name.
pub(super) fn fetch(name: &str) -> Result<String> {
    platform::open()?.fetch(name)
}

/// Puts a secret under this name.
pub(super) fn keep(name: &str, secret: &Secret) -> Result<()> {
    platform::open()?.keep(name, secret)
}

/// Removes what stands under this name; whether there was anything.
pub(super) fn forget(name: &str) -> Result<bool> {
    platform::open()?.forget(name)
}

fn none(context: &str) -> Error {
    Error::new(Kind::SignIn, context).code(codes::NO_KEYRING)
}

#[cfg(feature = "keyring")]
struct Keyring(std::sync::Arc<keyring_core::CredentialStore>);

#[cfg(feature = "keyring")]
impl Keyring {
    fn fetch(&self, name: &str) -> Result<String> {
        match self.entry(name)?.get_password() {
            Ok(text) => Ok(text),
            Err(keyring_core::Error::NoEntry) => {
                Err(missing(format!("the keyring has no entry \"{SERVICE} {name}\"")))
            }
            Err(error) => Err(refused(name, &error)),
        }
    }

    fn keep(&self, name: &str, secret: &Secret) -> Result<()> {
        self.entry(name)?.set_password(secret.expose()).map_err(|error| refused(name, &error))
    }

    fn forget(&self, name: &str) -> Result<bool> {
        match self.entry(name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(keyring_core::Error::NoEntry) => Ok(false),
            Err(error) => Err(refused(name, &error)),
        }
    }

    fn entry(&self, name: &str) -> Result<keyring_core::Entry> {
        self.0.build(SERVICE, name, None).map_err(|error| refused(name, &error))
    }
}

/// The keyring is there but does not give: locked, and nobody unlocked it. Some errors hold the secret, their
/// words do not.
#[cfg(feature = "keyring")]
fn refused(name: &str, error: &keyring_core::Error) -> Error {
    missing(format!("the keyring entry \"{SERVICE} {name}\"")).source(error.to_string())
}

#[cfg(all(feature = "keyring", any(target_os = "linux", target_os = "macos")))]
mod platform {
    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;
    #[cfg(target_os = "linux")]
    use zbus_secret_service_keyring_store::Store;

    pub(super) fn open() -> super::Result<super::Keyring> {
        match Store::new() {
            Ok(store) => Ok(super::Keyring(store)),
            Err(error) => Err(super::none("no keyring answers here").source(error.to_string())),
        }
    }
}

#[cfg(not(all(feature = "keyring", any(target_os = "linux", target_os = "macos"))))]
mod platform {
    use super::{Result, Secret};

    /// There is none, so there is no value of it either.
    pub(super) enum Nothing {}

    impl Nothing {
        pub(super) fn fetch(&self, _: &str) -> Result<String> {
            match *self {}
        }

        pub(super) fn keep(&self, _: &str, _: &Secret) -> Result<()> {
            match *self {}
        }

        pub(super) fn forget(&self, _: &str) -> Result<bool> {
            match *self {}
        }
    }

    pub(super) fn open() -> Result<Nothing> {
        Err(super::none("this Safelight was built without the system's keyring"))
    }
}

#[cfg(all(test, feature = "keyring"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_until_it_is_forgotten() {
        let keyring = Keyring(keyring_core::mock::Store::new().unwrap());
        let empty = keyring.fetch("dropbox").unwrap_err();
        assert_eq!((empty.kind(), empty.id().0), (Kind::SignIn, "config/secret-missing"));
        keyring.keep("dropbox", &Secret::new("first")).unwrap();
        keyring.keep("dropbox", &Secret::new("second")).unwrap();
        keyring.keep("other", &Secret::new("third")).unwrap();
        assert_eq!(keyring.fetch("dropbox").unwrap(), "second");
        assert!(keyring.forget("dropbox").unwrap());
        assert!(!keyring.forget("dropbox").unwrap());
        assert!(keyring.fetch("dropbox").is_err());
        assert_eq!(keyring.fetch("other").unwrap(), "third");
    }

    #[test]
    fn an_error_that_holds_the_secret_does_not_show_it() {
        let error = keyring_core::Error::BadEncoding(b"canary".to_vec());
        let shown = format!("{0} {0:?}", refused("dropbox", &error));
        assert!(!shown.contains("canary") && !shown.contains("[99, 97"), "{shown}");
    }
}
