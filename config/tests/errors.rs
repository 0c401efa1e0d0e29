//! What a wrong file says, word for word.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{bad, codes, with};

#[test]
fn an_unknown_destination_is_shown_with_its_table_and_a_suggestion() {
    let text = r#"version = 1
[library]
path = "~/Pictures"
[destination.disk]
type = "disk"
path = "/media/disk"
[destination.dropbox]
type = "disk"
path = "/media/other"

[job.mirror]
to = ["disk", "dropbx"]
"#;
    let expected = r#"error: job `mirror` copies to a destination that is not defined   [config/unknown-destination]
    ╭─[safelight.toml:12:15]
 11 │ [job.mirror]
 12 │ to = ["disk", "dropbx"]
    ·               ────┬───
    ·                   ╰── no [destination] has this name
    ╰────
  help: did you mean "dropbox"? destinations in this file: disk, dropbox
"#;
    assert_eq!(bad(text).render(false), expected);
}

#[test]
fn an_unknown_setting_is_shown_with_those_that_exist() {
    let report = bad(&with("[safety]\nchecked = \"90d\"\ncopys = 2\n"));
    let expected = "\
error: unknown setting `copys`, expected `copies`, `offsite`, `checked` or `grace`   [config/unknown-setting]
   ╭─[safelight.toml:9:1]
 9 │ copys = 2
   · ─────
   ╰────
  help: did you mean `copies`?
";
    assert_eq!(report.render(false), expected);
}

#[test]
fn a_plain_secret_is_named_but_not_shown() {
    let text = with(
        "[destination.far]\ntype = \"s3\"\nbucket = \"b\"\nregion = \"r\"\naccess_key_id = \"env:ID\"\nsecret_access_key = \"sl.B1xyz\"\n",
    );
    let expected = r#"error: a password is written in the config file   [config/plain-secret]
    ╭─[safelight.toml:12:21]
 12 │ secret_access_key = "........"
    ·                     ─────┬────
    ·                          ╰── anyone who can read this file can use it
    ╰────
  help: use keyring:NAME, env:NAME, file:PATH (mode 0600), systemd:NAME,
        cmd:PROGRAM ARG... or { cmd = ["PROGRAM", "ARG"] }
"#;
    assert_eq!(bad(&text).render(false), expected);
}

#[test]
fn all_problems_come_in_one_report_in_the_order_of_the_file() {
    let text = r#"version = 1
colour = "red"
[library]
path = 3
settle = 10
[safety]
copies = 9
[destination.disk]
type = "disk"
path = "/backup"
reserve = "some"
read_back = "yes"
[destination.cloud]
type = "amazon-photos"
account = "at-main=hunter2"
[destination.typo]
type = "dsk"
[job.mirror]
to = ["disc"]
[job.mirror.schedule]
every = "6 hours"
[job.check]
kind = "verify"
repair = "frm-good-copy"
"#;
    let report = bad(text);
    let found: Vec<(usize, &str)> = report
        .problems()
        .iter()
        .map(|problem| (report.position(problem).unwrap_or((0, 0)).0, problem.code.0))
        .collect();
    let expected = [
        (2, "config/unknown-setting"),
        (4, "config/wrong-type"),
        (5, "config/wrong-type"),
        (7, "config/never-safe"),
        (11, "config/wrong-value"),
        (12, "config/wrong-type"),
        (15, "config/plain-secret"),
        (17, "config/wrong-value"),
        (19, "config/unknown-destination"),
        (20, "config/not-available-yet"),
        (23, "config/not-available-yet"),
        (24, "config/wrong-value"),
    ];
    // What stands inside the table of a later kind is not mentioned a second time.
    assert_eq!(found, expected, "{report}");
}

#[test]
fn spans_are_exact_inside_destinations_and_inline_tables() {
    let text = with(
        "[destination.far]\ntype = \"opendal\"\nservice = \"webdav\"\nrot = \"x\"\n[destination.v]\ntype = \"disk\"\npath = \"p\"\nvolume = { idd = \"5E\" }\n",
    );
    let report = bad(&text);
    let spots: Vec<&str> =
        report.problems().iter().map(|problem| &text[problem.span.clone().unwrap()]).collect();
    assert_eq!(spots, ["rot", "{ idd = \"5E\" }", "idd"], "{report}");
}

