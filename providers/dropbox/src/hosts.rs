//! Where Dropbox is: four hosts, each replaceable by a stand-in.
//!
//! Invariant: tokens and photos go over TLS, or do not leave this machine.

use http::Uri;
use safelight_core::error::{Error, Kind, Result};
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
    /// [`Kind::Unsupported`] for an address that is no `https` one and not on loopback.
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

fn address(settings: &Settings, name: &str, usual: &str) -> Result<String> {
    let written = settings.text(name).unwrap_or(usual).trim_end_matches('/');
    let wrong = || {
        let context = format!("{}: `{name}` must be an https address", settings.name);
        Error::new(Kind::Unsupported, context)
    };
    let uri: Uri = written.parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let bare = uri.path().trim_matches('/').is_empty() && uri.query().is_none();
    let safe = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(authority.host()),
        _ => false,
    };
    let nobody = !authority.as_str().contains('@');
    if safe && bare && nobody { Ok(written.to_owned()) } else { Err(wrong()) }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        let with = |url: &str| Hosts::of(&Settings::new("d").with_text("api_url", url));
        for good in [
            "https://dropbox.test:8443/",
            "http://127.0.0.1:80",
            "http://[::1]:9",
            "http://localhost",
        ] {
            assert!(with(good).is_ok(), "{good}");
        }
        for bad in [
            "http://dropbox.test",
            "http://127.0.0.1.evil.test",
            "ftp://127.0.0.1",
            "x",
            "https://u:p@h",
            "https://h/x",
        ] {
            assert_eq!(with(bad).unwrap_err().kind(), Kind::Unsupported, "{bad}");
        }
    }
}
