//! Names: when two are one, what a second one is called, and how a name stands on disk.

use safelight_core::escape::escape;

/// The longest name, in bytes as it stands on disk; it has to fit into a folder on this machine.
const LONGEST: usize = 255;

/// Two names with the same fold are one name.
pub(super) fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// Whether the service takes it.
pub(super) fn is_good(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains(char::is_control) && on_disk(name).len() <= LONGEST
}

/// The part behind the last dot.
pub(super) fn extension(name: &str) -> &str {
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, end)| end)
}

/// `IMG (2).jpg`.
pub(super) fn numbered(name: &str, number: u64) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// The name of the plain file.
pub(super) fn on_disk(name: &str) -> String {
    let dots = name == "." || name == "..";
    escape(name.as_bytes(), |c, _| c == '/' || dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(fold("IMG.CR2"), fold("img.cr2"));
        assert_eq!(numbered("a.tar.gz", 1), "a.tar (1).gz");
        assert_eq!(numbered(".profile", 2), ".profile (2)");
        assert_eq!((extension("a.JPG"), extension(".profile")), ("JPG", ""));
        assert_eq!((on_disk("..").as_str(), on_disk("a/b").as_str()), ("%2E%2E", "a%2Fb"));
        assert!(is_good("a b") && !is_good(" ") && !is_good("a\n") && !is_good(&"x".repeat(256)));
    }
}
