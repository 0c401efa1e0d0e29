//! The table of an Amazon Photos destination.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::{bad, codes, good, parse, with};
use safelight_config::units::{Amount, ByteSize};
use safelight_config::{
    AmazonEndpoint, AmazonPhotos, AmazonPlan, Config, Destination, PoolLimit, SecretRef, Storage,
    schema,
};
use safelight_core::class::MediaClass;

const KEPT: &str = "account = \"keyring:a\"\n";

fn table(more: &str) -> String {
    with(&format!("[destination.a]\ntype = \"amazon-photos\"\n{more}"))
}

fn read(more: &str) -> (Destination, AmazonPhotos) {
    let destination = good(&table(more)).destination("a").unwrap().clone();
    let Storage::AmazonPhotos(amazon) = &destination.storage else { panic!() };
    (destination.clone(), amazon.clone())
}

/// What each pool counts, how much there is, and how much stays free.
fn pools(more: &str) -> Vec<(Vec<MediaClass>, PoolLimit, Amount)> {
    let (destination, _) = read(more);
    destination.pools.into_iter().map(|pool| (pool.counts, pool.limit, pool.keep_free)).collect()
}

#[test]
fn the_least_that_is_needed_has_every_default() {
    let (destination, amazon) = read(KEPT);
    let reference = SecretRef::Keyring("a".into());
    assert_eq!(amazon.account, Some(reference.clone()));
    assert_eq!((amazon.country.as_str(), amazon.root.as_str()), ("com", "Safelight"));
    assert_eq!(amazon.plan, AmazonPlan::Prime);
    let own = AmazonEndpoint::Service { metadata: None, content: None, thumbnail: None };
    assert_eq!(amazon.endpoint, own);
    assert!(!destination.offsite && !destination.removable);
    assert_eq!(destination.storage.secrets(), [("account", &reference)]);
    assert_eq!(destination.storage.kind(), "amazon-photos");
    assert!(!destination.storage.is_sandbox());
}

#[test]
fn the_plan_fills_in_the_pools_unless_the_file_has_its_own() {
    use MediaClass::{Other, Photo, Raw, Sidecar, Video};
    let five = PoolLimit::Bytes(ByteSize(5_000_000_000));
    let (none, some) = (Amount::Bytes(ByteSize(0)), Amount::Bytes(ByteSize(250_000_000)));
    let prime =
        [(vec![Photo, Raw], PoolLimit::Unlimited, none), (vec![Video, Sidecar, Other], five, some)];
    assert_eq!(pools(KEPT), prime);
    assert_eq!(pools(&format!("{KEPT}plan = \"prime\"\n")), prime);
    let all = vec![Photo, Raw, Video, Sidecar, Other];
    assert_eq!(pools(&format!("{KEPT}plan = \"none\"\n")), [(all, five, some)]);
    let own = "plan = \"none\"\n[[destination.a.pool]]\ncounts = [\"video\"]\nlimit = \"1 GB\"\n";
    let small = PoolLimit::Bytes(ByteSize(1_000_000_000));
    assert_eq!(pools(&format!("{KEPT}{own}")), [(vec![Video], small, none)]);
    assert!(pools(&format!("{KEPT}plan = \"none\"\npool = []\n")).is_empty(), "none at all");
    assert!(good(&with("")).destinations[0].pools.is_empty(), "other kinds have none");
}

#[test]
fn pools_that_were_filled_in_are_shown_as_defaults() {
    let shown = good(&table(&format!("{KEPT}plan = \"prime\"\n"))).show(true);
    let (_, pools) = shown.split_once("[[destination.a.pool]]").unwrap();
    for line in [
        "counts = [\"photo\", \"raw\"]   # default",
        "limit = \"unlimited\"   # default",
        "limit = \"5 GB\"   # default",
        "keep_free = \"250 MB\"   # default",
    ] {
        assert!(pools.contains(line), "{line}: {shown}");
    }
    assert!(shown.contains("plan = \"prime\"   # safelight.toml:"), "{shown}");
}

#[test]
fn every_setting_is_read() {
    let more = "account = \"file:cookies.txt\"\ncountry = \"co.uk\"\nroot = \"/Pictures/Safelight/\"\n\
                plan = \"none\"\noffsite = true\n\
                endpoint = { metadata = \"https://photos.example.org/drive/v1/\", content = \"http://127.0.0.1:80\" }\n";
    let (destination, amazon) = read(more);
    assert_eq!(amazon.account, Some(SecretRef::File("/data/cookies.txt".into())));
    assert_eq!((amazon.country.as_str(), amazon.root.as_str()), ("co.uk", "Pictures/Safelight"));
    assert_eq!((amazon.plan, destination.offsite), (AmazonPlan::None, true));
    let AmazonEndpoint::Service { metadata, content, thumbnail } = amazon.endpoint else {
        panic!()
    };
    assert_eq!(metadata.as_deref(), Some("https://photos.example.org/drive/v1"));
    assert_eq!((content.as_deref(), thumbnail), (Some("http://127.0.0.1:80"), None));
}

