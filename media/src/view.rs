//! A file of which only some pieces are known.
//!
//! Invariant: whoever reads through a [`View`] gets bytes of the file or nothing. The first thing that lies within
//! the file but was not given is remembered, so that readers are written as if the whole file were there, and
//! run again when more of it is.

use std::cell::RefCell;
use std::ops::Range;

/// Reads the next big-endian or little-endian number.
pub(crate) fn number(bytes: &[u8], at: usize, len: usize, big: bool) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    let join = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
    Some(if big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) })
}

/// As [`number`], big-endian.
pub(crate) fn be(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    number(bytes, at, len, true)
}

/// As [`number`], little-endian.
pub(crate) fn le(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    number(bytes, at, len, false)
}

/// Where `needle` begins in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let last = bytes.len().checked_sub(needle.len())?;
    let mut at = 0;
    while at <= last {
        at += bytes[at..=last].iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The pieces that were given, in the order of their starts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pieces(Vec<(u64, Vec<u8>)>);

impl Pieces {
    /// Adds `bytes`; what touches or overlaps an earlier piece becomes part of it.
    pub fn add(&mut self, start: u64, bytes: &[u8]) {
        for (at, piece) in &mut self.0 {
            let Some(skip) = start.checked_sub(*at).and_then(|skip| usize::try_from(skip).ok())
            else {
                continue;
            };
            if skip <= piece.len() {
                let known = piece.len() - skip;
                piece.extend_from_slice(bytes.get(known..).unwrap_or_default());
                return;
            }
        }
        self.0.push((start, bytes.to_vec()));
    }

    /// Whether every byte that was given is zero.
    pub fn all_zero(&self) -> bool {
        self.0.iter().all(|(_, piece)| piece.iter().all(|byte| *byte == 0))
    }

    /// The longest run of bytes that is known from `start` on.
    fn from(&self, start: u64) -> &[u8] {
        let known = self.0.iter().filter_map(|(at, piece)| {
            let skip = usize::try_from(start.checked_sub(*at)?).ok()?;
            piece.get(skip..)
        });
        known.max_by_key(|run| run.len()).unwrap_or_default()
    }
}

/// What readers see of a file.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pieces: &'a Pieces,
    size: u64,
    missed: RefCell<Option<Range<u64>>>,
}

impl<'a> View<'a> {
    /// A file of `size` bytes.
    pub fn new(pieces: &'a Pieces, size: u64) -> Self {
        Self { pieces, size, missed: RefCell::new(None) }
    }

    /// Whether everything that was given is zero, and head, middle and end are among it.
    pub fn is_all_zero(&self) -> bool {
        if !self.pieces.all_zero() {
            return false;
        }
        let window = self.size.min(4096);
        let starts = [0, (self.size / 2).min(self.size - window), self.size - window];
        starts.into_iter().all(|start| self.get(start, window).is_some())
    }

    /// How long the file is.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Exactly these bytes. `None` beyond the end of the file; also if they were not given, which is remembered.
    pub fn get(&self, start: u64, len: u64) -> Option<&'a [u8]> {
        let end = start.checked_add(len).filter(|end| *end <= self.size)?;
        let run = self.pieces.from(start);
        let bytes = usize::try_from(len).ok().and_then(|len| run.get(..len));
        if bytes.is_none() {
            self.miss(start..end);
        }
        bytes
    }

    /// As many of these bytes as are known.
    pub fn known(&self, start: u64, len: u64) -> &'a [u8] {
        let run = self.pieces.from(start);
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(run.len());
        &run[..len]
    }

    /// As [`View::known`], and remembers it if some of them are missing.
    pub fn ask(&self, start: u64, len: u64) -> &'a [u8] {
        let len = len.min(self.size.saturating_sub(start));
        let bytes = self.known(start, len);
        if (bytes.len() as u64) < len {
            self.miss(start..start + len);
        }
        bytes
    }

    /// The first bytes.
    pub fn head(&self) -> &'a [u8] {
        self.known(0, u64::MAX)
    }

    /// What was looked for first and not found.
    pub fn missed(&self) -> Option<Range<u64>> {
        self.missed.borrow().clone()
    }

    fn miss(&self, range: Range<u64>) {
        self.missed.borrow_mut().get_or_insert(range);
    }
}
