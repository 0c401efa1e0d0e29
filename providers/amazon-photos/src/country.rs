//! Where an account is at home: the end of the host's name, the zone of the content host, the names of the cookies.

/// One of the countries in which there is an Amazon Photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Country {
    /// What follows `amazon.` in the names of the hosts.
    pub(crate) tld: &'static str,
    /// The part of the world to which the content host belongs.
    zone: &'static str,
    /// What the names of the cookies end with.
    pub(crate) suffix: &'static str,
}

const COUNTRIES: &[Country] = &[
    Country { tld: "com", zone: "na", suffix: "main" },
    Country { tld: "ca", zone: "na", suffix: "acbca" },
    Country { tld: "co.uk", zone: "eu", suffix: "acbuk" },
    Country { tld: "de", zone: "eu", suffix: "acbde" },
    Country { tld: "fr", zone: "eu", suffix: "acbfr" },
    Country { tld: "it", zone: "eu", suffix: "acbit" },
    Country { tld: "es", zone: "eu", suffix: "acbes" },
    // One client says `jp`, another `fe`; with `content_url` either can be had.
    Country { tld: "co.jp", zone: "fe", suffix: "acbjp" },
];

impl Country {
    /// By the end of the host's name, or by the two letters of the country.
    pub(crate) fn of(written: &str) -> Option<Self> {
        let written = written.trim().trim_start_matches("amazon.").to_ascii_lowercase();
        let tld = match written.as_str() {
            "us" => "com",
            "uk" | "gb" => "co.uk",
            "jp" => "co.jp",
            other => other,
        };
        COUNTRIES.iter().find(|country| country.tld == tld).copied()
    }

    /// The country whose cookies have names that end so.
    pub(crate) fn of_suffix(suffix: &str) -> Option<Self> {
        COUNTRIES.iter().find(|country| country.suffix == suffix).copied()
    }

    /// All of them, for people.
    pub(crate) fn known() -> String {
        COUNTRIES.iter().map(|country| country.tld).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn metadata(self) -> String {
        format!("https://www.amazon.{}/drive/v1", self.tld)
    }

    pub(crate) fn content(self) -> String {
        format!("https://content-{}.drive.amazonaws.com", self.zone)
    }

    pub(crate) fn thumbnails(self) -> String {
        format!("https://thumbnails-photos.amazon.{}", self.tld)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hosts_follow_from_the_country() {
        for (written, metadata, content, suffix) in [
            ("com", "https://www.amazon.com/drive/v1", "content-na", "main"),
            ("US", "https://www.amazon.com/drive/v1", "content-na", "main"),
            ("uk", "https://www.amazon.co.uk/drive/v1", "content-eu", "acbuk"),
            ("amazon.de", "https://www.amazon.de/drive/v1", "content-eu", "acbde"),
            ("co.jp", "https://www.amazon.co.jp/drive/v1", "content-fe", "acbjp"),
        ] {
            let country = Country::of(written).unwrap();
            assert_eq!(country.metadata(), metadata);
            assert_eq!(country.content(), format!("https://{content}.drive.amazonaws.com"));
            assert_eq!(country.suffix, suffix);
        }
        assert_eq!(Country::of("atlantis"), None);
    }
}
