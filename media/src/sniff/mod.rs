//! Tells the format of a file from its bytes.
//!
//! Signatures at a fixed place stand in a table here; what needs a look inside has a file of its own.

mod bmff;
mod streams;
mod text;
mod tiff;

use crate::format::{self as f, Format};
use crate::view::View;

pub(crate) use text::utf8;

/// A signature: these bytes at this place.
type Signature = (usize, &'static [u8], Format);

/// In this order; a signature that is part of another comes later.
const SIGNATURES: &[Signature] = &[
    (0, b"\x00\x05\x16\x07\x00\x02\x00\x00", f::APPLE_DOUBLE),
    (0, b"\xff\xd8\xff", f::JPEG),
    (0, b"\x89PNG\r\n\x1a\n", f::PNG),
    (0, b"GIF87a", f::GIF),
    (0, b"GIF89a", f::GIF),
    (0, b"8BPS\x00\x01", f::PSD),
    (0, b"8BPS\x00\x02", f::PSD),
    (0, b"FUJIFILMCCD-RAW ", f::RAF),
    (0, b"FOVb", f::X3F),
    (0, b"\x00MRM", f::MRW),
    (6, b"HEAPCCDR", f::CRW),
    (0, b"\xff\x0a", f::JXL),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", f::JXL),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", f::JP2),
    (0, b"\xff\x4f\xff\x51\x00", f::JP2),
    (0, b"FLV\x01", f::FLV),
    (0, b"\x00\x00\x01\xba", f::MPEG),
    (0, b"\x00\x00\x01\xb3", f::MPEG),
    (0, b"ID3", f::MP3),
    (0, b"fLaC", f::FLAC),
    (0, b"%PDF-", f::PDF),
    (0, b"PK\x03\x04", f::ZIP),
    (0, b"PK\x05\x06", f::ZIP),
    (0, b"\x1f\x8b\x08", f::GZIP),
    (0, b"7z\xbc\xaf\x27\x1c", f::SEVEN_ZIP),
    (0, b"Rar!\x1a\x07", f::RAR),
];

/// The format of what `view` shows, `ending` (lower case) helping only where bytes alone cannot tell: between the
/// makes of raw pictures that are plain TIFF, and between texts.
pub(crate) fn sniff(view: &View<'_>, ending: &str) -> Option<Format> {
    let head = view.head();
    let stands =
        |(at, bytes, _): &&Signature| head.get(*at..).is_some_and(|there| there.starts_with(bytes));
    if let Some((.., format)) = SIGNATURES.iter().find(stands) {
        return Some(*format);
    }
    bmff::sniff(view)
        .or_else(|| tiff::sniff(view, ending))
        .or_else(|| riff(head))
        .or_else(|| bitmap(head))
        .or_else(|| streams::sniff(head))
        .or_else(|| text::sniff(head, ending))
}

fn riff(head: &[u8]) -> Option<Format> {
    match (head.get(..4)?, head.get(8..12)?) {
        (b"RIFF", b"WEBP") => Some(f::WEBP),
        (b"RIFF", b"AVI ") => Some(f::AVI),
        (b"RIFF", b"WAVE") => Some(f::WAV),
        _ => None,
    }
}

/// Two letters are little to go by, so the header that follows must be one of those that exist.
fn bitmap(head: &[u8]) -> Option<Format> {
    let known = matches!(head.get(14..18)?, [12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]);
    let reserved = head.get(6..10)? == [0; 4];
    (head.starts_with(b"BM") && known && reserved).then_some(f::BMP)
}
