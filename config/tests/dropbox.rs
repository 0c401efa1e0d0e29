//! The table of a Dropbox destination.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::{bad, codes, good, with};
use safelight_config::units::Amount;
use safelight_config::{
    Config, Destination, Dropbox, DropboxEndpoint, DropboxKey, PoolLimit, SecretRef, Storage,
    schema,
};

const KEYS: &str = "app_key = \"k\"\ntoken = \"keyring:d\"\n";

fn table(more: &str) -> String {
    with(&format!("[destination.d]\ntype = \"dropbox\"\n{more}"))
}

fn read(more: &str) -> (Destination, Dropbox) {
    let destination = good(&table(more)).destination("d").unwrap().clone();
    let Storage::Dropbox(dropbox) = &destination.storage else { panic!() };
    (destination.clone(), dropbox.clone())
}

/// The messages of a table that must be wrong, and the text each points at.
fn refused(more: &str) -> Vec<(String, String)> {
    let text = table(more);
    let report = bad(&text);
    let problems = report.problems().iter();
    let spot = |problem: &safelight_config::Problem| text[problem.span.clone().unwrap()].to_owned();
    problems.map(|problem| (problem.message.clone(), spot(problem))).collect()
}

#[test]
fn the_least_that_is_needed_has_every_default() {
    let (destination, dropbox) = read(KEYS);
    assert_eq!(dropbox.app_key.as_deref(), Some("k"));
    let reference = SecretRef::Keyring("d".into());
    assert_eq!(dropbox.sign_in, Some(DropboxKey::Token(reference.clone())));
    assert_eq!((dropbox.root.as_str(), &dropbox.path_root), ("", &None));
    let own = DropboxEndpoint::Service { api: None, content: None, notify: None, www: None };
    assert_eq!(dropbox.endpoint, own);
    assert!(!destination.offsite && !destination.removable);
    assert_eq!(destination.storage.secrets(), [("token", &reference)]);
    assert_eq!(destination.storage.kind(), "dropbox");
    assert!(!destination.storage.is_sandbox());
}

#[test]
fn without_pools_there_is_one_for_everything_that_asks_the_service() {
    let (destination, _) = read(KEYS);
    let [pool] = destination.pools.as_slice() else { panic!() };
    assert_eq!((pool.counts.len(), pool.limit), (5, PoolLimit::Ask));
    assert_eq!(pool.keep_free, Amount::Share("5%".parse().unwrap()));
    let own = "[[destination.d.pool]]\ncounts = [\"video\"]\nlimit = \"5 GB\"\n";
    let (destination, _) = read(&format!("{KEYS}{own}"));
    assert_eq!(destination.pools.len(), 1);
    assert_eq!(destination.pools[0].counts.len(), 1);
    assert!(good(&with("")).destinations[0].pools.is_empty(), "other kinds have none");
}

#[test]
fn every_setting_is_read() {
    let more = "app_key = \"k\"\naccess_token = \"systemd:t\"\nroot = \"/Pictures/\"\npath_root = \"1234\"\n\
                endpoint = { api = \"https://api.example.org/\", www = \"http://127.0.0.1:8080\" }\n";
    let (_, dropbox) = read(more);
    assert_eq!(dropbox.sign_in, Some(DropboxKey::AccessToken(SecretRef::Systemd("t".into()))));
    assert_eq!((dropbox.root.as_str(), dropbox.path_root.as_deref()), ("Pictures", Some("1234")));
    let DropboxEndpoint::Service { api, content, notify, www } = dropbox.endpoint else { panic!() };
    assert_eq!(api.as_deref(), Some("https://api.example.org"));
    assert_eq!(www.as_deref(), Some("http://127.0.0.1:8080"));
    assert_eq!((content, notify), (None, None));
}

#[test]
fn the_sandbox_needs_no_keys_and_has_a_folder() {
    let (destination, dropbox) = read("endpoint = \"sandbox\"\nsandbox = \"out/dropbox\"\n");
    let folder = Some("/data/out/dropbox".into());
    assert_eq!(dropbox.endpoint, DropboxEndpoint::Sandbox { folder });
    assert!(destination.storage.is_sandbox() && destination.storage.secrets().is_empty());
}

