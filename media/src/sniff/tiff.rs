//! The TIFF family: plain TIFF, raw formats with a mark of their own, and raw formats that look like plain TIFF.

use crate::format::{self as f, Format};
use crate::tiff::Tiff;
use crate::view::View;

const MAKE: u16 = 0x010f;
const PHOTOMETRIC: u16 = 0x0106;
const SUB_DIRECTORIES: u16 = 0x014a;
const DNG_VERSION: u16 = 0xc612;

pub(super) fn sniff(view: &View<'_>, ending: &str) -> Option<Format> {
    let head = view.head();
    match head.get(..4)? {
        b"IIRO" | b"IIRS" | b"MMOR" => return Some(f::ORF),
        b"IIU\0" => return Some(f::RW2),
        b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+" => {}
        _ => return None,
    }
    if head.get(8..10) == Some(b"CR") {
        return Some(f::CR2);
    }
    Some(plain(view, ending))
}

/// In this order: the tag that every DNG has; a raw ending; sensor data under another ending, by its make.
fn plain(view: &View<'_>, ending: &str) -> Format {
    let Some(tiff) = Tiff::open(view, 0, view.size()) else { return f::TIFF };
    let first = tiff.first();
    if Tiff::find(&first, DNG_VERSION).is_some() {
        return f::DNG;
    }
    if let Some(format) = Format::raw_in_tiff(ending) {
        return format;
    }
    let numbers = |tag| Tiff::find(&first, tag).map(|entry| tiff.numbers(entry));
    let sensor = |value: &[u64]| matches!(value, [32_803 | 34_892, ..]);
    let mut raw = numbers(PHOTOMETRIC).is_some_and(|value| sensor(&value));
    for offset in numbers(SUB_DIRECTORIES).unwrap_or_default() {
        let found = Tiff::find(&tiff.directory(offset), PHOTOMETRIC);
        raw = raw || found.is_some_and(|entry| sensor(&tiff.numbers(entry)));
    }
    if !raw {
        return f::TIFF;
    }
    let make = Tiff::find(&first, MAKE).and_then(|entry| tiff.text(entry));
    let make = make.unwrap_or_default().to_ascii_uppercase();
    let makes = [("NIKON", f::NEF), ("SONY", f::ARW), ("PENTAX", f::PEF), ("SAMSUNG", f::SRW)];
    makes.iter().find(|(name, _)| make.starts_with(name)).map_or(f::RAW_TIFF, |(_, raw)| *raw)
}
