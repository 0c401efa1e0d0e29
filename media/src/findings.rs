//! What an inspection finds out.

use std::borrow::Cow;
use std::sync::LazyLock;

use safelight_core::class::{Classifier, MediaClass};
use safelight_core::time::Timestamp;
use safelight_core::traits::{Flaw, Traits};

use crate::contents::{self, Marks};
use crate::date;
use crate::format::{self as f, Format};
use crate::sniff::sniff;
use crate::view::View;

static ENDINGS: LazyLock<Classifier> = LazyLock::new(Classifier::default);

/// What `view` shows of a file called `name`. [The rule for the class](crate#the-class) stands at the top of this
/// crate.
pub(crate) fn found(view: &View<'_>, name: &[u8], now: Option<Timestamp>) -> Traits {
    let declared = Some(ENDINGS.classify(name)).filter(|class| *class != MediaClass::Other);
    let ending =
        name.iter().rposition(|byte| *byte == b'.').map_or(&[][..], |dot| &name[dot + 1..]);
    let ending = String::from_utf8_lossy(ending).to_ascii_lowercase();
    if view.size() == 0 {
        return broken(declared, Flaw::Empty);
    }
    if view.is_all_zero() {
        return broken(declared, Flaw::AllZero);
    }
    let mut detected = sniff(view, &ending);
    let marks = detected.map_or_else(Marks::default, |format| contents::read(view, format));
    let film = detected.is_some_and(|format| format.class() == MediaClass::Video);
    if film && marks.pictures == Some(false) {
        detected = Some(f::MP4_AUDIO);
    }
    let health = match detected {
        Some(f::APPLE_DOUBLE) => Some(Flaw::AppleDouble),
        _ => marks.truncated.then_some(Flaw::Truncated),
    };
    let (class, mismatch) = judge(detected, declared, &ending);
    let sidecar = detected == Some(f::XMP);
    let dated = class != MediaClass::Other && (class != MediaClass::Sidecar || sidecar);
    let taken = if dated { date::pick::pick(&marks, name, sidecar, now) } else { None };
    Traits {
        class,
        detected: detected.map(|format| Cow::Borrowed(format.word())),
        mismatch,
        taken,
        content_id: marks.content_id,
        motion: marks.motion,
        burst: marks.burst.or_else(|| date::name::burst(name)),
        health,
    }
}

fn broken(declared: Option<MediaClass>, health: Flaw) -> Traits {
    let mismatch = declared.is_some() && health != Flaw::Empty;
    Traits { mismatch, health: Some(health), ..Traits::of_class(MediaClass::Other) }
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
