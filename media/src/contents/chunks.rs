//! Formats made of chunks: PNG, WebP, and Minolta's MRW.

use super::{Marks, exif, xmp};
use crate::view::{View, be, find, le};

/// More chunks than this are not looked at.
const CHUNKS: usize = 4096;

/// Metadata of a PNG that stands in the first piece; what comes after the picture is not fetched for it.
pub(super) fn png(view: &View<'_>, marks: &mut Marks) {
    let mut at = 8_u64;
    for _ in 0..CHUNKS {
        let header = view.known(at, 8);
        let (Some(len), Some(kind)) = (be(header, 0, 4), header.get(4..)) else { return };
        let body = at + 8;
        match kind {
            b"eXIf" => exif::read(view, body, (body + len).min(view.size()), marks),
            b"iTXt" => {
                let text = view.known(body, len);
                if text.starts_with(b"XML:com.adobe.xmp\0") {
                    xmp::search(text, marks);
                }
            }
            b"IEND" => return,
            _ => {}
        }
        at = body + len + 4;
    }
}

/// Metadata of a WebP stands after its picture.
pub(super) fn webp(view: &View<'_>, marks: &mut Marks) {
    let Some(whole) = le(view.known(0, 8), 4, 4).map(|len| len + 8) else { return };
    marks.truncated = whole > view.size();
    let mut at = 12_u64;
    for _ in 0..CHUNKS {
        if at >= whole {
            return;
        }
        let Some(header) = view.get(at, 8) else { return };
        let Some(len) = le(header, 4, 4) else { return };
        let body = at + 8;
        let end = (body + len).min(view.size());
        match &header[..4] {
            b"EXIF" => {
                let prefixed = view.known(body, 6) == b"Exif\0\0";
                exif::read(view, if prefixed { body + 6 } else { body }, end, marks);
            }
            b"XMP " => xmp::read(view.ask(body, len.min(super::LONGEST_XMP)), marks),
            _ => {}
        }
        at = body + len + (len & 1);
    }
}

/// Minolta's raw format: the EXIF block is one of the blocks before the picture.
pub(super) fn mrw(view: &View<'_>, marks: &mut Marks) {
    let head = view.head();
    let Some(at) = find(&head[..head.len().min(64 << 10)], b"\0TTW") else { return };
    let Some(len) = be(head, at + 4, 4) else { return };
    let start = at as u64 + 8;
    exif::read(view, start, (start + len).min(view.size()), marks);
}
