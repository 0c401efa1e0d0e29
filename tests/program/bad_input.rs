//! Everything a library may hold besides photos with decent names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::home::{CLOUD, Home, TWO_DISKS};

#[test]
fn pipes_sockets_and_links_are_named_and_left_out() {
    let home = Home::new(TWO_DISKS);
    home.photos(2);
    let library = home.path("library");
    mknodat(CWD, library.join("pipe.jpg"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    // A socket's path has to be short, so it is made elsewhere and moved in.
    let socket = tempfile::tempdir().unwrap();
    let _listening = UnixListener::bind(socket.path().join("s")).unwrap();
    if std::fs::rename(socket.path().join("s"), library.join("socket.jpg")).is_err() {
        println!("without a socket: it cannot be moved here");
    }
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, library.join(name)).unwrap();
    link("/etc/passwd", "out-of-it.jpg");
    link("nowhere", "broken.jpg");
    link(".", "circle");
    let ran = home.mirror(0);
    ran.says(&["pipe.jpg", "[library/not-a-file]", "out-of-it.jpg", "broken.jpg", "circle"]);
    ran.says(&["[library/link-skipped]"]);
    assert_eq!(home.photos_in("disk").len(), 2);
    home.mirror(0).says(&["nothing new"]);
}

#[test]
fn hostile_names_arrive_everywhere_and_never_reach_the_terminal() {
    let home = Home::new(&format!("[library.filter]\nhidden = true\n{TWO_DISKS}{CLOUD}"));
    let names: [&[u8]; 16] = [
        b"not-\xff\xfe-utf8.jpg",
        b"line\nbreak.jpg",
        b"\x1b[31mred\x1b]0;title\x07.jpg",
        b"carriage\rreturn.jpg",
        b" leading.jpg",
        b"trailing ",
        b"trailing.",
        b"nbsp.jpg\xc2\xa0",
        b"wide.jpg\xe3\x80\x80",
        b"tab\there.jpg",
        b"a:b*c?\"<>|\\.jpg",
        b"CON.jpg",
        b"%41 percent%2F.jpg",
        b"-n",
        b"...",
        "gpj.\u{202e}exe".as_bytes(),
    ];
    for (number, name) in names.iter().enumerate() {
        home.write(Path::new("library").join(OsStr::from_bytes(name)), format!("bytes {number}"));
    }
    // Composed and decomposed: two names here, one name elsewhere.
    home.write("library/caf\u{e9}.jpg", "composed");
    home.write("library/cafe\u{301}.jpg", "decomposed");
    home.write("library/IMG.JPG", "upper");
    home.write("library/img.jpg", "lower");
    let files = home.photos_in("library").len();
    let ran = home.mirror(0);
    ran.says(&[&format!("{files} new")]);
    home.assert_same("library", "disk");
    home.assert_same("library", "nas");
    home.mirror(0).says(&["nothing new"]);
    let stored: Vec<_> = crate::home::tree(&home.path("cloud")).into_values().collect();
    for (path, (bytes, _)) in home.photos_in("library") {
        assert!(stored.iter().any(|(stored, _)| *stored == bytes), "{}", path.display());
    }

    let listing = [home.run(["ls"]), home.run(["mirror", "-n", "--list", "--full-scan"])];
    for ran in listing.iter().chain([&ran]) {
        for text in [&ran.out, &ran.err] {
            let harmless = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
            assert!(text.chars().all(harmless), "{text:?}");
        }
    }
    listing[0].says(&["not-\\xff\\xfe-utf8.jpg", "line\\u{a}break.jpg", "\\u{1b}[31mred"]);
    let known = home.run(["ls", "--json"]).json();
    assert_eq!(known["files"].as_array().unwrap().len(), files);
}

#[test]
fn an_empty_file_is_copied_and_remarked_on() {
    let home = Home::new(TWO_DISKS);
    home.photos(1);
    home.write("library/empty.jpg", "");
    home.mirror(0).says(&["empty.jpg", "[library/empty-file]"]);
    assert_eq!(home.read("disk/empty.jpg"), b"");
}

#[test]
fn a_library_that_never_had_files_or_is_not_there_is_said_plainly() {
    let home = Home::new(TWO_DISKS);
    home.mirror(3).says(&["[library/empty]"]);
    std::fs::remove_dir(home.path("library")).unwrap();
    let ran = home.mirror(1);
    assert!(ran.err.contains("[library/missing]"), "{ran:?}");
    assert!(!home.path("library").exists(), "it is not made");
}

#[test]
fn the_reserved_folder_of_a_library_is_named_and_not_copied() {
    let home = Home::new(&format!("[library.filter]\nhidden = true\n{TWO_DISKS}"));
    home.photos(1);
    home.write("library/.safelight/trash/a.jpg", "an old destination as a library");
    home.mirror(3).says(&["[library/reserved-name]"]);
    assert!(!home.path("disk/.safelight/trash/a.jpg").exists());
}
