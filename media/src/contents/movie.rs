//! QuickTime and MP4 films, and Canon's CR3, which is built like one.

use super::exif::{self, About};
use super::{Marks, xmp, xmp_box};
use crate::atoms::{Atom, Atoms};
use crate::date::stamp::Stamp;
use crate::view::{View, be};

/// The `uuid` box in which a CR3 keeps its EXIF blocks.
const CANON: [u8; 16] = *b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";

/// A film's index up to this length is asked for as a whole.
const INDEX: u64 = 1 << 20;

/// The longest text that is read.
const TEXT: u64 = 64 << 10;

/// Reads a film: its index may stand at the front or at the end.
pub(super) fn read(view: &View<'_>, marks: &mut Marks) {
    let mut indexed = false;
    for atom in Atoms::of(view) {
        marks.truncated |= atom.overruns;
        match &atom.kind {
            b"moov" => {
                indexed = true;
                // A longer index is walked through from track to track: most of it is not needed.
                if atom.end - atom.start <= INDEX {
                    view.ask(atom.start, atom.end - atom.start);
                }
                index(view, &atom, marks);
            }
            b"uuid" => xmp_box(view, &atom, marks),
            _ => {}
        }
    }
    // Only who saw the file to its end can say that there is no index.
    marks.truncated |= !indexed && view.missed().is_none();
}

fn index(view: &View<'_>, moov: &Atom, marks: &mut Marks) {
    let mut tracks = Vec::new();
    for atom in moov.inside(view, 0) {
        match &atom.kind {
            b"mvhd" => marks.header = created(atom.content(view, 16)).filter(|when| *when != 0),
            b"trak" => tracks.push(handler(view, &atom)),
            b"meta" => keys(view, &atom, marks),
            b"udta" => user_data(view, &atom, marks),
            b"uuid" => canon(view, &atom, marks),
            _ => {}
        }
    }
    let known: Option<Vec<[u8; 4]>> = tracks.into_iter().collect();
    marks.pictures = known
        .filter(|known| !known.is_empty() && view.missed().is_none())
        .map(|known| known.contains(b"vide"));
}

fn created(header: &[u8]) -> Option<u64> {
    if header.first()? == &1 { be(header, 4, 8) } else { be(header, 4, 4) }
}

fn handler(view: &View<'_>, track: &Atom) -> Option<[u8; 4]> {
    let handler = track.child(view, 0, *b"mdia")?.child(view, 0, *b"hdlr")?;
    handler.content(view, 12).get(8..12)?.try_into().ok()
}

/// Apple's list of named values: the names in one box, the values in another, by number.
fn keys(view: &View<'_>, meta: &Atom, marks: &mut Marks) {
    // In QuickTime this box begins at once with others, in MP4 after four bytes of version.
    let plain = view.get(meta.body, 8).is_some_and(|bytes| bytes.ends_with(b"hdlr"));
    let skip = if plain { 0 } else { 4 };
    let Some(names) = meta.child(view, skip, *b"keys") else { return };
    let Some(values) = meta.child(view, skip, *b"ilst") else { return };
    let names: Vec<&[u8]> =
        names.inside(view, 8).take(1024).map(|name| name.content(view, TEXT)).collect();
    for value in values.inside(view, 0).take(1024) {
        let at =
            usize::try_from(u32::from_be_bytes(value.kind)).ok().and_then(|at| at.checked_sub(1));
        let Some(name) = at.and_then(|at| names.get(at)) else { continue };
        let Some(data) = value.child(view, 0, *b"data") else { continue };
        let text = data.content(view, TEXT).get(8..).unwrap_or_default();
        match *name {
            b"com.apple.quicktime.creationdate" => marks.creation = Stamp::parse(text),
            b"com.apple.quicktime.content.identifier" => {
                let id = String::from_utf8_lossy(text).trim_matches(['\0', ' ']).to_owned();
                marks.content_id = Some(id).filter(|id| !id.is_empty() && id.len() <= 256);
            }
            _ => {}
        }
    }
}

fn user_data(view: &View<'_>, udta: &Atom, marks: &mut Marks) {
    for atom in udta.inside(view, 0) {
        match &atom.kind {
            b"meta" => keys(view, &atom, marks),
            b"\xa9day" => {
                let text = atom.content(view, TEXT).get(4..).unwrap_or_default();
                marks.recorder = marks.recorder.or_else(|| Stamp::parse(text));
            }
            b"XMP_" => xmp::read(atom.content(view, super::LONGEST_XMP), marks),
            _ => {}
        }
    }
}

fn canon(view: &View<'_>, atom: &Atom, marks: &mut Marks) {
    if view.get(atom.body, 16) != Some(&CANON) {
        return;
    }
    for block in atom.inside(view, 16) {
        match &block.kind {
            b"CMT1" | b"CMT2" => {
                exif::read_about(view, block.body, block.end, About::Picture, marks);
            }
            b"CMT4" => exif::read_about(view, block.body, block.end, About::Place, marks),
            _ => {}
        }
    }
}
