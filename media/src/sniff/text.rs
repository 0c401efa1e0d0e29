//! Sidecars and other texts.

use std::borrow::Cow;

use crate::format::{self as f, Format};
use crate::view::find;

/// So much of the head is looked at.
const LOOKED_AT: usize = 16 << 10;

pub(super) fn sniff(head: &[u8], ending: &str) -> Option<Format> {
    let text = utf8(&head[..head.len().min(LOOKED_AT)]);
    let body = text.trim_ascii_start();
    let has = |mark: &[u8]| find(body, mark).is_some();
    if body.starts_with(b"bplist00") {
        return (ending == "aae").then_some(f::AAE);
    }
    if body.contains(&0) {
        return None;
    }
    match body.first()? {
        // Drawings and web pages may hold a packet of XMP; that makes them none.
        b'<' if !has(b"<svg") && !has(b"<html") && is_xmp(body, ending) => Some(f::XMP),
        b'<' if has(b"<plist") && (ending == "aae" || has(b"adjustmentFormatIdentifier")) => {
            Some(f::AAE)
        }
        b'<' => {
            let start: Vec<u8> = body.iter().take(256).map(u8::to_ascii_lowercase).collect();
            let html = find(&start, b"<!doctype html").or_else(|| find(&start, b"<html"));
            match html {
                Some(_) => Some(f::HTML),
                None => body.starts_with(b"<?xml").then_some(f::XML),
            }
        }
        b'{' if has(b"\"photoTakenTime\"") => Some(f::TAKEOUT_JSON),
        b'{' if ending == "json" => Some(f::JSON),
        b'[' if ending == "pp3" => Some(f::PP3),
        b'S' if ending == "dop" && body.starts_with(b"Sidecar") => Some(f::DOP),
        _ => None,
    }
}

fn is_xmp(text: &[u8], ending: &str) -> bool {
    let has = |mark: &[u8]| find(text, mark).is_some();
    has(b"<x:xmpmeta") || has(b"<x:xapmeta") || (ending == "xmp" && has(b"<rdf:RDF"))
}

/// The text without a byte order mark; UTF-16 as UTF-8.
pub(crate) fn utf8(text: &[u8]) -> Cow<'_, [u8]> {
    let unit: fn([u8; 2]) -> u16 = match text {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)),
    };
    let units: Vec<u16> = text[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
}
