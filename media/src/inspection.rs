//! Looks at a file piece by piece, without reading anything itself.
//!
//! Invariant: at most four pieces are wanted, the first of at most 256 KiB, the others of at most 1 MiB, 2 MiB in
//! all; no more than that is kept, whatever is given. An inspection always ends.

use std::ops::Range;

use safelight_core::inspect::{Inspecting, Inspector};
use safelight_core::taken::Taken;
use safelight_core::time::Timestamp;
use safelight_core::traits::Traits;

use crate::contents::Marks;
use crate::date::pick::pick;
use crate::findings::found;
use crate::view::{Pieces, View};

const HEAD: u64 = 256 << 10;
const PIECE: u64 = 1 << 20;
const SUM: u64 = 2 << 20;
const PIECES: u8 = 4;
/// A shorter stretch is not worth a request.
const LEAST: u64 = 64 << 10;

/// One look at one file.
///
/// Ask [`Inspection::wants`], read that much, [`Inspection::give`] it, until nothing is wanted; then
/// [`Inspection::finish`]. It may be finished at any time: what was not seen is not found. Of a file whose head could
/// not be read nothing is known, so its findings are not worth keeping.
#[derive(Debug)]
pub struct Inspection {
    name: Vec<u8>,
    size: u64,
    now: Option<Timestamp>,
    pieces: Pieces,
    pieces_left: u8,
    bytes_left: u64,
    wants: Option<Range<u64>>,
}

impl Inspection {
    /// A file called `name` (the last segment of its key) of `size` bytes.
    pub fn new(name: &[u8], size: u64) -> Self {
        let wants = (size > 0).then_some(0..size.min(HEAD));
        Self {
            name: name.to_vec(),
            size,
            now: None,
            pieces: Pieces::default(),
            pieces_left: PIECES,
            bytes_left: SUM,
            wants,
        }
    }

    /// Dates more than a day after `now` count as no dates.
    #[must_use]
    pub fn before(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// The bytes it would like to see next; `None` if it has seen enough.
    pub fn wants(&self) -> Option<Range<u64>> {
        self.wants.clone()
    }

    /// Takes bytes that stand at `start`: those that were wanted, or more, such as a whole small file. Fewer than
    /// were wanted mean that there are no more to be had: nothing else will be wanted then.
    pub fn give(&mut self, start: u64, bytes: &[u8]) {
        let most = self.bytes_left.min(self.size.saturating_sub(start));
        let bytes = &bytes[..bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX))];
        let end = start.saturating_add(bytes.len() as u64);
        let short = self.wants.as_ref().is_some_and(|wanted| end < wanted.end);
        self.pieces.add(start, bytes);
        self.bytes_left -= bytes.len() as u64;
        self.pieces_left = if short { 0 } else { self.pieces_left.saturating_sub(1) };
        self.wants = self.missing();
    }

    fn missing(&self) -> Option<Range<u64>> {
        if self.pieces_left == 0 || self.bytes_left == 0 {
            return None;
        }
        let view = View::new(&self.pieces, self.size);
        found(&view, &self.name, self.now);
        let missed = view.missed()?;
        // A short piece grows to what is worth a request, or to the end of the file if that is near.
        let rest = self.size - missed.start;
        let len = (missed.end - missed.start).max(if rest <= HEAD { rest } else { LEAST });
        let known = view.known(missed.start, len).len() as u64;
        let start = missed.start + known.min(missed.end - missed.start);
        let end = (missed.start + len.min(PIECE)).max(start + 1).min(self.size);
        Some(start..end.min(start + self.bytes_left))
    }

    /// What was found out.
    pub fn finish(self) -> Traits {
        let view = View::new(&self.pieces, self.size);
        found(&view, &self.name, self.now)
    }

    /// Inspects a file that is there as a whole.
    pub fn whole(name: &[u8], bytes: &[u8], now: Option<Timestamp>) -> Traits {
        let mut inspection = Self { now, ..Self::new(name, bytes.len() as u64) };
        while let Some(range) = inspection.wants() {
            let place = |at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            inspection.give(range.start, &bytes[place(range.start)..place(range.end)]);
        }
        inspection.finish()
    }
}

/// Tells items by the bytes of their formats: what the program hands to the engine.
#[derive(Debug, Default)]
pub struct Media;

impl Inspector for Media {
    fn begin(&self, name: &[u8], size: u64, now: Timestamp) -> Box<dyn Inspecting> {
        Box::new(Inspection::new(name, size).before(now))
    }

    fn date_in_name(&self, name: &[u8], now: Timestamp) -> Option<Taken> {
        pick(&Marks::default(), name, false, Some(now))
    }
}

impl Inspecting for Inspection {
    fn wants(&self) -> Option<Range<u64>> {
        self.wants()
    }

    fn give(&mut self, start: u64, bytes: &[u8]) {
        self.give(start, bytes);
    }

    fn finish(self: Box<Self>) -> Traits {
        (*self).finish()
    }
}
