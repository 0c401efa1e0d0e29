//! Leaving a service: what is nowhere else is named, fetched, proved, and then it is safe to cancel.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use safelight_core::time::SystemClock;
use safelight_sandbox::AmazonSandbox;
use safelight_sandbox::amazon::{Behaviour, Brought};
use serde_json::Value;

use crate::first_example::copied_example;
use crate::home::{CLOUD, Home, Ran, TWO_DISKS, Tree, jpeg, tree};

/// What other devices bring into the account of the example, past the library.
fn brought() -> Vec<Brought> {
    let picture = |text: &str| [b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", text.as_bytes()].concat();
    let film = b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  moving".to_vec();
    vec![
        Brought {
            favourite: true,
            caption: Some("At the <sea>".to_owned()),
            albums: vec!["Summer".to_owned()],
            ..Brought::new("Pictures/Phone/IMG_9001.jpg", picture("one"))
        },
        Brought { hidden: true, ..Brought::new("Pictures/Phone/IMG_9002.jpg", picture("two")) },
        Brought {
            film: Some(("IMG_9003.mov".to_owned(), film)),
            ..Brought::new("Pictures/Phone/IMG_9003.jpg", picture("three"))
        },
        Brought::new("Documents/letter.txt", "not a picture"),
    ]
}

/// The contents of all that.
fn contents(items: &[Brought]) -> BTreeSet<Vec<u8>> {
    let films = items.iter().filter_map(|item| Some(item.film.as_ref()?.1.clone()));
    items.iter().map(|item| item.bytes.clone()).chain(films).collect()
}

/// Acts on the account while the program does not run.
fn with_account(home: &Home, act: impl AsyncFnOnce(&AmazonSandbox)) {
    let folder = home.path("out/amazon");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let clock = Arc::new(SystemClock::start());
        let sandbox = AmazonSandbox::start(&folder, clock, Behaviour::default()).await.unwrap();
        act(&sandbox).await;
        sandbox.stop().await;
    });
}

/// The example after its first run, with files in the account that are nowhere else.
fn left_behind() -> (Home, Vec<Brought>) {
    let home = copied_example();
    home.mirror(0);
    let items = brought();
    let more = items.clone();
    with_account(&home, async move |account| {
        for item in more {
            account.bring(item).await.unwrap();
        }
        account.make_album("Empty", None).await.unwrap();
    });
    (home, items)
}

fn named(answer: &Value) -> BTreeSet<String> {
    let named = answer["named"].as_array().unwrap().iter();
    named.map(|one| one["path"].as_str().unwrap().to_owned()).collect()
}

/// The exported files of a bag, without sidecars and papers.
fn exported(home: &Home, folder: &str) -> BTreeSet<Vec<u8>> {
    let mut files = tree(&home.path(folder).join("data"));
    files.retain(|path, _| path.extension().is_none_or(|ending| ending != "xmp"));
    files.into_values().map(|(bytes, _)| bytes).collect()
}

fn assert_checksums(home: &Home, folder: &str) {
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "--quiet", "CHECKSUMS.sha256"]);
    match check.current_dir(home.path(folder)).output() {
        Ok(check) => assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout)),
        Err(_) => println!("skipped: there is no sha256sum here"),
    }
}

