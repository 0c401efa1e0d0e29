//! ISO base media files by their brands, and QuickTime files from before brands.

use crate::format::{self as f, Format};
use crate::view::{View, be};

/// What a brand says. Order matters: the first row that any brand of the file matches decides, major brand or not,
/// because HEIC and AVIF often call themselves `mif1` first.
const BRANDS: &[(&[&[u8; 4]], Format)] = &[
    (&[b"crx "], f::CR3),
    (&[b"avif", b"avis"], f::AVIF),
    (&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"], f::HEIC),
    (&[b"mif1", b"mif2", b"msf1", b"miaf"], f::HEIF),
    (&[b"jxl "], f::JXL),
    (&[b"jp2 ", b"jpx ", b"jpm "], f::JP2),
];

/// Brands of films; here the major brand decides before the others do.
const FILMS: &[(&[u8], Format)] = &[
    (b"qt  ", f::QUICKTIME),
    (b"XAVC", f::XAVC),
    (b"3g", f::THREE_GP),
    (b"M4A ", f::MP4_AUDIO),
    (b"M4B ", f::MP4_AUDIO),
    (b"M4P ", f::MP4_AUDIO),
    (b"M4V", f::MP4),
    (b"mp4", f::MP4),
    (b"iso", f::MP4),
    (b"avc1", f::MP4),
    (b"hvc1", f::MP4),
    (b"MSNV", f::MP4),
    (b"dash", f::MP4),
    (b"cmf", f::MP4),
    (b"f4v ", f::MP4),
    (b"F4V ", f::MP4),
    (b"mmp4", f::MP4),
    (b"NDX", f::MP4),
    (b"mjp2", f::MP4),
    (b"CAEP", f::MP4),
    (b"nvr1", f::MP4),
    (b"niko", f::QUICKTIME),
    (b"pana", f::MP4),
];

pub(super) fn sniff(view: &View<'_>) -> Option<Format> {
    let head = view.head();
    let len = be(head, 0, 4)?;
    match head.get(4..8)? {
        b"ftyp" => Some(by_brand(head, len)),
        b"moov" | b"pnot" if len >= 8 => Some(f::QUICKTIME),
        b"mdat" if len >= 8 || len == 1 => Some(f::QUICKTIME),
        // Fillers are told from chance by what must follow them.
        b"wide" | b"skip" | b"free" if (8..=1 << 20).contains(&len) => follower(view, len),
        _ => None,
    }
}

fn follower(view: &View<'_>, at: u64) -> Option<Format> {
    let next: [u8; 4] = view.get(at.checked_add(4)?, 4)?.try_into().ok()?;
    let known = [b"moov", b"mdat", b"wide", b"skip", b"free", b"ftyp", b"pnot"];
    known.contains(&&next).then_some(f::QUICKTIME)
}

fn by_brand(head: &[u8], len: u64) -> Format {
    let end = usize::try_from(len).unwrap_or(usize::MAX).min(head.len()).min(4096);
    let brands = head.get(8..end).unwrap_or_default();
    // The second word is the version of the major brand, not a brand.
    let all: Vec<&[u8]> = brands
        .chunks_exact(4)
        .enumerate()
        .filter_map(|(at, brand)| (at != 1).then_some(brand))
        .collect();
    let major = all.first().copied().unwrap_or_default();
    let film = |brand: &[u8]| FILMS.iter().find(|(film, _)| brand.starts_with(film));
    if let Some((_, format)) = film(major) {
        return *format;
    }
    for (row, format) in BRANDS {
        if row.iter().any(|brand| all.contains(&brand.as_slice())) {
            return *format;
        }
    }
    all.iter().find_map(|brand| film(brand)).map_or(f::ISO_BMFF, |(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Pieces;

    fn told(bytes: &[u8]) -> Option<&'static str> {
        let mut pieces = Pieces::default();
        pieces.add(0, bytes);
        sniff(&View::new(&pieces, bytes.len() as u64)).map(Format::word)
    }

    fn brands(brands: &[&[u8; 4]]) -> Vec<u8> {
        let len = u8::try_from(12 + 4 * brands.len()).unwrap_or(0);
        let mut bytes = vec![0, 0, 0, len];
        bytes.extend(b"ftyp");
        bytes.extend(brands[0]);
        bytes.extend([0; 4]);
        bytes.extend(brands[1..].iter().flat_map(|brand| brand.iter()));
        bytes
    }

    #[test]
    fn brands_tell_pictures_raws_and_films_apart() {
        let cases: [(&[&[u8; 4]], &str); 17] = [
            (&[b"heic"], "heic"),
            (&[b"heim"], "heic"),
            (&[b"mif1", b"heic"], "heic"),
            (&[b"msf1"], "heif"),
            (&[b"mif1", b"avif"], "avif"),
            (&[b"avis"], "avif"),
            (&[b"crx ", b"isom"], "cr3"),
            (&[b"isom", b"avc1"], "mp4"),
            (&[b"mp42"], "mp4"),
            (&[b"MSNV"], "mp4"),
            (&[b"XAVC", b"mp42"], "xavc"),
            (&[b"3gp4"], "3gp"),
            (&[b"qt  "], "quicktime"),
            (&[b"M4V "], "mp4"),
            (&[b"M4A "], "mp4-audio"),
            (&[b"zzzz", b"iso5"], "mp4"),
            (&[b"zzzz"], "iso-bmff"),
        ];
        for (given, word) in cases {
            assert_eq!(told(&brands(given)), Some(word), "{given:?}");
        }
    }

    #[test]
    fn films_from_before_brands_begin_with_one_of_their_atoms() {
        assert_eq!(told(b"\0\0\0\x20moov\0\0\0\x18mvhd"), Some("quicktime"));
        assert_eq!(told(b"\0\0\0\x08wide\0\0\0\x18mdat"), Some("quicktime"));
        assert_eq!(told(b"\0\0\0\x08skip\0\0\0\x18moov"), Some("quicktime"));
        assert_eq!(told(b"\0\0\x10\0mdat...."), Some("quicktime"));
        assert_eq!(told(b"\0\0\0\x08skip the rest of this"), None);
        assert_eq!(told(b"free beer"), None);
    }
}
