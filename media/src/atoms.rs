//! The boxes of QuickTime and ISO base media files (MP4, HEIC, AVIF, CR3, JPEG XL, JPEG 2000).

use crate::view::{View, be};

/// What stands at the top of a file.
const KINDS: [&[u8; 4]; 10] =
    [b"ftyp", b"moov", b"moof", b"mdat", b"meta", b"mpvd", b"uuid", b"free", b"skip", b"wide"];

/// One box.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Atom {
    /// Its four letters.
    pub kind: [u8; 4],
    /// Where its header begins.
    pub start: u64,
    /// Where its content begins.
    pub body: u64,
    /// Where it ends; at the latest where the surrounding box or file ends.
    pub end: u64,
    /// Whether it is of a kind that stands in files, and says of itself that it is longer than what surrounds it.
    /// What cameras append behind the last box is often no box, so unknown kinds say nothing.
    pub overruns: bool,
}

impl Atom {
    /// The length of its content.
    pub fn len(&self) -> u64 {
        self.end - self.body
    }

    /// The boxes inside, after `skip` bytes.
    pub fn inside<'v, 'a>(&self, view: &'v View<'a>, skip: u64) -> Atoms<'v, 'a> {
        Atoms { view, at: self.body.saturating_add(skip), end: self.end }
    }

    /// The first box of this kind inside, after `skip` bytes.
    pub fn child(&self, view: &View<'_>, skip: u64, kind: [u8; 4]) -> Option<Self> {
        self.inside(view, skip).find(|atom| atom.kind == kind)
    }

    /// The content as far as it is known, at most `most` bytes; asks for the rest.
    pub fn content<'a>(&self, view: &View<'a>, most: u64) -> &'a [u8] {
        view.ask(self.body, self.len().min(most))
    }
}

/// Walks from box to box.
///
/// Ends at the end, at a box that makes no sense, and at one whose header is not known; the view remembers that.
pub(crate) struct Atoms<'v, 'a> {
    view: &'v View<'a>,
    at: u64,
    end: u64,
}

impl<'v, 'a> Atoms<'v, 'a> {
    /// The boxes of the whole file.
    pub fn of(view: &'v View<'a>) -> Self {
        Self { view, at: 0, end: view.size() }
    }
}

impl Iterator for Atoms<'_, '_> {
    type Item = Atom;

    fn next(&mut self) -> Option<Atom> {
        let room = self.end.checked_sub(self.at).filter(|room| *room >= 8)?;
        let header = self.view.get(self.at, 8)?;
        let kind = header.get(4..8)?.try_into().ok()?;
        let (header, len) = match be(header, 0, 4)? {
            0 => (8, room),
            1 => (16, be(self.view.get(self.at + 8, 8)?, 0, 8)?),
            len => (8, len),
        };
        if len < header || room < header {
            return None;
        }
        let start = self.at;
        self.at += len.min(room);
        let overruns = len > room && KINDS.contains(&&kind);
        Some(Atom { kind, start, body: start + header, end: self.at, overruns })
    }
}
