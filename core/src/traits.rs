//! What is known of an item beyond its name and size: what it is by its content, when it was taken, what ties it to
//! others, what is wrong with it.

use std::borrow::Cow;
use std::ops::Range;

use crate::class::MediaClass;
use crate::taken::Taken;
use crate::words::words;

/// Something that is wrong with a file; it is backed up all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// It has no bytes.
    Empty,
    /// Every byte that was looked at is zero: what a failed copy or a failing disk leaves.
    AllZero,
    /// It is cut off: an index is missing, or something that it holds lies beyond its end.
    Truncated,
    /// The second half of a file that a Mac keeps apart (`._name`): no picture.
    AppleDouble,
}

words!(Flaw {
    Empty "empty"
    AllZero "all-zero"
    Truncated "truncated"
    AppleDouble "apple-double"
});

/// What an inspection found out about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    /// What it is.
    pub class: MediaClass,
    /// The word for the format that was recognised, such as `jpeg`; `None` if none was, and the class goes by the
    /// name then.
    pub detected: Option<Cow<'static, str>>,
    /// Whether its ending promises something else than it holds.
    pub mismatch: bool,
    /// When it was taken.
    pub taken: Option<Taken>,
    /// The identifier that both halves of a Live Photo carry.
    pub content_id: Option<String>,
    /// Where the film of a motion photo stands in this file.
    pub motion: Option<Range<u64>>,
    /// What the stills of a burst share.
    pub burst: Option<String>,
    /// What is wrong with it.
    pub health: Option<Flaw>,
}

impl Traits {
    /// An item of which only the class is known.
    pub const fn of_class(class: MediaClass) -> Self {
        Self {
            class,
            detected: None,
            mismatch: false,
            taken: None,
            content_id: None,
            motion: None,
            burst: None,
            health: None,
        }
    }
}