fn assert_bag(home: &Home, folder: &str) {
    let python = |args: &[&str]| Command::new("python3").args(args).output();
    if !python(&["-c", "import bagit"]).is_ok_and(|there| there.status.success()) {
        println!("skipped: there is no Python with the package bagit here");
        return;
    }
    let path = home.path(folder);
    let check = python(&["-m", "bagit", "--validate", path.to_str().unwrap()]).unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

fn last(ran: &Ran) -> Value {
    ran.json_lines().pop().unwrap()
}

#[test]
fn what_is_nowhere_else_is_named_fetched_and_then_it_is_safe_to_cancel() {
    let (home, items) = left_behind();
    let ran = home.run(["leave", "amazon", "--json"]);
    let answer = ran.json();
    assert_eq!(ran.exit, 3);
    assert_eq!((&answer["v"], &answer["safe"]), (&1.into(), &false.into()));
    let wanted: BTreeSet<String> = items
        .iter()
        .map(|item| item.path.clone())
        .chain(["Pictures/Phone/IMG_9003.mov".to_owned()])
        .collect();
    assert_eq!(named(&answer), wanted);
    assert_eq!(answer["only_there"]["files"], 5);

    let rehearsed = home.run(["export", "amazon", "--to", "bye", "-n"]);
    assert_eq!(rehearsed.exit, 0, "{rehearsed:?}");
    rehearsed.says(&["Would fetch", "5 files", "Nothing was changed."]);
    assert!(!home.path("bye").exists() && !home.path("out/state/exports").exists());

    let ran = home.run(["export", "amazon", "--to", "bye"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["5 exported", "proven elsewhere and not fetched", "safelight leave amazon"]);
    assert_eq!(exported(&home, "bye"), contents(&items));
    assert_checksums(&home, "bye");
    assert_bag(&home, "bye");
    let index: Value = serde_json::from_slice(&home.read("bye/safelight-export.json")).unwrap();
    assert!(index.to_string().contains("IMG_9003.mov"));
    assert!(home.path("bye/data/Pictures/Phone/IMG_9003.mov").exists(), "beside its still");

    let ran = home.run(["leave", "amazon"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Safe to cancel.", "is written down", "bye"]);
    let again = home.run(["export", "amazon", "--to", "bye", "--resume", "--json"]);
    let end = last(&again);
    assert_eq!((again.exit, &end["type"], &end["exit"]), (0, &"run.end".into(), &0.into()));
    assert_eq!((&end["bytes_sent"], &end["exported"]["files"]), (&0.into(), &5.into()));

    // A copy that is not to be seen any more does not count.
    std::fs::rename(home.path("bye"), home.path("elsewhere")).unwrap();
    let ran = home.run(["leave", "amazon"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["does not count"]);
}

#[test]
fn what_is_gone_from_an_export_is_nowhere_else_until_it_is_fetched_again() {
    let (home, items) = left_behind();
    let args = ["export", "amazon", "--to", "bye", "--albums", "links", "--json"];
    home.good(args);
    let ran = home.run(["leave", "amazon"]);
    ran.says(&["Safe to cancel.", "is written down"]);
    let gone = [
        "data/Pictures/Phone/IMG_9001.jpg",
        "data/Pictures/Phone/IMG_9001.jpg.xmp",
        "data/Albums/Summer/IMG_9001.jpg",
        "CHECKSUMS.sha256",
        "safelight-export.json",
    ];
    for name in gone {
        std::fs::remove_file(home.path("bye").join(name)).unwrap();
    }
    let ran = home.run(["leave", "amazon", "--json"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(named(&ran.json()), ["Pictures/Phone/IMG_9001.jpg".to_owned()].into());
    let ran = home.run(["leave", "amazon"]);
    assert!(!ran.out.contains("is written down"), "{ran:?}");
    // An export to another place fetches what the first one has no more.
    home.run(["export", "amazon", "--to", "other", "-n"]).says(&["Would fetch", "1 file,"]);

    let ran = home.run(args);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["bye: 5 files of the export are not there any more; they are taken out again"]);
    assert_eq!(last(&ran)["bytes_sent"], items[0].bytes.len());
    assert!(gone.iter().all(|name| home.path("bye").join(name).exists()));
    assert_checksums(&home, "bye");
    assert_bag(&home, "bye");
    home.run(["leave", "amazon"]).says(&["Safe to cancel.", "is written down"]);
    let again = home.run(args);
    assert_eq!((again.exit, &*again.err, &last(&again)["bytes_sent"]), (0, "", &0.into()));
}

#[test]
fn the_page_to_keep_has_a_row_for_each_file() {
    let (home, _) = left_behind();
    let ran = home.run(["leave", "amazon", "--report", "leaving.html"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&[
        "5 are nowhere else:",
        "Not safe to cancel yet.",
        "export amazon --to DIR   5 files",
    ]);
    ran.says(&["2 albums", "1 favourite", "1 caption", "1 hidden file", "1 live photo"]);
    let page = String::from_utf8(home.read("leaving.html")).unwrap();
    // Of the library's 31 files two are equal, and five are nowhere else.
    assert_eq!(page.matches("<tr").count() - 1, 35);
    assert!(page.contains("IMG_9001.jpg") && page.contains("Not safe to cancel yet."));
    assert!(!page.contains("http://") && !page.contains("src="));
}

#[test]
fn everything_of_the_account_can_be_taken_out() {
    let (home, items) = left_behind();
    let ran = home.run(["export", "amazon", "--to", "all", "--everything", "--albums", "lists"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let library: BTreeSet<_> =
        home.photos_in("library").into_values().map(|(bytes, _)| bytes).collect();
    let all: BTreeSet<_> = tree(&home.path("all")).into_values().map(|(bytes, _)| bytes).collect();
    assert!(all.is_superset(&library) && all.is_superset(&contents(&items)));
    assert_checksums(&home, "all");
    assert_bag(&home, "all");
    let albums = String::from_utf8(home.read("all/albums.json")).unwrap();
    assert!(albums.contains("Summer") && albums.contains("Empty"), "{albums}");
    assert!(tree(&home.path("all")).keys().any(|path| path.ends_with("Summer.m3u8")));
}

#[test]
fn what_lies_in_the_trash_comes_along_on_request_and_stays_there() {
    let (home, items) = left_behind();
    let thrown = "Pictures/Phone/IMG_9002.jpg";
    with_account(&home, async |account| {
        let id = account.id(thrown).unwrap();
        account.trash(&id).await.unwrap();
    });
    let account = tree(&home.path("out/amazon"));
    home.run(["leave", "amazon"]).says(&["4 are nowhere else:"]);
    home.run(["leave", "amazon", "--trash"]).says(&["5 are nowhere else:"]);
    let args = ["export", "amazon", "--to", "bye", "--trash", "--json"];
    let ran = home.run(args);
    assert_eq!((ran.exit, &last(&ran)["exported"]["files"]), (0, &5.into()), "{ran:?}");
    assert_eq!(exported(&home, "bye"), contents(&items));
    assert_eq!(home.read(format!("bye/data/Trash/{thrown}")), items[1].bytes);
    assert_checksums(&home, "bye");
    let again = home.run(args);
    assert_eq!((again.exit, &last(&again)["bytes_sent"]), (0, &0.into()), "{again:?}");
    home.run(["leave", "amazon", "--trash"]).says(&["Safe to cancel."]);
    let files = |tree: &Tree| -> Vec<_> {
        tree.iter()
            .filter(|(path, _)| path.starts_with("files"))
            .map(|(path, (bytes, _))| (path.clone(), bytes.clone()))
            .collect()
    };
    assert!(files(&tree(&home.path("out/amazon"))) == files(&account), "nothing changed there");
    with_account(&home, async |account| assert_eq!(account.id(thrown), None, "still in the trash"));
}

#[test]
fn an_export_that_was_killed_goes_on_and_fetches_nothing_twice() {
    let (home, _) = left_behind();
    let args = ["export", "amazon", "--to", "all", "--everything", "--json"];
    let mut command = home.command(args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::with_capacity(64, child.stdout.take().unwrap()).lines();
    let copied = lines.map_while(Result::ok).filter(|line| line.contains("\"file.copied\""));
    assert_eq!(copied.take(3).count(), 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = home.run(args);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let end = last(&ran);
    // Of the library's 31 files two are equal, and five are nowhere else.
    let files = 35;
    assert_eq!(end["exported"]["files"], files);
    let again = ran.json_lines().iter().filter(|line| line["type"] == "file.copied").count();
    assert!(again <= files - 3, "{again} of {files}");
    assert_checksums(&home, "all");
    assert!(tree(&home.path("all/.safelight/tmp")).is_empty());
}

#[test]
fn a_job_of_the_config_goes_to_a_dated_folder_and_stays_there() {
    let (home, items) = left_behind();
    let config = String::from_utf8(home.read("safelight.toml")).unwrap();
    let job = "\n[job.bye]\nkind = \"export\"\nfrom = \"amazon\"\nto = [\"disk\", \"dropbox\"]\n\
               path = \"Leaving {today}\"\nlayout = \"{class}/{name}\"\nbag = false\n";
    home.write("safelight.toml", config + job);
    home.run(["leave", "amazon"]).says(&["  safelight export bye   5 files"]);
    let ran = home.run(["export", "bye"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let folders = std::fs::read_dir(home.path("out/disk")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let leaving: Vec<_> = names.filter(|name| name.starts_with("Leaving 20")).collect();
    let [folder] = leaving.as_slice() else { panic!("{leaving:?}") };
    let at_disk = home.photos_in(&format!("out/disk/{folder}"));
    let wanted = contents(&items);
    assert!(wanted.iter().all(|bytes| at_disk.values().any(|(there, _)| there == bytes)));
    let at_dropbox = home.photos_in(&format!("out/dropbox/files/{folder}"));
    assert!(wanted.iter().all(|bytes| at_dropbox.values().any(|(there, _)| there == bytes)));
    assert_checksums(&home, &format!("out/disk/{folder}"));
    home.run(["leave", "amazon"]).says(&["Safe to cancel."]);
    // Of what stands in each of them nothing is taken for gone.
    let again = home.run(["export", "bye", "--json"]);
    assert_eq!((again.exit, &*again.err, &last(&again)["bytes_sent"]), (0, "", &0.into()));
    // The mirror goes on beside it.
    home.mirror(0).says(&["nothing new"]);

    let other = home.run(["export", "bye", "--layout", "{name}"]);
    assert_eq!(other.exit, 2, "{other:?}");
    other.says(&["began with another layout"]);
}

#[test]
fn disks_and_buckets_are_left_like_services() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    home.photos(5);
    home.mirror(0);
    home.write("nas/found/old.jpg", "only here");
    for name in ["disk", "cloud"] {
        let ran = home.run(["leave", name]);
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.says(&["5 files are at", "2 or more other copies", "Safe to cancel."]);
    }
    let ran = home.run(["leave", "nas"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["1 is nowhere else:", "found/old.jpg"]);
    let ran = home.run(["export", "nas", "--to", "plain", "--plain"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(home.read("plain/found/old.jpg"), b"only here");
    home.run(["leave", "nas"]).says(&["Safe to cancel."]);
    home.write("nas/found/old.jpg", "changed!!");
    home.run(["leave", "nas"]).says(&["1 is nowhere else:"]);
    let ran = home.run(["export", "cloud", "--to", "cloud-copy", "--everything", "--plain"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_checksums(&home, "cloud-copy");
    assert_eq!(home.read("cloud-copy/2024/IMG_0003.jpg"), home.read("library/2024/IMG_0003.jpg"));
    // A library that is not there is no copy.
    std::fs::rename(home.path("library"), home.path("gone")).unwrap();
    home.run(["leave", "disk"]).says(&["The library does not count"]);
}

#[test]
fn what_others_called_as_safelight_never_would_is_taken_out_too() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    home.photos(2);
    home.mirror(0);
    let theirs =
        ["%41.jpg", " old.jpg", "x/back\\slash.jpg", "x/two\nlines.jpg", ".SafeLight/b.jpg"];
    for name in theirs {
        home.write(format!("cloud/photos/{name}"), jpeg(name.as_bytes()));
    }
    let ran = home.run(["leave", "cloud", "--json"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(named(&ran.json()).len(), theirs.len(), "{ran:?}");
    home.run(["leave", "cloud"]).says(&[
        "5 are nowhere else",
        "back\\slash.jpg",
        "two\\u{a}lines.jpg",
    ]);
    let ran = home.run(["export", "cloud", "--to", "out"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let wanted: BTreeSet<_> = theirs.iter().map(|name| jpeg(name.as_bytes())).collect();
    assert!(exported(&home, "out") == wanted);
    home.run(["leave", "cloud"]).says(&["Safe to cancel."]);
    // Nothing more is fetched, and what becomes another file is nowhere else again.
    home.run(["export", "cloud", "--to", "out"]).says(&["new=0", "Complete."]);
    home.write("cloud/photos/%41.jpg", jpeg(b"%42.jpg"));
    home.run(["leave", "cloud"]).says(&["1 is nowhere else:"]);
}

#[test]
fn a_layout_by_date_takes_the_date_of_a_name_where_the_service_tells_none() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    home.photos(1);
    home.mirror(0);
    home.write("cloud/photos/IMG_20190714_101500.jpg", jpeg(b"one"));
    home.write("cloud/photos/holiday.jpg", jpeg(b"two"));
    let layout = "{taken:%Y}/{name}";
    let ran = home.run(["export", "cloud", "--to", "out", "--layout", layout, "--plain"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(home.read("out/2019/IMG_20190714_101500.jpg"), jpeg(b"one"));
    assert_checksums(&home, "out");
    let index = String::from_utf8(home.read("out/safelight-export.json")).unwrap();
    assert_eq!(index.matches("\"source\":\"name\"").count(), 1, "{index}");
    assert_eq!(home.read("out/undated/holiday.jpg"), jpeg(b"two"));
}

#[test]
fn what_came_after_an_export_is_not_taken_for_what_was_exported() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    home.photos(2);
    home.mirror(0);
    home.write("cloud/photos/one.jpg", jpeg(b"one"));
    assert_eq!(home.run(["export", "cloud", "--to", "out"]).exit, 0);
    home.run(["leave", "cloud"]).says(&["Safe to cancel."]);
    // As large as the other one.
    home.write("cloud/photos/two.jpg", jpeg(b"two"));
    let ran = home.run(["leave", "cloud"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["1 is nowhere else:", "two.jpg"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_done() {
    let home = Home::new(TWO_DISKS);
    home.photos(1);
    home.mirror(0);
    for (args, exit, words) in [
        (vec!["leave", "nsa"], 2, "did you mean `nas`?"),
        (vec!["leave", "nas", "--offline"], 2, "leave out --offline"),
        (vec!["export", "nsa", "--to", "x"], 2, "did you mean `nas`?"),
        (vec!["export", "nas"], 2, "--to DIR"),
        (vec!["export", "nas", "--to", "library/x"], 6, "config/nested-paths"),
        (vec!["export", "nas", "--to", "nas/x"], 6, "config/nested-paths"),
        (vec!["export", "nas", "--to", "x", "--layout", "{taken:%Y}"], 2, "needs {name}"),
        (vec!["restore", "--from", "nas", "--to", "nas/x"], 6, "config/nested-paths"),
        (vec!["restore", "--from", "nsa", "--to", "x"], 2, "did you mean `nas`?"),
    ] {
        let ran = home.run(&args);
        assert_eq!(ran.exit, exit, "{args:?} {ran:?}");
        ran.says(&[words]);
    }
    home.write("full/mine.txt", "mine");
    let ran = home.run(["export", "nas", "--to", "full", "--everything"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["[destination/not-ours]"]);
    assert_eq!(tree(&home.path("full")).len(), 1);
}
