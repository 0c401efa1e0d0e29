//! Bringing files back from the destinations.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::first_example::copied_example;
use crate::home::{Home, TWO_DISKS, tree};

#[test]
fn a_lost_library_comes_back_from_each_of_the_destinations() {
    let home = copied_example();
    home.mirror(0);
    std::fs::rename(home.path("library"), home.path("lost")).unwrap();
    for name in ["amazon", "dropbox", "disk"] {
        let rehearsed = home.run(["restore", "--from", name, "--to", name, "-n"]);
        assert_eq!(rehearsed.exit, 0, "{rehearsed:?}");
        rehearsed.says(&["Would restore   31 files", "Nothing was changed."]);
        assert!(!home.path(name).exists());
        let ran = home.run(["restore", "--from", name, "--to", name]);
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.says(&["31 files restored from"]);
        let (lost, back) = (tree(&home.path("lost")), tree(&home.path(name)));
        assert_eq!(lost.keys().collect::<Vec<_>>(), back.keys().collect::<Vec<_>>());
        for (path, file) in &lost {
            assert!(back[path] == *file, "{} from {name}", path.display());
        }
        let again = home.run(["restore", "--from", name, "--to", name, "--json"]);
        let end = again.json_lines().pop().unwrap();
        assert_eq!((again.exit, &end["restored"]["files"]), (0, &0.into()), "{end}");
        assert_eq!(end["there"]["files"], 31);
    }
}

#[test]
fn files_and_folders_come_back_into_the_library_and_nothing_is_overwritten() {
    let home = Home::new(TWO_DISKS);
    home.photos(4);
    home.write("library/2023/a.jpg", "a");
    home.mirror(0);
    std::fs::remove_file(home.path("library/2024/IMG_0001.jpg")).unwrap();
    std::fs::remove_dir_all(home.path("library/2023")).unwrap();
    home.write("library/2024/IMG_0002.jpg", "edited since");
    let ran = home.run(["restore", "2024", "--from", "disk", "--to", "library"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["1 file restored", "2 files there already", "something else stands there"]);
    ran.says(&["2024/IMG_0002.jpg"]);
    assert_eq!(home.read("library/2024/IMG_0002.jpg"), b"edited since");
    assert_eq!(home.read("library/2024/IMG_0001.jpg"), home.read("disk/2024/IMG_0001.jpg"));
    assert!(!home.path("library/2023").exists() && !home.path("library/.safelight").exists());
    let ran = home.run(["restore", "2023/a.jpg", "--from", "nas", "--to", "library"]);
    assert_eq!((ran.exit, home.read("library/2023/a.jpg")), (0, b"a".to_vec()), "{ran:?}");
    let nowhere = home.run(["restore", "2022", "--from", "nas", "--to", "library"]);
    assert_eq!(nowhere.exit, 2, "{nowhere:?}");
}

#[test]
fn a_damaged_copy_is_named_and_does_not_come_back() {
    let home = Home::new(TWO_DISKS);
    home.photos(3);
    home.write("library/film.mov", vec![7_u8; 9 << 20]);
    home.mirror(0);
    for path in ["disk/2024/IMG_0001.jpg", "disk/film.mov"] {
        let mut bytes = home.read(path);
        bytes[100] ^= 1;
        home.write(path, bytes);
    }
    let ran = home.run(["restore", "--from", "disk", "--to", "back"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["2 files restored", "film.mov", "2024/IMG_0001.jpg", "corrupt-transfer"]);
    assert_eq!(tree(&home.path("back")).len(), 2);
    let ran = home.run(["restore", "--from", "nas", "--to", "back"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    home.assert_same("library", "back");
}

#[test]
fn a_restore_that_was_killed_goes_on() {
    let home = Home::new(TWO_DISKS);
    home.photos(60);
    home.mirror(0);
    let args = ["restore", "--from", "disk", "--to", "back", "--json"];
    let mut command = home.command(args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::with_capacity(64, child.stdout.take().unwrap()).lines();
    let copied = lines.map_while(Result::ok).filter(|line| line.contains("\"file.copied\""));
    assert_eq!(copied.take(10).count(), 10);
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = home.run(args);
    assert_eq!(ran.exit, 0, "{ran:?}");
    home.assert_same("library", "back");
    let end = ran.json_lines().pop().unwrap();
    assert!(end["there"]["files"].as_u64().unwrap() >= 10, "{end}");
}

#[test]
fn a_restore_is_no_run_of_the_catalog_and_tells_no_number() {
    let home = Home::new(TWO_DISKS);
    home.photos(2);
    home.mirror(0);
    let ran = home.run(["restore", "--from", "disk", "--to", "back", "--json"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let lines = ran.json_lines();
    assert_eq!(lines[0]["type"], "run.start");
    assert!(lines.iter().all(|line| line["run"].is_null()), "{ran:?}");
    let ran = home.run(["restore", "--from", "disk", "--to", "again"]);
    ran.says(&["restore start new=2", "2 files restored from disk"]);
    assert!(!ran.err.contains("run="), "{ran:?}");
}
