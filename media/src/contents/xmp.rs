//! The few properties of XMP that matter here, read without a model of the whole.
//!
//! A property is found by its name, whatever prefix stands before it, as an attribute or as an element.

use super::Marks;
use crate::date::stamp::Stamp;
use crate::view::find;

/// Dates, the user's own correction first.
const DATES: [&[u8]; 4] =
    [b":DateTimeOriginal", b":DateCreated", b":CreateDate", b":DateTimeDigitized"];

/// Reads one packet.
pub(super) fn read(packet: &[u8], marks: &mut Marks) {
    if marks.xmp.is_empty() {
        let found = DATES.iter().filter_map(|name| Stamp::parse(property(packet, name)?));
        marks.xmp = found.collect();
    }
    marks.motion_from_end = marks.motion_from_end.or_else(|| film(packet));
}

/// Looks for a packet somewhere in `bytes` and reads it.
pub(super) fn search(bytes: &[u8], marks: &mut Marks) {
    let Some(start) = find(bytes, b"<x:xmpmeta") else { return };
    let rest = &bytes[start..];
    let end = find(rest, b"</x:xmpmeta").unwrap_or(rest.len());
    read(&rest[..end], marks);
}

/// How much from the end the film of a motion photo begins.
fn film(packet: &[u8]) -> Option<u64> {
    if property(packet, b":MotionPhoto") == Some(b"1") {
        let mut rest = packet;
        while let Some(at) = find(rest, b"<rdf:li") {
            rest = &rest[at + 7..];
            let entry = &rest[..find(rest, b"<rdf:li").unwrap_or(rest.len())];
            if property(entry, b":Semantic") == Some(b"MotionPhoto") {
                let padding = amount(entry, b":Padding").unwrap_or(0);
                return amount(entry, b":Length")?.checked_add(padding);
            }
        }
        return amount(packet, b":MotionPhotoOffset");
    }
    let older = property(packet, b":MicroVideo") == Some(b"1");
    if older { amount(packet, b":MicroVideoOffset") } else { None }
}

fn amount(text: &[u8], name: &[u8]) -> Option<u64> {
    std::str::from_utf8(property(text, name)?).ok()?.parse().ok()
}

/// The first value of the property that is not empty.
fn property<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = text;
    while let Some(at) = find(rest, name) {
        rest = &rest[at + name.len()..];
        let value = match rest {
            [b'=', quote @ (b'"' | b'\''), value @ ..] => value.split(|byte| byte == quote).next(),
            [b'>', value @ ..] => value.split(|byte| *byte == b'<').next(),
            _ => None,
        };
        if let Some(value) = value.map(<[u8]>::trim_ascii).filter(|value| !value.is_empty()) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_found_as_attributes_and_as_elements() {
        let text =
            b"<a xmp:CreateDate='2024'/><p:DateCreated> 2023 </p:DateCreated><x:Empty></x:Empty>";
        assert_eq!(property(text, b":CreateDate"), Some(&b"2024"[..]));
        assert_eq!(property(text, b":DateCreated"), Some(&b"2023"[..]));
        assert_eq!(property(text, b":Empty"), None);
        assert_eq!(property(text, b":Create"), None);
    }

    #[test]
    fn the_film_of_a_motion_photo_is_counted_from_the_end() {
        let new = br#"<d GCamera:MotionPhoto="1"><rdf:li><Container:Item Item:Semantic="Primary" Item:Length="0"/></rdf:li>
            <rdf:li><Container:Item Item:Semantic="MotionPhoto" Item:Length="100" Item:Padding="8"/></rdf:li>"#;
        assert_eq!(film(new), Some(108));
        let old = br#"<d GCamera:MicroVideo="1" GCamera:MicroVideoOffset="77"/>"#;
        assert_eq!(film(old), Some(77));
        assert_eq!(film(br#"<d GCamera:MotionPhoto="0" Item:Length="9"/>"#), None);
    }
}
