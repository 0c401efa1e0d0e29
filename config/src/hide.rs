//! Keeps secrets out of everything that is shown.

use std::ops::Range;

use crate::words::sounds_secret;

/// The text with these ranges replaced by dots, byte for byte, so that every position stays right. Quotes
/// around a range and line ends inside it stay.
pub(crate) fn hide(text: &str, ranges: &[Range<usize>]) -> String {
    let mut shown = text.as_bytes().to_vec();
    for range in ranges {
        let Some(bytes) = shown.get_mut(range.clone()) else { continue };
        let quote = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'"' | b'\''));
        let first = usize::from(quote(bytes.first()));
        let last = bytes.len().saturating_sub(usize::from(quote(bytes.last())));
        for byte in bytes.iter_mut().take(last).skip(first) {
            if *byte != b'\n' {
                *byte = b'.';
            }
        }
    }
    // Ranges of a parser begin and end between characters; should one not, nothing at all is shown.
    String::from_utf8(shown).unwrap_or_else(|_| ".".repeat(text.len()))
}

/// What looks like a secret in a text that could not be parsed: whatever follows the equals sign of a name
/// that sounds secret, to the end of the line, or of the text block that begins there.
pub(crate) fn suspects(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        for (equals, _) in line.match_indices('=') {
            let name = line[..equals].trim_end().trim_end_matches(['"', '\'']);
            let name = name.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next();
            if name.is_some_and(sounds_secret) {
                let start = line_start + equals + 1;
                found.push(start..end_of_value(text, start, line_start + line.trim_end().len()));
                break;
            }
        }
        line_start += line.len();
    }
    found
}

fn end_of_value(text: &str, start: usize, line_end: usize) -> usize {
    let value = text[start..].trim_start();
    let opening = text.len() - value.len();
    for quotes in ["\"\"\"", "'''"] {
        if let Some(inside) = value.strip_prefix(quotes) {
            let end = inside.find(quotes).map_or(text.len(), |at| opening + quotes.len() + at);
            return end.max(line_end);
        }
    }
    if value.starts_with('[') {
        return value.find(']').map_or(text.len(), |at| opening + at).max(line_end);
    }
    line_end.max(start)
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    #[test]
    fn dots_take_the_place_of_a_secret_byte_for_byte() {
        assert_eq!(hide("a = \"hüt\"\nb", &[4..10]), "a = \"....\"\nb");
        assert_eq!(hide("x\ny", &[0..3]), ".\n.");
        assert_eq!(hide("short", &[2..99]), "short");
    }

    #[test]
    fn secrets_of_a_broken_file_are_suspected_by_their_names() {
        let text = "[a\nmy-token = abc\nx = { password = 'p', y = 1\nkey = \"\"\"\nfirst\nsecond\"\"\"\nz = 1\n";
        let shown = hide(text, &suspects(text));
        for secret in ["abc", "'p'", "first", "second"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("z = 1"));
        assert_eq!(shown.len(), text.len());
    }
}
