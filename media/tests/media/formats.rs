//! Formats and classes for which no sample is at hand, and the rule of the class.

use safelight_core::class::MediaClass::{self, Other, Photo, Raw, Sidecar, Video};

use crate::build::{Value, atom, index, inspect, jpeg, tiff};

fn brand(brand: [u8; 4]) -> Vec<u8> {
    atom(*b"ftyp", &[&brand[..], &[0; 4]].concat())
}

#[test]
fn signatures_tell_format_and_class() {
    let packets = |lead: usize, len: usize| {
        let packet = [vec![0; lead], vec![0x47], vec![1; len - lead - 1]].concat();
        packet.repeat(4)
    };
    let cases: [(&str, Vec<u8>, &str, MediaClass); 29] = [
        ("a.crw", b"II\x1a\0\0\0HEAPCCDR\x02\0".to_vec(), "crw", Raw),
        ("a.orf", b"IIRO\x08\0\0\0\0\0".to_vec(), "orf", Raw),
        ("a.orf", b"IIRS\x08\0\0\0\0\0".to_vec(), "orf", Raw),
        ("a.orf", b"MMOR\0\0\0\x08\0\0".to_vec(), "orf", Raw),
        ("a.rw2", b"IIU\0\x18\0\0\0\0\0".to_vec(), "rw2", Raw),
        ("a.x3f", b"FOVb\0\0\x02\0".to_vec(), "x3f", Raw),
        ("a.mrw", b"\0MRM\0\0\0\0".to_vec(), "mrw", Raw),
        ("a.raf", b"FUJIFILMCCD-RAW 0201".to_vec(), "raf", Raw),
        ("a.cr2", b"II*\0\x10\0\0\0CR\x02\0".to_vec(), "cr2", Raw),
        ("a.bmp", b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec(), "bmp", Photo),
        ("a.jxl", b"\xff\x0a\xfa\x7f".to_vec(), "jxl", Photo),
        ("a.jxl", b"\0\0\0\x0cJXL \r\n\x87\n".to_vec(), "jxl", Photo),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n".to_vec(), "jp2", Photo),
        ("a.psd", b"8BPS\0\x01\0\0\0\0\0\0".to_vec(), "psd", Photo),
        ("a.flv", b"FLV\x01\x05".to_vec(), "flv", Video),
        ("a.mpg", b"\0\0\x01\xba\x44".to_vec(), "mpeg", Video),
        ("a.ts", packets(0, 188), "ts", Video),
        ("a.mts", packets(4, 192), "m2ts", Video),
        ("a.mkv", b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska V_MPEG4".to_vec(), "matroska", Video),
        ("a.webm", b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm".to_vec(), "webm", Video),
        (
            "a.mka",
            b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska A_AAC".to_vec(),
            "matroska-audio",
            Other,
        ),
        ("a.ogv", b"OggS\0\x02......\x01..\x80theora".to_vec(), "ogg-video", Video),
        ("a.ogg", b"OggS\0\x02......\x01..\x01vorbis".to_vec(), "ogg-audio", Other),
        (
            "a.wmv",
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c".to_vec(),
            "asf",
            Video,
        ),
        ("a.aae", b"<?xml version='1.0'?><plist version='1.0'><dict/>".to_vec(), "aae", Sidecar),
        ("a.pp3", b"[Version]\nAppVersion=5.9\n".to_vec(), "pp3", Sidecar),
        ("a.dop", b"Sidecar = {\n".to_vec(), "dop", Sidecar),
        (
            "a.jpg.json",
            b"{ \"title\": \"a\", \"photoTakenTime\": {} }".to_vec(),
            "takeout-json",
            Sidecar,
        ),
        ("notes.pdf", b"%PDF-1.7".to_vec(), "pdf", Other),
    ];
    for (name, bytes, word, class) in cases {
        let found = inspect(name, &bytes);
        assert_eq!(found.detected.as_deref(), Some(word), "{name}");
        assert_eq!((found.class, found.mismatch), (class, false), "{name}");
    }
}

#[test]
fn the_content_decides_and_a_wrong_ending_is_told() {
    let heic = [brand(*b"heic"), atom(*b"meta", &[0; 4])].concat();
    let film = [brand(*b"mp42"), index(0, *b"vide", &[])].concat();
    let sound = [brand(*b"mp42"), index(0, *b"soun", &[])].concat();
    let cases: [(&str, &[u8], MediaClass, bool); 14] = [
        ("a.jpg", b"<!DOCTYPE html><html>sign in</html>", Other, true),
        ("a.jpg", b"no picture at all", Other, true),
        ("a.jpg", &heic, Photo, true),
        ("a.mov", &jpeg(None, None), Photo, true),
        ("a.nef", b"unknown to everybody", Other, true),
        ("a.nef", &jpeg(None, None), Photo, true),
        ("a.thm", &jpeg(None, None), Sidecar, false),
        ("a.lrv", &film, Sidecar, false),
        ("a.mov", &film, Video, false),
        ("a.mp4", &sound, Other, true),
        ("a", &heic, Photo, false),
        ("a.txt", b"words", Other, false),
        ("a.svg", b"<svg><metadata><rdf:RDF/></metadata></svg>", Other, false),
        ("a.xmp", b"<rdf:RDF/>", Sidecar, false),
    ];
    for (name, bytes, class, mismatch) in cases {
        let found = inspect(name, bytes);
        assert_eq!((found.class, found.mismatch), (class, mismatch), "{name} {found:?}");
    }
}

#[test]
fn raw_pictures_inside_of_tiff_are_told_by_tag_ending_and_sensor() {
    let plain = tiff(&[(0x0106, Value::Number(2))]);
    let dng = tiff(&[(0xc612, Value::Bytes(&[1, 4, 0, 0]))]);
    let sensor = [(0x0106, Value::Number(32_803))];
    let nikon =
        tiff(&[(0x010f, Value::Text("NIKON CORPORATION")), (0x014a, Value::Directory(&sensor))]);
    let other = tiff(&[(0x0106, Value::Number(32_803))]);
    let cases: [(&str, &[u8], &str, MediaClass, bool); 8] = [
        ("a.tif", &plain, "tiff", Photo, false),
        ("a.jpg", &plain, "tiff", Photo, true),
        ("a.NEF", &plain, "nef", Raw, false),
        ("a.arw", &plain, "arw", Raw, false),
        ("a.dng", &dng, "dng", Raw, false),
        ("a.tif", &dng, "dng", Raw, true),
        ("a.tif", &nikon, "nef", Raw, true),
        ("a.tif", &other, "raw-tiff", Raw, false),
    ];
    for (name, bytes, word, class, mismatch) in cases {
        let found = inspect(name, bytes);
        assert_eq!(found.detected.as_deref(), Some(word), "{name}");
        assert_eq!((found.class, found.mismatch), (class, mismatch), "{name}");
    }
}
