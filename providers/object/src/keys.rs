//! Keys as the service holds them: below the root, and escaped where OpenDAL or the service would change a
//! name.
//!
//! Invariant: `decode(encode(key)) == key` for every key that can be encoded, and two keys never share a path.
//! The root is put in front here, not by OpenDAL, which takes a listing's word for it that every path starts
//! with the root.

use safelight_core::error::{Error, Kind, Result};
use safelight_core::escape::{Place, escape, unescape};
use safelight_core::key::{Key, RESERVED};

/// No service has longer keys; a longer one in a listing is an attack or a fault.
const ABSURD: usize = 4096;

#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Empty, or `some/folder/`.
    root: String,
    limit: Option<usize>,
}

/// What a path in a listing stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// One of our keys.
    Key(Key),
    /// A folder, or the empty object that stands for one.
    Folder,
    /// Something that we would have named differently. The key is only for people.
    Foreign(Key),
}

impl Names {
    /// Names below `root`, at most `limit` bytes long with it.
    ///
    /// # Errors
    /// [`Kind::Name`] if the root itself cannot be held.
    pub(crate) fn new(root: &str, limit: Option<usize>) -> Result<Self> {
        let bad = || Error::new(Kind::Name, format!("the root {root:?} is no plain folder"));
        let plain: Vec<_> = root.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut folder = String::new();
        for segment in plain {
            let key = Key::new(segment).map_err(|_| bad())?;
            if escaped(&key) != segment {
                return Err(bad());
            }
            folder.push_str(segment);
            folder.push('/');
        }
        if limit.is_some_and(|limit| folder.len() + 64 > limit) {
            return Err(bad());
        }
        Ok(Self { root: folder, limit })
    }

    /// The folder that everything stands in, as OpenDAL wants it.
    pub(crate) fn root(&self) -> &str {
        if self.root.is_empty() { "/" } else { &self.root }
    }

    /// The same, as services have it that know no folders.
    pub(crate) fn prefix(&self) -> &str {
        &self.root
    }

    /// Longest key in bytes, before escaping.
    pub(crate) fn max_key_bytes(&self) -> Option<usize> {
        self.limit.map(|limit| limit - self.root.len())
    }

    /// The path of `key`.
    ///
    /// # Errors
    /// [`Kind::Name`] if it would be too long.
    pub(crate) fn encode(&self, key: &Key) -> Result<String> {
        let path = format!("{}{}", self.root, escaped(key));
        if self.limit.is_some_and(|limit| path.len() > limit) {
            return Err(Error::new(Kind::Name, format!("the name is too long there: {key}")));
        }
        Ok(path)
    }

    /// What `path` stands for.
    ///
    /// # Errors
    /// [`Kind::Protocol`] if it is absurdly long or not below the root: such a listing is not to be trusted.
    pub(crate) fn decode(&self, path: &str) -> Result<Found> {
        if path.len() > ABSURD {
            return Err(Error::new(Kind::Protocol, "the listing holds a name of absurd length"));
        }
        if path.ends_with('/') {
            return Ok(Found::Folder);
        }
        let rest = self.below(path)?;
        Ok(match Key::new(unescape(rest)) {
            Ok(key) if escaped(&key) == rest => Found::Key(key),
            _ => readable(rest).map_or(Found::Folder, Found::Foreign),
        })
    }

    /// What `path` is called below the root, if no key of ours leads to it and it does not stand in our own folder.
    ///
    /// # Errors
    /// As [`Names::decode`].
    pub(crate) fn foreign(&self, path: &str) -> Result<Option<String>> {
        let found = self.decode(path)?;
        let rest = self.below(path)?;
        let own = rest.strip_prefix(RESERVED).is_some_and(|below| below.starts_with('/'));
        let reached = match found {
            // What is only spelled like our own folder is not left out like it.
            Found::Key(key) => !key.is_reserved() && self.encode(&key).is_ok(),
            Found::Folder | Found::Foreign(_) => false,
        };
        Ok((!own && !reached).then(|| rest.to_owned()))
    }

    fn below<'p>(&self, path: &'p str) -> Result<&'p str> {
        let outside = || Error::new(Kind::Protocol, "the listing holds a name outside the root");
        path.strip_prefix(&self.root).ok_or_else(outside)
    }
}

