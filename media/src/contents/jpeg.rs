//! The segments of a JPEG file before its picture, and what Samsung appends after it.

use std::ops::Range;

use super::{Marks, exif, xmp};
use crate::view::{View, le};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// More segments than this before the picture are not looked at.
const SEGMENTS: usize = 512;

/// Reads the JPEG that begins at `start`.
pub(super) fn read(view: &View<'_>, start: u64, end: u64, marks: &mut Marks) {
    if start == 0 || view.get(start, 2) == Some(b"\xff\xd8") {
        segments(view, start.saturating_add(2), end, marks);
    }
    let samsung = marks.make.as_ref().is_some_and(|make| make.eq_ignore_ascii_case("samsung"));
    if start == 0 && samsung {
        marks.motion = trailer(view);
    }
}

fn segments(view: &View<'_>, mut at: u64, end: u64, marks: &mut Marks) {
    for _ in 0..SEGMENTS {
        let Some(header) = view.get(at, 4) else { return };
        match header {
            [0xff, 0xff, ..] => at += 1,
            [0xff, 0x01 | 0xd0..=0xd7, ..] => at += 2,
            // The picture begins, or the file ends: nothing of interest follows.
            [0xff, 0xda | 0xd9, ..] => return,
            [0xff, marker, high, low] => {
                let len = u64::from(u16::from_be_bytes([*high, *low]));
                if len < 2 {
                    return;
                }
                if *marker == 0xe1 {
                    application(view, at + 4, (at + 2 + len).min(end), marks);
                }
                at += 2 + len;
            }
            _ => return,
        }
    }
}

fn application(view: &View<'_>, start: u64, end: u64, marks: &mut Marks) {
    let content = view.known(start, end.saturating_sub(start));
    if content.starts_with(EXIF) {
        exif::read(view, start + 6, end, marks);
    } else if let Some(packet) = content.strip_prefix(XMP) {
        xmp::read(packet, marks);
    }
}

/// Samsung's trailer ends in a directory (`SEFH` ... length, `SEFT`) of records that stand before it. The record
/// of type 0x0a30 is the film of a motion photo.
fn trailer(view: &View<'_>) -> Option<Range<u64>> {
    let foot_at = view.size().checked_sub(8)?;
    let foot = view.get(foot_at, 8)?;
    let len = le(foot, 0, 4).filter(|_| foot.ends_with(b"SEFT"))?;
    let directory = foot_at.checked_sub(len)?;
    let table = view.get(directory, len.min(64 << 10))?;
    let mut rows = table.strip_prefix(b"SEFH")?.get(8..)?.chunks_exact(12);
    let film = rows.find(|row| le(row, 2, 2) == Some(0x0a30))?;
    let record = directory.checked_sub(le(film, 4, 4)?)?;
    let name = le(view.get(record, 8)?, 4, 4)?;
    let start = record.checked_add(8)?.checked_add(name)?;
    let end = record.checked_add(le(film, 8, 4)?)?;
    let sound = start < end && end <= directory && view.get(start + 4, 4)? == b"ftyp";
    sound.then_some(start..end)
}
