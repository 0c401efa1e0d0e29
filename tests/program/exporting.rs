//! Exports that somebody stops, that a limit ends, or whose target is full, gone or another one.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home::{Home, Ran, TWO_DISKS, Tree};

pub const FILES: usize = 30;
/// At [`SLOW`] all files take more than a second, and any few of them nothing to speak of.
const SIZE: usize = 2000;
pub const SLOW: &str = "50 KB/s";

/// A disk that is to be left, with files that are nowhere else.
pub fn full_disk() -> Home {
    let home = Home::new(TWO_DISKS);
    for at in 0..FILES {
        home.write(format!("nas/2024/IMG_{at:03}.jpg"), format!("{at:03} ").repeat(SIZE / 4));
    }
    home
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// The keys that were told to be copied.
pub fn copied(lines: &[Value]) -> BTreeSet<String> {
    let copied = lines.iter().filter(|line| line["type"] == "file.copied");
    copied.map(|line| line["path"].as_str().unwrap().to_owned()).collect()
}

/// The exported files are whole, and nothing else stands there.
pub fn whole(home: &Home, folder: &str) -> Tree {
    let (there, wanted) = (home.photos_in(&format!("{folder}/data")), home.photos_in("nas"));
    for (path, (bytes, _)) in &there {
        assert!(wanted[path].0 == *bytes, "{} is not whole", path.display());
    }
    let left = crate::home::tree(&home.path(folder).join(".safelight/tmp"));
    assert!(left.is_empty(), "{:?}", left.keys());
    there
}

/// The same export again completes, without what was copied before.
fn goes_on(home: &Home, args: &[&str], before: &BTreeSet<String>) {
    let ran = home.run(args);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let lines = ran.json_lines();
    let after = copied(&lines);
    assert!(after.is_disjoint(before), "fetched twice: {after:?} {before:?}");
    assert_eq!(after.len() + before.len(), FILES);
    assert_eq!(lines.last().unwrap()["exported"]["files"], FILES);
}

pub const TO: [&str; 5] = ["export", "nas", "--to", "bye", "--json"];

#[test]
fn a_signal_ends_an_export_with_130_and_the_next_run_fetches_only_the_rest() {
    // Once ends it gently, twice at once; nothing is torn either way.
    for (signals, signal) in [(1, Signal::INT), (2, Signal::TERM)] {
        let home = full_disk();
        let mut command = home.command(TO.into_iter().chain(["--bandwidth", SLOW]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::with_capacity(64, child.stdout.take().unwrap());
        let mut told = String::new();
        while !told.contains("\"file.copied\"") {
            assert!(out.read_line(&mut told).unwrap() > 0, "{told}");
        }
        let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut heard = Vec::new();
        for words in ["then stopping", "stopping now"].into_iter().take(signals) {
            send(&child, signal);
            heard.extend(talk.by_ref().map_while(Result::ok).find(|line| line.contains(words)));
        }
        assert_eq!(heard.len(), signals, "{heard:?}");
        out.read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");
        let lines: Vec<Value> =
            told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let end = lines.last().unwrap();
        assert_eq!((&end["type"], &end["exit"]), (&"run.end".into(), &130.into()), "{end}");
        let before = copied(&lines);
        let there = whole(&home, "bye");
        assert!(before.len() <= there.len() && there.len() < FILES, "{}", there.len());
        if signals == 1 {
            assert_eq!(before.len(), there.len());
            goes_on(&home, &TO, &before);
        } else {
            home.good(TO);
        }
        assert_eq!(whole(&home, "bye").len(), FILES);
    }
}

#[test]
fn who_stops_an_export_is_told_how_to_go_on() {
    for (signals, words) in [(1, "finishing what is under way"), (2, "stopping now")] {
        let home = full_disk();
        let mut command = home.command(["export", "nas", "--to", "bye", "--bandwidth", SLOW]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        let mut heard = String::new();
        for before in ["export start", "then stopping"].into_iter().take(signals) {
            while !heard.contains(before) {
                assert!(talk.read_line(&mut heard).unwrap() > 0, "{heard}");
            }
            send(&child, Signal::INT);
        }
        talk.read_to_string(&mut heard).unwrap();
        assert!(heard.contains(words), "{heard}");
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.exit, 130, "{ran:?} {heard}");
        ran.says(&["30 files at nas", "missing", "Run the same command again to go on:"]);
        whole(&home, "bye");
    }
}

#[test]
fn what_one_export_holds_another_does_not_fetch() {
    let home = full_disk();
    home.good(TO);
    home.write("nas/2024/new.jpg", "new");
    let also = ["export", "nas", "--to", "also", "--json"];
    for (args, fetched) in [(also, 1), (also, 0), (TO, 0)] {
        let ran = home.run(args);
        assert_eq!((ran.exit, copied(&ran.json_lines()).len()), (0, fetched), "{ran:?}");
    }
    home.run(["leave", "nas"]).says(&["Safe to cancel."]);
}

#[test]
fn a_limit_ends_an_export_with_10_and_the_next_run_fetches_only_the_rest() {
    for limit in
        [&["--max-transfer", "20 KB"][..], &["--max-duration", "1s", "--bandwidth", "40 KB/s"]]
    {
        let home = full_disk();
        let ran = home.run(TO.iter().chain(limit));
        assert_eq!(ran.exit, 10, "{ran:?}");
        let before = copied(&ran.json_lines());
        assert!(!before.is_empty() && before.len() < FILES, "{}", before.len());
        assert_eq!(whole(&home, "bye").len(), before.len());
        goes_on(&home, &TO, &before);
    }
}

/// A file system in memory that is mounted for one test at a folder of its home.
pub struct Mounted<'a>(&'a Home, &'static str);

impl<'a> Mounted<'a> {
    /// `None` with a printed line where that is not possible.
    pub fn new(home: &'a Home, at: &'static str, what: &[&str]) -> Option<Self> {
        std::fs::create_dir_all(home.path(at)).unwrap();
        if can(Command::new("mount").args(what).arg(home.path(at))) {
            return Some(Self(home, at));
        }
        println!("skipped: nothing can be mounted here");
        None
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        can(Command::new("umount").arg(self.0.path(self.1)));
    }
}

fn can(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_target_that_is_too_small_is_told_and_goes_on_once_it_is_not() {
    let home = full_disk();
    let small = ["-t", "tmpfs", "-o", "size=50k", "safelight-test"];
    let Some(mounted) = Mounted::new(&home, "small", &small) else { return };
    let args = ["export", "nas", "--to", "small/bye"];
    let ran = home.run(args);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["There is not room for everything", "--despite-room", "[destination/full]"]);
    assert!(!home.path("small/bye").exists());
    let ran = home.run(args.into_iter().chain(["--despite-room"]));
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&[
        "30 files at nas",
        "exported",
        "missing",
        "Not complete. Run the same command again",
    ]);
    let before = whole(&home, "small/bye");
    assert!(!before.is_empty() && before.len() < FILES, "{}", before.len());
    assert!(can(Command::new("mount").args(["-o", "remount,size=3m"]).arg(home.path("small"))));
    let ran = home.run(args.into_iter().chain(["--json"]));
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(copied(&ran.json_lines()).len(), FILES - before.len());
    assert_eq!(whole(&home, "small/bye").len(), FILES);
    drop(mounted);
}

/// The job `bye` exports into folders that are to be made on the disk.
fn with_job(home: &Home, more: &str) {
    let job = "[job.bye]\nkind = \"export\"\nfrom = \"nas\"\nto = [\"disk\"]\npath = \"exports/nas/bye\"\n";
    home.configure(&format!("{}{job}", TWO_DISKS.replacen("path = \"disk\"", more, 1)));
}

#[test]
fn an_export_onto_a_disk_that_is_away_waits_for_it_and_makes_nothing_in_its_place() {
    let home = full_disk();
    std::fs::rename(home.path("nas"), home.path("found")).unwrap();
    home.photos(1);
    home.mirror(0);
    std::fs::rename(home.path("found"), home.path("nas/found")).unwrap();
    with_job(&home, "path = \"disk\"");
    std::fs::rename(home.path("disk"), home.path("unplugged")).unwrap();
    // An empty place, as where a disk is mounted, and then some other disk.
    for other in [None, Some("other.txt")] {
        std::fs::create_dir_all(home.path("disk")).unwrap();
        if let Some(name) = other {
            home.write(format!("disk/{name}"), "somebody else's");
        }
        let ran = home.run(["export", "bye"]);
        assert_eq!(ran.exit, 3, "{ran:?}");
        ran.says(&["disk   stopped:", "[destination/wrong-disk]", "30 missing"]);
        let there = std::fs::read_dir(home.path("disk")).unwrap().count();
        assert_eq!(there, usize::from(other.is_some()));
    }
    std::fs::remove_dir_all(home.path("disk")).unwrap();
    std::fs::rename(home.path("unplugged"), home.path("disk")).unwrap();
    home.good(["export", "bye"]);
    assert_eq!(home.photos_in("disk/exports/nas/bye/data/found/2024").len(), FILES);
    // The folders were removed, and the disk is there.
    std::fs::remove_dir_all(home.path("disk/exports")).unwrap();
    home.run(["export", "bye"]).says(&["disk: the export is not there any more", "30 exported"]);
    assert_eq!(home.photos_in("disk/exports/nas/bye/data/found/2024").len(), FILES);
    // It is away again: that is no reason to call it complete, nor to begin anew.
    std::fs::rename(home.path("disk"), home.path("unplugged")).unwrap();
    let ran = home.run(["export", "bye"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    ran.says(&["disk   stopped:", "[destination/not-attached]"]);
    assert!(!home.path("disk").exists());
    std::fs::rename(home.path("unplugged"), home.path("disk")).unwrap();
    let ran = home.run(["export", "bye", "--json"]);
    assert_eq!((ran.exit, copied(&ran.json_lines()).len()), (0, 0), "{ran:?}");
}

#[test]
fn a_removable_disk_takes_an_export_while_it_is_attached() {
    let home = full_disk();
    std::fs::create_dir(home.path("disk")).unwrap();
    let Some(_stick) = Mounted::new(&home, "stick", &["-t", "tmpfs", "safelight-test"]) else {
        return;
    };
    let stick = home.path("stick");
    let plug = ["--bind", stick.to_str().unwrap()];
    with_job(&home, "path = \"disk\"\nremovable = true");
    let device = |path: PathBuf| std::fs::metadata(path).unwrap().dev();
    // Nothing is known of this disk yet; but a removable one cannot be the system's own.
    if device(home.path("disk")) == device("/".into()) {
        let ran = home.run(["export", "bye"]);
        assert_eq!(ran.exit, 3, "{ran:?}");
        ran.says(&["disk   stopped:", "[destination/not-attached]"]);
        assert_eq!(std::fs::read_dir(home.path("disk")).unwrap().count(), 0);
    }
    let plugged = Mounted::new(&home, "disk", &plug);
    home.good(["export", "bye"]);
    drop(plugged);
    assert_eq!(whole(&home, "stick/exports/nas/bye").len(), FILES);
    let ran = home.run(["export", "bye"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(std::fs::read_dir(home.path("disk")).unwrap().count(), 0);
    let _plugged = Mounted::new(&home, "disk", &plug);
    let ran = home.run(["export", "bye", "--json"]);
    assert_eq!((ran.exit, copied(&ran.json_lines()).len()), (0, 0), "{ran:?}");
}

#[test]
fn an_export_whose_folder_was_lost_begins_anew() {
    let home = full_disk();
    let both = ["export", "nas", "--to", "bye", "--to", "also", "--json"];
    home.good(both);
    for emptied in [false, true] {
        std::fs::remove_dir_all(home.path("bye")).unwrap();
        if emptied {
            std::fs::create_dir(home.path("bye")).unwrap();
        }
        home.run(["leave", "nas"]).says(&["does not count"]);
        let rehearsed = home.run(["export", "nas", "--to", "bye", "--to", "also", "-n"]);
        rehearsed.says(&["Would fetch", "30 files", "it begins anew"]);
        let ran = home.run(both);
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.says(&["the export is not there any more; it begins anew"]);
        let lines = ran.json_lines();
        let to = |name: &str| {
            let name = home.path(name).to_str().unwrap().to_owned();
            let to = |line: &&Value| line["type"] == "file.copied" && line["destination"] == *name;
            lines.iter().filter(to).count()
        };
        assert_eq!((to("bye"), to("also")), (FILES, 0));
        assert_eq!(whole(&home, "bye").len(), FILES);
        assert!(home.path("bye/CHECKSUMS.sha256").exists());
    }
    // What somebody else put there is not written over.
    std::fs::remove_dir_all(home.path("bye")).unwrap();
    home.write("bye/mine.txt", "mine");
    let ran = home.run(both);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(crate::home::tree(&home.path("bye")).len(), 1);
}
