//! Which pieces of large files are asked for, and what is read from them.

use std::ops::Range;

use safelight_core::taken::{Source, Zone};
use safelight_core::traits::{Flaw, Traits};
use safelight_media::Inspection;

use crate::build::{Value, atom, index, inspect, jpeg, keys, tiff};

/// A file of `size` bytes of which only some stretches are other than `fill`.
struct Sparse<'a> {
    size: u64,
    fill: u8,
    parts: &'a [(u64, &'a [u8])],
}

impl Sparse<'_> {
    fn inspect(&self, name: &str) -> (Traits, Vec<Range<u64>>) {
        let mut inspection = Inspection::new(name.as_bytes(), self.size);
        let mut wanted = Vec::new();
        while let Some(range) = inspection.wants() {
            let byte = |at| {
                let part = |(start, part): &(u64, &[u8])| {
                    part.get(usize::try_from(at - (*start).min(at)).unwrap())
                        .filter(|_| at >= *start)
                        .copied()
                };
                self.parts.iter().find_map(part).unwrap_or(self.fill)
            };
            let bytes: Vec<u8> = range.clone().map(byte).collect();
            inspection.give(range.start, &bytes);
            wanted.push(range);
        }
        (inspection.finish(), wanted)
    }
}

#[test]
fn the_index_at_the_end_of_a_long_film_is_found() {
    let size = 5_u64 << 30;
    let named = [
        ("com.apple.quicktime.creationdate", "2024-05-12T14:03:10+0200"),
        ("com.apple.quicktime.content.identifier", "ABCD-1"),
    ];
    let index = index(3_798_360_190, *b"vide", &keys(&named));
    let at = size - index.len() as u64;
    let brand = atom(*b"ftyp", b"qt  \0\0\0\0");
    let long = [&[0, 0, 0, 1][..], b"mdat", &(at - 16).to_be_bytes()].concat();
    let film = Sparse { size, fill: 7, parts: &[(0, &brand), (16, &long), (at, &index)] };
    let (found, wanted) = film.inspect("IMG_1.MOV");
    assert_eq!(wanted, [0..256 << 10, at..size]);
    assert_eq!(found.content_id.as_deref(), Some("ABCD-1"));
    assert_eq!(found.taken.unwrap().to_string(), "2024-05-12 14:03:10 +02:00, QuickTime");
    assert_eq!(found.health, None);
}

#[test]
fn of_an_index_that_is_too_long_the_list_of_names_is_found_behind_the_tracks() {
    let size = 1_u64 << 30;
    let named = keys(&[("com.apple.quicktime.content.identifier", "ABCD-1")]);
    let brand = atom(*b"ftyp", b"qt  \0\0\0\0");
    let (track, len): (u32, u32) = (3 << 20, named.len().try_into().unwrap());
    let rest = u32::try_from(size).unwrap() - 16;
    let film = [&rest.to_be_bytes()[..], b"moov", &track.to_be_bytes(), b"trak"].concat();
    let last = [&named[..], &(rest - 8 - track - len).to_be_bytes(), b"trak"].concat();
    let at = 24 + u64::from(track);
    let film = Sparse { size, fill: 0, parts: &[(0, &brand), (16, &film), (at, &last)] };
    let (found, wanted) = film.inspect("IMG_1.MOV");
    assert_eq!(found.content_id.as_deref(), Some("ABCD-1"), "{wanted:?}");
}

#[test]
fn never_more_than_four_pieces_and_two_mebibytes_are_asked_for() {
    // An index that leads on and on.
    let hop = atom(*b"free", &vec![0; 300 << 10]);
    let brand = atom(*b"ftyp", b"mp42\0\0\0\0");
    let bytes = [brand, hop.repeat(40)].concat();
    let mut inspection = Inspection::new(b"a.mp4", bytes.len() as u64);
    let (mut pieces, mut sum) = (0, 0);
    while let Some(range) = inspection.wants() {
        let place = |at| usize::try_from(at).unwrap();
        inspection.give(range.start, &bytes[place(range.start)..place(range.end)]);
        pieces += 1;
        sum += range.end - range.start;
    }
    assert!(pieces <= 4 && sum <= 2 << 20, "{pieces} {sum}");
    assert_eq!(inspection.finish().health, None);
}

#[test]
fn a_small_file_given_at_once_leaves_nothing_to_want() {
    let bytes = jpeg(Some(&tiff(&[(0x0132, Value::Text("2024:05:12 14:03:10"))])), None);
    let mut inspection = Inspection::new(b"a.jpg", bytes.len() as u64);
    inspection.give(0, &bytes);
    assert_eq!(inspection.wants(), None);
}

