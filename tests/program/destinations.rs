//! Destinations that are not what they were.

use std::fs;

use crate::home::{Home, TWO_DISKS, tree};

#[test]
fn a_folder_that_was_removed_is_absent_and_not_made_again() {
    let home = Home::new(TWO_DISKS);
    home.photos(3);
    home.mirror(0);
    fs::rename(home.path("disk"), home.path("unplugged")).unwrap();
    home.write("library/new.jpg", "new");
    let ran = home.mirror(3);
    ran.says(&["disk", "[destination/not-attached]"]);
    assert!(!home.path("disk").exists());
    home.assert_same("library", "nas");
    let status = home.run(["status"]);
    assert_eq!(status.exit, 3, "{status:?}");
    fs::rename(home.path("unplugged"), home.path("disk")).unwrap();
    home.mirror(0);
    home.assert_same("library", "disk");
}

#[test]
fn a_removable_disk_may_be_away() {
    let home = Home::new(TWO_DISKS);
    home.photos(3);
    home.mirror(0);
    home.configure(&TWO_DISKS.replacen("path = \"disk\"", "path = \"disk\"\nremovable = true", 1));
    fs::rename(home.path("disk"), home.path("unplugged")).unwrap();
    home.write("library/new.jpg", "new");
    home.mirror(0).says(&["waiting"]);
    let ran = home.run(["mirror", "--json"]);
    let waiting = ran.json_lines().into_iter().find(|line| line["type"] == "destination.waiting");
    let waiting = waiting.unwrap();
    assert_eq!(
        (&waiting["destination"], &waiting["reason"]),
        (&"disk".into(), &"not-attached".into())
    );
    assert!(waiting["overdue_at"].is_string(), "{waiting}");
    assert!(!home.path("disk").exists());
    // An empty folder in its place, as a mount point is when nothing is mounted.
    fs::create_dir(home.path("disk")).unwrap();
    home.run(["mirror"]).says(&["disk"]);
    assert_eq!(fs::read_dir(home.path("disk")).unwrap().count(), 0, "nothing was written into it");
    fs::remove_dir(home.path("disk")).unwrap();
    fs::rename(home.path("unplugged"), home.path("disk")).unwrap();
    home.mirror(0);
    home.assert_same("library", "disk");
}

#[test]
fn the_disk_of_another_is_refused() {
    let home = Home::new(TWO_DISKS);
    home.photos(3);
    home.mirror(0);
    // The two disks change places.
    fs::rename(home.path("disk"), home.path("x")).unwrap();
    fs::rename(home.path("nas"), home.path("disk")).unwrap();
    fs::rename(home.path("x"), home.path("nas")).unwrap();
    home.write("library/new.jpg", "new");
    home.mirror(3).says(&["[destination/wrong-disk]"]);
    assert_eq!(home.photos_in("disk").len(), 3);
    assert_eq!(home.photos_in("nas").len(), 3);
}

#[test]
fn a_folder_with_files_is_refused_then_adopted_then_mirrored_to() {
    let home = Home::new(TWO_DISKS);
    home.photos(4);
    for number in [0, 1] {
        let photo = format!("2024/IMG_{number:04}.jpg");
        home.write(format!("disk/{photo}"), home.read(format!("library/{photo}")));
    }
    home.write("disk/2024/IMG_0002.jpg", "another picture");
    home.write("disk/letter.txt", "foreign");
    let before = home.photos_in("disk");
    let ran = home.mirror(3);
    ran.says(&["[destination/not-ours]", "disk"]);
    let page = home.good(["explain", "destination/not-ours"]);
    assert!(page.contains("safelight adopt"), "{page}");
    assert!(home.photos_in("disk") == before && !home.path("disk/.safelight").exists());

    let adopted = home.run(["adopt", "disk"]);
    adopted.says(&["2", "IMG_0002.jpg", "letter.txt"]);
    assert!(home.photos_in("disk") == before, "nothing was changed or removed");
    let ran = home.mirror(3);
    ran.says(&["disk", "1 copied", "IMG_0002.jpg -> disk", "[destination/occupied]"]);
    assert_eq!(home.read("disk/2024/IMG_0003.jpg"), home.read("library/2024/IMG_0003.jpg"));
    assert_eq!(home.read("disk/2024/IMG_0002.jpg"), b"another picture");
    fs::remove_file(home.path("disk/2024/IMG_0002.jpg")).unwrap();
    home.mirror(0);
    assert_eq!(home.read("disk/letter.txt"), b"foreign");
}

#[test]
fn folders_inside_each_other_are_refused() {
    let home = Home::new("[destination.disk]\ntype = \"disk\"\npath = \"library/backup\"\n");
    home.photos(1);
    home.mirror(6).says(&["config/nested-paths"]);
    let around = Home::new("[destination.disk]\ntype = \"disk\"\npath = \".\"\n");
    around.photos(1);
    around.mirror(6).says(&["config/nested-paths"]);
    // By a link, which the text of the config does not show.
    let linked = Home::new("[destination.disk]\ntype = \"disk\"\npath = \"link/backup\"\n");
    linked.photos(1);
    std::os::unix::fs::symlink("library", linked.path("link")).unwrap();
    linked.mirror(6).says(&["config/nested-paths"]);
    assert_eq!(linked.photos_in("library").len(), 1);
}

#[test]
fn the_dropbox_inside_the_program_takes_every_photo_once_and_asks_for_no_sign_in() {
    let home = Home::new(
        "[destination.box]\ntype = \"dropbox\"\nendpoint = \"sandbox\"\nsandbox = \"box\"\nroot = \"Pictures\"\n",
    );
    home.photos(5);
    home.write("library/über alles/Größe 1.JPG", "names of all kinds");
    home.mirror(0).says(&["6 copied"]);
    let stored: Vec<_> = tree(&home.path("box")).into_values().map(|(bytes, _)| bytes).collect();
    for (path, (bytes, _)) in home.photos_in("library") {
        assert!(stored.contains(&bytes), "{}", path.display());
    }
    home.mirror(0).says(&["nothing new"]);
    assert!(home.good(["status"]).starts_with("Yes: all 6 files are safe."));
    let about = home.good(["about"]);
    assert!(about.contains("everything") && about.contains(" TB"), "one pool for all: {about}");
}
