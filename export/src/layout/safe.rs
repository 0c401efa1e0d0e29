//! Names that every file system of a household takes, made of names that somebody else chose.
//!
//! Invariant: what comes out is one segment: it is not empty, leads nowhere, drives no terminal, and means the same on
//! Linux, Windows, macOS, a stick and a cloud. It depends on nothing but what went in.

use safelight_core::capability::{Length, NameRules};
use safelight_core::key::Key;
use safelight_core::names;
use unicode_normalization::UnicodeNormalization as _;

/// The strictest of all places: what is one name anywhere is one name here. Segments leave room for what is appended
/// to names later.
pub const RULES: NameRules = NameRules {
    case_blind: true,
    normalises: true,
    max_segment: Some(Length::Bytes(200)),
    max_key_bytes: Some(900),
};

const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// One segment that is safe everywhere.
pub fn segment(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        out.extend(chunk.valid().nfc().map(|c| if is_refused(c) { '_' } else { c }));
        out.extend(chunk.invalid().iter().map(|_| '_'));
    }
    // Providers read such a thing as an escape of their own and would write the name in another way.
    while let Some(at) = find_escape(&out) {
        out.replace_range(at..=at, "_");
    }
    if is_dots(&out) {
        return "_".repeat(out.chars().count().min(8));
    }
    let edge = |c: char| c.is_whitespace() || c == '.';
    let end = out.trim_end_matches(edge).len();
    let tail = out[end..].chars().count();
    out.truncate(end);
    out.extend(std::iter::repeat_n('_', tail));
    let inner = out.trim_start();
    let blanks = out[..out.len() - inner.len()].chars().count();
    let mut out = format!("{}{inner}", "_".repeat(blanks));
    if is_device(&out) {
        let stem = out.find('.').unwrap_or(out.len());
        out.insert(stem, '_');
    }
    if out.is_empty() { "_".to_owned() } else { out }
}

/// A key of safe segments, cut to lengths that are taken everywhere. A path that is too long as a whole becomes a short
/// one of its own.
pub fn key(segments: &[String]) -> Option<Key> {
    let whole = Key::new(segments.join("/")).ok()?;
    if let Some(fitted) = names::fit(&whole, RULES) {
        return Some(fitted);
    }
    let digest = super::tag_of(whole.as_bytes());
    let (first, name) = (segments.first()?, segments.last()?);
    names::fit(&Key::new(format!("{first}/deep/{digest}/{name}")).ok()?, RULES)
}

/// What is one name at the strictest place.
pub fn fold(key: &Key) -> Vec<u8> {
    names::fold(key, RULES).unwrap_or_else(|| key.as_bytes().to_vec())
}

fn is_refused(c: char) -> bool {
    let hidden = matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let reserved = matches!(c, '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*');
    c.is_control() || hidden || reserved
}

fn find_escape(name: &str) -> Option<usize> {
    name.as_bytes()
        .windows(3)
        .position(|three| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit))
}

/// Whether somebody down the line might read it as the folder itself or the one above.
fn is_dots(name: &str) -> bool {
    let plain =
        name.to_ascii_lowercase().replace("_2e", ".").replace(['\u{ff0e}', '\u{2024}'], ".");
    !plain.is_empty() && plain.chars().all(|c| c == '.')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let port = ["com", "lpt"].iter().any(|port| {
        let rest = stem.strip_prefix(port);
        rest.is_some_and(|rest| {
            let mut rest = rest.chars();
            let digit = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
            rest.next().is_some_and(digit) && rest.next().is_none()
        })
    });
    port || DEVICES.contains(&stem.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_somewhere_lead_nowhere() {
        let cases: [(&[u8], &str); 21] = [
            (b"..", "__"),
            (b".", "_"),
            (b"%2e%2E", "______"),
            (b"100%.jpg", "100%.jpg"),
            (b"a%20b.jpg", "a_20b.jpg"),
            ("\u{ff0e}\u{ff0e}".as_bytes(), "__"),
            (b"C:\\Windows", "C__Windows"),
            (b"\\\\host\\share", "__host_share"),
            (b"a/b", "a_b"),
            (b"a\0b\x1b[31m", "a_b_[31m"),
            ("\u{202e}gpj.exe".as_bytes(), "_gpj.exe"),
            (b"CON", "CON_"),
            (b"aux.jpg", "aux_.jpg"),
            (b"com1.tar.gz", "com1_.tar.gz"),
            (b"company.jpg", "company.jpg"),
            (b"name. ", "name__"),
            (b" name", "_name"),
            (b"\xff.jpg", "_.jpg"),
            (b"", "_"),
            ("e\u{301}.jpg".as_bytes(), "\u{e9}.jpg"),
            (b"IMG (1).jpg", "IMG (1).jpg"),
        ];
        for (name, safe) in cases {
            assert_eq!(segment(name), safe, "{}", name.escape_ascii());
            assert_eq!(segment(safe.as_bytes()), safe);
        }
    }

    #[test]
    fn a_path_without_end_becomes_a_short_one() {
        let deep: Vec<String> = (0..400).map(|at| format!("folder-{at}")).collect();
        let key = key(&deep).unwrap();
        assert!(
            key.as_bytes().len() < 300 && key.to_string().starts_with("folder-0/deep/"),
            "{key}"
        );
    }
}
