//! Dates of camcorders and old digital cameras.

use super::Marks;
use crate::date::stamp::Stamp;
use crate::view::{find, le};

/// The chunk `IDIT` of an AVI film.
pub(super) fn avi(head: &[u8], marks: &mut Marks) {
    let Some(at) = find(head, b"IDIT") else { return };
    let Some(len) = le(head, at + 4, 4).and_then(|len| usize::try_from(len.min(64)).ok()) else {
        return;
    };
    let text = head.get(at + 8..).unwrap_or_default();
    let text = &text[..len.min(text.len())];
    marks.recorder = Stamp::parse(text).or_else(|| Stamp::parse_asctime(text));
}

/// AVCHD writes the date into the stream of pictures, as digits in half bytes after the mark `MDPM`: records of one
/// byte number and four bytes content.
pub(super) fn avchd(head: &[u8], marks: &mut Marks) {
    let Some(at) = find(head, b"MDPM") else { return };
    let stream = &head[at + 4..head.len().min(at + 260)];
    let mut plain = Vec::with_capacity(stream.len());
    for byte in stream {
        // The stream puts a 3 behind every two zeros.
        if *byte != 3 || !plain.ends_with(&[0, 0]) {
            plain.push(*byte);
        }
    }
    let Some((count, records)) = plain.split_first() else { return };
    let record = |number: u8| {
        let mut records = records.chunks_exact(5).take(usize::from(*count));
        records.find(|record| record[0] == number)
    };
    if let (Some([_, zone, century, year, month]), Some([_, day, hour, minute, second])) =
        (record(0x18), record(0x19))
    {
        let mut text = format!(
            "{century:02x}{year:02x}:{month:02x}:{day:02x} {hour:02x}:{minute:02x}:{second:02x}"
        );
        // With daylight saving it is not said which offset is meant.
        if zone & 0xc0 == 0 {
            let sign = if zone & 0x20 == 0 { "+" } else { "-" };
            let half = if zone & 1 == 0 { "00" } else { "30" };
            text.extend([sign, &format!("{:02}:{half}", zone >> 1 & 0x0f)]);
        }
        marks.recorder = Stamp::parse(text.as_bytes());
    }
}
