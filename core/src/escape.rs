//! Reversible escapes for names that a storage cannot hold as they are.
//!
//! A byte that must not appear becomes `%XX` (upper-case hex). A `%` that would read as such an escape is
//! escaped itself; every other `%` stays, so ordinary names stay readable.
//!
//! Invariant: `unescape(escape(name)) == name` for every name and every rule, and two names never share an
//! escaped form.

/// Writes `name` so that no character for which `refused` answers true, and no invalid UTF-8, is left.
/// `refused` gets the character and its place: first, last, or neither.
pub fn escape(name: &[u8], refused: impl Fn(char, Place) -> bool) -> String {
    let mut out = String::with_capacity(name.len());
    let mut done = 0;
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            let place = Place { first: done == 0, last: done + c.len_utf8() == name.len() };
            if (c == '%' && is_escape(&name[done..])) || refused(c, place) {
                let mut buffer = [0; 4];
                c.encode_utf8(&mut buffer).bytes().for_each(|byte| push_hex(&mut out, byte));
            } else {
                out.push(c);
            }
            done += c.len_utf8();
        }
        for byte in chunk.invalid() {
            push_hex(&mut out, *byte);
            done += 1;
        }
    }
    out
}

/// Where a character stands in its name.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// It is the first one.
    pub first: bool,
    /// It is the last one.
    pub last: bool,
}

/// The name that [`escape`] was given.
pub fn unescape(stored: &str) -> Vec<u8> {
    let bytes = stored.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if is_escape(&bytes[at..]) {
            out.push(hex_value(bytes[at + 1]) << 4 | hex_value(bytes[at + 2]));
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

fn is_escape(bytes: &[u8]) -> bool {
    let hex = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    bytes.len() > 2 && bytes[0] == b'%' && hex(&bytes[1]) && hex(&bytes[2])
}

fn hex_value(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'A' + 10 }
}

fn push_hex(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge_blanks(c: char, place: Place) -> bool {
        c.is_control() || (c.is_whitespace() && (place.first || place.last))
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["IMG 1.jpg", "100% sure.jpg", "été.heic", "50%zz"] {
            assert_eq!(escape(name.as_bytes(), edge_blanks), name);
        }
    }

    #[test]
    fn every_name_comes_back_and_none_collides() {
        let names: [&[u8]; 9] = [
            b" a",
            b"a ",
            b"a\n",
            b"%20a",
            b"%2520a",
            b"\xff\xfe",
            b"%",
            b"a%2",
            "\u{3000}x".as_bytes(),
        ];
        let stored: Vec<_> = names.iter().map(|name| escape(name, edge_blanks)).collect();
        for (name, stored) in names.iter().zip(&stored) {
            assert_eq!(unescape(stored), *name, "{stored}");
            assert_eq!(stored.trim(), stored);
        }
        let distinct: std::collections::HashSet<_> = stored.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }
}
