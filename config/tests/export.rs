//! Export jobs: what they mean, and which make no sense.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{bad, codes, good, with};
use safelight_config::{Albums, Config};
use safelight_core::class::MediaClass;

const NAS: &str = "[destination.nas]\ntype = \"disk\"\npath = \"/nas\"\n";

fn job(more: &str) -> String {
    with(&format!("{NAS}[job.bye]\nkind = \"export\"\nfrom = \"disk\"\n{more}\n"))
}

fn only(config: &Config) -> &safelight_config::Export {
    let [export] = config.exports.as_slice() else { panic!("{:?}", config.exports) };
    export
}

#[test]
fn the_smallest_export_takes_what_is_nowhere_else_as_a_bag() {
    let config = good(&job(""));
    let export = only(&config);
    assert_eq!((export.name.as_str(), export.from.as_str()), ("bye", "disk"));
    assert_eq!(export.path, "Leaving disk {today}");
    assert!(export.to.is_empty() && export.include.is_empty() && export.layout.is_none());
    assert!(export.bag && !export.everything);
    assert_eq!(export.albums, Albums::Sidecar);
    assert_eq!(config.jobs[0].to, ["disk", "nas"], "the usual mirror job is there all the same");
    assert!(config.show(false).contains("path = \"Leaving disk {today}\""));
}

#[test]
fn every_setting_of_an_export_is_read() {
    let config =
        good(&job("to = \"nas\"\npath = \"a/b {today}/\"\ninclude = [\"photo\", \"raw\"]\n\
         layout = \"{taken:%Y}/{name}\"\nalbums = \"links\"\nprove = \"hash-every-file\"\n\
         skip_if_library_has = false\nbag = false\nsplit = \"none\""));
    let export = only(&config);
    assert_eq!(
        (export.to.as_slice(), export.path.as_str()),
        (["nas".to_owned()].as_slice(), "a/b {today}")
    );
    assert_eq!(export.include, [MediaClass::Photo, MediaClass::Raw]);
    assert!(export.layout.is_some() && !export.bag && export.everything);
    assert_eq!(export.albums, Albums::Links);
    assert_eq!(only(&good(&job("to = [\"nas\"]"))).to, ["nas"]);
    assert_eq!(common::parse(&config.show(false)).unwrap().exports, config.exports);
}

#[test]
fn a_layout_that_makes_no_sense_is_pointed_at() {
    let text = job("layout = \"{taken:%Y}/{nmae}\"");
    let report = bad(&text);
    assert_eq!(codes(&report), ["config/wrong-value"]);
    let span = report.problems()[0].span.clone().unwrap();
    assert_eq!(&text[span], "nmae");
    assert!(report.problems()[0].message.contains("there is no {nmae}"), "{report}");
    assert_eq!(codes(&bad(&job("layout = \"{taken:%Y}\""))), ["config/wrong-value"]);
}

#[test]
fn exports_that_lead_nowhere_are_refused() {
    for (more, code) in [
        ("to = \"nsa\"", "config/unknown-destination"),
        ("to = [\"nas\", \"nas\"]", "config/wrong-value"),
        ("to = \"disk\"", "config/wrong-value"),
        ("to = 7", "config/wrong-type"),
        ("path = \"../x\"", "config/wrong-value"),
        ("path = \"{tomorrow}\"", "config/wrong-value"),
        ("include = [\"pictures\"]", "config/wrong-value"),
        ("albums = \"list\"", "config/wrong-value"),
        ("prove = \"trust\"", "config/wrong-value"),
        ("split = \"50 GB\"", "config/not-available-yet"),
        ("split = \"some\"", "config/wrong-value"),
    ] {
        let report = bad(&job(more));
        assert_eq!(codes(&report), [code], "{more}\n{report}");
    }
    let nowhere = with("[job.bye]\nkind = \"export\"\nfrom = \"dsik\"\n");
    let report = bad(&nowhere);
    assert_eq!(codes(&report), ["config/unknown-destination"]);
    assert!(report.to_string().contains("did you mean \"disk\"?"), "{report}");
    let lacking = with("[job.bye]\nkind = \"export\"\n");
    assert_eq!(codes(&bad(&lacking)), ["config/missing-setting"]);
    let amazon = "[destination.amazon]\ntype = \"amazon-photos\"\nendpoint = \"sandbox\"\n";
    let report = bad(&job(&format!("to = \"amazon\"\n{amazon}")));
    assert_eq!(codes(&report), ["config/wrong-value"], "{report}");
}
