//! Makes small files of many formats, as far as an inspection looks at them.

use safelight_core::traits::Traits;
use safelight_media::Inspection;

/// What is found out about a file that is there as a whole.
pub fn inspect(name: &str, bytes: &[u8]) -> Traits {
    Inspection::whole(name.as_bytes(), bytes, None)
}

/// A box of an MP4 file.
pub fn atom(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 8).unwrap();
    [&len.to_be_bytes(), &kind[..], body].concat()
}

/// The index of a film that was made at `created` (seconds since 1904), with one track.
pub fn index(created: u32, track: [u8; 4], rest: &[u8]) -> Vec<u8> {
    let header = atom(*b"mvhd", &[&[0; 4], &created.to_be_bytes()[..], &[0; 92]].concat());
    let handler = atom(*b"hdlr", &[&[0; 8], &track[..], &[0; 13]].concat());
    let track = atom(*b"trak", &atom(*b"mdia", &handler));
    atom(*b"moov", &[header, track, rest.to_vec()].concat())
}

/// Apple's list of named values.
pub fn keys(values: &[(&str, &str)]) -> Vec<u8> {
    let count = u32::try_from(values.len()).unwrap();
    let mut names = [[0; 4], count.to_be_bytes()].concat();
    let mut list = Vec::new();
    for (number, (name, value)) in (1_u32..).zip(values) {
        names.extend(atom(*b"mdta", name.as_bytes()));
        let data = atom(*b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], value.as_bytes()].concat());
        list.extend(atom(number.to_be_bytes(), &data));
    }
    let handler = atom(*b"hdlr", &[0; 24]);
    atom(*b"meta", &[handler, atom(*b"keys", &names), atom(*b"ilst", &list)].concat())
}

/// A value in a directory of TIFF.
pub enum Value<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Number(u32),
    Directory(&'a [(u16, Value<'a>)]),
}

/// A little-endian TIFF structure whose directories hold these values.
pub fn tiff(entries: &[(u16, Value<'_>)]) -> Vec<u8> {
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    directory(&mut out, entries);
    out
}

fn directory(out: &mut Vec<u8>, entries: &[(u16, Value<'_>)]) {
    let start = out.len();
    out.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    out.resize(start + 2 + entries.len() * 12 + 4, 0);
    for (row, (tag, value)) in entries.iter().enumerate() {
        let place = u32::try_from(out.len()).unwrap();
        let (kind, bytes): (u16, Vec<u8>) = match value {
            Value::Text(text) => (2, [text.as_bytes(), b"\0"].concat()),
            Value::Bytes(bytes) => (7, bytes.to_vec()),
            Value::Number(number) => (4, number.to_le_bytes().to_vec()),
            Value::Directory(inner) => {
                directory(out, inner);
                (4, place.to_le_bytes().to_vec())
            }
        };
        let len = if kind == 4 { 1 } else { u32::try_from(bytes.len()).unwrap() };
        let field = if bytes.len() <= 4 {
            let mut field = [0; 4];
            field[..bytes.len()].copy_from_slice(&bytes);
            field
        } else {
            let place = u32::try_from(out.len()).unwrap();
            out.extend(&bytes);
            place.to_le_bytes()
        };
        let head =
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &len.to_le_bytes(), &field].concat();
        out[start + 2 + row * 12..][..12].copy_from_slice(&head);
    }
}

/// A JPEG whose segments hold this EXIF block and this XMP packet.
pub fn jpeg(exif: Option<&[u8]>, xmp: Option<&str>) -> Vec<u8> {
    let mut out = b"\xff\xd8".to_vec();
    let mut segment = |prefix: &[u8], body: &[u8]| {
        out.extend(b"\xff\xe1");
        out.extend(u16::try_from(prefix.len() + body.len() + 2).unwrap().to_be_bytes());
        out.extend([prefix, body].concat());
    };
    if let Some(exif) = exif {
        segment(b"Exif\0\0", exif);
    }
    if let Some(xmp) = xmp {
        segment(b"http://ns.adobe.com/xap/1.0/\0", xmp.as_bytes());
    }
    out.extend(b"\xff\xda\0\x02picture\xff\xd9");
    out
}
