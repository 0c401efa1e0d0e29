//! The process dies or is told to stop.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home::{CLOUD, Home, TWO_DISKS};

/// Kills a run right after it told of its `n`-th copy; false if it told of fewer.
fn killed_after(home: &Home, n: usize) -> bool {
    let mut command = home.command(["mirror", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::with_capacity(64, child.stdout.take().unwrap()).lines();
    let copied = lines.map_while(Result::ok).filter(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["type"] == "file.copied"
    });
    let told = copied.take(n).count();
    child.kill().unwrap();
    child.wait().unwrap();
    told == n
}

/// Every visible file at a disk is whole.
fn assert_whole(home: &Home, disk: &str) {
    let library = home.photos_in("library");
    for (path, file) in home.photos_in(disk) {
        assert!(library.get(&path) == Some(&file), "{} at {disk}", path.display());
    }
}

#[test]
fn killed_at_any_moment_nothing_is_torn_and_the_next_run_converges() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    home.photos(60);
    home.write("library/film.mov", vec![7_u8; 12 << 20]);
    for n in [1, 20, 60, 110] {
        // A run that resumes may have less left than `n`; then it is killed at its end.
        let told = killed_after(&home, n);
        assert!(told || n > 1);
        assert_whole(&home, "disk");
        assert_whole(&home, "nas");
    }
    home.mirror(0);
    home.assert_same("library", "disk");
    home.assert_same("library", "nas");
    home.mirror(0).says(&["nothing new"]);
    assert!(home.good(["status"]).starts_with("Yes: all 61 files are safe."));
    let left = crate::home::tree(&home.path("disk/.safelight/tmp"));
    assert!(left.is_empty(), "{:?}", left.keys());
}

#[test]
fn a_signal_ends_the_run_gently_with_130_and_the_next_one_goes_on() {
    // The key of this destination comes from a pipe, so the run stands still until the test lets it go.
    let away = "[destination.away]\ntype = \"s3\"\nendpoint = \"sandbox\"\nbucket = \"photos\"\n\
                access_key_id = \"env:KEY_ID\"\nsecret_access_key = { cmd = [\"cat\", \"PIPE\"] }\n";
    let home = Home::bare();
    let pipe = home.path("pipe");
    std::fs::create_dir(home.path("library")).unwrap();
    home.configure(&format!("{TWO_DISKS}{}", away.replace("PIPE", pipe.to_str().unwrap())));
    home.photos(20);
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = home.command(["mirror", "--json"]);
        command.env("KEY_ID", "id").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Opening waits for the reader, which is the program that fetches the key.
        let mut key = OpenOptions::new().write(true).open(&pipe).unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
        send(&child, signal);
        let heard = talk.by_ref().map_while(Result::ok).any(|line| line.contains("then stopping"));
        assert!(heard, "it says that it stops");
        key.write_all(b"secret").unwrap();
        drop(key);
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let rest: Vec<_> = talk.map_while(Result::ok).collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{out} {rest:?}");
        let end: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
        assert_eq!((&end["type"], &end["exit"]), (&"run.end".into(), &130.into()), "{out}");
        assert_whole(&home, "disk");
    }
    home.configure(TWO_DISKS);
    home.mirror(0);
    home.assert_same("library", "disk");
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