#[test]
fn everything_that_is_wrong_is_told_at_its_place() {
    let kind = || "\"dropbox\"".to_owned();
    assert_eq!(
        refused("sandbox = \"x\"\n"),
        [
            ("[destination.d] has no `app_key`".to_owned(), kind()),
            ("[destination.d] has no `token`".to_owned(), kind()),
            ("`destination.d.sandbox` has no meaning here".to_owned(), "\"x\"".to_owned()),
        ]
    );
    let both = refused(&format!("{KEYS}access_token = \"env:A\"\n"));
    assert_eq!(both[0].1, "\"env:A\"");
    let hosts = "endpoint = { api = \"http://api.example.org\", contnt = \"https://x\", www = \"ftp://x\" }\n";
    let spots: Vec<String> = refused(hosts).into_iter().map(|(_, spot)| spot).collect();
    // Keys are not asked for where it is unclear what was meant.
    let here = |text: &str| spots.iter().any(|spot| spot == text);
    assert!(
        here("\"http://api.example.org\"") && here("contnt") && here("\"ftp://x\""),
        "{spots:?}"
    );
    let (message, spot) = refused(&format!("{KEYS}endpoint = \"sandbx\"\n")).remove(0);
    assert_eq!(spot, "\"sandbx\"");
    assert_eq!(message, "`destination.d.endpoint` cannot be `sandbx`, expected `sandbox`");
    let (message, _) = refused(&format!("{KEYS}endpoint = 3\n")).remove(0);
    assert!(message.contains("a word in quotes or a table, not a bare number"), "{message}");
}

#[test]
fn a_token_in_the_file_is_refused_with_the_command_that_brings_one() {
    let report = bad(&table("app_key = \"k\"\ntoken = \"sl.hunter2\"\n"));
    assert_eq!(codes(&report), ["config/plain-secret"]);
    let help = report.problems()[0].help.as_deref().unwrap();
    assert!(help.starts_with("safelight auth login d ") && help.contains("keyring:NAME"), "{help}");
    assert!(!report.render(false).contains("hunter2"));
}

#[test]
fn plain_http_is_only_for_this_machine() {
    let with = |url: &str| table(&format!("{KEYS}endpoint = {{ api = \"{url}\" }}\n"));
    for good_one in [
        "https://api.dropboxapi.com",
        "http://localhost:1234/",
        "http://127.0.0.1:80",
        "http://127.9.9.9",
        "http://[::1]:9",
    ] {
        good(&with(good_one));
    }
    for wrong in [
        "http://api.dropboxapi.com",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://[::2]:9",
        "https://",
        "https:///x",
        "https://a b",
        "https://a?x=1",
        "https://a#x",
        "api.dropboxapi.com",
    ] {
        assert_eq!(codes(&bad(&with(wrong))), ["config/wrong-value"], "{wrong}");
    }
    let report = bad(&with("http://anna:hunter2@127.0.0.1"));
    assert_eq!(codes(&report), ["config/plain-secret"]);
    assert!(!report.render(false).contains("hunter2"));
    let report = bad(&table("endpoint = \"https://anna:hunter2@x\"\n"));
    assert!(!report.render(false).contains("hunter2"));
}

#[test]
fn one_folder_of_one_account_is_one_place() {
    let two = |one: &str, other: &str| {
        let head = |name: &str| format!("[destination.{name}]\ntype = \"dropbox\"\n");
        with(&format!("{}{one}{}{other}", head("d"), head("e")))
    };
    let rooted = |root: &str| format!("{KEYS}root = \"{root}\"\n");
    let same = two(&rooted("Photos"), &rooted("photos"));
    assert_eq!(codes(&bad(&same)), ["config/duplicate-destination"]);
    let inside = two(&rooted("Photos"), &rooted("photos/2024"));
    assert_eq!(codes(&bad(&inside)), ["config/nested-paths"]);
    good(&two(&rooted("a"), &rooted("b")));
    good(&two(KEYS, &KEYS.replace("keyring:d", "keyring:e")));
    let sandbox = "endpoint = \"sandbox\"\n";
    good(&two(sandbox, sandbox));
    let shared = "endpoint = \"sandbox\"\nsandbox = \"out\"\n";
    assert_eq!(codes(&bad(&two(shared, shared))), ["config/duplicate-destination"]);
}

#[test]
fn what_is_shown_means_the_same_and_tells_strangers_nothing() {
    let more = "app_key = \"k3y\"\ntoken = \"keyring:annas\"\npath_root = \"777\"\nendpoint = { api = \"https://api.example.org\" }\n";
    let config = good(&table(more));
    let again = Config::parse(&config.show(false), Path::new("safelight.toml"), &common::env());
    assert_eq!(again.unwrap().destinations, config.destinations);
    let redacted = config.redacted();
    for private in ["k3y", "annas", "777", "example.org"] {
        assert!(!redacted.contains(private), "{redacted}");
    }
    assert!(good(&table("endpoint = \"sandbox\"\n")).redacted().contains("\"sandbox\""));
}

#[test]
fn editors_know_both_forms_of_the_endpoint() {
    let schema = schema();
    let valid = |more: &str| {
        let document: toml::Table = table(more).parse().unwrap();
        jsonschema::is_valid(&schema, &serde_json::to_value(document).unwrap())
    };
    assert!(valid(&format!("{KEYS}endpoint = \"sandbox\"\n")));
    assert!(valid(&format!("{KEYS}endpoint = {{ api = \"https://x\" }}\n")));
    assert!(!valid(&format!("{KEYS}endpoint = {{ ap = \"https://x\" }}\n")));
    assert!(!valid(&format!("{KEYS}endpoint = {{ api = \"http://example.org\" }}\n")));
}
