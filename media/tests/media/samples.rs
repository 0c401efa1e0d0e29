//! Real photos, films and sidecars of many makers, if a folder with them stands beside the workspace.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use safelight_core::group::{Evidence, Kind, Role, Subject, groups};
use safelight_core::key::Key;
use safelight_core::traits::Traits;
use safelight_media::Inspection;

/// A path in the folder with the samples, and what stands there.
pub type Sample = (String, Vec<u8>);

/// The files below the folder with the samples, by their paths in it; one line says so if there is none.
pub fn samples() -> Option<&'static [Sample]> {
    static SAMPLES: LazyLock<Option<Vec<Sample>>> = LazyLock::new(load);
    SAMPLES.as_deref()
}

#[allow(clippy::print_stdout)]
fn load() -> Option<Vec<Sample>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples");
    let Ok(root) = root.canonicalize() else {
        println!("skipped: no sample media at ../shared/samples");
        return None;
    };
    let mut found = Vec::new();
    collect(&root, &mut found);
    found.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    };
    Some(found.iter().map(read).collect())
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

pub fn name(path: &str) -> &[u8] {
    path.rsplit('/').next().unwrap().as_bytes()
}

fn told(found: &Traits) -> String {
    let detected = found.detected.as_deref().unwrap_or("unknown");
    let taken = found.taken.map_or_else(|| "-".to_owned(), |taken| taken.to_string());
    let mut text = format!("{} {detected} {taken}", found.class);
    for (word, there) in [
        ("mismatch", found.mismatch),
        ("motion", found.motion.is_some()),
        ("live", found.content_id.is_some()),
    ] {
        if there {
            text.extend([" ", word]);
        }
    }
    found.health.map_or(text.clone(), |health| format!("{text} {}", health.word()))
}

