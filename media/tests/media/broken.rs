//! What is wrong with a file is found, not failed at.

use safelight_core::class::MediaClass;
use safelight_core::traits::Flaw;
use safelight_media::Inspection;

use crate::build::{atom, index, inspect};

#[test]
fn empty_and_zeroed_files_are_no_pictures() {
    let empty = inspect("a.jpg", b"");
    assert_eq!((empty.class, empty.health), (MediaClass::Other, Some(Flaw::Empty)));
    let zeroed = inspect("a.jpg", &vec![0; 3 << 20]);
    assert_eq!((zeroed.class, zeroed.health), (MediaClass::Other, Some(Flaw::AllZero)));
    assert!(zeroed.mismatch);
}

#[test]
fn a_file_of_which_only_the_head_is_zero_is_not_called_zeroed() {
    let mut bytes = vec![0; 3 << 20];
    *bytes.last_mut().unwrap() = 1;
    assert_eq!(inspect("a.jpg", &bytes).health, None);
}

#[test]
fn the_half_that_a_mac_keeps_apart_is_no_picture() {
    let found = inspect("._IMG_1.JPG", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ");
    assert_eq!((found.class, found.health), (MediaClass::Other, Some(Flaw::AppleDouble)));
}

#[test]
fn a_film_that_was_cut_off_is_told() {
    let brand = atom(*b"ftyp", b"mp42\0\0\0\0");
    let media = atom(*b"mdat", &[7; 1000]);
    let whole = [brand.clone(), media.clone(), index(0, *b"vide", &[])].concat();
    assert_eq!(inspect("a.mp4", &whole).health, None);
    let unindexed = [brand.clone(), media.clone()].concat();
    let inside = &unindexed[..500];
    for cut in [&unindexed, inside, &brand] {
        let found = inspect("a.mp4", cut);
        assert_eq!((found.class, found.health), (MediaClass::Video, Some(Flaw::Truncated)));
    }
}

#[test]
fn what_a_camera_appends_behind_a_film_does_not_make_it_cut_off() {
    let film = [atom(*b"ftyp", b"mp42\0\0\0\0"), index(0, *b"vide", &[])].concat();
    let followed = [film, b"\x7f\x01\x02\x03\x99\x98\x97\x96 and so on".to_vec()].concat();
    assert_eq!(inspect("a.insv", &followed).health, None);
}

#[test]
fn what_was_not_seen_is_not_called_cut_off() {
    let head = [atom(*b"ftyp", b"mp42\0\0\0\0"), b"\x3f\0\0\0mdat".to_vec()].concat();
    let mut inspection = Inspection::new(b"a.mp4", 0x4000_0000);
    inspection.give(0, &head);
    assert_eq!(inspection.finish().health, None);
}

#[test]
fn an_inspection_that_saw_nothing_finds_nothing() {
    let found = Inspection::new(b"IMG_20240512_140310.jpg", 100).finish();
    assert_eq!((found.class, found.taken, found.health), (MediaClass::Other, None, None));
}
