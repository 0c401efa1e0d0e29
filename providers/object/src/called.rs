//! What no key of ours leads to: it is read by the service's own name for it, which its version carries.

use opendal::raw::{percent_decode_path, percent_encode_path};
use safelight_core::entry::{Entry, Version};

/// In front of such versions.
const CALLED: &str = "called ";

/// Something by the service's own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Called {
    /// The path of the object, root included.
    pub(crate) path: String,
    /// Its version; without one, whatever is there is meant.
    pub(crate) version: Option<Version>,
}

impl Called {
    /// What a version of ours says; `None` for one that the service gave.
    pub(crate) fn read(version: &Version) -> Option<Self> {
        let told = version.0.strip_prefix(CALLED)?;
        let (path, version) = match told.split_once(' ') {
            Some((path, version)) => (path, Some(Version::new(version))),
            None => (told, None),
        };
        Some(Self { path: percent_decode_path(path), version })
    }

    /// Both as one.
    fn written(&self) -> Version {
        let path = percent_encode_path(&self.path);
        Version::new(match &self.version {
            Some(version) => format!("{CALLED}{path} {}", version.0),
            None => format!("{CALLED}{path}"),
        })
    }

    /// `entry` as it is told: read by this name.
    pub(crate) fn entry(self, entry: Entry) -> Entry {
        let version = Some(self.written());
        Entry { version, remote_id: Some(self.path.into()), ..entry }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_come_back() {
        for path in ["lib/ a b/%41", "/", "..", "a\nb\u{1}/", "é/📷"] {
            for version in [None, Some("abc"), Some("W/\"a b\""), Some("at 12-3")] {
                let called = Called { path: path.to_owned(), version: version.map(Version::new) };
                assert_eq!(Called::read(&called.written()), Some(called));
            }
        }
        assert_eq!(Called::read(&Version::new("abc")), None);
    }
}