/// Path, and what is told of it.
const TABLE: &[(&str, &str)] = &[
    ("derived-live-photo/IMG_7001.JPG", "photo jpeg 2024-05-04 03:02:01 +02:00, EXIF live"),
    (
        "derived-live-photo/IMG_7001.MOV",
        "video quicktime 2019-07-24 08:25:57 UTC, film header live",
    ),
    ("exif-samples/heic/IMG_5195.HEIC", "photo heic 2021-04-11 15:47:53 -05:00, EXIF live"),
    (
        "exif-samples/jpg/Canon_40D_photoshop_import.jpg",
        "photo jpeg 2008-07-31 10:05:49, EXIF, changed",
    ),
    ("exif-samples/jpg/corrupted.jpg", "photo jpeg 2015-09-08 11:02:17, EXIF"),
    ("exif-samples/jpg/gps/DSCN0010.jpg", "photo jpeg 2008-10-22 16:28:39, EXIF"),
    (
        "exif-samples/jpg/hdr/iphone_hdr_NO.jpg",
        "photo jpeg 2015-04-10 20:12:23 +02:00, EXIF, offset from GPS",
    ),
    ("exif-samples/jpg/invalid/image00971.jpg", "photo jpeg 2010-04-13 09:37:22 +02:00, XMP"),
    ("exif-samples/jpg/invalid/image01088.jpg", "photo jpeg 2010-04-13 09:37:22 +02:00, XMP"),
    ("exif-samples/jpg/invalid/image01551.jpg", "photo jpeg 2011-09-23 12:43:03 UTC, XMP"),
    ("exif-samples/jpg/mobile/jolla.jpg", "photo jpeg 2014-09-21 16:00:56 +02:00, EXIF"),
    ("exif-samples/jpg/orientation/landscape_1.jpg", "photo jpeg -"),
    ("exif-samples/jpg/tests/45-gps_ifd.jpg", "photo jpeg 2012-06-23 06:55:49, EXIF"),
    (
        "exif-samples/jpg/tests/67-0_length_string.jpg",
        "photo jpeg 2016-09-12 10:05:31, EXIF, changed",
    ),
    ("exif-samples/jpg/xmp/BlueSquare.jpg", "photo jpeg 2005-09-07 15:07:40 -07:00, XMP"),
    ("exif-samples/tiff/BSG1.tiff", "photo tiff -"),
    ("exif-samples/tiff/Crémieux11.tiff", "photo tiff 2012-01-09 22:52:11, EXIF, changed"),
    (
        "exiftool-t-images/t/images/Apple.jpg",
        "photo jpeg 2016-09-28 18:18:05 +01:00, EXIF, offset from GPS",
    ),
    ("exiftool-t-images/t/images/CanonRaw.cr2", "raw cr2 2005-08-03 18:59:18, EXIF"),
    ("exiftool-t-images/t/images/CanonRaw.crw", "raw crw -"),
    ("exiftool-t-images/t/images/DNG.dng", "raw dng 2005-08-03 18:59:18 -04:00, EXIF"),
    ("exiftool-t-images/t/images/FujiFilm.raf", "raw raf 2007-05-22 13:58:30, EXIF"),
    ("exiftool-t-images/t/images/GIF.gif", "photo gif -"),
    (
        "exiftool-t-images/t/images/GoPro.jpg",
        "photo jpeg 2017-10-03 10:58:29 -04:00, EXIF, offset from GPS",
    ),
    ("exiftool-t-images/t/images/Google.jpg", "photo jpeg 2023-10-06 22:53:51 +02:00, EXIF"),
    ("exiftool-t-images/t/images/JXL.jxl", "photo jxl -"),
    ("exiftool-t-images/t/images/JXL2.jxl", "photo jxl -"),
    ("exiftool-t-images/t/images/Jpeg2000.jp2", "photo jp2 -"),
    ("exiftool-t-images/t/images/Minolta.mrw", "raw mrw 2004-11-18 23:14:58, EXIF"),
    ("exiftool-t-images/t/images/Nikon.nef", "raw nef 2004-06-09 16:02:35, EXIF"),
    ("exiftool-t-images/t/images/PNG.png", "photo png -"),
    ("exiftool-t-images/t/images/Panasonic.rw2", "raw rw2 2008-08-06 15:21:56, EXIF"),
    ("exiftool-t-images/t/images/Photoshop.psd", "photo psd -"),
    ("exiftool-t-images/t/images/QuickTime.heic", "photo heic -"),
    (
        "exiftool-t-images/t/images/QuickTime.mov",
        "video quicktime 2005-08-11 14:03:54 UTC, film header",
    ),
    ("exiftool-t-images/t/images/RIFF.avi", "video avi 2003-03-10 15:04:43, recorder"),
    ("exiftool-t-images/t/images/RIFF.webp", "photo webp -"),
    ("exiftool-t-images/t/images/XMP.xmp", "sidecar xmp 2005-06-09 20:09:27 +02:00, XMP sidecar"),
    ("exiftool-t-images/t/images/XMP2.xmp", "sidecar xmp -"),
    (
        "immich-test-assets/albums/nature/cyclamen_persicum.jpg",
        "photo jpeg 2007-12-06 14:33:18 +09:00, EXIF",
    ),
    ("immich-test-assets/formats/avif/10bit-HDR-P3-nclx.avif", "photo avif -"),
    (
        "immich-test-assets/formats/heic/IMG_2682.heic",
        "photo heic 2019-03-21 11:04:22 -05:00, EXIF, offset from GPS",
    ),
    ("immich-test-assets/formats/png/density_plot.png", "photo png -"),
    ("immich-test-assets/formats/webp/denali.webp", "photo webp 2010-08-13 21:00:01, EXIF"),
    (
        "immich-test-assets/metadata/dates/date-priority-test.jpg",
        "photo jpeg 2023-02-02 02:00:00, EXIF",
    ),
    (
        "immich-test-assets/metadata/xmp/dates/2000.xmp",
        "sidecar xmp 2000-09-27 14:35:33 +02:00, XMP sidecar",
    ),
    (
        "immich-test-assets/metadata/xmp/dates/2010.xmp",
        "sidecar xmp 2010-09-27 14:35:33 +02:00, XMP sidecar",
    ),
    ("metadata-extractor-images/3gp/sample.3gp", "video 3gp 2005-10-28 17:36:40 UTC, film header"),
    ("metadata-extractor-images/avi/100_0306.AVI", "video avi -"),
    ("metadata-extractor-images/avif/Issue 649.avif", "photo avif 2015-10-11 14:41:44, EXIF"),
    (
        "metadata-extractor-images/heic/IMG_1034.heic",
        "photo heic 2018-02-05 15:11:44 +08:00, EXIF, offset from GPS",
    ),
    (
        "metadata-extractor-images/heic/IllegalArgumentException.HeifReader.processBoxes.heif",
        "photo heic - truncated",
    ),
    (
        "metadata-extractor-images/heic/NegativeArraySizeException.ItemInfoBox.init.heif",
        "photo heic -",
    ),
    (
        "metadata-extractor-images/heic/exif-at-eof.heic",
        "photo heic 2020-05-04 18:39:11 -04:00, EXIF live",
    ),
    (
        "metadata-extractor-images/mov/with-gps.mov",
        "video quicktime 2019-07-24 11:25:40 +03:00, QuickTime",
    ),
    (
        "metadata-extractor-images/mov/xmp480qt.mov",
        "video quicktime 2020-01-05 11:19:45 UTC, film header",
    ),
    (
        "metadata-extractor-images/mp4/sample_mpeg4.mp4",
        "video mp4 2005-10-28 17:46:46 UTC, film header",
    ),
    ("metadata-extractor-images/mp4/uuid540.mp4", "video mp4 2020-01-05 15:04:00 UTC, XMP"),
    (
        "metadata-extractor-images/mp4/with-gps.mp4",
        "video mp4 2017-02-22 08:20:28 UTC, film header",
    ),
    (
        "metadata-extractor-images/mts/Sony ILCE-7M3 (A7M3).mts",
        "video m2ts 2019-04-24 22:24:00, recorder",
    ),
    (
        "metadata-extractor-images/nef/Issue 247-1.nef",
        "photo jpeg 2010-03-01 21:50:21, EXIF mismatch",
    ),
    ("metadata-extractor-images/png/invalid-iCCP-missing-adler32-checksum.png", "photo png -"),
    (
        "metadata-extractor-images/png/photoshop-8x12-rgb24-all-metadata.png",
        "photo png 2012-12-31 04:35:10 UTC, XMP",
    ),
    (
        "metadata-extractor-images/psd/8x4x8bit-Grayscale.psd",
        "photo psd 2012-05-22 15:52:27 +01:00, XMP",
    ),
    ("metadata-extractor-images/tif/BigTIFF/BigTIFF.tif", "photo tiff -"),
    (
        "metadata-extractor-images/webp/HTC Desire.webp",
        "photo webp 2011-05-06 09:59:48 +02:00, EXIF, offset from GPS",
    ),
    (
        "metadata-extractor-images/xmp/APhotoManager-exmaple.xmp",
        "sidecar xmp 2002-02-02 02:02:02 UTC, XMP sidecar",
    ),
    (
        "metadata-extractor-images/xmp/digikam-example.xmp",
        "sidecar xmp 2014-04-27 12:42:47, XMP sidecar",
    ),
    ("nom-exif/testdata/auth.mov", "video quicktime 2025-02-24 10:11:57 UTC, film header"),
    ("nom-exif/testdata/broken.jpg", "photo jpeg 2014-09-21 15:51:22, EXIF"),
    ("nom-exif/testdata/canon-r6.cr3", "raw cr3 2025-09-06 20:24:47 -08:00, EXIF truncated"),
    ("nom-exif/testdata/crash_moov-trak", "video mp4 -"),
    ("nom-exif/testdata/endless_loop.jpg", "photo jpeg 2009-05-09 15:42:01, EXIF"),
    ("nom-exif/testdata/exif-both.png", "photo png 2023-07-09 20:36:33 +08:00, EXIF"),
    (
        "nom-exif/testdata/exif-no-tz.jpg",
        "photo jpeg 2023-07-09 20:36:33 +08:00, EXIF, offset from GPS",
    ),
    ("nom-exif/testdata/exif-one-entry.heic", "photo heic -"),
    ("nom-exif/testdata/exif.avif", "photo avif 2022-07-22 21:26:32 +08:00, EXIF live"),
    ("nom-exif/testdata/fujifilm_x_t1_01.raf.meta", "raw raf 2014-01-30 12:49:13, EXIF"),
    ("nom-exif/testdata/invalid-gps", "photo heic 2018-12-05 13:32:01, EXIF, changed truncated"),
    ("nom-exif/testdata/meta.mov", "video quicktime 2019-02-12 15:27:12 +08:00, QuickTime"),
    (
        "nom-exif/testdata/motion_photo_pixel_synth.jpg",
        "photo jpeg 2023-07-09 20:36:33 +08:00, EXIF, offset from GPS motion",
    ),
    ("nom-exif/testdata/oom_large_box.heic", "photo heic - truncated"),
    ("nom-exif/testdata/sony-a7-xavc.MP4", "video xavc 2026-04-26 09:25:15 UTC, film header"),
    ("nom-exif/testdata/udta.auth.mp4", "video mp4 2025-02-24 10:33:06 UTC, film header"),
];

