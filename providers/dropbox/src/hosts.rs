//! Where Dropbox is: four hosts, each replaceable by a stand-in.
//!
//! Invariant: tokens and photos go over TLS, or do not leave this machine.

use safelight_core::address::address;
use safelight_core::error::Result;
use safelight_core::registry::Settings;

/// The addresses, without a slash at their ends.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    pub(crate) api: String,
    pub(crate) content: String,
    pub(crate) www: String,
}

impl Hosts {
    /// # Errors
    /// Those of [`address`].
    pub(crate) fn of(settings: &Settings) -> Result<Self> {
        // Nothing here waits for changes, but a wrong address is told all the same.
        address(settings, "notify_url", "https://notify.dropboxapi.com")?;
        Ok(Self {
            api: address(settings, "api_url", "https://api.dropboxapi.com")?,
            content: address(settings, "content_url", "https://content.dropboxapi.com")?,
            www: address(settings, "www_url", "https://www.dropbox.com")?,
        })
    }
}
