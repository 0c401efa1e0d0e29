//! What an inspection finds out.

use std::ops::Range;
use std::sync::LazyLock;

use safelight_core::class::{Classifier, MediaClass};
use safelight_core::time::Timestamp;

use crate::contents::{self, Marks};
use crate::date::{self, Taken};
use crate::format::{self as f, Format};
use crate::sniff::sniff;
use crate::view::View;
use crate::words::words;

/// Something that is wrong with a file; it is backed up all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It has no bytes.
    Empty,
    /// Every byte that was looked at is zero: what a failed copy or a failing disk leaves.
    AllZero,
    /// It is cut off: an index is missing, or something that it holds lies beyond its end.
    Truncated,
    /// The second half of a file that a Mac keeps apart (`._name`): no picture.
    AppleDouble,
}

words!(Finding {
    Empty "empty"
    AllZero "all-zero"
    Truncated "truncated"
    AppleDouble "apple-double"
});

/// What a file is, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// What it is. [The rule](crate#the-class) stands at the top of this crate.
    pub class: MediaClass,
    /// What its ending says that it is; `None` for endings that say nothing.
    pub declared: Option<MediaClass>,
    /// The format that was recognised.
    pub detected: Option<Format>,
    /// Whether its ending promises something else than it holds.
    pub mismatch: bool,
    /// When it was taken. Never from the file's own times: see [`Taken::from_modified`].
    pub taken: Option<Taken>,
    /// The identifier that Apple gives to both halves of a Live Photo.
    pub content_id: Option<String>,
    /// Where the film of a motion photo stands in this file.
    pub motion: Option<Range<u64>>,
    /// What the stills of a burst share.
    pub burst: Option<String>,
    /// What is wrong with it.
    pub health: Option<Finding>,
}

static ENDINGS: LazyLock<Classifier> = LazyLock::new(Classifier::default);

impl Findings {
    /// What `view` shows of a file called `name`.
    pub(crate) fn of(view: &View<'_>, name: &[u8], now: Option<Timestamp>) -> Self {
        let declared = Some(ENDINGS.classify(name)).filter(|class| *class != MediaClass::Other);
        let ending =
            name.iter().rposition(|byte| *byte == b'.').map_or(&[][..], |dot| &name[dot + 1..]);
        let ending = String::from_utf8_lossy(ending).to_ascii_lowercase();
        if view.size() == 0 {
            return Self::broken(declared, Finding::Empty);
        }
        if view.is_all_zero() {
            return Self::broken(declared, Finding::AllZero);
        }
        let mut detected = sniff(view, &ending);
        let marks = detected.map_or_else(Marks::default, |format| contents::read(view, format));
        let film = detected.is_some_and(|format| format.class() == MediaClass::Video);
        if film && marks.pictures == Some(false) {
            detected = Some(f::MP4_AUDIO);
        }
        let health = match detected {
            Some(f::APPLE_DOUBLE) => Some(Finding::AppleDouble),
            _ => marks.truncated.then_some(Finding::Truncated),
        };
        let (class, mismatch) = judge(detected, declared, &ending);
        let sidecar = detected == Some(f::XMP);
        let dated = class != MediaClass::Other && (class != MediaClass::Sidecar || sidecar);
        let taken = if dated { date::pick::pick(&marks, name, sidecar, now) } else { None };
        Self {
            class,
            declared,
            detected,
            mismatch,
            taken,
            content_id: marks.content_id,
            motion: marks.motion,
            burst: marks.burst.or_else(|| date::name::burst(name)),
            health,
        }
    }

    fn broken(declared: Option<MediaClass>, health: Finding) -> Self {
        Self {
            class: MediaClass::Other,
            declared,
            detected: None,
            mismatch: declared.is_some() && health != Finding::Empty,
            taken: None,
            content_id: None,
            motion: None,
            burst: None,
            health: Some(health),
        }
    }
}

/// The class, and whether the ending promised something else.
fn judge(
    detected: Option<Format>,
    declared: Option<MediaClass>,
    ending: &str,
) -> (MediaClass, bool) {
    let Some(format) = detected else {
        return (MediaClass::Other, declared.is_some());
    };
    let fits = format.goes_by(ending);
    // A preview (THM is JPEG, LRV is MP4) belongs to its film.
    let preview = fits && declared == Some(MediaClass::Sidecar);
    let class = if preview { MediaClass::Sidecar } else { format.class() };
    (class, declared.is_some() && !fits)
}