#[test]
fn a_missing_setting_points_at_its_table() {
    let report = bad("version = 1\n[library]\nname = \"x\"\n[destination.disk]\ntype = \"disk\"\n");
    assert_eq!(codes(&report), ["config/missing-setting", "config/missing-setting"]);
    assert_eq!(report.problems()[0].message, "[library] has no `path`");
    assert_eq!(report.position(&report.problems()[0]), Some((2, 1)));
    assert_eq!(report.problems()[1].message, "[destination.disk] has no `path`");
}

#[test]
fn an_empty_file_says_what_is_needed() {
    let report = bad("");
    let messages: Vec<&str> = report.problems().iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        messages,
        ["`version` is missing", "`library` is missing", "`destination` is missing"]
    );
    assert!(report.render(false).starts_with(
        "error: `version` is missing   [config/missing-setting]\n  in safelight.toml\n  help: write `version = 1`"
    ));
    let report = bad("version = 1\nlibrary.path = \"p\"\n[destination]\n");
    assert_eq!(codes(&report), ["config/missing-setting"]);
}

#[test]
fn a_newer_file_is_refused_alone() {
    let report = bad("version = 7\n[brandnew]\nx = 1\n");
    assert_eq!(codes(&report), ["config/newer-version"]);
}

#[test]
fn syntax_errors_are_told_once_per_line() {
    let report = bad("version = 1\n[library\npath = \"x\nname = = 3\n");
    assert!(codes(&report).iter().all(|code| *code == "config/syntax"));
    let lines: Vec<usize> =
        report.problems().iter().map(|problem| report.position(problem).unwrap().0).collect();
    let mut unique = lines.clone();
    unique.dedup();
    assert_eq!(lines, unique);
    assert!(lines.contains(&2) && lines.contains(&4), "{report}");
}

#[test]
fn numbers_without_a_unit_are_refused_with_an_example() {
    let report = bad(&with("[job.mirror.limits]\nmemory = 128\n"));
    assert_eq!(codes(&report), ["config/wrong-type"]);
    let problem = &report.problems()[0];
    assert_eq!(problem.message, "`job.mirror.limits.memory` must be a size, not a bare number");
    assert_eq!(problem.help.as_deref(), Some("for example \"5 GB\", \"128 MiB\""));
}

#[test]
fn programs_get_codes_and_positions() {
    let report = bad(&with("[safety]\ncopys = 2\n"));
    let expected = serde_json::json!([{
        "code": "config/unknown-setting",
        "message": "unknown setting `copys`, expected `copies`, `offsite`, `checked` or `grace`",
        "file": "safelight.toml",
        "line": 8,
        "column": 1,
        "help": "did you mean `copies`?",
    }]);
    assert_eq!(report.to_json(), expected);
}

#[test]
fn colour_appears_only_on_request() {
    let report = bad(&with("x = 1\n"));
    assert!(report.render(true).contains('\u{1b}'));
    assert!(!report.render(false).contains('\u{1b}'));
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let report = bad("version = 1 \u{1b}[2Jx\n# \u{202e}abc\nlibrary = \u{1b}]0;x\n");
    assert!(!report.render(false).contains(['\u{1b}', '\u{202e}']), "{report}");
}

#[test]
fn files_with_windows_line_ends_are_read_and_shown() {
    common::good(&with("").replace('\n', "\r\n"));
    let report = bad(&with("[safety]\ncopys = 2\n").replace('\n', "\r\n"));
    assert_eq!(report.position(&report.problems()[0]), Some((8, 1)));
    assert!(!report.render(false).contains('\r'));
}

#[test]
fn a_missing_file_is_a_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    let report = safelight_config::Config::load(&path, &common::env()).unwrap_err();
    assert_eq!(codes(&report), ["config/unreadable"]);
    assert!(report.render(false).contains("none.toml"));

    std::fs::write(&path, b"version = 1 # \xff\n").unwrap();
    let report = safelight_config::Config::load(&path, &common::env()).unwrap_err();
    assert_eq!(codes(&report), ["config/unreadable"]);
}
