//! Which names can be stored, and when two are the same.
//!
//! Written paths become NFC; paths that are looked up are taken as they are, so an NFD spelling is not found.
//! Case is folded letter by letter with the tables of Unicode 4.1.

use std::fmt::Write;

use dbxcase::dbx_str_lowercase;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::errors::{Lookup, Refusal};

/// A component has at most this many UTF-16 units.
const LONGEST: usize = 255;
/// A file name on disk has at most this many bytes.
const LONGEST_ON_DISK: usize = 200;

const IGNORED: [&str; 6] =
    ["desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr"];

/// The components of a path that is to be written, in NFC.
pub(super) fn for_writing(path: &str, astral: bool) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = path.split('/').skip(1).map(|name| name.nfc().collect()).collect();
    let fits = |name: &String| storable(name) && (astral || name.chars().all(|c| c <= '\u{ffff}'));
    if names.is_empty() || !names.iter().all(fits) {
        return Err(Refusal::Malformed);
    }
    if names.iter().any(|name| IGNORED.contains(&dbx_str_lowercase(name).as_str())) {
        return Err(Refusal::Disallowed);
    }
    Ok(names)
}

/// The folded path of something that is looked up; empty for the root.
pub(super) fn for_lookup(path: &str) -> Result<String, Lookup> {
    if !path.is_empty() && !path.split('/').skip(1).all(storable) {
        return Err(Lookup::Malformed);
    }
    Ok(dbx_str_lowercase(path))
}

/// The path of these components.
pub(super) fn path_of(names: &[String]) -> String {
    names.iter().flat_map(|name| ["/", name]).collect()
}

/// The folded path of these components.
pub(super) fn key_of(names: &[String]) -> String {
    dbx_str_lowercase(&path_of(names))
}

fn storable(name: &str) -> bool {
    let forbidden = |c| matches!(c, '\\' | '\0' | '\u{7f}');
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.ends_with(' ')
        && !name.contains(forbidden)
        && name.encode_utf16().count() <= LONGEST
}

/// The folder above; `None` above the root.
pub(super) fn parent(key: &str) -> Option<&str> {
    key.rfind('/').map(|at| &key[..at])
}

/// `name`, or what stands for it on a disk that holds shorter names only.
pub(super) fn on_disk(name: &str) -> String {
    if name.len() <= LONGEST_ON_DISK {
        return name.to_owned();
    }
    let cut = (0..=LONGEST_ON_DISK / 2).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let digest = Sha256::digest(name);
    format!("{}~{}", &name[..cut], hex::encode(&digest[..8]))
}

/// `IMG (1).jpg`: the `count`-th other name for `IMG.jpg`.
pub(super) fn numbered(name: &str, count: u32) -> String {
    with_remark(name, &count.to_string())
}

/// The `count`-th name for a copy of `name` that somebody else has changed meanwhile.
pub(super) fn conflicted(name: &str, count: u32) -> String {
    let mut remark = "conflicted copy".to_owned();
    if count > 1 {
        // Writing into a string cannot fail.
        let _ = write!(remark, " {count}");
    }
    with_remark(name, &remark)
}

fn with_remark(name: &str, remark: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({remark}).{extension}"),
        _ => format!("{name} ({remark})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_stored() {
        let long = format!("/{}", "x".repeat(256));
        let emoji = format!("/{}", "\u{1f600}".repeat(128));
        let bad =
            ["/", "/a\\b", "/a\0", "/a\u{7f}", "/a ", "//a", "/a/", "/.", "/a/..", &long, &emoji];
        for path in bad {
            assert_eq!(for_writing(path, true), Err(Refusal::Malformed), "{path:?}");
            assert_eq!(for_lookup(path), Err(Lookup::Malformed), "{path:?}");
        }
        for path in ["/Desktop.INI", "/a/.DS_Store", "/Icon\r", "/.dropbox.attr"] {
            assert_eq!(for_writing(path, true), Err(Refusal::Disallowed), "{path:?}");
        }
        for path in ["/a.", "/<>:\"|?*", "/.hidden", "/ä", &format!("/{}", "ö".repeat(255))] {
            assert!(for_writing(path, true).is_ok(), "{path:?}");
        }
        assert!(for_writing("/\u{1f600}", true).is_ok());
        assert_eq!(for_writing("/\u{1f600}", false), Err(Refusal::Malformed));
    }

    #[test]
    fn case_is_folded_letter_by_letter() {
        assert_eq!(for_lookup("/İSTANBUL/ΟΔΟΣ").as_deref(), Ok("/istanbul/οδοσ"));
        assert_eq!(key_of(&for_writing("/E\u{301}", true).unwrap_or_default()), "/\u{e9}");
        assert_eq!(for_lookup("/E\u{301}").as_deref(), Ok("/e\u{301}"));
    }

    #[test]
    fn other_names_keep_the_extension() {
        assert_eq!(numbered("IMG.tar.gz", 2), "IMG.tar (2).gz");
        assert_eq!(numbered(".profile", 1), ".profile (1)");
        assert_eq!(conflicted("a.jpg", 1), "a (conflicted copy).jpg");
        assert_eq!(conflicted("a", 2), "a (conflicted copy 2)");
        assert_eq!(on_disk("a.jpg"), "a.jpg");
        assert_eq!(on_disk(&"ö".repeat(255)).len(), 100 + 1 + 16);
    }
}
