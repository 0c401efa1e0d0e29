//! Which items belong together, and that nobody belongs to two.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use safelight_core::class::{Classifier, MediaClass};
use safelight_core::group::{Group, Subject, groups};
use safelight_core::key::Key;
use safelight_core::taken::{Source, Taken, Zone};

/// A name, its identifier, and the second of the minute at which it was taken.
type Given<'a> = (&'a str, Option<&'a str>, Option<i64>);

fn keys(given: &[Given<'_>]) -> Vec<Key> {
    given.iter().map(|(name, ..)| Key::new(format!("2024/{name}")).unwrap()).collect()
}

fn subjects<'a>(keys: &'a [Key], given: &[Given<'a>]) -> Vec<Subject<'a>> {
    let classifier = Classifier::default();
    let subject = |(key, (name, content_id, second)): (&'a Key, &Given<'a>)| {
        let class = match classifier.classify(name.as_bytes()) {
            MediaClass::Other if name.ends_with("json") => MediaClass::Sidecar,
            class => class,
        };
        let wall = 1_700_000_000_000_000_000;
        let taken = second.map(|second| {
            Taken::from_parts(wall + second * 1_000_000_000, Zone::Offset(60), Source::Exif)
        });
        Subject { key, class, content_id: *content_id, taken }
    };
    keys.iter().zip(given).map(subject).collect()
}

fn told(groups: &[Group<'_>]) -> Vec<String> {
    let one = |group: &Group<'_>| {
        let members: Vec<String> = group
            .members
            .iter()
            .map(|one| format!("{}={}", String::from_utf8_lossy(one.key.name()), one.role.word()))
            .collect();
        let lacking = if group.complete { "" } else { " incomplete" };
        format!("{} by {}{lacking}: {}", group.kind.word(), group.by.word(), members.join(" "))
    };
    groups.iter().map(one).collect()
}

fn names(names: &[&'static str]) -> Vec<Given<'static>> {
    names.iter().map(|name| (*name, None, None)).collect()
}

#[test]
fn names_dates_and_identifiers_make_groups() {
    let cases: Vec<(Vec<Given<'_>>, Vec<&str>)> = vec![
        (
            vec![("IMG_1.HEIC", Some("A"), None), ("IMG_9.MOV", Some("A"), None)],
            vec!["live-photo by content-id: IMG_1.HEIC=still IMG_9.MOV=movie"],
        ),
        (
            // The clip belongs to the second still, whatever the names say.
            vec![
                ("img_1.jpg", Some("B"), None),
                ("img_1(1).jpg", Some("A"), None),
                ("img_1.mov", Some("A"), None),
            ],
            vec![
                "live-photo by content-id: img_1(1).jpg=still img_1.mov=movie",
                "live-photo by content-id incomplete: img_1.jpg=still",
            ],
        ),
        (
            names(&["IMG_1.HEIC", "IMG_1_HEVC.MOV", "IMG_2.JPG", "IMG_2.mov"]),
            vec![
                "live-photo by name: IMG_1.HEIC=still IMG_1_HEVC.MOV=movie",
                "live-photo by name: IMG_2.JPG=still IMG_2.mov=movie",
            ],
        ),
        (vec![("A.JPG", None, Some(1)), ("A.MOV", None, Some(40))], vec![]),
        (
            vec![("A.JPG", Some("A"), None), ("A.MOV", Some("B"), None)],
            vec![
                "live-photo by content-id incomplete: A.JPG=still",
                "live-photo by content-id incomplete: A.MOV=movie",
            ],
        ),
        (
            vec![
                ("a.CR3", None, Some(1)),
                ("a.JPG", None, Some(1)),
                ("b.CR3", None, Some(1)),
                ("b.JPG", None, Some(9)),
            ],
            vec!["raw-jpeg by name-and-time: a.CR3=raw a.JPG=still"],
        ),
        (
            names(&["PXL_1.RAW-01.COVER.jpg", "PXL_1.RAW-02.ORIGINAL.dng"]),
            vec!["raw-jpeg by name: PXL_1.RAW-01.COVER.jpg=still PXL_1.RAW-02.ORIGINAL.dng=raw"],
        ),
        (
            // One picture with everything.
            vec![
                ("IMG_1.AAE", None, None),
                ("IMG_1.HEIC", Some("A"), None),
                ("IMG_1.HEIC.xmp", None, None),
                ("IMG_1.MOV", Some("A"), None),
                ("IMG_E1.HEIC", None, None),
            ],
            vec![
                "live-photo by content-id: IMG_1.AAE=recipe IMG_1.HEIC=still IMG_1.HEIC.xmp=sidecar \
                 IMG_1.MOV=movie IMG_E1.HEIC=edit",
            ],
        ),
        (names(&["IMG_7.AAE"]), vec!["edited by name incomplete: IMG_7.AAE=recipe"]),
        (
            names(&["IMG_7.JPG", "IMG_7_O.AAE"]),
            vec!["edited by name: IMG_7.JPG=still IMG_7_O.AAE=recipe"],
        ),
        (
            names(&["a-bearbeitet.jpg", "a.jpg", "a.jpg.supplemental-metadata.json"]),
            vec![
                "edited by name: a-bearbeitet.jpg=edit a.jpg=still \
                 a.jpg.supplemental-metadata.json=sidecar",
            ],
        ),
        (
            // A sidecar named by stem belongs to the raw.
            vec![("a.cr3", None, Some(1)), ("a.jpg", None, Some(30)), ("a.xmp", None, None)],
            vec!["sidecar by name: a.cr3=raw a.xmp=sidecar"],
        ),
        (
            names(&["GL010001.LRV", "GX010001.MP4", "GX010001.THM"]),
            vec!["sidecar by name: GL010001.LRV=preview GX010001.MP4=movie GX010001.THM=preview"],
        ),
        (names(&["a.jpg", "b.jpg", "c.xmp", "a.png"]), vec![]),
    ];
    for (given, expected) in cases {
        let keys = keys(&given);
        assert_eq!(told(&groups(&subjects(&keys, &given))), expected, "{given:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_in_two_groups_and_the_order_does_not_matter(
        given in prop::collection::vec(
            (
                prop::sample::select(vec!["IMG_1", "IMG_E1", "IMG_1_HEVC", "img_1", "IMG_1(1)", "IMG_2", "a-edited", "a"]),
                prop::sample::select(vec![
                    ".HEIC", ".JPG", ".jpg", ".MOV", ".mp4", ".DNG", ".AAE", ".xmp", ".JPG.xmp", ".JPG.json", ".THM", ".LRV",
                ]),
                prop::option::of(prop::sample::select(vec!["A", "B"])),
                prop::option::of(0_i64..12),
            ),
            0..24,
        ),
        shift in 0_usize..24,
    ) {
        let whole: Vec<String> = given.iter().map(|(stem, ending, ..)| format!("{stem}{ending}")).collect();
        let mut given: Vec<Given<'_>> =
            whole.iter().zip(&given).map(|(name, (.., id, second))| (name.as_str(), *id, *second)).collect();
        given.sort_by_key(|(name, ..)| *name);
        given.dedup_by_key(|(name, ..)| *name);
        let keys = keys(&given);
        let mut subjects = subjects(&keys, &given);
        let found = groups(&subjects);
        let mut members: Vec<&Key> =
            found.iter().flat_map(|group| group.members.iter().map(|one| one.key)).collect();
        let all = members.len();
        members.sort();
        members.dedup();
        prop_assert_eq!(members.len(), all, "somebody is in two groups");
        for group in &found {
            prop_assert!(group.members.len() > 1 || !group.complete);
        }
        let middle = shift % subjects.len().max(1);
        subjects.rotate_left(middle);
        subjects.reverse();
        prop_assert_eq!(groups(&subjects), found);
    }
}
