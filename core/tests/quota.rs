//! Pools: what goes where when there is not room for everything.
#![allow(clippy::unwrap_used)]

mod world;

use std::sync::Arc;

use safelight_core::catalog::Catalog;
use safelight_core::class::MediaClass;
use safelight_core::codes;
use safelight_core::error::Kind;
use safelight_core::job::{KeepFree, MirrorOptions, Pool, PoolLimit, WhenFull};
use safelight_media::Media;
use safelight_testkit::clock::SimClock;
use safelight_testkit::faulty::{Call, Fault, FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use world::{DAY, World, at, codes, key};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";
const OTHERS: [MediaClass; 3] = [MediaClass::Video, MediaClass::Sidecar, MediaClass::Other];

/// 10,000 bytes; beside them our marker at the service takes next to nothing.
fn film(n: u8) -> Vec<u8> {
    let header =
        b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  \x00\x00\x00\x08moov\x00\x00\x26\xf4free";
    [&header[..], &[n; 9964]].concat()
}

/// The same length.
fn page(n: u8) -> Vec<u8> {
    [&b"<!DOCTYPE html>"[..], &[b'a' + n; 9985]].concat()
}

fn pool(limit: u64) -> Vec<Pool> {
    vec![Pool {
        counts: OTHERS.to_vec(),
        limit: PoolLimit::Bytes(limit),
        keep_free: KeepFree::Bytes(0),
        when_full: WhenFull::NewestFirst,
    }]
}

/// A service that has so many bytes for everything but photos, and a disk. The config says `believed`.
async fn world(room: u64, believed: u64) -> World {
    let clock = Arc::new(SimClock::start());
    let service = MemoryProvider::build("service").clock(clock.clone()).pool(&OTHERS, Some(room));
    let disk = MemoryProvider::build("disk").clock(clock.clone()).like_a_disk();
    let stores = vec![Arc::new(service.finish()), Arc::new(disk.finish())];
    let mut world = World::with(clock, stores).await;
    world.job.inspector = Arc::new(Media);
    world.job.destinations[0].rules.pools = pool(believed);
    world
}

#[tokio::test]
async fn new_files_are_looked_into_without_reading_them_twice() {
    let world = world(50_000, 50_000).await;
    for n in 0..20 {
        world.library.write(format!("2024/{n}.jpg"), [JPEG, &[n; 3000]].concat());
    }
    world.library.write("film.mov", film(0));
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0);
    assert_eq!(report.bytes_read, report.bytes_needed);
    let item = world.catalog.item(&key("film.mov")).await.unwrap().unwrap();
    assert_eq!(item.traits.unwrap().detected.as_deref(), Some("quicktime"));
}

#[tokio::test]
async fn photos_that_are_none_count_as_what_they_are_and_never_overfill_a_pool() {
    let room = 35_000;
    let world = world(room, room).await;
    for n in 0..10 {
        world.library.write(format!("page {n}.jpg"), page(n));
        world.library.write(format!("photo {n}.jpg"), [JPEG, &[n]].concat());
    }
    let report = world.run().await;
    let service = at(&report, "d0");
    assert_eq!((service.copied.files, service.does_not_fit.files), (13, 7), "{service:?}");
    // The service refused nothing: it was not asked for more than it has room for.
    assert_eq!((report.exit_code(), codes(&report)), (0, vec![]));
    world.assert_mirrored(1);
    let again = world.run().await;
    assert_eq!((at(&again, "d0").copied.files, at(&again, "d0").does_not_fit.files), (0, 7));
}

#[tokio::test]
async fn a_pool_that_turns_out_to_be_full_does_not_stop_photos() {
    let mut world = world(15_000, 1_000_000).await;
    for n in 0..10 {
        world.library.write(format!("{n}.mov"), film(n));
        world.library.write(format!("photo {n}.jpg"), [JPEG, &[n]].concat());
    }
    // The service does not say how much room there is.
    let script = (1..40).fold(Script::new(), |script, nth| {
        script.on(Call::Quota, nth, Fault::Error(Kind::Unavailable))
    });
    let quiet = FaultyProvider::new(world.stores[0].clone(), Arc::new(script), world.clock.clone());
    world.replace(0, Arc::new(quiet));
    world.job.destinations[0].rules.concurrency = Some(2);
    let report = world.run().await;
    let service = at(&report, "d0");
    assert_eq!((service.copied.files, service.does_not_fit.files), (11, 9));
    assert_eq!((report.exit_code(), codes(&report)), (0, vec![]));
    let tries = world.stores[0].counts().put;
    assert!(tries <= 11 + 2 + 1, "{tries} puts for 11 items and the marker, 2 at a time");
}

