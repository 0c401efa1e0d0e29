//! Keys as folders and names, and back.
//!
//! The service keeps names as they are given but tells no case apart, so one name is two if they [fold] the same.
//! What it may refuse or trim is escaped reversibly.
//!
//! Invariant: a name that was decoded is encoded to the same name again.

use safelight_core::error::{Error, Kind, Result};
use safelight_core::escape::{Place, escape, unescape};
use safelight_core::key::{Key, printable};
use safelight_core::literal::{segment, tag};
use unicode_normalization::UnicodeNormalization as _;

/// Longest name in bytes; a limit is not published.
pub(crate) const LONGEST: usize = 255;

/// What two names have in common if they are one there. That composed and decomposed letters are one is not known;
/// what is taken for one is never stored over one another.
pub(crate) fn fold(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase()
}

/// Where an item goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The names of the folders from the account's root down.
    pub(crate) folder: Vec<String>,
    /// Its own name.
    pub(crate) name: String,
}

/// The names below one folder of the account.
#[derive(Debug)]
pub(crate) struct Names {
    root: Vec<String>,
}

impl Names {
    /// `root` may be written with or without slashes at its ends; empty is the root of the account.
    ///
    /// # Errors
    /// [`Kind::Name`] if there can be no such folder.
    pub(crate) fn new(root: &str) -> Result<Self> {
        let trimmed = root.trim_matches('/');
        let mut names = Vec::new();
        for segment in trimmed.split('/').filter(|_| !trimmed.is_empty()) {
            let plain = encode(segment.as_bytes()) == segment && segment.len() <= LONGEST;
            if segment.is_empty() || matches!(segment, "." | "..") || !plain {
                let context = format!("no folder of Amazon Photos: {}", printable(root.as_bytes()));
                return Err(Error::new(Kind::Name, context));
            }
            names.push(segment.to_owned());
        }
        Ok(Self { root: names })
    }

    /// The names of the root, from the account's down.
    pub(crate) fn root(&self) -> &[String] {
        &self.root
    }

    /// Where `key` stands.
    ///
    /// # Errors
    /// [`Kind::Name`] if a segment is too long.
    pub(crate) fn spot(&self, key: &Key) -> Result<Spot> {
        let mut folder = self.folder(key)?;
        let name = folder.pop().unwrap_or_default();
        Ok(Spot { folder, name })
    }

    /// The names that lead to `key`, as if it were a folder.
    ///
    /// # Errors
    /// As [`Names::spot`].
    pub(crate) fn folder(&self, key: &Key) -> Result<Vec<String>> {
        let mut names = self.root.clone();
        for segment in key.segments() {
            let written = encode(segment);
            if written.len() > LONGEST {
                return Err(Error::new(Kind::Name, format!("{key}: the name is too long there")));
            }
            names.push(written);
        }
        Ok(names)
    }
}

/// A second name in the same folder that follows from `seed`, for what cannot have its own at once.
pub(crate) fn aside(name: &str, seed: &str) -> String {
    let tag = tag(seed);
    let (stem, ending) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 10 => name.split_at(dot),
        _ => (name, ""),
    };
    let mut stem = stem.to_owned();
    while stem.len() + tag.len() + ending.len() > LONGEST && stem.pop().is_some() {}
    format!("{stem}{tag}{ending}")
}

/// What a name of a listing means below `folder`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An item of this key.
    Key(Key),
    /// Something that was not written by us: its name is another's escape.
    Foreign(Key),
    /// No name at all.
    Nonsense,
}

pub(crate) fn decode(folder: Option<&Key>, shown: &str) -> Found {
    let at = |name: &[u8]| match folder {
        Some(folder) => folder.join(name).ok(),
        None => Key::new(name).ok(),
    };
    // A slash would be read as a folder.
    let single = |name: &[u8]| !name.is_empty() && !name.contains(&b'/');
    let name = unescape(shown);
    if encode(&name) == shown
        && single(&name)
        && let Some(key) = at(&name)
    {
        return Found::Key(key);
    }
    match at(shown.as_bytes()).filter(|_| single(shown.as_bytes())) {
        Some(key) => Found::Foreign(key),
        None => Found::Nonsense,
    }
}

