//! Names: safe everywhere, never two for one, and the same in every run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::collections::HashSet;

use proptest::prelude::*;
use safelight_core::key::Key;
use safelight_core::template::Template;
use safelight_export::layout::{Known, Layout, Placed, fold, lay_out};
use world::verifier::{assert_bag, files_of};
use world::{World, key};

/// Where each object of the service goes, by its key there.
async fn places(world: &World, known: &Known, template: Option<&str>) -> Vec<(String, String)> {
    let inventory = world.inventory().await.unwrap();
    let all: Vec<_> = (0..inventory.items.len()).collect();
    let template = template.map(|text| Template::parse(text).unwrap());
    let layout = Layout { template, ..Layout::default() };
    let placed = lay_out(&inventory, &all, &layout, known);
    assert_eq!(placed.len(), all.len());
    let folds: HashSet<_> = placed.iter().map(|one| fold(&one.key)).collect();
    assert_eq!(folds.len(), all.len(), "two items are one file somewhere");
    let pair =
        |one: &Placed| (inventory.items[one.item].entry.key.to_string(), one.key.to_string());
    let mut pairs: Vec<_> = placed.iter().map(pair).collect();
    pairs.sort();
    pairs
}

fn of<'a>(places: &'a [(String, String)], original: &str) -> &'a str {
    &places.iter().find(|(key, _)| key == original).unwrap().1
}

#[tokio::test]
async fn names_that_would_lead_out_or_break_something_are_made_safe() {
    let world = World::new(1).await;
    for name in [
        "C:\\Windows\\x.jpg",
        "\\\\host\\share\\x.jpg",
        "..\\..\\x.jpg",
        "%2e%2e/x.jpg",
        "\u{ff0e}\u{ff0e}/y.jpg",
        "a/CON",
        "a/aux.jpg",
        "a/x.jpg.",
        "a/ x.jpg ",
        "a/\u{1b}]0;x\u{7}.jpg",
        "a/\u{202e}gpj.exe",
        "a/x\ny.jpg",
        "a/x:y*?.jpg",
        ".safelight-x/marker.jpg",
    ] {
        world.service.inner.write(name, name.as_bytes().to_vec());
    }
    world.service.inner.write(b"a/\xff\xfe.jpg", &b"raw"[..]);
    let long = format!("a/{}.jpg", "é".repeat(300));
    world.service.inner.write(&long, &b"long"[..]);
    world.service.inner.write("d/".repeat(600) + "deep.jpg", &b"deep"[..]);
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert_bag(&files_of(&world.stores[0]));
    for name in world.files(0) {
        let bad = |c: char| c.is_control() || "\\:*?\"<>|\u{202e}\u{ff0e}".contains(c);
        assert!(!name.contains(bad), "{name:?}");
        for segment in name.split('/') {
            assert!(
                segment.len() <= 255 && !segment.ends_with(['.', ' ']) && !segment.starts_with(' '),
                "{name}"
            );
            assert!(!segment.chars().all(|c| c == '.'), "{name}");
        }
        assert!(name.len() < 1000, "{name}");
    }
}

#[tokio::test]
async fn names_that_differ_only_in_case_or_form_are_told_apart() {
    let world = World::new(1).await;
    for name in ["a/IMG.jpg", "a/img.JPG", "A/Img.jpg", "a/caf\u{e9}.jpg", "a/cafe\u{301}.jpg"] {
        world.service.photo(name);
    }
    let places = places(&world, &Known::default(), None).await;
    assert_eq!(of(&places, "A/Img.jpg"), "A/Img.jpg");
    assert!(of(&places, "a/IMG.jpg").starts_with("A/IMG ("), "{places:?}");
    assert_eq!(places, self::places(&world, &Known::default(), None).await);
}

