//! What somebody removed or cut off in an export is noticed, by the next run and by who asks whether to leave.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::exporting::{FILES, Mounted, SLOW, TO, copied, full_disk, whole};
use crate::home::{CLOUD, Home, TWO_DISKS};

fn assert_checksums(home: &Home, folder: &str) {
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "--quiet", "CHECKSUMS.sha256"]);
    match check.current_dir(home.path(folder)).output() {
        Ok(check) => assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout)),
        Err(_) => println!("skipped: there is no sha256sum here"),
    }
}

/// How many files a run of [`TO`] fetched; it is complete.
fn fetched(home: &Home, said: &[&str]) -> usize {
    let ran = home.run(TO);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(said);
    assert_eq!(ran.err.lines().count(), said.len(), "{ran:?}");
    let lines = ran.json_lines();
    assert_eq!(lines.last().unwrap()["exported"]["files"], FILES);
    assert_checksums(home, "bye");
    copied(&lines).len()
}

#[test]
fn what_was_deleted_or_cut_off_in_an_export_is_noticed_and_comes_back() {
    let home = full_disk();
    home.good(TO);
    home.run(["leave", "nas"]).says(&["Safe to cancel."]);
    let (photo, torn) = ("bye/data/2024/IMG_001.jpg", "bye/data/2024/IMG_002.jpg");
    std::fs::remove_file(home.path(photo)).unwrap();
    std::fs::remove_file(home.path("bye/CHECKSUMS.sha256")).unwrap();
    home.write(torn, "002 0");

    // Who only looks or rehearses is told, and changes nothing.
    let left = home.run(["leave", "nas"]);
    assert_eq!(left.exit, 3, "{left:?}");
    left.says(&[
        "2 are nowhere else:",
        "2024/IMG_001.jpg",
        "2024/IMG_002.jpg",
        "2 files of the export of nas in",
        "are not there any more and do not count.",
        "Not safe to cancel yet.",
        "safelight export nas --to DIR   2 files",
    ]);
    let said = "bye: 3 files of the export are not there any more; they are taken out again, \
                1 of them beside a file of another size";
    home.run(["export", "nas", "--to", "bye", "-n"]).says(&["Would fetch", "2 files", said]);
    assert_eq!(home.run(["leave", "nas"]).exit, 3);

    assert_eq!(fetched(&home, &[said]), 2);
    assert_eq!(home.read(torn), b"002 0", "it stays");
    let mut there = home.photos_in("bye/data");
    there.remove(std::path::Path::new("2024/IMG_002.jpg")).unwrap();
    let (there, wanted): (BTreeSet<_>, BTreeSet<_>) = (
        there.into_values().map(|(bytes, _)| bytes).collect(),
        home.photos_in("nas").into_values().map(|(bytes, _)| bytes).collect(),
    );
    assert!(there == wanted);
    let ran = home.run(["leave", "nas"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Safe to cancel."]);
    assert!(!ran.out.contains("do not count"), "{ran:?}");
    assert_eq!(fetched(&home, &[]), 0);
    // A paper alone is written again without asking the service for anything.
    std::fs::remove_file(home.path("bye/manifest-sha256.txt")).unwrap();
    let said = "bye: 1 file of the export is not there any more; it is taken out again";
    assert_eq!(fetched(&home, &[said]), 0);
    assert!(home.path("bye/manifest-sha256.txt").exists());
}

#[test]
fn what_is_gone_from_one_target_is_fetched_for_that_one() {
    let home = full_disk();
    let both = ["export", "nas", "--to", "bye", "--to", "also", "--json"];
    home.good(both);
    std::fs::remove_dir_all(home.path("also/data/2024")).unwrap();
    // The other one still counts.
    home.run(["leave", "nas"]).says(&["30 files of the export of nas in", "Safe to cancel."]);
    let ran = home.run(both);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["also: 30 files of the export are not there any more"]);
    assert!(!ran.err.contains("bye:"), "{ran:?}");
    assert_eq!(whole(&home, "also").len(), FILES);
    assert_checksums(&home, "also");
}

#[test]
fn what_is_gone_from_a_bucket_is_noticed_too() {
    let home = full_disk();
    let job = "[job.bye]\nkind = \"export\"\nfrom = \"nas\"\nto = [\"cloud\"]\npath = \"bye\"\n";
    home.configure(&format!("{TWO_DISKS}{CLOUD}{job}"));
    let args = ["export", "bye", "--json"];
    home.good(args);
    let bucket = home.path("cloud/photos/bye");
    std::fs::remove_file(bucket.join("data/2024/IMG_001.jpg")).unwrap();
    std::fs::remove_file(bucket.join("CHECKSUMS.sha256")).unwrap();
    for (said, number) in [("cloud: 2 files of the export are not there any more", 1), ("", 0)] {
        let ran = home.run(args);
        assert_eq!((ran.exit, copied(&ran.json_lines()).len()), (0, number), "{ran:?}");
        ran.says(&[said]);
        assert_checksums(&home, "cloud/photos/bye");
    }
}

#[test]
fn an_export_that_was_killed_begins_anew_once_its_folder_is_deleted() {
    let home = full_disk();
    let mut command = home.command(TO.into_iter().chain(["--bandwidth", SLOW]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::with_capacity(64, child.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains("\"file.copied\"") {
        assert!(out.read_line(&mut told).unwrap() > 0, "{told}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_dir_all(home.path("bye")).unwrap();
    let said = "bye: the export is not there any more; it begins anew";
    home.run(["export", "nas", "--to", "bye", "-n"]).says(&["Would fetch", "30 files", said]);
    assert_eq!(fetched(&home, &[said]), FILES);
    assert_eq!(whole(&home, "bye").len(), FILES);
}

#[test]
fn an_export_that_cannot_be_looked_through_loses_nothing() {
    let home = full_disk();
    home.good(TO);
    std::fs::remove_file(home.path("bye/data/2024/IMG_001.jpg")).unwrap();
    let Some(mounted) = Mounted::new(&home, "bye/data/more", &["-t", "tmpfs", "safelight-test"])
    else {
        return;
    };
    home.run(["leave", "nas"]).says(&["could not be looked through", "Safe to cancel."]);
    let ran = home.run(TO);
    assert_eq!((ran.exit, copied(&ran.json_lines()).len(), &*ran.err), (0, 0, ""), "{ran:?}");
    drop(mounted);
    home.run(["leave", "nas"]).says(&["1 is nowhere else:"]);
    assert_eq!(
        fetched(&home, &["bye: 1 file of the export is not there any more; it is taken out again"]),
        1
    );
}
