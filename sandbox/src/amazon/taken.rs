//! When a picture was taken, as the service reads it: the wall clock of the camera taken for UTC.
//!
//! Looks at the EXIF dates of JPEG, TIFF-like and HEIF files and at the header of QuickTime and MP4 films. What
//! has no such date has none here either.

use super::dates;

const SINCE_1904_MILLIS: i64 = 2_082_844_800_000;

/// Milliseconds since 1970, from the first or last bytes of a file.
pub(super) fn taken(part: &[u8]) -> Option<i64> {
    exif(part).or_else(|| film(part))
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

fn exif(bytes: &[u8]) -> Option<i64> {
    let is_tiff = |at: &[u8]| at.starts_with(b"II*\0") || at.starts_with(b"MM\0*");
    // HEIF files name the block once in a table before it comes.
    let block = |at: &[u8]| at.starts_with(b"Exif\0\0") && is_tiff(&at[6..]);
    let start = || (0..bytes.len()).find(|at| block(&bytes[*at..])).map(|at| at + 6);
    let tiff = &bytes[if is_tiff(bytes) { 0 } else { start()? }..];
    let tiff = Tiff { bytes: tiff, big: tiff.starts_with(b"MM") };
    let first = tiff.number(4, 4)?;
    let details = tiff.entry(first, 0x8769).and_then(|entry| tiff.number(entry + 8, 4))?;
    let date = tiff.text(tiff.entry(details, 0x9003)?)?;
    let fraction = tiff.entry(details, 0x9291).and_then(|entry| tiff.text(entry));
    let (day, time) = date.split_once(' ')?;
    let millis = dates::read(&format!("{}T{time}Z", day.replace(':', "-")))?;
    // The digits are taken for milliseconds, however many there are.
    let fraction =
        fraction.and_then(|digits| digits.get(..digits.len().min(3))?.trim().parse().ok());
    Some(millis + fraction.unwrap_or(0))
}

struct Tiff<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl Tiff<'_> {
    fn number(&self, at: usize, length: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
        Some(if self.big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    /// Where the entry of this tag stands in the directory at `directory`.
    fn entry(&self, directory: usize, tag: usize) -> Option<usize> {
        let count = self.number(directory, 2)?;
        let entries = (0..count).map(|n| directory + 2 + n * 12);
        entries.into_iter().find(|entry| self.number(*entry, 2) == Some(tag))
    }

    fn text(&self, entry: usize) -> Option<&str> {
        let length = self.number(entry + 4, 4)?;
        let at = if length <= 4 { entry + 8 } else { self.number(entry + 8, 4)? };
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches('\0').trim())
    }
}

fn film(bytes: &[u8]) -> Option<i64> {
    let header = &bytes[find(bytes, b"mvhd")? + 4..];
    let seconds = match header.first()? {
        0 => u64::from(u32::from_be_bytes(*header.get(4..)?.first_chunk()?)),
        _ => u64::from_be_bytes(*header.get(4..)?.first_chunk()?),
    };
    let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    (seconds > 0).then_some(millis - SINCE_1904_MILLIS)
}

/// A JPEG with an EXIF date, for tests.
#[cfg(test)]
pub(super) fn jpeg_taken(date: &str, fraction: &str) -> Vec<u8> {
    let mut jpeg = b"\xff\xd8\xff\xe1\0\xffExif\0\0II*\0\x08\0\0\0".to_vec();
    let number = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
    // One entry that leads to the details at 26; there two, the date at 56.
    jpeg.extend([&[1, 0, 0x69, 0x87, 4, 0][..], &number(1), &number(26), &number(0)].concat());
    let date = format!("{date}\0");
    let short = format!("{fraction:\0<4}");
    jpeg.extend([&[2, 0, 3, 0x90, 2, 0][..], &number(date.len()), &number(56)].concat());
    jpeg.extend([&[0x91, 0x92, 2, 0][..], &number(fraction.len() + 1), short.as_bytes()].concat());
    jpeg.extend([&number(0), date.as_bytes()].concat());
    jpeg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_has_the_camera_s_wall_clock() {
        let date = |jpeg: &[u8]| taken(jpeg).map(dates::text);
        let jpeg = jpeg_taken("2019:09:06 16:30:09", "89");
        assert_eq!(date(&jpeg).as_deref(), Some("2019-09-06T16:30:09.089Z"));
        assert_eq!(date(&jpeg_taken("0000:00:00 00:00:00", "")), None);
        assert_eq!(date(b"\xff\xd8\xff\xe0no date"), None);
        assert!((0..jpeg.len()).all(|end| taken(&jpeg[..end]).is_none()), "whatever is cut off");
    }

    #[test]
    fn a_film_has_the_date_of_its_header() {
        let mut film = b"\0\0\0\x6cmvhd\0\0\0\0".to_vec();
        film.extend(3_786_912_000_u32.to_be_bytes());
        assert_eq!(taken(&film).map(dates::text).as_deref(), Some("2024-01-01T00:00:00.000Z"));
        let length = film.len();
        film[length - 4..].fill(0);
        assert_eq!(taken(&film), None);
    }
}
