//! The commands that only look: explain PATH, ls, log, about, status --fewer-than.

use crate::home::{Home, TWO_DISKS};

#[test]
fn one_file_is_explained_with_its_rule_and_its_copies() {
    let home = Home::new(&format!("[library.filter]\nrules = [\"- *.tmp\"]\n{TWO_DISKS}"));
    home.photos(2);
    home.write("library/notes.tmp", "x");
    home.mirror(0);
    let photo = home.run(["explain", "2024/IMG_0001.jpg"]);
    photo.says(&["photo", "disk", "nas", "proved", "read back", "nothing to do"]);
    let left_out = home.run(["explain", "notes.tmp"]);
    left_out.says(&["- *.tmp", "safelight.toml:"]);
    let json = home.run(["explain", "--json", "2024/IMG_0001.jpg"]).json();
    assert_eq!(json["v"], 1);
}

#[test]
fn a_file_is_explained_by_its_content_its_date_and_what_belongs_to_it() {
    let home = Home::new(TWO_DISKS);
    home.write("library/2024/IMG_20240512_140310.jpg", "<!DOCTYPE html><html></html>");
    home.write("library/2024/b.jpg", "\0".repeat(500));
    home.write("library/2024/c.pef.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>");
    home.write("library/2024/c.pef", "what no program knows");
    home.mirror(0);
    let page = home.run(["explain", "2024/IMG_20240512_140310.jpg"]);
    page.says(&["other", "html by its content, which its name does not say", "file date"]);
    home.run(["explain", "2024/b.jpg"]).says(&["nothing but zeros", "library/all-zero"]);
    let group = home.run(["explain", "2024/c.pef"]);
    group.says(&["with sidecar: their names belong together", "sidecar  2024/c.pef.xmp"]);
    let json = home.run(["explain", "--json", "2024/c.pef"]).json();
    assert_eq!((&json["known_by"], &json["format"]), (&"content".into(), &serde_json::Value::Null));
    assert_eq!(json["taken"]["confidence"], "weak");
    assert_eq!(json["group"]["members"][1]["role"], "sidecar");
}

#[test]
fn ls_log_and_about_answer_in_words_and_in_json() {
    let home = Home::new(TWO_DISKS);
    assert_ne!(home.run(["ls"]).exit, 0, "nothing is known yet");
    home.photos(3);
    home.mirror(0);
    let ls = home.good(["ls", "2024"]);
    assert_eq!(ls.lines().filter(|line| line.ends_with("disk nas")).count(), 3, "{ls}");
    let files = home.run(["ls", "--json"]).json();
    let copies = files["files"][0]["copies"].as_array().unwrap();
    assert_eq!(copies.len(), 2, "{files}");
    assert!(copies.iter().all(|copy| copy["proof"] == "read-back"), "{files}");
    assert_eq!(home.run(["ls", "nothing/here"]).exit, 2);
    let found = home.good(["find", "IMG_0001*", "2024/*2.jpg"]);
    assert_eq!(found.lines().count(), 2, "{found}");
    assert!(home.good(["find", "*.mov"]).is_empty());

    assert!(home.good(["log"]).contains("disk 3, nas 3"));
    assert!(home.good(["log", "1"]).contains("Run 1 of mirror"));
    let run = home.run(["log", "1", "--json"]).json();
    assert_eq!((&run["run"], &run["exit"]), (&1.into(), &0.into()));
    assert_ne!(home.run(["log", "99"]).exit, 0);

    let about = home.good(["about"]);
    assert!(about.contains("3 files") && about.contains(" of "), "{about}");
    let json = home.run(["about", "--json"]).json();
    assert_eq!(json["destinations"][0]["name"], "disk");
    assert!(home.good(["about", "--offline"]).contains("disk"));
}

#[test]
fn files_with_too_few_copies_are_listed_also_for_scripts() {
    let home = Home::new(TWO_DISKS);
    home.photos(2);
    home.good(["mirror", "--to", "disk"]);
    let few = home.good(["status", "--fewer-than", "3"]);
    assert_eq!(few.lines().collect::<Vec<_>>(), ["2024/IMG_0000.jpg", "2024/IMG_0001.jpg"]);
    let zeros = home.good(["status", "--fewer-than", "3", "--print0"]);
    assert_eq!(zeros, "2024/IMG_0000.jpg\x002024/IMG_0001.jpg\0");
    assert_eq!(home.good(["status", "--fewer-than", "3", "--path", "2023"]), "");
    home.mirror(0);
    assert_eq!(home.good(["status", "--fewer-than", "3"]), "");
}

#[test]
fn completions_and_manual_pages_come_from_the_same_definitions() {
    let home = Home::bare();
    for shell in ["bash", "zsh", "fish"] {
        assert!(home.good(["completions", shell]).contains("safelight"));
    }
    std::fs::create_dir(home.path("man")).unwrap();
    home.good(["man", "man"]);
    assert!(home.path("man/safelight-mirror.1").exists());
    assert!(home.good(["--help"]).contains("Exit codes:"));
    assert!(home.good(["--version"]).starts_with("safelight "));
}
