//! The typed settings of `[library]` and `[safety]`.

use std::path::PathBuf;
use std::time::Duration;

use safelight_core::class::{Classifier, MediaClass};

use crate::tree::Origin;

/// The folder tree that is backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// A word for it in reports.
    pub name: String,
    /// Absolute, without `.` and `..`; need not exist.
    pub path: PathBuf,
    /// Which files belong to it.
    pub filter: Filter,
    /// Changes to the built-in media classes.
    pub media: Media,
    /// A file must have been quiet this long before it is taken.
    pub settle: Duration,
}

/// Which files belong to the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// In file order; the first that matches decides, none matches: keep.
    pub rules: Vec<Rule>,
    /// Names that begin with a dot take part.
    pub hidden: bool,
    /// What happens to symbolic links.
    pub symlinks: Symlinks,
}

/// One line of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Keep what matches, or leave it out.
    pub keep: bool,
    /// In gitignore syntax, relative to the library; known to be valid.
    pub pattern: String,
    /// Where it is written, for `safelight explain PATH`.
    pub at: Origin,
}

/// What happens to symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symlinks {
    /// They are left out, and reported.
    Skip,
}

/// `[library.media]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Media {
    /// Endings without the dot, and the class they mean from now on.
    pub endings: Vec<(String, MediaClass)>,
    /// Classes that are not backed up.
    pub skip: Vec<MediaClass>,
}

impl Media {
    /// The built-in classifier with these changes.
    pub fn classifier(&self) -> Classifier {
        let mut classifier = Classifier::default();
        for (ending, class) in &self.endings {
            classifier.set(ending, *class);
        }
        classifier
    }
}

/// What "safe" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// So many copies, the library counting as one.
    pub copies: u32,
    /// So many of them at destinations with `offsite = true`.
    pub offsite: u32,
    /// A copy not checked for longer no longer counts.
    pub checked: Duration,
    /// New items may lag this long.
    pub grace: Duration,
}
