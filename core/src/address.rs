//! Addresses of services, as they stand in settings.
//!
//! Invariant: secrets and photos go over TLS, or do not leave this machine.

use http::Uri;

use crate::error::{Error, Kind, Result};
use crate::registry::Settings;

/// The address in the setting `name`, else the `usual` one; without a slash at its end.
///
/// # Errors
/// [`Kind::Unsupported`] for one that is neither `https` nor on loopback, or that names a user or asks something.
pub fn address(settings: &Settings, name: &str, usual: &str) -> Result<String> {
    let written = settings.text(name).unwrap_or(usual).trim_end_matches('/');
    let wrong = || {
        let context = format!("{}: `{name}` must be an https address", settings.name);
        Error::new(Kind::Unsupported, context)
    };
    let uri: Uri = written.parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let bare = uri.query().is_none() && !authority.as_str().contains('@');
    let safe = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(authority.host()),
        _ => false,
    };
    if safe && bare { Ok(written.to_owned()) } else { Err(wrong()) }
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<core::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        let with = |url: &str| address(&Settings::new("d").with_text("url", url), "url", "");
        for good in [
            "https://service.test:8443/",
            "http://127.0.0.1:80",
            "http://[::1]:9",
            "http://localhost",
            "https://service.test/v1",
        ] {
            assert_eq!(with(good).unwrap(), good.trim_end_matches('/'));
        }
        for bad in [
            "http://service.test",
            "http://127.0.0.1.evil.test",
            "ftp://127.0.0.1",
            "x",
            "https://u:p@h",
            "https://h?x",
        ] {
            assert_eq!(with(bad).unwrap_err().kind(), Kind::Unsupported, "{bad}");
        }
        assert!(address(&Settings::new("d"), "url", "https://usual.test").is_ok());
    }
}
