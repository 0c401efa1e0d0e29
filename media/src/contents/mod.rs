//! What a file says about itself, gathered format by format.

mod chunks;
mod exif;
mod heif;
mod jpeg;
mod movie;
mod recorder;
mod xmp;

use std::ops::Range;

use crate::atoms::Atoms;
use crate::date::stamp::Stamp;
use crate::format::{self as f, Format};
use crate::sniff::utf8;
use crate::view::{View, be};

/// What was found. Dates are as written, so none has been judged yet.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// When the picture was taken.
    pub original: Written,
    /// When it became digital.
    pub digitized: Written,
    /// When the file was last changed.
    pub changed: Written,
    /// The satellites' time at the place where it was taken, UTC.
    pub gps: Option<Stamp>,
    /// From an XMP packet, the best one first.
    pub xmp: Vec<Stamp>,
    /// Apple's creation date of a film, with its offset.
    pub creation: Option<Stamp>,
    /// The creation time in a film's header, in seconds since 1904, UTC.
    pub header: Option<u64>,
    /// What a camcorder or an AVI film says.
    pub recorder: Option<Stamp>,
    /// Who made the camera.
    pub make: Option<String>,
    /// Apple's identifier that a still and its movie share.
    pub content_id: Option<String>,
    /// What the stills of a burst share.
    pub burst: Option<String>,
    /// Where the film of a motion photo stands.
    pub motion: Option<Range<u64>>,
    /// How much from the end of the file the film of a motion photo begins, as XMP says.
    motion_from_end: Option<u64>,
    /// Whether something that the file says it holds lies beyond its end.
    pub truncated: bool,
    /// Whether the film has pictures; unknown until all of its tracks were seen.
    pub pictures: Option<bool>,
}

/// A date as EXIF writes it: in up to three places.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Day and time.
    pub text: Option<String>,
    /// Digits after the second.
    pub fraction: Option<String>,
    /// Difference to UTC.
    pub offset: Option<String>,
}

/// The `uuid` box of an XMP packet.
const XMP_BOX: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";

/// The longest XMP packet that is read.
const LONGEST_XMP: u64 = 256 << 10;

/// Gathers what `view`, a file of this format, says.
pub(crate) fn read(view: &View<'_>, format: Format) -> Marks {
    let mut marks = Marks::default();
    let whole = view.size();
    match format {
        f::JPEG => jpeg::read(view, 0, whole, &mut marks),
        f::HEIC | f::HEIF | f::AVIF => heif::read(view, &mut marks),
        f::PNG => chunks::png(view, &mut marks),
        f::WEBP => chunks::webp(view, &mut marks),
        f::AVI => recorder::avi(view.head(), &mut marks),
        f::M2TS | f::TS => recorder::avchd(view.head(), &mut marks),
        f::PSD => xmp::search(view.head(), &mut marks),
        f::XMP => xmp::read(&utf8(view.head()), &mut marks),
        f::JXL | f::JP2 => boxes(view, &mut marks),
        f::RAF => {
            let offset = be(view.known(0, 100), 84, 4).unwrap_or(0);
            jpeg::read(view, offset, whole, &mut marks);
        }
        f::MRW => chunks::mrw(view, &mut marks),
        f::CR3 | f::MP4 | f::QUICKTIME | f::THREE_GP | f::XAVC | f::MP4_AUDIO => {
            movie::read(view, &mut marks);
        }
        f::TIFF => exif::read(view, 0, whole, &mut marks),
        raw if raw.class() == safelight_core::class::MediaClass::Raw => {
            exif::read(view, 0, whole, &mut marks);
        }
        _ => {}
    }
    appended_film(view, &mut marks);
    marks
}

/// JPEG XL and JPEG 2000 keep their metadata in boxes of the file.
fn boxes(view: &View<'_>, marks: &mut Marks) {
    for atom in Atoms::of(view) {
        match &atom.kind {
            b"Exif" => exif::item(view, atom.body, atom.end, marks),
            b"xml " => xmp::read(atom.content(view, LONGEST_XMP), marks),
            b"uuid" => xmp_box(view, &atom, marks),
            _ => {}
        }
    }
}

fn xmp_box(view: &View<'_>, atom: &crate::atoms::Atom, marks: &mut Marks) {
    if atom.len() > 16 && view.get(atom.body, 16) == Some(&XMP_BOX) {
        xmp::read(view.ask(atom.body + 16, (atom.len() - 16).min(LONGEST_XMP)), marks);
    }
}

/// Believes in an appended film only if one begins there.
fn appended_film(view: &View<'_>, marks: &mut Marks) {
    let Some(back) = marks.motion_from_end.filter(|_| marks.motion.is_none()) else { return };
    let Some(start) = view.size().checked_sub(back).filter(|start| *start > 0) else { return };
    if view.get(start.saturating_add(4), 4) == Some(b"ftyp") {
        marks.motion = Some(start..view.size());
    }
}