#[test]
fn the_film_of_a_motion_photo_is_found_where_a_film_begins() {
    let xmp = r#"<x:xmpmeta><rdf:li><a Item:Semantic="MotionPhoto" Item:Length="2000000"/></rdf:li>
        <b GCamera:MotionPhoto="1"/></x:xmpmeta>"#;
    let head = jpeg(None, Some(xmp));
    let size = 6_000_000;
    let film = atom(*b"ftyp", b"mp42\0\0\0\0");
    let photo = Sparse { size, fill: 7, parts: &[(0, &head), (4_000_000, &film)] };
    let (found, wanted) = photo.inspect("a.jpg");
    assert_eq!(found.motion, Some(4_000_000..size));
    assert_eq!(wanted.len(), 2);
    let liar = Sparse { size, fill: 7, parts: &[(0, &head)] };
    assert_eq!(liar.inspect("a.jpg").0.motion, None);
}

#[test]
fn the_film_in_samsungs_trailer_is_found() {
    let picture = jpeg(Some(&tiff(&[(0x010f, Value::Text("samsung"))])), None);
    let film = [atom(*b"ftyp", b"mp42\0\0\0\0"), index(0, *b"vide", &[])].concat();
    let record =
        [&[0, 0, 0x30, 0x0a][..], &16_u32.to_le_bytes(), b"MotionPhoto_Data", &film].concat();
    let len = u32::try_from(record.len()).unwrap().to_le_bytes();
    let table = [&b"SEFH"[..], &[107, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x30, 0x0a], &len, &len].concat();
    let foot = [&u32::try_from(table.len()).unwrap().to_le_bytes()[..], b"SEFT"].concat();
    let start = (picture.len() + 24) as u64;
    let bytes = [picture, record, table, foot].concat();
    assert_eq!(inspect("a.jpg", &bytes).motion, Some(start..start + film.len() as u64));
}

#[test]
fn apples_identifiers_are_read_from_the_maker_note() {
    let mut note = b"Apple iOS\0\0\x01MM\0\x02".to_vec();
    for (tag, place) in [(0x0b_u8, 44_u8), (0x11, 50)] {
        note.extend([0, tag, 0, 2, 0, 0, 0, 6, 0, 0, 0, place]);
    }
    note.extend([0; 4]);
    note.extend(b"burst\0live1\0");
    let inner = [(0x927c, Value::Bytes(&note))];
    let found = inspect("a.jpg", &jpeg(Some(&tiff(&[(0x8769, Value::Directory(&inner))])), None));
    assert_eq!(found.content_id.as_deref(), Some("live1"));
    assert_eq!(found.burst.as_deref(), Some("burst"));
}

#[test]
fn the_best_date_that_is_one_is_believed() {
    let inner = [
        (0x9003, Value::Text("0000:00:00 00:00:00")),
        (0x9004, Value::Text("2024:05:12 14:03:10")),
        (0x9012, Value::Text("-03:30")),
    ];
    let exif =
        tiff(&[(0x0132, Value::Text("2025:01:01 00:00:00")), (0x8769, Value::Directory(&inner))]);
    let taken = inspect("IMG_20230101_000000.jpg", &jpeg(Some(&exif), None)).taken.unwrap();
    assert_eq!((taken.source(), taken.zone()), (Source::ExifDigitized, Zone::Offset(-210)));
    let taken = inspect("IMG_20230102_030405.jpg", &jpeg(None, None)).taken.unwrap();
    assert_eq!(taken.to_string(), "2023-01-02 03:04:05, file name");
    let film = [atom(*b"ftyp", b"mp42\0\0\0\0"), index(0, *b"vide", &[])].concat();
    assert_eq!(inspect("a.mp4", &film).taken, None, "1904 means that there is no date");
}

#[test]
fn dates_in_the_future_are_none() {
    use safelight_core::time::Timestamp;
    let inner = [(0x9003, Value::Text("2031:05:12 14:03:10"))];
    let bytes = jpeg(Some(&tiff(&[(0x8769, Value::Directory(&inner))])), None);
    let now = Timestamp::from_parts(1_800_000_000, 0);
    let judged =
        |name: &[u8], now| Inspection::whole(name, &bytes, now).taken.map(|taken| taken.source());
    assert_eq!(judged(b"a.jpg", None), Some(Source::Exif));
    assert_eq!(judged(b"a.jpg", Some(now)), None);
    assert_eq!(judged(b"IMG_20230102_030405.jpg", Some(now)), Some(Source::Name));
}

#[test]
fn a_box_that_promises_more_than_there_is_makes_the_picture_cut_off() {
    let bytes = [atom(*b"ftyp", b"heic\0\0\0\0"), b"\0\x0f\0\0meta\0\0\0\0".to_vec()].concat();
    assert_eq!(inspect("a.heic", &bytes).health, Some(Flaw::Truncated));
}
