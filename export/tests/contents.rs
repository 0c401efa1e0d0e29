//! Hazards E3 and E4: whatever a file holds, an export only carries it. Nothing is unpacked, decoded or believed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_core::provider::Provider;
use safelight_core::template::Template;
use safelight_core::time::Clock;
use safelight_disk::{Disk, Options};
use world::World;

/// An archive with one stored file of this name, the sizes in its heads as given.
fn zip(name: &[u8], content: &[u8], told: u32) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let sizes = [told.to_le_bytes(), told.to_le_bytes()].concat();
    // Version, flags, method, time, date, checksum; then sizes and lengths.
    let facts = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sizes, &length].concat();
    let local = [b"PK\x03\x04", &facts[..], &[0, 0], name, content].concat();
    let central = [b"PK\x01\x02\x14\x03", &facts[..], &[0; 16], name].concat();
    let (at, size) = (local.len().to_le_bytes(), central.len().to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &size[..4], &at[..4], &[0, 0]].concat();
    [local, central, end].concat()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &size[..], b"\x08\x06\0\0\0AAAA\xff\xff\xff\xffzTXtx"]
        .concat()
}

/// A picture of one tile that is 2^31 by 2^31 pixels large, in a file of some bytes.
fn tiff() -> Vec<u8> {
    let field = |tag: u16, value: u32| {
        [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()]
            .concat()
    };
    let tags = [256, 257, 322, 323, 324, 325].map(|tag| field(tag, 1 << 31)).concat();
    [b"II*\0\x08\0\0\0\x06\0", &tags[..], &8_u32.to_le_bytes()].concat()
}

/// EXIF that claims more than there is, and points at itself.
fn jpeg() -> Vec<u8> {
    let entry = b"\x69\x87\x04\0\xff\xff\xff\xff\x08\0\0\0";
    let exif = [b"Exif\0\0II*\0\x08\0\0\0\xff\xff", &entry[..], &8_u32.to_le_bytes()].concat();
    [b"\xff\xd8\xff\xe1\xff\xff", &exif[..]].concat()
}

/// Boxes that claim to be larger than any file.
fn heic() -> Vec<u8> {
    [&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], b"\0\0\0\x01meta", &[0xff; 8], b"\0\0\0\0"]
        .concat()
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let laugh = |at: u8| format!("<!ENTITY l{at} \"{}\">", format!("&l{};", at - 1).repeat(10));
    let laughs = (1..10).map(laugh).collect::<Vec<_>>().concat();
    vec![
        ("up.zip", zip(b"../../../evil.txt", b"evil", 4)),
        ("root.zip", zip(b"/evil.txt", b"evil", 4)),
        ("lies.zip", zip(b"evil.txt", b"evil", u32::MAX)),
        ("endless.gz", [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), vec![0; 1000]].concat()),
        ("wide.png", png(1 << 31, 1 << 31)),
        ("tile.tif", tiff()),
        ("exif.jpg", jpeg()),
        ("boxes.heic", heic()),
        ("deep.xmp", "<x>".repeat(300_000).into_bytes()),
        ("laughs.xmp", format!("<!DOCTYPE x [<!ENTITY l0 \"ha\">{laughs}]><x>&l9;</x>").into()),
        ("deep.json", "[".repeat(300_000).into_bytes()),
    ]
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn archives_and_pictures_that_lie_are_stored_byte_for_byte_and_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(0).await;
    let (clock, target): (Arc<dyn Clock>, _) = (world.clock.clone(), folder.path().join("t"));
    let disk = Disk::destination("t0".to_owned(), target, Options::default(), clock);
    world.targets = vec![Arc::new(disk) as Arc<dyn Provider>];
    world.wishes.template = Template::parse("{taken:%Y}/{class}/{name}").ok();
    for (name, bytes) in hostile() {
        let key = world.service.inner.write(name, bytes);
        world.service.remark(&key, |remark| remark.favourite = true);
    }
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    let there = files(&folder.path().join("t/data"));
    for (name, bytes) in hostile() {
        let found: Vec<_> = there.iter().filter(|path| path.ends_with(name)).collect();
        let [found] = found.as_slice() else { panic!("{name}: {there:?}") };
        assert!(std::fs::read(found).unwrap() == bytes, "{name}");
    }
    assert!(files(folder.path()).iter().all(|path| !path.ends_with("evil.txt")));
    // Nor does weighing them read more than there is.
    assert!(world.leave().await.is_safe());
}
