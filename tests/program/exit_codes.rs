//! The table of exit codes: one case for each that can be reached.

use std::fs::File;
use std::process::Stdio;

use safelight_catalog::SqliteCatalog;

use crate::home::{Home, TWO_DISKS};

const AWAY: &str = "[destination.away]\ntype = \"s3\"\nbucket = \"photos\"\nregion = \"eu-central-1\"\n\
                    access_key_id = \"env:KEY_ID\"\nsecret_access_key = \"env:KEY\"\n";

#[test]
fn usage_is_2_and_says_what_was_probably_meant() {
    let home = Home::new(TWO_DISKS);
    home.photos(1);
    for (args, meant) in [
        (vec!["mirror", "--to", "dsik"], "`disk`"),
        (vec!["mirror", "miror"], "`mirror`"),
        (vec!["adopt", "nass"], "`nas`"),
        (vec!["mirro"], "'mirror'"),
        (vec!["mirror", "--dry-rum"], "'--dry-run'"),
    ] {
        let ran = home.run(&args);
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(meant), "{args:?}: {}", ran.err);
    }
    assert_eq!(home.run(["mirror", "--offline"]).exit, 2);
    assert!(!home.path("state").exists(), "nothing was begun");
}

#[test]
fn a_file_that_cannot_be_read_is_3_and_the_others_are_copied() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new(TWO_DISKS);
    home.photos(3);
    let locked = home.path("library/2024/IMG_0001.jpg");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&locked).is_ok() {
        println!("skipped: this user can read every file");
        return;
    }
    home.mirror(3).says(&["library/unreadable", "IMG_0001.jpg"]);
    assert_eq!(home.photos_in("disk").len(), 2);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.mirror(0);
    home.assert_same("library", "disk");
}

#[test]
fn something_foreign_under_the_name_of_a_new_photo_is_3_and_stays() {
    let home = Home::new(TWO_DISKS);
    home.photos(2);
    home.mirror(0);
    home.write("disk/new.jpg", "somebody else's");
    home.write("library/new.jpg", "mine");
    let ran = home.mirror(3);
    ran.says(&["1 problem", "new.jpg -> disk", "[destination/occupied]"]);
    assert_eq!(home.read("disk/new.jpg"), b"somebody else's");
    home.assert_same("library", "nas");
    home.run(["explain", "new.jpg"]).says(&["disk", "no copy"]);
    home.mirror(3).says(&["[destination/occupied]"]);
}

#[test]
fn a_wrong_config_is_6_with_everything_that_is_wrong() {
    let home = Home::new(
        "[destination.disk]\ntype = \"disk\"\npth = \"disk\"\n\
                          [job.mirror]\nkind = \"mirror\"\nto = [\"dsk\"]\n",
    );
    let ran = home.run(["mirror"]);
    assert_eq!((ran.exit, ran.out.as_str()), (6, ""));
    for part in ["unknown-setting", "unknown-destination", "missing-setting", "safelight.toml:"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let json = home.run(["mirror", "--json"]);
    let end = json.json_lines().pop().unwrap();
    assert_eq!((json.exit, &end["type"], &end["exit"]), (6, &"run.end".into(), &6.into()));
    assert!(end["errors"].as_array().unwrap().len() >= 3, "{end}");
    std::fs::remove_file(home.path("safelight.toml")).unwrap();
    assert_eq!(home.run(["status"]).exit, 6);
}

#[test]
fn a_sign_in_that_cannot_be_had_is_7_and_the_others_go_on() {
    let home = Home::new(&format!("{TWO_DISKS}{AWAY}"));
    home.photos(2);
    let ran = home.mirror(7);
    ran.says(&["away", "[config/secret-missing]", "KEY_ID"]);
    home.assert_same("library", "disk");
    home.assert_same("library", "nas");
}

#[test]
fn an_empty_library_that_had_files_is_8_and_no_copy_is_removed() {
    let home = Home::new(TWO_DISKS);
    home.photos(3);
    home.mirror(0);
    std::fs::rename(home.path("library"), home.path("elsewhere")).unwrap();
    std::fs::create_dir(home.path("library")).unwrap();
    let ran = home.run(["mirror", "--json"]);
    assert_eq!(ran.exit, 8, "{ran:?}");
    let end = ran.json_lines().pop().unwrap();
    assert_eq!((&end["code"], &end["exit"]), (&"library/empty".into(), &8.into()));
    std::fs::remove_dir(home.path("library")).unwrap();
    home.mirror(1).says(&["library/missing"]);
    home.assert_same("elsewhere", "disk");
}

#[test]
fn a_guard_that_trips_is_8_until_the_answer_is_given() {
    let rules = "[job.mirror]\nkind = \"mirror\"\nto = [\"disk\", \"nas\"]\n\
                 [job.mirror.deletions]\npropagate = \"at once\"\n";
    let home = Home::new(&format!("{TWO_DISKS}{rules}"));
    home.photos(30);
    home.mirror(0);
    for number in 0..15 {
        std::fs::remove_file(home.path(format!("library/2024/IMG_{number:04}.jpg"))).unwrap();
    }
    home.write("library/new.jpg", "new");
    let ran = home.mirror(8);
    ran.says(&["[guard/deletions]", "--accept-deletions 2", "--keep-deleted", "1 copied"]);
    assert_eq!(home.photos_in("disk").len(), 31, "nothing was removed");
    let listed = home.good(["log", "2", "--removals"]);
    assert!(listed.contains("IMG_0014.jpg -> disk"), "{listed}");
    assert_eq!(home.run(["status"]).exit, 3);
    assert_eq!(home.run(["mirror", "--keep-deleted"]).exit, 0);
    assert_eq!(home.photos_in("disk").len(), 31);
    home.good(["mirror", "--accept-deletions", "2"]);
    home.assert_same("library", "disk");
    assert_eq!(tree_of_trash(&home, "disk"), 15, "they are in the trash");
}

fn tree_of_trash(home: &Home, destination: &str) -> usize {
    crate::home::tree(&home.path(format!("{destination}/.safelight/trash"))).len()
}

#[test]
fn a_second_run_beside_the_first_is_9_and_names_it() {
    let home = Home::new(TWO_DISKS);
    home.photos(1);
    home.mirror(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let catalog = home.path("state/catalog.db");
    let first = runtime.block_on(SqliteCatalog::open(&catalog, "safelight mirror, since noon"));
    let ran = home.mirror(9);
    ran.says(&["[run/locked]", "since noon", &std::process::id().to_string()]);
    assert!(home.good(["status"]).starts_with("Yes"), "looking is allowed");
    assert_eq!(home.run(["mirror", "-n"]).exit, 0, "a rehearsal too");
    drop(first);
    home.mirror(0);
}

#[test]
fn a_limit_that_is_reached_is_10_and_the_next_run_goes_on() {
    let home = Home::new(TWO_DISKS);
    home.photos(20);
    let ran = home.run(["mirror", "--max-transfer", "10 KB"]);
    assert_eq!(ran.exit, 10, "{ran:?}");
    ran.says(&["The limit for this run was reached"]);
    let some = home.photos_in("disk").len();
    assert!(some > 0 && some < 20, "{some}");
    home.mirror(0);
    home.assert_same("library", "disk");
}

#[test]
fn results_that_cannot_be_written_are_1() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        println!("skipped: this system has no /dev/full");
        return;
    };
    let home = Home::new(TWO_DISKS);
    home.photos(1);
    home.mirror(0);
    let mut command = home.command(["status"]);
    let status = command.stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
