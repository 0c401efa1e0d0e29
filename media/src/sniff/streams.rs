//! Films that are streams or whose container says late what it holds: MPEG transport streams, Matroska, Ogg, ASF.

use crate::format::{self as f, Format};
use crate::view::find;

/// So much of the head is searched for marks that have no fixed place.
const SEARCHED: usize = 64 << 10;

pub(super) fn sniff(head: &[u8]) -> Option<Format> {
    let searched = &head[..head.len().min(SEARCHED)];
    let has = |mark: &[u8]| find(searched, mark).is_some();
    if head.starts_with(b"\x1a\x45\xdf\xa3") {
        let doctype = &head[..head.len().min(128)];
        return Some(if find(doctype, b"webm").is_some() {
            f::WEBM
        } else if has(b"A_") && !has(b"V_") {
            f::MATROSKA_AUDIO
        } else {
            f::MATROSKA
        });
    }
    if head.starts_with(b"OggS\0") {
        let film = has(b"\x80theora") || has(b"BBCD\0") || has(b"\x01video");
        return Some(if film { f::OGG_VIDEO } else { f::OGG_AUDIO });
    }
    if head.starts_with(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c") {
        let tail = b"\x5b\x4d\x11\xcf\xa8\xfd\x00\x80\x5f\x5c\x44\x2b";
        let stream = |first: &[u8; 4]| has(&[first.as_slice(), tail].concat());
        let (film, sound) = (stream(b"\xc0\xef\x19\xbc"), stream(b"\x40\x9e\x69\xf8"));
        return Some(if sound && !film { f::ASF_AUDIO } else { f::ASF });
    }
    if packets(head, 4, 192) {
        return Some(f::M2TS);
    }
    packets(head, 0, 188).then_some(f::TS)
}

/// Whether each packet begins with the sync byte: up to ten, at least three.
fn packets(head: &[u8], first: usize, len: usize) -> bool {
    let syncs: Vec<&u8> = head.iter().skip(first).step_by(len).take(10).collect();
    syncs.len() >= 3 && syncs.iter().all(|byte| **byte == 0x47)
}
