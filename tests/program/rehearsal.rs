//! A dry run changes nothing at all.

use crate::home::{CLOUD, Home, TWO_DISKS, Tree, tree};

/// All files with bytes and times, but for the index that SQLite makes beside a file to read it.
fn everything(home: &Home) -> Tree {
    let mut all = tree(&home.path(""));
    all.retain(|path, (bytes, _)| match path.extension().and_then(|it| it.to_str()) {
        Some("db-shm") => false,
        Some("db-wal") => !bytes.is_empty(),
        _ => true,
    });
    all
}

#[test]
fn a_first_rehearsal_makes_nothing() {
    let home = Home::new(TWO_DISKS);
    home.photos(5);
    let before = tree(&home.path(""));
    let out = home.good(["mirror", "--dry-run"]);
    assert!(out.starts_with("Would copy   5 files"), "{out}");
    assert!(out.contains("disk 5, nas 5") && out.contains("Nothing was changed."), "{out}");
    assert!(tree(&home.path("")) == before, "{:?}", tree(&home.path("")).keys());
    assert!(!home.path("disk").exists());
}

#[test]
fn a_later_rehearsal_leaves_catalog_and_destinations_byte_for_byte() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    home.photos(5);
    home.mirror(0);
    home.write("library/new.jpg", "new");
    std::fs::remove_file(home.path("library/2024/IMG_0000.jpg")).unwrap();
    home.write("library/2024/IMG_0001.jpg", "edited");
    let photo = home.path("library/2024/IMG_0002.jpg");
    std::fs::rename(photo, home.path("library/renamed.jpg")).unwrap();
    let before = everything(&home);
    let listed = home.good(["mirror", "-n", "--list"]);
    let paths: Vec<_> = listed.lines().filter(|line| line.contains(".jpg")).collect();
    assert_eq!(paths.len(), 9, "three files to three places: {listed}");
    assert!(listed.contains("new.jpg") && listed.contains("renamed.jpg"), "{listed}");
    let json = home.run(["mirror", "-n", "--json"]);
    let planned = json.json_lines().iter().filter(|line| line["type"] == "file.planned").count();
    assert_eq!((json.exit, planned), (0, 9), "{}", json.out);
    let after = everything(&home);
    let changed: Vec<_> =
        after.iter().filter(|(path, file)| before.get(*path) != Some(file)).collect();
    assert!(changed.is_empty() && after.len() == before.len(), "{changed:?}");
    home.mirror(0);
    home.photos_in("disk").get(std::path::Path::new("renamed.jpg")).unwrap();
}

#[test]
fn a_rehearsal_of_an_export_leaves_what_is_gone_from_it_as_it_is_everywhere() {
    let home = Home::new(TWO_DISKS);
    for at in 0..5 {
        home.write(format!("nas/IMG_{at}.jpg"), format!("photo {at}"));
    }
    home.good(["export", "nas", "--to", "bye"]);
    std::fs::remove_file(home.path("bye/data/IMG_1.jpg")).unwrap();
    std::fs::remove_file(home.path("bye/bagit.txt")).unwrap();
    home.write("bye/data/IMG_2.jpg", "other");
    let before = everything(&home);
    let rehearsal = ["export", "nas", "--to", "bye", "--dry-run"];
    for _ in 0..2 {
        home.run(rehearsal).says(&[
            "Would fetch",
            "2 files",
            "3 files of the export are not there",
        ]);
        home.run(["leave", "nas"]).says(&["2 are nowhere else:"]);
    }
    std::fs::remove_dir_all(home.path("bye")).unwrap();
    home.run(rehearsal).says(&["Would fetch", "5 files", "it begins anew"]);
    let mut before = before;
    before.retain(|path, _| !path.starts_with("bye"));
    let after = everything(&home);
    let changed: Vec<_> =
        after.iter().filter(|(path, file)| before.get(*path) != Some(file)).collect();
    assert!(changed.is_empty() && after.len() == before.len(), "{changed:?}");
}
