//! HEIC, HEIF and AVIF: a table of items, and where each stands.

use super::{Marks, exif, xmp};
use crate::atoms::{Atom, Atoms};
use crate::view::{View, be};

/// So much of the table is asked for at once.
const TABLE: u64 = 1 << 20;

/// Reads the table of items, and a film that is appended as a box of its own.
pub(super) fn read(view: &View<'_>, marks: &mut Marks) {
    let (mut table, mut media) = (false, false);
    for atom in Atoms::of(view) {
        match &atom.kind {
            b"meta" if !table => {
                table = true;
                view.ask(atom.start, (atom.end - atom.start).min(TABLE));
                media |= atom.child(view, 4, *b"idat").is_some();
                items(view, &atom, marks);
            }
            b"mdat" => media = true,
            b"mpvd" => marks.motion = Some(atom.body..atom.end).filter(|film| !film.is_empty()),
            _ => {}
        }
        marks.truncated |= atom.overruns;
    }
    // Only who saw the file to its end can say that there is no table, or nothing that it could tell of.
    marks.truncated |= !(table && media) && view.missed().is_none();
}

fn items(view: &View<'_>, meta: &Atom, marks: &mut Marks) {
    let (mut exif_item, mut xmp_item) =
        meta.child(view, 4, *b"iinf").map_or((None, None), |list| names(view, &list));
    let data = meta.child(view, 4, *b"idat").map(|atom| atom.body);
    let Some(places) = meta.child(view, 4, *b"iloc") else { return };
    for place in locations(places.content(view, TABLE)).unwrap_or_default() {
        let base = if place.inside_table { data } else { Some(0) };
        let Some(start) = base.and_then(|base| base.checked_add(place.start)) else { continue };
        let Some(end) = start.checked_add(place.len) else { continue };
        if end > view.size() {
            marks.truncated = true;
        } else if exif_item.take_if(|item| *item == place.item).is_some() {
            exif::item(view, start, end, marks);
        } else if xmp_item.take_if(|item| *item == place.item).is_some() {
            xmp::read(view.ask(start, place.len.min(super::LONGEST_XMP)), marks);
        }
    }
}

/// The numbers of the items that hold EXIF and XMP.
fn names(view: &View<'_>, list: &Atom) -> (Option<u64>, Option<u64>) {
    let mut found = (None, None);
    let Some(version) = view.get(list.body, 1) else { return found };
    for entry in list.inside(view, if version == [0] { 6 } else { 8 }) {
        let content = entry.content(view, 512);
        let wide = match content.first() {
            Some(2) => 2,
            Some(3) => 4,
            _ => continue,
        };
        let Some(item) = be(content, 4, wide) else { continue };
        let Some(rest) = content.get(6 + wide..) else { continue };
        if rest.starts_with(b"Exif") {
            found.0 = found.0.or(Some(item));
        } else if rest.starts_with(b"mime") && crate::view::find(rest, b"rdf+xml").is_some() {
            found.1 = found.1.or(Some(item));
        }
    }
    found
}

struct Place {
    item: u64,
    inside_table: bool,
    start: u64,
    len: u64,
}

/// The first stretch of each item.
fn locations(table: &[u8]) -> Option<Vec<Place>> {
    let version = *table.first()?;
    let (a, b) = (*table.get(4)?, *table.get(5)?);
    let widths = [a >> 4, a & 15, b >> 4, if version == 0 { 0 } else { b & 15 }].map(usize::from);
    if widths.iter().any(|width| *width > 8) {
        return None;
    }
    let [offset_len, length_len, base_len, index_len] = widths;
    let id_len = if version < 2 { 2 } else { 4 };
    let mut at = 6;
    let mut take = |len: usize| {
        let number = be(table, at, len)?;
        at += len;
        Some(number)
    };
    let count = take(id_len)?;
    let mut places = Vec::new();
    for _ in 0..count {
        let Some(item) = take(id_len) else { break };
        let method = if version == 0 { 0 } else { take(2)? & 15 };
        take(2)?;
        let base = take(base_len)?;
        let extents = take(2)?;
        // Stretches that take no room in the table would let it promise any number of them.
        let weightless = index_len + offset_len + length_len == 0;
        for extent in 0..if weightless { extents.min(1) } else { extents } {
            take(index_len)?;
            let (offset, len) = (take(offset_len)?, take(length_len)?);
            if extent == 0 && method < 2 {
                let start = base.checked_add(offset)?;
                places.push(Place { item, inside_table: method == 1, start, len });
            }
        }
    }
    Some(places)
}
