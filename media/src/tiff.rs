//! The directories of a TIFF structure: EXIF blocks, TIFF files, maker notes.
//!
//! Invariant: directories do not lead on by themselves, and one look at one costs at most 4096 entries. Who follows
//! an entry to another directory does so for the first entry of its kind only, so that no structure can multiply
//! its own size.

use crate::view::{View, number};

/// So much of a text is looked at.
const TEXT: u64 = 256;

/// A TIFF structure that begins at `base` of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiff<'v, 'a> {
    view: &'v View<'a>,
    base: u64,
    end: u64,
    big_endian: bool,
    wide: bool,
    first: u64,
}

/// One entry of a directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The number that says what it is.
    pub tag: u16,
    kind: u16,
    count: u64,
    inline: u64,
}

impl Entry {
    fn width(self) -> u64 {
        match self.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => 0,
        }
    }

    fn bytes(self) -> u64 {
        self.count.saturating_mul(self.width())
    }
}

impl<'v, 'a> Tiff<'v, 'a> {
    /// The structure whose header stands at `base`; it does not reach beyond `end`. The 42 of the header may be
    /// another number: makers of raw formats have their own.
    pub fn open(view: &'v View<'a>, base: u64, end: u64) -> Option<Self> {
        let header = view.get(base, 8)?;
        let big_endian = match header.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let wide = number(header, 2, 2, big_endian)? == 43;
        let first = if wide {
            number(view.get(base.checked_add(8)?, 8)?, 0, 8, big_endian)?
        } else {
            number(header, 4, 4, big_endian)?
        };
        Some(Self { view, base, end, big_endian, wide, first })
    }

    /// A directory without a header in front, as maker notes have it: offsets count from `base`.
    pub fn bare(view: &'v View<'a>, base: u64, end: u64, big_endian: bool, first: u64) -> Self {
        Self { view, base, end, big_endian, wide: false, first }
    }

    /// The first entry of this number.
    pub fn find(entries: &[Entry], tag: u16) -> Option<Entry> {
        entries.iter().find(|entry| entry.tag == tag).copied()
    }

    /// The entries of the first directory.
    pub fn first(&self) -> Vec<Entry> {
        self.directory(self.first)
    }

    /// The entries of the directory at `offset`; none if there is no directory.
    pub fn directory(&self, offset: u64) -> Vec<Entry> {
        let (count_len, entry_len) = if self.wide { (8, 20) } else { (2, 12) };
        let Some(count) = self.read(offset, count_len) else { return Vec::new() };
        let count = number(count, 0, count.len(), self.big_endian).unwrap_or(0).min(4096);
        let start = self.base.saturating_add(offset).saturating_add(count_len);
        let room = self.end.saturating_sub(start);
        let table = self.view.ask(start, (count * entry_len).min(room));
        let rows = table.chunks_exact(if self.wide { 20 } else { 12 });
        rows.filter_map(|row| self.entry(row)).collect()
    }

    fn entry(&self, row: &[u8]) -> Option<Entry> {
        let field = |at, len| number(row, at, len, self.big_endian);
        let small = |at| u16::try_from(field(at, 2)?).ok();
        let (width, values) = if self.wide { (8, 12) } else { (4, 8) };
        let entry = Entry { tag: small(0)?, kind: small(2)?, count: field(4, width)?, inline: 0 };
        // Short values stand in the entry itself; their bytes are kept in the order of the file.
        let inline = if entry.bytes() <= width as u64 {
            number(row, values, width, true)?
        } else {
            field(values, width)?
        };
        Some(Entry { inline, ..entry })
    }

    fn read(&self, offset: u64, len: u64) -> Option<&'a [u8]> {
        let start = self.base.checked_add(offset)?;
        let fits = start.checked_add(len).is_some_and(|end| end <= self.end);
        if fits { self.view.get(start, len) } else { None }
    }

    /// Where the value stands in the file, and how long it is; only for values that stand apart from the entry.
    pub fn place(&self, entry: Entry) -> Option<(u64, u64)> {
        let len = entry.bytes();
        let start = self.base.checked_add(entry.inline)?;
        let apart = len > if self.wide { 8 } else { 4 };
        let fits = start.checked_add(len).is_some_and(|end| end <= self.end);
        (apart && fits).then_some((start, len))
    }

    /// The first bytes of the value, at most `most`.
    pub fn value(&self, entry: Entry, most: u64) -> Option<Vec<u8>> {
        let len = entry.bytes();
        let width = if self.wide { 8 } else { 4 };
        if len <= width {
            let bytes = entry.inline.to_be_bytes();
            let from = bytes.len() - usize::try_from(width).ok()?;
            return Some(bytes[from..from + usize::try_from(len).ok()?].to_vec());
        }
        self.read(entry.inline, len.min(most)).map(<[u8]>::to_vec)
    }

    /// The value as text, up to the first NUL; of long texts only the beginning.
    pub fn text(&self, entry: Entry) -> Option<String> {
        let bytes = self.value(entry, TEXT).filter(|_| entry.width() == 1)?;
        let text = bytes.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The value as whole numbers, at most eight; of fractions the quotient.
    pub fn numbers(&self, entry: Entry) -> Vec<u64> {
        let width = usize::try_from(entry.width()).unwrap_or(0);
        let value = self.value(entry, 8 * entry.width()).filter(|_| width > 0);
        let Some(bytes) = value else { return Vec::new() };
        let read = |chunk: &[u8]| match entry.kind {
            5 | 10 => {
                let over = number(chunk, 0, 4, self.big_endian)?;
                over.checked_div(number(chunk, 4, 4, self.big_endian)?)
            }
            _ => number(chunk, 0, width, self.big_endian),
        };
        bytes.chunks_exact(width).take(8).filter_map(read).collect()
    }
}