#[tokio::test]
async fn a_file_and_a_folder_of_one_name_are_told_apart() {
    let world = World::new(1).await;
    world.service.photo("a.jpg");
    world.service.photo("a.jpg/b.jpg");
    let places = places(&world, &Known::default(), None).await;
    assert_eq!(of(&places, "a.jpg/b.jpg"), "a.jpg/b.jpg");
    assert!(of(&places, "a.jpg").starts_with("a ("), "{places:?}");
    // Once the file was written, it is the folder that gives way.
    let mut known = Known::default();
    known.add(key("a.jpg"), content(&world, "a.jpg").await);
    let places = self::places(&world, &known, None).await;
    assert_eq!((of(&places, "a.jpg"), of(&places, "a.jpg/b.jpg")), ("a.jpg", "a.jpg_/b.jpg"));
}

async fn content(world: &World, name: &str) -> u64 {
    let inventory = world.inventory().await.unwrap();
    let item = inventory.items.iter().find(|item| item.entry.key.to_string() == name).unwrap();
    safelight_export::layout::content_number(&item.entry)
}

#[tokio::test(start_paused = true)]
async fn names_stay_when_new_ones_come() {
    let mut world = World::new(1).await;
    world.wishes.template = Some(Template::parse("{name}").unwrap());
    world.service.photo("m/x.jpg");
    world.service.photo("n/x.jpg");
    world.run().await;
    let before = world.files(0);
    assert_eq!(before.len(), 2);
    // It comes first in every order and would like the plain name.
    world.service.photo("a/x.jpg");
    world.service.reads();
    world.run().await;
    assert_eq!(world.service.reads(), 1);
    let after = world.files(0);
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
    assert_eq!(world.text(0, "data/x.jpg"), "photo m/x.jpg");
}

#[tokio::test(start_paused = true)]
async fn other_content_under_a_name_goes_beside_what_was_exported() {
    let world = World::new(1).await;
    let photo = world.service.photo("a.jpg");
    world.run().await;
    for (round, text) in ["edited by hand", "another edit, longer"].into_iter().enumerate() {
        world.service.inner.write("a.jpg", text.as_bytes().to_vec());
        let outcome = world.run().await;
        assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
        assert_eq!(world.files(0).len(), round + 2);
        assert_eq!(world.text(0, "data/a.jpg"), format!("photo {photo}"));
        assert_bag(&files_of(&world.stores[0]));
    }
    world.service.reads();
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 0));
}

#[tokio::test]
async fn the_film_of_a_live_photo_stands_beside_its_still_under_the_same_stem() {
    let world = World::new(1).await;
    world.service.photo("a/x.jpg");
    let still = world.service.photo("b/x.jpg");
    let film = world.service.photo("b/x.jpg.film.mov");
    let of_still = world.service.id(&still);
    world.service.remark(&film, |remark| remark.film_of = Some(of_still));
    let pairs = places(&world, &Known::default(), None).await;
    assert_eq!((of(&pairs, "b/x.jpg"), of(&pairs, "b/x.jpg.film.mov")), ("b/x.jpg", "b/x.mov"));
    let pairs = places(&world, &Known::default(), Some("{name}")).await;
    let (still, film) = (of(&pairs, "b/x.jpg"), of(&pairs, "b/x.jpg.film.mov"));
    assert_ne!(still, "x.jpg");
    assert_eq!(still.strip_suffix(".jpg"), film.strip_suffix(".mov"));
}

#[tokio::test]
async fn two_objects_of_one_path_both_come_along() {
    let world = World::new(1).await;
    let one = world.service.photo("a.jpg");
    let entry = {
        use safelight_core::provider::Provider as _;
        world.service.stat(&one).await.unwrap().unwrap()
    };
    world.service.tell_more(move || {
        let mut twin = entry.clone();
        twin.remote_id = Some("other".into());
        vec![
            safelight_core::entry::Listed::File(entry.clone()),
            safelight_core::entry::Listed::File(twin),
        ]
    });
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.files(0).len()), (0, 2), "{outcome:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_a_service_calls_things_no_two_meet(names in proptest::collection::hash_set("[aAbé./ \\\\:%2e~\u{1}\u{301}]{1,12}", 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let world = World::new(1).await;
            for name in &names {
                if Key::new(name).is_ok() {
                    world.service.photo(name);
                }
            }
            for template in [None, Some("{name}"), Some("{folder}/{class}/{name}-{ext}")] {
                places(&world, &Known::default(), template).await;
            }
        });
    }
}
