//! Which files of the library are backed up: ordered rules in gitignore syntax, the first match wins.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::class::MediaClass;
use crate::key::Key;

/// One rule: keep or skip what the pattern matches.
#[derive(Debug, Clone)]
pub struct Rule {
    keep: bool,
    matcher: Gitignore,
    /// The rule as it was written.
    pub text: String,
    /// Where it was written, for people: `safelight.toml:12`.
    pub origin: String,
}

impl Rule {
    /// A rule from a gitignore pattern.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn new(keep: bool, pattern: &str, origin: impl Into<String>) -> Result<Self, String> {
        let mut builder = GitignoreBuilder::new("");
        builder.add_line(None, pattern).map_err(|error| error.to_string())?;
        let matcher = builder.build().map_err(|error| error.to_string())?;
        let text = format!("{} {pattern}", if keep { '+' } else { '-' });
        Ok(Self { keep, matcher, text, origin: origin.into() })
    }

    /// Whether the pattern matches this file, or this folder.
    pub fn matches(&self, key: &Key, folder: bool) -> bool {
        let path = Path::new(OsStr::from_bytes(key.as_bytes()));
        self.matcher.matched_path_or_any_parents(path, folder).is_ignore()
    }
}

/// What the rules say of one file.
#[derive(Debug, Clone, Copy)]
pub enum Ruling<'a> {
    /// Backed up, because of this rule or because no rule says otherwise.
    Keep(Option<&'a Rule>),
    /// Left out because of this rule.
    Skip(&'a Rule),
    /// Left out because a part of its path begins with a dot.
    Hidden,
    /// It stands in the folder that belongs to Safelight.
    Reserved,
}

impl Ruling<'_> {
    /// Whether the file is backed up.
    pub fn keeps(&self) -> bool {
        matches!(self, Self::Keep(_))
    }
}

/// Rules for a library.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In order; the first match wins.
    pub rules: Vec<Rule>,
    /// Whether names that begin with a dot are backed up too.
    pub hidden: bool,
    /// Media classes that are left out, whatever the rules say.
    pub skip: Vec<MediaClass>,
}

impl Filter {
    /// What the rules say of a file.
    pub fn rule_on(&self, key: &Key) -> Ruling<'_> {
        if !self.hidden && key.segments().any(|segment| segment.starts_with(b".")) {
            return Ruling::Hidden;
        }
        if key.is_reserved() {
            return Ruling::Reserved;
        }
        match self.rules.iter().find(|rule| rule.matches(key, false)) {
            Some(rule) if !rule.keep => Ruling::Skip(rule),
            keep => Ruling::Keep(keep),
        }
    }

    /// Whether something below this folder may be backed up, so that a listing has to go into it.
    pub fn descends(&self, folder: &Key) -> bool {
        if folder.is_reserved() || (!self.hidden && folder.name().starts_with(b".")) {
            return false;
        }
        // A folder may be left out as a whole only if no earlier rule can keep something in it.
        let first_keep = self.rules.iter().position(|rule| rule.keep).unwrap_or(self.rules.len());
        !self.rules[..first_keep].iter().any(|rule| rule.matches(folder, true))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filter(rules: &[&str]) -> Filter {
        let rule = |text: &&str| Rule::new(text.starts_with('+'), &text[2..], "test").unwrap();
        Filter { rules: rules.iter().map(rule).collect(), ..Filter::default() }
    }

    fn keeps(filter: &Filter, key: &str) -> bool {
        filter.rule_on(&Key::new(key).unwrap()).keeps()
    }

    #[test]
    fn first_match_wins_and_the_last_word_is_keep() {
        let filter = filter(&["+ cache/keep.jpg", "- cache/", "- *.tmp", "+ **"]);
        assert!(keeps(&filter, "cache/keep.jpg"));
        assert!(!keeps(&filter, "2024/cache/a.jpg"));
        assert!(!keeps(&filter, "2024/a.tmp"));
        assert!(keeps(&filter, "2024/a.jpg"));
    }

    #[test]
    fn dot_files_and_our_own_folder_are_left_out() {
        let mut filter = filter(&[]);
        assert!(!keeps(&filter, "a/.thumbs/x.jpg"));
        filter.hidden = true;
        assert!(keeps(&filter, "a/.thumbs/x.jpg"));
        assert!(!keeps(&filter, ".safelight/marker"));
    }

    #[test]
    fn a_folder_is_entered_unless_nothing_in_it_can_be_kept() {
        let folder = Key::new("cache").unwrap();
        assert!(!filter(&["- cache/", "+ **"]).descends(&folder));
        assert!(filter(&["+ cache/keep.jpg", "- cache/"]).descends(&folder));
        assert!(filter(&["- *.tmp"]).descends(&folder));
    }
}
