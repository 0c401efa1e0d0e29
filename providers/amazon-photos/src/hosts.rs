//! Where the service is: three addresses, each replaceable by a stand-in.
//!
//! Invariant: cookies and photos go over TLS, or do not leave this machine.

use http::Uri;
use safelight_core::address::{address, is_loopback};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::registry::Settings;

use crate::country::Country;

/// The addresses, without a slash at their ends.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    pub(crate) country: Country,
    pub(crate) metadata: String,
    pub(crate) content: String,
}

impl Hosts {
    /// # Errors
    /// [`Kind::Unsupported`] for a country that is not known; those of [`address`].
    pub(crate) fn of(settings: &Settings) -> Result<Self> {
        let written = settings.text("country").unwrap_or("com");
        let country = Country::of(written).ok_or_else(|| {
            let (name, known) = (&settings.name, Country::known());
            let context = format!("{name}: `country` must be one of {known}");
            Error::new(Kind::Unsupported, context)
        })?;
        // Nothing here shows thumbnails, but a wrong address is told all the same.
        address(settings, "thumbnail_url", &country.thumbnails())?;
        Ok(Self {
            country,
            metadata: address(settings, "metadata_url", &country.metadata())?,
            content: address(settings, "content_url", &country.content())?,
        })
    }

    /// Whether bytes may be fetched from `uri`, to which the service led: over TLS from a host with a name. A
    /// stand-in on this machine may lead to this machine.
    pub(crate) fn may_lead_to(&self, uri: &Uri) -> bool {
        let Some(host) = uri.host() else { return false };
        let at_home = |address: &str| {
            address.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(is_loopback))
        };
        if is_loopback(host) {
            return at_home(&self.metadata);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        uri.scheme_str() == Some("https")
            && bare.parse::<std::net::IpAddr>().is_err()
            && bare.contains('.')
            && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_named_hosts_over_tls_or_from_a_stand_in_home() {
        let real = Hosts::of(&Settings::new("a")).unwrap();
        let local = Settings::new("a").with_text("metadata_url", "http://127.0.0.1:8/drive/v1");
        let local = Hosts::of(&local).unwrap();
        let may = |hosts: &Hosts, url: &str| hosts.may_lead_to(&url.parse().unwrap());
        assert!(
            may(&real, "https://storage.example.com/x?y") && may(&local, "http://127.0.0.1:9/x")
        );
        for bad in [
            "http://storage.example.com/x",
            "http://127.0.0.1/x",
            "https://169.254.169.254/x",
            "https://[::1]/x",
            "https://intranet/x",
            "https://u:p@storage.example.com/x",
        ] {
            assert!(!may(&real, bad), "{bad}");
        }
    }
}
