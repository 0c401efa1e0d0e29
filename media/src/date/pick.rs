//! Which of the dates that a file offers is believed.

use safelight_core::taken::{Source, Taken, Zone};
use safelight_core::time::Timestamp;

use super::stamp::Stamp;
use crate::contents::Marks;

/// The best date that is one, in the order of [`Source`]. `sidecar` says that the file is an XMP beside a picture.
pub(crate) fn pick(
    marks: &Marks,
    name: &[u8],
    sidecar: bool,
    now: Option<Timestamp>,
) -> Option<Taken> {
    let one = |stamp: Option<Stamp>, source| stamp?.judged(source, now);
    if sidecar {
        return marks.xmp.iter().find_map(|stamp| one(Some(*stamp), Source::Sidecar));
    }
    original(marks, now)
        .or_else(|| one(Stamp::of(&marks.digitized), Source::ExifDigitized))
        .or_else(|| marks.xmp.iter().find_map(|stamp| one(Some(*stamp), Source::Xmp)))
        .or_else(|| one(marks.creation, Source::QuickTime))
        .or_else(|| one(marks.recorder, Source::Recorder))
        .or_else(|| one(marks.header.and_then(Stamp::since_1904), Source::FilmHeader))
        .or_else(|| one(marks.gps, Source::Satellites))
        .or_else(|| one(Stamp::of(&marks.changed), Source::ExifChanged))
        .or_else(|| one(super::name::read(name), Source::Name))
}

/// When the picture was taken; where EXIF gives no offset, a packet of XMP with the same local time may, else the
/// satellites.
fn original(marks: &Marks, now: Option<Timestamp>) -> Option<Taken> {
    let stamp = Stamp::of(&marks.original)?;
    let taken = stamp.judged(Source::Exif, now)?;
    if stamp.zone != Zone::Local {
        return Some(taken);
    }
    let second = |stamp: &Stamp| stamp.wall.with().subsec_nanosecond(0).build().ok();
    let same =
        |other: &&Stamp| matches!(other.zone, Zone::Offset(_)) && second(other) == second(&stamp);
    if let Some(twin) = marks.xmp.iter().find(same) {
        return Stamp { zone: twin.zone, ..stamp }.judged(Source::Exif, now);
    }
    let placed = marks.gps.and_then(|utc| stamp.placed_by(utc));
    placed.and_then(|stamp| stamp.judged(Source::ExifPlaced, now)).or(Some(taken))
}
