//! A new catalog after the old one was lost.

use std::fs;

use crate::home::{CLOUD, Home, TWO_DISKS};

#[test]
fn a_lost_catalog_is_made_anew_from_what_the_destinations_hold() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    home.photos(5);
    home.mirror(0);
    fs::remove_dir_all(home.path("state")).unwrap();
    home.run(["mirror"]).says(&["[destination/not-ours]"]);
    let ran = home.run(["rebuild"]);
    assert_eq!(ran.exit, 8, "it asks before it sets a catalog aside: {ran:?}");
    fs::rename(home.path("nas"), home.path("unplugged")).unwrap();
    let rebuilt = home.run(["rebuild", "--yes"]);
    assert_eq!(rebuilt.exit, 3, "{rebuilt:?}");
    rebuilt.says(&["disk   5 files equal", "cloud   5 files equal", "safelight adopt nas"]);
    rebuilt.says(&["The old catalog is now"]);
    fs::rename(home.path("unplugged"), home.path("nas")).unwrap();
    home.good(["adopt", "nas"]);
    home.mirror(0).says(&["nothing new"]);
    assert!(home.good(["status"]).starts_with("Yes"));
}

#[test]
fn scripts_get_one_document() {
    let home = Home::new(TWO_DISKS);
    home.photos(2);
    home.mirror(0);
    home.write("disk/letter.txt", "foreign");
    fs::remove_dir_all(home.path("state")).unwrap();
    let ran = home.run(["rebuild", "--json"]);
    let document = ran.json();
    assert_eq!((ran.exit, &document["v"]), (0, &1.into()));
    let disk = &document["destinations"][0];
    assert_eq!((&disk["destination"], &disk["equal"]["files"]), (&"disk".into(), &2.into()));
    assert_eq!(disk["foreign"], 1);
}
