//! EXIF: dates, offsets, the satellites' time, and Apple's maker note.

use super::{Marks, xmp};
use crate::date::stamp::Stamp;
use crate::tiff::{Entry, Tiff};
use crate::view::View;

/// What the directory at hand is about: the same numbers mean other things in other directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The file and the taking of the picture.
    Picture,
    /// The place.
    Place,
}

/// Reads the EXIF block, or the TIFF file, whose header stands at `base`.
pub(super) fn read(view: &View<'_>, base: u64, end: u64, marks: &mut Marks) {
    read_about(view, base, end, About::Picture, marks);
}

/// As [`read`], for a block whose first directory is about something else.
pub(super) fn read_about(view: &View<'_>, base: u64, end: u64, about: About, marks: &mut Marks) {
    let Some(tiff) = Tiff::open(view, base, end) else { return };
    let first = tiff.first();
    match about {
        About::Picture => picture(view, &tiff, &first, 0, marks),
        About::Place => place(&tiff, &first, marks),
    }
}

/// As [`read`], for the block of HEIC and JPEG XL: before the header stands how far off it is.
pub(super) fn item(view: &View<'_>, start: u64, end: u64, marks: &mut Marks) {
    let skip = view.get(start, 4).and_then(|bytes| crate::view::be(bytes, 0, 4));
    let base = skip.and_then(|skip| start.checked_add(4)?.checked_add(skip));
    if let Some(base) = base.filter(|base| *base < end) {
        read(view, base, end, marks);
    }
}

fn picture(view: &View<'_>, tiff: &Tiff<'_, '_>, entries: &[Entry], depth: u8, marks: &mut Marks) {
    let find = |tag| Tiff::find(entries, tag);
    let text = |place: &mut Option<String>, tag| {
        if place.is_none() {
            *place = find(tag).and_then(|entry| tiff.text(entry));
        }
    };
    text(&mut marks.make, 0x010f);
    text(&mut marks.changed.text, 0x0132);
    text(&mut marks.original.text, 0x9003);
    text(&mut marks.digitized.text, 0x9004);
    text(&mut marks.changed.offset, 0x9010);
    text(&mut marks.original.offset, 0x9011);
    text(&mut marks.digitized.offset, 0x9012);
    text(&mut marks.changed.fraction, 0x9290);
    text(&mut marks.original.fraction, 0x9291);
    text(&mut marks.digitized.fraction, 0x9292);
    if let Some(packet) = find(0x02bc).and_then(|entry| tiff.value(entry, super::LONGEST_XMP)) {
        xmp::read(&packet, marks);
    }
    if let Some(note) = find(0x927c) {
        apple(view, tiff, note, marks);
    }
    if depth > 0 {
        return;
    }
    let inner = |tag| tiff.numbers(find(tag)?).first().map(|offset| tiff.directory(*offset));
    if let Some(inner) = inner(0x8769) {
        picture(view, tiff, &inner, depth + 1, marks);
    }
    if let Some(inner) = inner(0x8825) {
        place(tiff, &inner, marks);
    }
}

fn place(tiff: &Tiff<'_, '_>, entries: &[Entry], marks: &mut Marks) {
    let date = Tiff::find(entries, 0x001d).and_then(|entry| tiff.text(entry));
    let time = Tiff::find(entries, 0x0007).map(|entry| tiff.numbers(entry));
    if let (Some(date), Some([hour, minute, second])) = (date, time.as_deref()) {
        let text = format!("{date} {hour:02}:{minute:02}:{second:02}Z");
        marks.gps = marks.gps.or_else(|| Stamp::parse(text.as_bytes()));
    }
}

/// Apple's maker note: a directory of its own, big-endian, whose offsets count from where it begins.
fn apple(view: &View<'_>, tiff: &Tiff<'_, '_>, entry: Entry, marks: &mut Marks) {
    let Some((start, len)) = tiff.place(entry) else { return };
    let Some(end) = start.checked_add(len) else { return };
    let Some(header) = view.get(start, 14.min(len)) else { return };
    if !header.starts_with(b"Apple iOS\0") || header.len() < 14 {
        return;
    }
    let note = Tiff::bare(view, start, end, &header[12..14] == b"MM", 14);
    let entries = note.first();
    let text = |tag| Tiff::find(&entries, tag).and_then(|entry| note.text(entry));
    marks.burst = marks.burst.take().or_else(|| text(0x000b));
    marks.content_id = marks.content_id.take().or_else(|| text(0x0011));
}
