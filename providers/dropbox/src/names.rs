//! Keys as Dropbox paths, and back.
//!
//! Dropbox tells neither case nor composed and decomposed letters apart, so paths are sent composed (NFC), and are
//! the same if they [fold] the same. What it refuses or ignores is escaped reversibly. Letters above U+FFFF it
//! takes at some times and refuses at others: they go as they are first, and escaped once they were refused.
//!
//! Invariant: a name that was decoded is encoded to the same path again, in one of its two forms.

use std::sync::atomic::{AtomicBool, Ordering};

use safelight_core::error::{Error, Kind, Result};
use safelight_core::escape::{Place, escape, unescape};
use safelight_core::key::{Key, printable};
use unicode_normalization::UnicodeNormalization as _;

/// Longest segment, in UTF-16 units.
pub(crate) const LONGEST: usize = 255;

/// Names that Dropbox never keeps, folded.
const IGNORED: &[&str] =
    &["desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr"];

/// What two paths have in common if they are one file there: composed, and each letter lowered on its own as
/// Unicode 4.1 does.
pub(crate) fn fold(path: &str) -> String {
    dbxcase::dbx_str_lowercase(&path.nfc().collect::<String>())
}

/// The paths below one root.
#[derive(Debug)]
pub(crate) struct Names {
    root: String,
    folded_root: String,
    /// Letters above U+FFFF were refused before.
    plane_refused: AtomicBool,
}

/// Where an item goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The path to use.
    pub(crate) path: String,
    /// The path to use instead if that one is refused or nothing is there.
    pub(crate) spare: Option<String>,
}

impl Spot {
    /// Both paths, the usual one first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = String> {
        [Some(self.path.clone()), self.spare.clone()].into_iter().flatten()
    }
}

impl Names {
    /// `root` may be written with or without slashes at its ends; empty is the top of what the app may see.
    ///
    /// # Errors
    /// [`Kind::Name`] if Dropbox cannot hold such a folder.
    pub(crate) fn new(root: &str, plane_refused: bool) -> Result<Self> {
        let root = root.trim_matches('/');
        let mut path = String::new();
        for segment in root.split('/').filter(|_| !root.is_empty()) {
            let written = encode(segment.as_bytes(), false);
            if segment.is_empty() || matches!(segment, "." | "..") || !same(&written, segment) {
                let context = format!("no folder of Dropbox: {}", printable(root.as_bytes()));
                return Err(Error::new(Kind::Name, context));
            }
            path.push('/');
            path.push_str(&written);
        }
        let folded_root = fold(&path);
        Ok(Self { root: path, folded_root, plane_refused: plane_refused.into() })
    }

    /// The root as Dropbox wants it: empty, or with a slash in front.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The root as it stands in `path_lower`.
    pub(crate) fn folded_root(&self) -> &str {
        &self.folded_root
    }

    /// From now on letters above U+FFFF are escaped at once.
    pub(crate) fn plane_is_refused(&self) {
        self.plane_refused.store(true, Ordering::Relaxed);
    }

    /// Where `key` stands.
    ///
    /// # Errors
    /// [`Kind::Name`] if a segment is too long.
    pub(crate) fn spot(&self, key: &Key) -> Result<Spot> {
        let plain = self.path(key, false);
        let escaped = self.path(key, true);
        if plain.as_ref().ok() == escaped.as_ref().ok() {
            return Ok(Spot { path: plain?, spare: None });
        }
        let (first, second) = if self.plane_refused.load(Ordering::Relaxed) {
            (escaped, plain)
        } else {
            (plain, escaped)
        };
        match (first, second) {
            (Ok(path), spare) => Ok(Spot { path, spare: spare.ok() }),
            (Err(_), Ok(path)) => Ok(Spot { path, spare: None }),
            (Err(error), Err(_)) => Err(error),
        }
    }

    fn path(&self, key: &Key, planes: bool) -> Result<String> {
        let mut path = self.root.clone();
        for segment in key.segments() {
            let written = encode(segment, planes);
            if written.encode_utf16().count() > LONGEST {
                return Err(Error::new(Kind::Name, format!("{key}: the name is too long there")));
            }
            path.push('/');
            path.push_str(&written);
        }
        Ok(path)
    }
}

/// The key of a path below the root as it is shown, or why it is not one of ours.
pub(crate) fn decode(shown: &str) -> Found {
    let mut bytes = Vec::with_capacity(shown.len());
    let mut ours = true;
    for (index, segment) in shown.split('/').enumerate() {
        if index > 0 {
            bytes.push(b'/');
        }
        let name = unescape(segment);
        ours &= [false, true].iter().any(|planes| same(&encode(&name, *planes), segment));
        // A slash in a name would be read as a folder.
        ours &= !name.contains(&b'/');
        bytes.extend_from_slice(&name);
    }
    match Key::new(&bytes) {
        Ok(key) if ours => Found::Key(key),
        _ => match Key::new(shown) {
            Ok(key) => Found::Foreign(key),
            Err(_) => Found::Nonsense,
        },
    }
}

