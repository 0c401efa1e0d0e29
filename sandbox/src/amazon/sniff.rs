//! What a file is, by its bytes: the service counts as a photo what it recognises as one, whatever the name says.
//!
//! Known as photos: JPEG, PNG, GIF, BMP, TIFF, HEIF, raw. As videos: MP4, QuickTime, AVI, MTS, MPG, ASF, WMV, Flash,
//! OGG. WebP, AVIF, JPEG XL and Matroska are on no list of the service, so they are other.

use serde::{Deserialize, Serialize};

/// What a file counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Class {
    Photo,
    Video,
    Doc,
    Other,
}

impl Class {
    /// All classes with their names in the usage.
    pub(super) const ALL: [(Self, &'static str); 4] = [
        (Self::Photo, "photo"),
        (Self::Video, "video"),
        (Self::Doc, "doc"),
        (Self::Other, "other"),
    ];
}

const PLAIN: &[(usize, &[u8], Class, &str)] = &[
    (0, b"\xff\xd8\xff", Class::Photo, "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", Class::Photo, "image/png"),
    (0, b"GIF87a", Class::Photo, "image/gif"),
    (0, b"GIF89a", Class::Photo, "image/gif"),
    (0, b"II*\0", Class::Photo, "image/tiff"),
    (0, b"MM\0*", Class::Photo, "image/tiff"),
    (0, b"IIU\0", Class::Photo, "image/x-panasonic-rw2"),
    (0, b"IIRO", Class::Photo, "image/x-olympus-orf"),
    (0, b"IIRS", Class::Photo, "image/x-olympus-orf"),
    (0, b"MMOR", Class::Photo, "image/x-olympus-orf"),
    (0, b"FUJIFILMCCD-RAW", Class::Photo, "image/x-fuji-raf"),
    (0, b"FOVb", Class::Photo, "image/x-sigma-x3f"),
    (0, b"\0MRM", Class::Photo, "image/x-minolta-mrw"),
    (6, b"HEAPCCDR", Class::Photo, "image/x-canon-crw"),
    (8, b"AVI ", Class::Video, "video/x-msvideo"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Class::Video, "video/x-ms-wmv"),
    (0, b"FLV\x01", Class::Video, "video/x-flv"),
    (0, b"OggS", Class::Video, "video/ogg"),
    (0, b"\0\0\x01\xba", Class::Video, "video/mpeg"),
    (0, b"\0\0\x01\xb3", Class::Video, "video/mpeg"),
    (0, b"%PDF-", Class::Doc, "application/pdf"),
];

/// Class and content type of a file that begins with `head`.
pub(super) fn sniff(head: &[u8]) -> (Class, &'static str) {
    let at =
        |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|at| at.starts_with(magic));
    if let Some((.., class, kind)) = PLAIN.iter().find(|(offset, magic, ..)| at(*offset, magic)) {
        return (*class, kind);
    }
    if at(4, b"ftyp") {
        return by_brand(head);
    }
    // QuickTime from before there were brands.
    if [b"moov", b"wide", b"mdat", b"skip", b"free", b"pnot"].iter().any(|atom| at(4, *atom)) {
        return (Class::Video, "video/quicktime");
    }
    if at(0, b"BM") && at(6, &[0; 4]) {
        return (Class::Photo, "image/bmp");
    }
    // Transport streams: a sync byte every 188 bytes, or every 192 behind a time stamp.
    let synced = |first: usize, step: usize| (0..3).all(|n| at(first + n * step, b"G"));
    if synced(0, 188) || synced(4, 192) {
        return (Class::Video, "video/mp2t");
    }
    (Class::Other, "application/octet-stream")
}

/// Files of boxes: the first box names the family, and what else the file can be read as.
fn by_brand(head: &[u8]) -> (Class, &'static str) {
    let length = head.first_chunk().map_or(0, |size| u32::from_be_bytes(*size));
    let end = usize::try_from(length).unwrap_or(usize::MAX).min(head.len()).max(12.min(head.len()));
    let major = head.get(8..12).unwrap_or_default();
    let compatible = head.get(16..end).unwrap_or_default();
    let brands = [major].into_iter().chain(compatible.chunks_exact(4));
    let has = |wanted: &[&[u8]]| brands.clone().any(|brand| wanted.contains(&brand));
    if major == b"crx " {
        (Class::Photo, "image/x-canon-cr3")
    } else if has(&[b"avif", b"avis"]) {
        (Class::Other, "image/avif")
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"]) {
        (Class::Photo, "image/heic")
    } else if has(&[b"mif1", b"msf1"]) {
        (Class::Photo, "image/heif")
    } else if has(&[b"M4A ", b"M4B "]) {
        (Class::Other, "audio/mp4")
    } else if major == b"qt  " {
        (Class::Video, "video/quicktime")
    } else {
        (Class::Video, "video/mp4")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let transport: Vec<u8> = [vec![b'G'], vec![0; 187]].concat().repeat(3);
        let cases: [(&[u8], Class); 16] = [
            (b"\xff\xd8\xff\xe1", Class::Photo),
            (b"II*\0\x08\0\0\0", Class::Photo),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Class::Photo),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", Class::Photo),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", Class::Other),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", Class::Photo),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Class::Video),
            (b"\0\0\0\x14ftypXAVC\0\0\0\0XAVC", Class::Video),
            (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", Class::Other),
            (b"\0\0\0\x08wide\0\0\0\0mdat", Class::Video),
            (b"RIFF\0\0\0\0AVI LIST", Class::Video),
            (b"RIFF\0\0\0\0WEBPVP8 ", Class::Other),
            (&transport, Class::Video),
            (b"%PDF-1.7", Class::Doc),
            (b"no photo, whatever its name", Class::Other),
            (b"", Class::Other),
        ];
        for (head, class) in cases {
            assert_eq!(sniff(head).0, class, "{:?}", String::from_utf8_lossy(head));
        }
    }
}