#[tokio::test]
async fn a_movie_that_the_service_refuses_is_named_if_its_still_is_there() {
    let world = world(5000, 5000).await;
    world.library.write("IMG_1.jpg", JPEG);
    // By its name a photo, so nobody asked whether it fits.
    world.library.write("IMG_1.mov.jpg", film(0));
    world.library.write("IMG_1.mov", film(1));
    let report = world.run().await;
    assert_eq!(codes(&report), [codes::GROUP_INCOMPLETE]);
    assert_eq!((report.exit_code(), at(&report, "d0").does_not_fit.files), (0, 2));
}

#[tokio::test]
async fn what_failed_gives_its_room_to_the_next() {
    let mut world = world(100_000, 25_000).await;
    for name in ["a.mov", "b.mov", "c.mov"] {
        world.library.write(name, film(0));
    }
    let script = Script::new().on(Call::Put, 2, Fault::Error(Kind::Refused));
    let picky = FaultyProvider::new(world.stores[0].clone(), Arc::new(script), world.clock.clone());
    world.replace(0, Arc::new(picky));
    world.job.destinations[0].rules.concurrency = Some(1);
    let first = world.run().await;
    let service = at(&first, "d0");
    assert_eq!((service.copied.files, service.failed, service.does_not_fit.files), (1, 1, 1));
    let second = world.run().await;
    assert_eq!((at(&second, "d0").copied.files, at(&second, "d0").does_not_fit.files), (1, 1));
}

#[tokio::test]
async fn a_rehearsal_foretells_what_will_not_fit() {
    let world = world(25_000, 25_000).await;
    for n in 0..5 {
        world.library.write(format!("{n}.mov"), film(n));
    }
    world.library.write("a.jpg", JPEG);
    let dry = MirrorOptions { dry_run: true, ..MirrorOptions::default() };
    let foretold = world.run_with(&dry).await;
    let real = world.run().await;
    let (foretold, real) = (at(&foretold, "d0"), at(&real, "d0"));
    assert_eq!(foretold.does_not_fit, real.does_not_fit);
    assert_eq!((foretold.intended, foretold.does_not_fit.files), (real.copied, 3));
}

#[tokio::test]
async fn the_date_in_a_sidecar_is_the_users_own_and_stands_above_the_cameras() {
    let mut world = world(100_000, 100_000).await;
    let dated = |date: &str| {
        format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
             xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
             xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:DateTimeOriginal='{date}'/>\
             </rdf:RDF></x:xmpmeta>"
        )
    };
    for (name, corrected) in [
        ("VID_20200101_120000", "2024-01-01T12:00:00"),
        ("VID_20230101_120000", "2019-01-01T12:00:00"),
    ] {
        world.library.write(format!("{name}.mov"), film(0));
        world.library.write(format!("{name}.mov.xmp"), dated(corrected));
    }
    // Photos and films share a pool with room for one film and its sidecar.
    let room = film(0).len() + dated("2024-01-01T12:00:00").len() + 1000;
    world.run().await;
    world.clock.skip(DAY);
    let disk = world.job.destinations.pop().unwrap();
    world.job.destinations = vec![disk];
    let clock = world.clock.clone();
    let service = Arc::new(MemoryProvider::build("new").clock(clock).finish());
    world.job.destinations.push(safelight_core::job::Destination {
        name: "new".to_owned(),
        opened: Ok(service.clone()),
        renewal: None,
        rules: safelight_core::job::DestinationRules {
            pools: pool(room as u64),
            ..Default::default()
        },
    });
    world.run().await;
    assert!(service.content(&key("VID_20200101_120000.mov")).is_some());
    assert!(service.content(&key("VID_20230101_120000.mov")).is_none());
}