#[test]
fn real_media_are_what_they_are() {
    let Some(samples) = samples() else { return };
    let mut wrong = Vec::new();
    for (path, expected) in TABLE {
        let Some((_, bytes)) = samples.iter().find(|(there, _)| there == path) else {
            wrong.push(format!("{path} is missing"));
            continue;
        };
        let found = told(&Inspection::whole(name(path), bytes, None));
        if found != *expected {
            wrong.push(format!("{path}\n  is  {found}\n  not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_what_is_no_media_is_other() {
    let Some(samples) = samples() else { return };
    let other: Vec<&str> = samples
        .iter()
        .filter(|(path, bytes)| {
            told(&Inspection::whole(name(path), bytes, None)).starts_with("other")
        })
        .map(|(path, _)| path.as_str())
        .collect();
    let expected = [
        "SHA256SUMS",
        "SOURCES.md",
        "exiftool-t-images/t/images/FLIR.fpf",
        "exiftool-t-images/t/images/Geotag.gpx",
        "exiftool-t-images/t/images/Sony.pmp",
    ];
    assert_eq!(other, expected);
}

#[test]
fn the_sample_pair_is_a_live_photo() {
    let Some(samples) = samples() else { return };
    let pair = samples.iter().filter(|(path, _)| path.starts_with("derived-live-photo/"));
    let found: Vec<(Key, Traits)> = pair
        .map(|(path, bytes)| (Key::new(path).unwrap(), Inspection::whole(name(path), bytes, None)))
        .collect();
    let subjects: Vec<_> = found.iter().map(|(key, traits)| Subject::new(key, traits)).collect();
    let groups = groups(&subjects);
    assert_eq!((groups[0].kind, groups[0].by), (Kind::LivePhoto, Evidence::ContentId));
    let roles: Vec<Role> = groups[0].members.iter().map(|one| one.role).collect();
    assert_eq!(roles, [Role::Still, Role::Movie]);
}