fn escaped(key: &Key) -> String {
    let segments: Vec<_> = key.segments().map(|segment| escape(segment, refused)).collect();
    segments.join("/")
}

/// OpenDAL trims blanks, XML cannot hold control characters and the two non-characters, and `\` is a
/// separator for some servers.
fn refused(c: char, place: Place) -> bool {
    let edge = place.first || place.last;
    c.is_control() || (c.is_whitespace() && edge) || matches!(c, '\\' | '\u{fffe}' | '\u{ffff}')
}

/// A key that looks like `path`, for reports.
fn readable(path: &str) -> Option<Key> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let harmless = segments.map(|segment| match segment {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        other => other.replace('\0', "%00"),
    });
    Key::new(harmless.collect::<Vec<_>>().join("/")).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_key_comes_back_and_survives_trimming() {
        let names = Names::new("/photos//2024/", Some(1024)).unwrap();
        let cases: [&[u8]; 12] = [
            b"a.jpg",
            b" a.jpg",
            b"a.jpg ",
            b"x/ y /z",
            b"a\nb",
            b"a\\b",
            b"100%",
            b"%20a",
            b"\xff.jpg",
            "\u{3000}a/\u{a0}".as_bytes(),
            "é+&?#.jpg".as_bytes(),
            b".safelight/marker.json",
        ];
        for name in cases {
            let key = Key::new(name).unwrap();
            let path = names.encode(&key).unwrap();
            assert!(path.split('/').all(|segment| segment.trim() == segment), "{path:?}");
            assert_eq!(names.decode(&path).unwrap(), Found::Key(key));
        }
    }

    #[test]
    fn foreign_names_are_told_from_ours() {
        let names = Names::new("r", None).unwrap();
        let foreign = |text: &str| Found::Foreign(Key::new(text).unwrap());
        assert_eq!(names.decode("r/folder/").unwrap(), Found::Folder);
        assert_eq!(names.decode("r/a//b").unwrap(), foreign("a/b"));
        assert_eq!(names.decode("r/../b").unwrap(), foreign("%2E%2E/b"));
        assert_eq!(names.decode("r/50%25").unwrap(), foreign("50%25"));
        assert_eq!(names.decode("r/ a").unwrap(), foreign(" a"));
        for absurd in ["elsewhere/a", &format!("r/{}", "x".repeat(5000))] {
            assert_eq!(names.decode(absurd).unwrap_err().kind(), Kind::Protocol);
        }
    }

    #[test]
    fn what_no_key_leads_to_is_told_from_what_is_ours() {
        let names = Names::new("r", Some(70)).unwrap();
        let long = format!("r/{}", "x".repeat(69));
        for foreign in [
            "r/",
            "r/a//b",
            "r//a",
            "r/a/",
            "r/../b",
            "r/50%25",
            "r/ a",
            "r/.Safelight/a",
            "r/.safelight",
            &long,
        ] {
            assert_eq!(names.foreign(foreign).unwrap().as_deref(), Some(&foreign[2..]));
        }
        for ours in ["r/a", "r/%20a", "r/.safelight/marker", "r/.safelight/%41", "r/.safelight/"] {
            assert_eq!(names.foreign(ours).unwrap(), None, "{ours}");
        }
        for absurd in ["elsewhere/a", &format!("r/{}", "x".repeat(5000))] {
            assert_eq!(names.foreign(absurd).unwrap_err().kind(), Kind::Protocol);
        }
    }

    #[test]
    fn too_long_is_told_before_anything_is_sent() {
        let names = Names::new("photos", Some(1024)).unwrap();
        assert_eq!(names.max_key_bytes(), Some(1017));
        assert!(names.encode(&Key::new("x".repeat(1017)).unwrap()).is_ok());
        let long = names.encode(&Key::new("x".repeat(1018)).unwrap());
        assert_eq!(long.unwrap_err().kind(), Kind::Name);
        // Short enough as it is, too long once escaped.
        let escaped = names.encode(&Key::new("\n".repeat(400)).unwrap());
        assert_eq!(escaped.unwrap_err().kind(), Kind::Name);
        assert!(Names::new("a/../b", None).is_err() && Names::new(" a", None).is_err());
    }
}
