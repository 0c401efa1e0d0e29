//! Where an item stands below the root of a library or a destination.
//!
//! Invariant: a [`Key`] is never empty, never absolute, has no empty, `.` or `..` segment and no NUL.
//! Names are bytes, because file names are: a key may hold bytes that are not UTF-8. Keys order by their
//! bytes, which is the order in which listings arrive and in which the catalog keeps items.

use std::fmt;
use std::sync::Arc;

/// The one folder below a destination's root that belongs to Safelight: marker, trash, kept versions and
/// unfinished files stand in it. No item of a library is ever stored below it under its own name.
pub const RESERVED: &str = ".safelight";

/// A relative path: segments joined by `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<[u8]>);

/// Why some bytes are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a relative path of plain names")]
pub struct BadKey;

impl Key {
    /// Checks `path` and makes a key of it.
    pub fn new(path: impl AsRef<[u8]>) -> Result<Self, BadKey> {
        let path = path.as_ref();
        let plain = |segment: &[u8]| {
            !segment.is_empty() && segment != b"." && segment != b".." && !segment.contains(&0)
        };
        if path.split(|byte| *byte == b'/').all(plain) {
            Ok(Self(path.into()))
        } else {
            Err(BadKey)
        }
    }

    /// The whole path as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The whole path as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The names from the root down.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/')
    }

    /// The last segment.
    pub fn name(&self) -> &[u8] {
        self.segments().next_back().unwrap_or_default()
    }

    /// The folder this key stands in; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let cut = self.0.iter().rposition(|byte| *byte == b'/')?;
        Some(Self(self.0[..cut].into()))
    }

    /// A key below this one.
    pub fn join(&self, tail: impl AsRef<[u8]>) -> Result<Self, BadKey> {
        let mut path = self.0.to_vec();
        path.push(b'/');
        path.extend_from_slice(tail.as_ref());
        Self::new(path)
    }

    /// Whether this key is `folder` or stands somewhere below it.
    pub fn is_within(&self, folder: &Self) -> bool {
        self.0
            .strip_prefix(folder.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// Whether the first segment is the folder that belongs to Safelight.
    pub fn is_reserved(&self) -> bool {
        self.segments().next().is_some_and(|first| first.eq_ignore_ascii_case(RESERVED.as_bytes()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// For people: control characters, direction overrides and bytes that are not UTF-8 are escaped, so that a
/// name can neither drive a terminal nor forge a log line.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

/// Escapes what a terminal or a log must not receive: C0 and C1 controls, DEL, bidirectional overrides, line
/// separators and invalid bytes. Everything else stays as it is.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let hidden = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if c.is_control() || hidden || c == '\u{feff}' {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            out.push_str("\\x");
            out.push_str(&hex::encode([*byte]));
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_leave_the_root() {
        for bad in ["", "/a", "a//b", "a/", ".", "..", "a/../b", "a/./b", "a\0b"] {
            assert!(Key::new(bad).is_err(), "{bad:?}");
        }
        assert!(Key::new(b"2024/\xff.jpg").is_ok());
    }

    #[test]
    fn orders_by_bytes_and_knows_its_place() {
        let key = Key::new("2024/07/a.jpg").unwrap();
        assert_eq!(key.name(), b"a.jpg");
        assert_eq!(key.parent().unwrap().to_string(), "2024/07");
        assert!(key.is_within(&Key::new("2024").unwrap()));
        assert!(!key.is_within(&Key::new("202").unwrap()));
        assert!(Key::new("a-b").unwrap() < Key::new("a/b").unwrap());
        assert!(Key::new(".Safelight/marker").unwrap().is_reserved());
    }

    #[test]
    fn shows_hostile_names_harmlessly() {
        let shown = Key::new(b"\x1b[31m\xe2\x80\xaegpj\n\xff.jpg").unwrap().to_string();
        assert_eq!(shown, "\\u{1b}[31m\\u{202e}gpj\\u{a}\\xff.jpg");
    }
}
