//! Paths by their text alone: made absolute, tidied, compared. Nothing here looks at a disk; links and mounts
//! are examined when a run begins.

use std::path::{Component, Path, PathBuf};

/// Where relative paths and `~` of a config file begin.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// The folder of the config file.
    pub(crate) folder: PathBuf,
    /// The user's home.
    pub(crate) home: Option<PathBuf>,
}

impl Base {
    /// The absolute, tidy path that `text` means. None: `~` without a home, or another user's home.
    pub(crate) fn resolve(&self, text: &str) -> Option<PathBuf> {
        let path = match text.strip_prefix('~') {
            None => self.folder.join(text),
            Some(rest) => match (self.home.as_ref()?, rest.strip_prefix(['/', '\\'])) {
                (home, Some(below)) => home.join(below),
                (home, None) if rest.is_empty() => home.clone(),
                _ => return None,
            },
        };
        Some(tidy(&path))
    }
}

/// Removes `.` and resolves `..` by text.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

/// How two folders lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    Same,
    /// The first lies inside the second.
    Inside,
    /// The first contains the second.
    Around,
    Apart,
}

/// Compares two tidy paths.
pub(crate) fn nesting(a: &Path, b: &Path) -> Nesting {
    match (a.starts_with(b), b.starts_with(a)) {
        (true, true) => Nesting::Same,
        (true, false) => Nesting::Inside,
        (false, true) => Nesting::Around,
        (false, false) => Nesting::Apart,
    }
}

/// A folder inside a destination, `a/b/c`: no leading or trailing slash. None: it would climb out by `..`.
pub(crate) fn tidy_root(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_at_the_config_file_and_tilde_at_home() {
        let base = Base { folder: "/etc/safe".into(), home: Some("/home/anna".into()) };
        let cases = [
            ("photos", "/etc/safe/photos"),
            ("../x/./y/", "/etc/x/y"),
            ("~/Pictures", "/home/anna/Pictures"),
            ("~", "/home/anna"),
            ("/../../media", "/media"),
        ];
        for (text, path) in cases {
            assert_eq!(base.resolve(text).as_deref(), Some(Path::new(path)), "{text}");
        }
        assert_eq!(base.resolve("~ben/Pictures"), None);
        assert_eq!(Base { folder: "/".into(), home: None }.resolve("~/x"), None);
    }

    #[test]
    fn nesting_goes_by_whole_names() {
        let of = |a: &str, b: &str| nesting(Path::new(a), Path::new(b));
        assert_eq!(of("/a/b", "/a/b"), Nesting::Same);
        assert_eq!(of("/a/b/c", "/a/b"), Nesting::Inside);
        assert_eq!(of("/a", "/a/b"), Nesting::Around);
        assert_eq!(of("/a/bc", "/a/b"), Nesting::Apart);
    }
}
