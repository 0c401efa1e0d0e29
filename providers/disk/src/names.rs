//! How the names of keys are written on a file system that cannot hold every name.
//!
//! Invariant: `read(write(name)) == Some(name)`, and two names are never written alike. A stored name that no
//! key would be written as gives `None`: it is somebody else's and cannot be named by a key.

use std::borrow::Cow;

use safelight_core::escape::{Place, escape, unescape};

/// How names are written. Each one also keeps clear of what those before it keep clear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Spelling {
    /// As they are.
    #[default]
    Bytes,
    /// As they are, if they are UTF-8; other bytes are escaped.
    Utf8,
    /// Without anything that Windows or its file systems refuse.
    Windows,
    /// Without anything but plain letters, digits and harmless signs: some drivers of FAT hold no others.
    Ascii,
}

impl Spelling {
    /// The stored form of one segment of a key.
    pub(crate) fn write(self, name: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes => Cow::Borrowed(name),
            Self::Utf8 => Cow::Owned(escape(name, |_, _| false).into_bytes()),
            Self::Windows | Self::Ascii => {
                let (device, plain) = (is_device(name), self == Self::Ascii);
                let refused = |c: char, place: Place| {
                    (device && place.first) || (plain && !c.is_ascii()) || is_refused(c, place)
                };
                Cow::Owned(escape(name, refused).into_bytes())
            }
        }
    }

    /// The segment of a key whose stored form is `stored`.
    pub(crate) fn read(self, stored: &[u8]) -> Option<Cow<'_, [u8]>> {
        if self == Self::Bytes {
            return Some(Cow::Borrowed(stored));
        }
        let name = unescape(std::str::from_utf8(stored).ok()?);
        let sound = !name.is_empty() && !name.contains(&b'/') && !name.contains(&0);
        let ours = sound && name != b"." && name != b".." && self.write(&name) == stored;
        ours.then_some(Cow::Owned(name))
    }

    /// The stored form of a whole path; its segments stay joined by `/`.
    pub(crate) fn write_path(self, path: &[u8]) -> Vec<u8> {
        if self == Self::Bytes {
            return path.to_vec();
        }
        let segments: Vec<_> =
            path.split(|byte| *byte == b'/').map(|name| self.write(name)).collect();
        segments.join(&b'/')
    }
}

fn is_refused(c: char, place: Place) -> bool {
    let sign = matches!(c, '"' | '*' | ':' | '<' | '>' | '?' | '\\' | '|');
    sign || c.is_ascii_control() || (place.last && matches!(c, ' ' | '.'))
}

/// Whether Windows takes the name for a device, whatever its ending: `CON`, `aux.jpg`, `com1`.
fn is_device(name: &[u8]) -> bool {
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default().to_ascii_lowercase();
    match stem.as_slice() {
        b"con" | b"prn" | b"aux" | b"nul" => true,
        [b'c', b'o', b'm', digit] | [b'l', b'p', b't', digit] => digit.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NASTY: [&[u8]; 12] = [
        b"IMG_1.JPG",
        b"a:b?.jpg",
        b"trailing.",
        b"trailing ",
        b"line\nbreak",
        b"\xff\xfe.jpg",
        b"aux.jpg",
        b"COM1",
        b"%41ux.jpg",
        b"100%.jpg",
        "caf\u{e9}".as_bytes(),
        b".safelight",
    ];

    #[test]
    fn every_name_comes_back_and_none_collides() {
        for spelling in [Spelling::Bytes, Spelling::Utf8, Spelling::Windows, Spelling::Ascii] {
            let stored: Vec<_> = NASTY.iter().map(|name| spelling.write(name)).collect();
            for (name, stored) in NASTY.iter().zip(&stored) {
                assert_eq!(spelling.read(stored).unwrap(), *name);
            }
            let distinct: std::collections::HashSet<_> = stored.iter().collect();
            assert_eq!(distinct.len(), NASTY.len());
        }
    }

    #[test]
    fn windows_sees_nothing_it_refuses_and_ordinary_names_stay() {
        assert_eq!(Spelling::Windows.write(b"a:b.").as_ref(), b"a%3Ab%2E");
        assert_eq!(Spelling::Windows.write(b"aux.jpg").as_ref(), b"%61ux.jpg");
        assert_eq!(Spelling::Windows.write(b"IMG 1.jpg").as_ref(), b"IMG 1.jpg");
        assert_eq!(Spelling::Windows.write_path(b"a?/b").as_slice(), b"a%3F/b");
        assert_eq!(Spelling::Ascii.write("é?.jpg".as_bytes()).as_ref(), b"%C3%A9%3F.jpg");
    }

    #[test]
    fn a_stored_name_that_would_leave_its_folder_is_no_name() {
        for stored in [&b"..%2Fetc"[..], b"%2E%2E", b"a%00", b"\xff"] {
            assert_eq!(Spelling::Windows.read(stored), None, "{stored:?}");
        }
    }
}