/// What a path of a listing means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An item of this key.
    Key(Key),
    /// Something that was not written by us: its name is another's escape.
    Foreign(Key),
    /// No path at all.
    Nonsense,
}

fn same(a: &str, b: &str) -> bool {
    a.nfc().eq(b.nfc())
}

fn encode(name: &[u8], planes: bool) -> String {
    let text = String::from_utf8_lossy(name);
    let ignored = IGNORED.contains(&fold(&text).as_str());
    let refused = |c: char, place: Place| {
        c == '\\'
            || c.is_control()
            || (place.last && c.is_whitespace())
            || (place.first && ignored)
            || (planes && c > '\u{ffff}')
    };
    escape(name, refused).nfc().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(root: &str) -> Names {
        Names::new(root, false).unwrap()
    }

    fn path(key: &[u8]) -> String {
        names("").spot(&Key::new(key).unwrap()).unwrap().path
    }

    #[test]
    fn ordinary_names_stay_and_what_is_refused_is_escaped() {
        for (key, expected) in [
            (&b"2024/IMG 1.JPG"[..], "/2024/IMG 1.JPG"),
            (b"cafe\xcc\x81.jpg", "/caf\u{e9}.jpg"),
            (b"back\\slash.jpg", "/back%5Cslash.jpg"),
            (b"end ", "/end%20"),
            (b"Thumbs.db", "/%54humbs.db"),
            (b"Icon\r", "/%49con%0D"),
            (b"\xff.jpg", "/%FF.jpg"),
            (b"%41.jpg", "/%2541.jpg"),
            (b"100%.jpg", "/100%.jpg"),
        ] {
            assert_eq!(path(key), expected);
            let Found::Key(back) = decode(&expected[1..]) else { panic!("{expected}") };
            assert_eq!(path(back.as_bytes()), expected);
        }
    }

    #[test]
    fn letters_of_the_upper_planes_have_two_forms() {
        let names = names("/Photos/");
        let key = Key::new("📷.jpg").unwrap();
        let (plain, escaped) = ("/Photos/📷.jpg".to_owned(), "/Photos/%F0%9F%93%B7.jpg".to_owned());
        let spot = Spot { path: plain.clone(), spare: Some(escaped.clone()) };
        assert_eq!(names.spot(&key).unwrap(), spot);
        names.plane_is_refused();
        let spot = Spot { path: escaped, spare: Some(plain) };
        assert_eq!(names.spot(&key).unwrap(), spot);
        assert_eq!(decode("📷.jpg"), Found::Key(key.clone()));
        assert_eq!(decode("%F0%9F%93%B7.jpg"), Found::Key(key));
    }

    #[test]
    fn what_somebody_else_wrote_in_the_form_of_an_escape_is_foreign() {
        assert_eq!(decode("%41.jpg"), Found::Foreign(Key::new("%41.jpg").unwrap()));
        assert_eq!(decode("a%2Fb.jpg"), Found::Foreign(Key::new("a%2Fb.jpg").unwrap()));
        assert_eq!(decode("a//b"), Found::Nonsense);
    }

    #[test]
    fn roots_are_normalised_or_refused() {
        assert_eq!(names("").root(), "");
        assert_eq!(names("/").root(), "");
        assert_eq!(names("Bilder/Übrig/").folded_root(), "/bilder/übrig");
        for wrong in ["a//b", "../a", "a/.", "a\\b", "a "] {
            assert!(Names::new(wrong, false).is_err(), "{wrong}");
        }
    }

    #[test]
    fn folding_is_that_of_dropbox() {
        assert_eq!(fold("/A/E\u{301}TE\u{301}.JPG"), "/a/été.jpg");
        // One letter for one letter, whatever stands around it.
        assert_eq!(fold("\u{130}ΑΣ"), "iασ");
    }

    #[test]
    fn too_long_is_told_before_anything_is_sent() {
        let long = Key::new("x".repeat(256)).unwrap();
        assert_eq!(names("").spot(&long).unwrap_err().kind(), Kind::Name);
        assert!(names("").spot(&Key::new("x".repeat(255)).unwrap()).is_ok());
        // 200 letters that count twice are too many as they are, and more so when escaped.
        assert!(names("").spot(&Key::new("📷".repeat(200)).unwrap()).is_err());
        // 100 fit, but not escaped.
        let spot = names("").spot(&Key::new("📷".repeat(100)).unwrap()).unwrap();
        assert_eq!(spot.spare, None);
    }
}
