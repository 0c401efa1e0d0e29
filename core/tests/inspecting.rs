//! What a run learns by looking into new files.
#![allow(clippy::unwrap_used)]

mod world;

use std::sync::Arc;

use safelight_core::catalog::{Catalog, ItemDetail};
use safelight_core::class::MediaClass;
use safelight_core::codes;
use safelight_core::error::Kind as Fault;
use safelight_core::group::{Evidence, Kind, Role};
use safelight_core::job::{KeepFree, Pool, PoolLimit, WhenFull};
use safelight_core::taken::Source;
use safelight_core::traits::Flaw;
use safelight_media::Media;
use world::{DAY, World, at, codes, key};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";
const PAGE: &[u8] = b"<!DOCTYPE html><html><body>Sign in</body></html>";

/// A film of which only the first part arrived.
fn broken_film() -> Vec<u8> {
    [&b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom"[..], b"\x00\x10\x00\x00mdat", &[7; 500]]
        .concat()
}

async fn world() -> World {
    let mut world = World::new(2).await;
    world.job.inspector = Arc::new(Media);
    world
}

async fn item(world: &World, path: &str) -> ItemDetail {
    world.catalog.item(&key(path)).await.unwrap().unwrap()
}

#[tokio::test]
async fn items_are_known_by_their_content_and_not_by_their_name() {
    let world = world().await;
    world.library.write("a.jpg", JPEG);
    world.library.write("page.jpg", PAGE);
    world.library.write("photo.mov", JPEG);
    assert_eq!(world.run().await.exit_code(), 0);
    for (path, class, detected, mismatch) in [
        ("a.jpg", MediaClass::Photo, "jpeg", false),
        ("page.jpg", MediaClass::Other, "html", true),
        ("photo.mov", MediaClass::Photo, "jpeg", true),
    ] {
        let found = item(&world, path).await;
        let traits = found.traits.unwrap();
        let told = (traits.class, traits.detected.as_deref(), traits.mismatch);
        assert_eq!(told, (class, Some(detected), mismatch), "{path}");
        assert_eq!(found.class, class);
        assert_eq!(traits.taken.unwrap().source(), Source::Modified);
    }
}

#[tokio::test]
async fn a_run_with_nothing_new_looks_into_nothing() {
    let world = world().await;
    world.library.write("2024/a.jpg", JPEG);
    world.run().await;
    world.library.reset_counts();
    world.run().await;
    assert_eq!(world.library.counts().read, 0);
}

#[tokio::test]
async fn a_changed_file_is_looked_into_again() {
    let world = world().await;
    world.library.write("a.jpg", PAGE);
    world.run().await;
    assert_eq!(item(&world, "a.jpg").await.class, MediaClass::Other);
    world.clock.skip(DAY);
    world.library.write("a.jpg", JPEG);
    world.run().await;
    assert_eq!(item(&world, "a.jpg").await.class, MediaClass::Photo);
}

#[tokio::test]
async fn an_ending_that_the_user_set_stands_above_the_content() {
    let mut world = world().await;
    world.job.classifier.set("jpg", MediaClass::Raw);
    world.library.write("a.jpg", JPEG);
    world.run().await;
    assert_eq!(item(&world, "a.jpg").await.class, MediaClass::Raw);
}

#[tokio::test]
async fn an_odd_file_is_a_note_that_comes_once() {
    let world = world().await;
    world.library.write("a.mp4", broken_film());
    world.library.write("b.jpg", vec![0; 20_000]);
    world.library.write("c.jpg", "");
    let report = world.run().await;
    assert_eq!(report.exit_code(), 0);
    let mut told = codes(&report);
    told.sort();
    assert_eq!(told, [codes::ALL_ZERO, codes::EMPTY_FILE, codes::TRUNCATED]);
    assert_eq!(item(&world, "a.mp4").await.traits.unwrap().health, Some(Flaw::Truncated));
    world.assert_mirrored(0);
    assert_eq!(codes(&world.run().await), []);
}

#[tokio::test]
async fn groups_follow_what_happens_to_their_members() {
    let world = world().await;
    for path in ["2024/IMG_1.jpg", "2024/b.jpg"] {
        world.library.write(path, JPEG);
    }
    world.library.write("2024/IMG_1.mov", film());
    world.library.write("2024/IMG_1.jpg.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>");
    world.run().await;
    let group = item(&world, "2024/IMG_1.mov").await.group.unwrap();
    assert_eq!((group.kind, group.by), (Kind::LivePhoto, Evidence::Name));
    let roles: Vec<_> = group.members.into_iter().map(|(_, role)| role).collect();
    assert_eq!(roles, [Role::Still, Role::Sidecar, Role::Movie]);
    assert_eq!(item(&world, "2024/b.jpg").await.group, None);

    world.library.delete(&key("2024/IMG_1.mov"));
    world.run().await;
    assert_eq!(item(&world, "2024/IMG_1.jpg").await.group.unwrap().kind, Kind::Sidecar);
    world.library.delete(&key("2024/IMG_1.jpg.xmp"));
    world.run().await;
    assert_eq!(item(&world, "2024/IMG_1.jpg").await.group, None);
}

#[tokio::test]
async fn an_unreadable_file_goes_by_its_name_until_it_can_be_read() {
    let world = world().await;
    let page = world.library.write("page.jpg", PAGE);
    world.library.make_unreadable(&page, Fault::Io);
    let report = world.run().await;
    assert_eq!(codes(&report), [codes::UNREADABLE]);
    let found = item(&world, "page.jpg").await;
    assert_eq!((found.class, found.traits), (MediaClass::Photo, None));
    world.library.make_quiet(&page);
    assert_eq!(world.run().await.exit_code(), 0);
    assert_eq!(item(&world, "page.jpg").await.class, MediaClass::Other);
}

fn films(limit: u64) -> Vec<Pool> {
    vec![Pool {
        counts: vec![MediaClass::Video],
        limit: PoolLimit::Bytes(limit),
        keep_free: KeepFree::Bytes(0),
        when_full: WhenFull::NewestFirst,
    }]
}

fn film() -> Vec<u8> {
    [&b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  "[..], &[0; 64]].concat()
}

#[tokio::test]
async fn a_movie_that_does_not_fit_is_named_and_its_still_goes_all_the_same() {
    let mut world = world().await;
    world.job.destinations[0].rules.pools = films(50);
    world.library.write("IMG_1.jpg", JPEG);
    world.library.write("IMG_1.mov", film());
    world.library.write("alone.mov", film());
    let report = world.run().await;
    let incomplete: Vec<_> = (report.problems.iter())
        .filter(|problem| problem.code == codes::GROUP_INCOMPLETE)
        .map(|problem| (problem.destination.as_deref(), problem.key.clone()))
        .collect();
    assert_eq!(incomplete, [(Some("d0"), Some(key("IMG_1.mov")))]);
    assert_eq!((report.exit_code(), at(&report, "d0").does_not_fit.files), (0, 2));
    assert!(world.stores[0].content(&key("IMG_1.jpg")).is_some());
    world.assert_mirrored(1);
    assert_eq!(codes(&world.run().await), []);
}

#[tokio::test]
async fn newest_first_goes_by_the_date_of_taking_and_not_by_that_of_the_file() {
    let mut world = world().await;
    world.job.destinations[0].rules.pools = films(100);
    world.library.write("VID_20240101_120000.mov", film());
    world.clock.skip(DAY);
    world.library.write("VID_20200101_120000.mov", film());
    world.run().await;
    assert!(world.stores[0].content(&key("VID_20240101_120000.mov")).is_some());
    assert!(world.stores[0].content(&key("VID_20200101_120000.mov")).is_none());
}