/// A name that a key can have and that shows what stands there, for what no key leads to.
pub(crate) fn literal(folder: Option<&Key>, shown: &str) -> Option<Key> {
    let name = segment(shown);
    match folder {
        Some(folder) => folder.join(name).ok(),
        None => Key::new(name).ok(),
    }
}

fn encode(name: &[u8]) -> String {
    let dots = name.iter().all(|byte| *byte == b'.');
    escape(name, |c: char, place: Place| {
        c == '\\'
            || c.is_control()
            || ((place.first || place.last) && c.is_whitespace())
            || (place.last && c == '.')
            || dots
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_and_what_may_be_refused_is_escaped() {
        let names = Names::new("/Pictures/Safelight/").unwrap();
        for (key, expected) in [
            (&b"IMG 1.JPG"[..], "IMG 1.JPG"),
            (b"back\\slash.jpg", "back%5Cslash.jpg"),
            (b" a ", "%20a%20"),
            (b"a...", "a..%2E"),
            (b"\xff.jpg", "%FF.jpg"),
            (b"%41.jpg", "%2541.jpg"),
            (b"a\nb", "a%0Ab"),
        ] {
            let key = Key::new(key).unwrap();
            let spot = names.spot(&key).unwrap();
            assert_eq!(spot.folder, ["Pictures", "Safelight"]);
            assert_eq!(spot.name, expected);
            assert_eq!(decode(None, expected), Found::Key(key));
        }
    }

    #[test]
    fn what_somebody_else_wrote_is_foreign_or_nonsense() {
        let foreign = |name: &str| Found::Foreign(Key::new(format!("x/{name}")).unwrap());
        let x = Key::new("x").unwrap();
        for name in ["%41.jpg", " a", "a%2Fb", "end."] {
            assert_eq!(decode(Some(&x), name), foreign(name));
        }
        for name in ["", "..", "a/b", "../../etc", "a\0"] {
            assert_eq!(decode(Some(&x), name), Found::Nonsense, "{name:?}");
        }
    }

    #[test]
    fn whatever_a_thing_is_called_some_key_shows_it() {
        let x = Key::new("x").unwrap();
        for (name, expected) in [
            ("%41.jpg", "x/%41.jpg"),
            ("end.", "x/end."),
            ("", "x/_"),
            ("..", "x/__"),
            ("../../etc", "x/.._.._etc"),
            ("a\0", "x/a_"),
        ] {
            assert_eq!(literal(Some(&x), name), Some(Key::new(expected).unwrap()));
        }
    }

    #[test]
    fn roots_are_normalised_or_refused_and_long_names_told() {
        assert!(Names::new("").unwrap().root().is_empty());
        for wrong in ["a//b", "../a", "a/.", "a\\b", "a /b"] {
            assert!(Names::new(wrong).is_err(), "{wrong}");
        }
        let names = Names::new("").unwrap();
        let long = Key::new("é".repeat(128)).unwrap();
        assert_eq!(names.spot(&long).unwrap_err().kind(), Kind::Name);
    }

    #[test]
    fn a_second_name_fits_and_keeps_the_ending() {
        assert_eq!(aside("a.jpg", ""), "a (e3b0c442).jpg");
        assert_ne!(aside("a.jpg", "1"), aside("a.jpg", "2"));
        let long = aside(&format!("{}.jpg", "é".repeat(125)), "");
        assert!(long.len() <= LONGEST && long.ends_with(" (e3b0c442).jpg"));
        assert_eq!(fold("É.JPG"), fold("e\u{301}.jpg"));
    }
}