#[test]
fn the_sandbox_needs_no_cookies_and_has_a_folder() {
    let (destination, amazon) = read("endpoint = \"sandbox\"\nsandbox = \"out/amazon\"\n");
    let folder = Some("/data/out/amazon".into());
    assert_eq!(amazon.endpoint, AmazonEndpoint::Sandbox { folder });
    assert!(destination.storage.is_sandbox() && destination.storage.secrets().is_empty());
    let inside = "endpoint = \"sandbox\"\nsandbox = \"/photos/amazon\"\n";
    assert_eq!(codes(&bad(&table(inside))), ["config/nested-paths"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_its_place() {
    let text = table("sandbox = \"x\"\ncountry = \"atlantis\"\nplan = \"prim\"\n");
    let report = bad(&text);
    let found: Vec<(&str, &str)> = report
        .problems()
        .iter()
        .map(|problem| (problem.message.as_str(), &text[problem.span.clone().unwrap()]))
        .collect();
    assert_eq!(found[0], ("[destination.a] has no `account`", "\"amazon-photos\""));
    assert_eq!(found[1], ("`destination.a.sandbox` has no meaning here", "\"x\""));
    assert!(
        found[2].0.starts_with("`destination.a.country` cannot be `atlantis`, expected `com`"),
        "{found:?}"
    );
    assert_eq!(found[3].1, "\"prim\"");
    assert!(report.render(false).contains("safelight auth login a"), "{report}");
    assert!(report.render(false).contains("did you mean \"prime\"?"), "{report}");
    let plain = "endpoint = { metadata = \"http://www.amazon.com/drive/v1\" }\n";
    assert_eq!(codes(&bad(&table(&format!("{KEPT}{plain}")))), ["config/wrong-value"]);
    let slip = "endpoint = { metdata = \"https://x\" }\n";
    assert_eq!(codes(&bad(&table(&format!("{KEPT}{slip}")))), ["config/unknown-setting"]);
}

#[test]
fn cookies_in_the_file_are_refused_with_the_command_that_brings_them() {
    let cookies = "session-id=1; ubid-main=2; at-main=Atza|hunter2";
    let report = bad(&table(&format!("account = \"{cookies}\"\n")));
    assert_eq!(codes(&report), ["config/plain-secret"]);
    let help = report.problems()[0].help.as_deref().unwrap();
    assert!(help.starts_with("safelight auth login a "), "{help}");
    assert!(!report.render(false).contains("hunter2"));
}

#[test]
fn it_is_never_the_only_copy_besides_the_library() {
    let library = "version = 1\n[library]\npath = \"/photos\"\n";
    let amazon = |name: &str, account: &str| {
        format!("[destination.{name}]\ntype = \"amazon-photos\"\naccount = \"keyring:{account}\"\n")
    };
    let alone = format!("{library}{}", amazon("a", "anna"));
    let report = bad(&alone);
    assert_eq!(codes(&report), ["config/only-copy"]);
    assert!(report.render(false).contains("add a destination of another kind"), "{report}");
    let two = format!("{library}{}{}", amazon("a", "anna"), amazon("b", "ben"));
    assert_eq!(codes(&bad(&two)), ["config/only-copy"], "two of its kind are no better");

    let disk = "[destination.disk]\ntype = \"disk\"\npath = \"/backup\"\n";
    good(&format!("{alone}{disk}"));
    let not_reached = format!("{alone}{disk}[job.m]\nkind = \"mirror\"\nto = [\"a\"]\n");
    assert_eq!(codes(&bad(&not_reached)), ["config/only-copy"], "nothing is copied to the disk");
    good(&format!("{not_reached}[job.n]\nkind = \"mirror\"\nto = [\"disk\"]\n"));
    let typo = format!("{alone}[destination.disk]\ntype = \"dsk\"\n");
    assert_eq!(codes(&bad(&typo)), ["config/wrong-value"], "one mistake is told once");
    parse(&alone.replace("account = \"keyring:anna\"", "endpoint = \"sandbox\"")).unwrap();
}

#[test]
fn an_account_is_one_place_whatever_the_folders() {
    let two = |one: &str, other: &str| {
        let head = |name: &str| format!("[destination.{name}]\ntype = \"amazon-photos\"\n");
        with(&format!("{}{one}{}{other}", head("a"), head("b")))
    };
    let rooted = |root: &str| format!("{KEPT}root = \"{root}\"\n");
    let report = bad(&two(&rooted("Photos"), &rooted("More")));
    assert_eq!(codes(&report), ["config/duplicate-destination"]);
    assert!(report.render(false).contains("two folders in it are one copy"), "{report}");
    good(&two(KEPT, &KEPT.replace("keyring:a", "keyring:b")));
    let sandbox = "endpoint = \"sandbox\"\n";
    good(&two(sandbox, sandbox));
}

#[test]
fn what_is_shown_means_the_same_and_tells_strangers_nothing() {
    let more =
        "account = \"keyring:annas\"\nendpoint = { metadata = \"https://api.example.org\" }\n";
    let config = good(&table(more));
    let again = Config::parse(&config.show(false), Path::new("safelight.toml"), &common::env());
    assert_eq!(again.unwrap().destinations, config.destinations);
    let redacted = config.redacted();
    assert!(!redacted.contains("annas") && !redacted.contains("example.org"), "{redacted}");
    assert!(good(&table("endpoint = \"sandbox\"\n")).redacted().contains("\"sandbox\""));
}

#[test]
fn editors_know_the_table() {
    let schema = schema();
    let valid = |more: &str| {
        let document: toml::Table = table(more).parse().unwrap();
        jsonschema::is_valid(&schema, &serde_json::to_value(document).unwrap())
    };
    assert!(valid("endpoint = \"sandbox\"\nplan = \"none\"\n"));
    assert!(valid(&format!(
        "{KEPT}endpoint = {{ thumbnail = \"https://x\" }}\ncountry = \"de\"\n"
    )));
    assert!(!valid(&format!("{KEPT}country = \"atlantis\"\n")));
    assert!(!valid(&format!("{KEPT}endpoint = {{ metadata = \"http://example.org\" }}\n")));
}
