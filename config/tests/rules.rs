//! Settings worth refusing although each value alone is right.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{bad, codes, good, with};

fn refused(more: &str, code: &str) {
    let report = bad(&with(more));
    assert_eq!(codes(&report), [code], "{more}\n{report}");
}

fn accepted(more: &str) {
    good(&with(more));
}

fn disk(name: &str, path: &str) -> String {
    format!("[destination.{name}]\ntype = \"disk\"\npath = \"{path}\"\n")
}

fn s3(name: &str, more: &str) -> String {
    format!("[destination.{name}]\ntype = \"s3\"\nbucket = \"b\"\nendpoint = \"sandbox\"\n{more}\n")
}

#[test]
fn library_and_destinations_may_not_lie_inside_each_other() {
    for path in ["/photos", "/photos/backup", "/x/../photos/y", "../photos/."] {
        refused(&disk("b", path), "config/nested-paths");
    }
    let report = bad(&with(&disk("b", "/")));
    assert!(
        report
            .problems()
            .iter()
            .any(|p| p.message == "the library lies inside the destination `b`")
    );
    accepted(&disk("b", "/photos-backup"));
    refused(&s3("b", "sandbox = \"/photos/s3\""), "config/nested-paths");
}

#[test]
fn two_destinations_may_not_be_the_same_place() {
    refused(&disk("b", "/backup/"), "config/duplicate-destination");
    refused(&disk("b", "/backup/x"), "config/nested-paths");
    let volume = "volume = { id = \"5E\" }\n";
    accepted(&(disk("b", "backup") + volume));
    refused(&(disk("b", "p") + volume + &disk("c", "p") + volume), "config/duplicate-destination");
    accepted(&(disk("b", "p") + volume + &disk("c", "q") + volume));

    accepted(&(s3("b", "") + &s3("c", "")));
    let same = "sandbox = \"/s3\"";
    refused(&(s3("b", same) + &s3("c", same)), "config/duplicate-destination");
    refused(&(s3("b", same) + &s3("c", "sandbox = \"/s3\"\nroot = \"x\"")), "config/nested-paths");
    let roots = |root: &str| format!("sandbox = \"/s3\"\nroot = \"{root}\"");
    accepted(&(s3("b", &roots("x")) + &s3("c", &roots("y"))));

    let nas = |name: &str, host: &str| {
        format!(
            "[destination.{name}]\ntype = \"opendal\"\nservice = \"webdav\"\noptions = {{ endpoint = \"https://{host}\" }}\n"
        )
    };
    accepted(&(nas("b", "one") + &nas("c", "two")));
    refused(&(nas("b", "one") + &nas("c", "one")), "config/duplicate-destination");
}

#[test]
fn a_chosen_state_folder_lies_apart() {
    let text = |state: &str| format!("state = \"{state}\"\n{}", common::BASE);
    good(&text("/state"));
    for state in ["/photos/state", "/backup/state", "/backup"] {
        assert_eq!(codes(&bad(&text(state))), ["config/nested-paths"], "{state}");
    }
}

#[test]
fn numbers_that_can_never_be_reached_are_refused() {
    refused("[safety]\ncopies = 3\n", "config/never-safe");
    accepted("[safety]\ncopies = 2\n");
    refused("[safety]\noffsite = 1\n", "config/never-safe");
}

#[test]
fn deleting_at_once_without_trash_needs_a_word() {
    let both = "[job.m.deletions]\npropagate = \"at once\"\nkeep_in = \"nothing\"\n";
    refused(both, "config/dangerous");
    accepted(&format!("{both}i_understand = true\n"));
    accepted("[job.m.deletions]\npropagate = \"at once\"\n");
}

#[test]
fn s3_needs_keys_and_a_region_unless_it_is_the_sandbox() {
    accepted(&s3("b", ""));
    let aws = "[destination.b]\ntype = \"s3\"\nbucket = \"b\"\n";
    let keys = "access_key_id = \"env:A\"\nsecret_access_key = \"env:B\"\n";
    let report = bad(&with(aws));
    assert_eq!(codes(&report), ["config/missing-setting"; 3]);
    refused(&format!("{aws}{keys}"), "config/missing-setting");
    accepted(&format!("{aws}{keys}region = \"eu-west-1\"\n"));
    accepted(&format!("{aws}{keys}endpoint = \"http://localhost:9000\"\n"));
    refused(&format!("{aws}{keys}endpoint = \"localhost:9000\"\n"), "config/wrong-value");
    let misplaced = "region = \"r\"\nsandbox = \"/s3\"\n";
    refused(&format!("{aws}{keys}{misplaced}"), "config/wrong-value");
}

#[test]
fn pools_do_not_overlap() {
    let pool =
        |counts: &str| format!("[[destination.disk.pool]]\ncounts = {counts}\nlimit = \"5 GB\"\n");
    accepted(&(pool("[\"photo\"]") + &pool("[\"video\"]")));
    refused(&(pool("[\"photo\"]") + &pool("[\"video\", \"photo\"]")), "config/pool-overlap");
    refused(&pool("[]"), "config/wrong-value");
    refused(&pool("[\"photos\"]"), "config/wrong-value");
}

#[test]
fn names_and_values_that_make_no_sense_are_refused() {
    refused(&disk("\"my disk\"", "/other"), "config/bad-name");
    refused("[job.m]\nto = []\n", "config/wrong-value");
    refused("[job.m]\nto = [\"disk\", \"disk\"]\n", "config/wrong-value");
    refused("[job.m.limits]\nparallel = { dsk = 2 }\n", "config/unknown-destination");
    refused("[job.m.limits]\nparallel = { disk = 0 }\n", "config/wrong-value");
    refused("[job.m.limits]\nmemory = \"1 MB\"\n", "config/wrong-value");
    refused(
        "[destination.d]\ntype = \"disk\"\npath = \"/x\"\nvolume = { id = \"5E\" }\n",
        "config/wrong-value",
    );
    refused(
        "[destination.d]\ntype = \"disk\"\npath = \"x\"\nvolume = {}\n",
        "config/missing-setting",
    );
    refused("[destination.d]\ntype = \"disk\"\npath = \"~ben/x\"\n", "config/wrong-value");
    let rules = |rule: &str| with(&format!("[job.m]\nonly = [\"{rule}\"]\n"));
    for pattern in ["!x", "#x", "", "[z-a]"] {
        assert_eq!(codes(&bad(&rules(pattern))), ["config/wrong-value"], "{pattern}");
    }
}

#[test]
fn what_belongs_to_later_parts_is_known_but_refused() {
    for more in [
        "[job.m.schedule]\nevery = \"6 hours\"\n",
        "[job.m.when]\npower = \"ac\"\n",
        "[job.e]\nkind = \"export\"\nfrom = \"disk\"\nsplit = \"50 GB\"\n",
        "[ingest.phone]\nkind = \"webdav\"\npassword = \"keyring:x\"\n",
        "[web]\nlisten = \"127.0.0.1:4717\"\n",
        "[notify.ntfy]\nurl = \"https://ntfy.sh/\"\n",
        "[[hook]]\non = \"job-before\"\nrun = [\"true\"]\n",
        "[log]\nlevel = \"info\"\n",
        "[library.filter]\nsymlinks = \"follow\"\n",
        "[library.filter]\nsidecars = \"with-photo\"\n",
    ] {
        let base =
            common::BASE.replace("[destination.disk]", "#[library.filter]\n[destination.disk]");
        let text = format!("{base}{more}");
        assert_eq!(codes(&bad(&text)), ["config/not-available-yet"], "{more}");
    }
}
