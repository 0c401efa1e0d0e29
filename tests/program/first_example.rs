//! The example that the README begins with.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;

use crate::home::{Home, Ran, tree};

/// The example in a home of its own.
pub fn copied_example() -> Home {
    let mut home = Home::bare();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first");
    for (path, (bytes, _)) in tree(&example) {
        if !path.starts_with("out") {
            home.write(path, bytes);
        }
    }
    home.use_config("safelight.toml");
    home
}

#[test]
fn goes_to_three_places_and_a_second_run_has_nothing_to_do() {
    let home = copied_example();
    let first = home.mirror(0);
    let head = first.out.lines().next().unwrap();
    assert!(
        head.starts_with("mirror ") && head.contains("31 files in the library, 31 new"),
        "{head}"
    );
    for place in ["amazon", "dropbox", "disk"] {
        assert!(first.out.contains(&format!("{place:<10}31 copied")), "{}", first.out);
    }
    assert!(first.out.contains("All 31 files have 4 copies"), "{}", first.out);
    let dropbox = home.photos_in("out/dropbox/files");
    assert_eq!(dropbox.len(), 31);
    for (path, (bytes, _)) in home.photos_in("library") {
        assert!(dropbox[&path].0 == bytes, "{}", path.display());
    }
    home.assert_same("library", "out/disk");
    // Amazon keeps equal bytes once, whatever they are called.
    let contents = |folder: &str| {
        let photos = home.photos_in(folder).into_values();
        photos.map(|(bytes, _)| bytes).collect::<std::collections::BTreeSet<_>>()
    };
    let amazon = home.photos_in("out/amazon/files/Safelight");
    assert_eq!(amazon.len(), 30, "of 31 files two are equal");
    assert!(contents("out/amazon/files/Safelight") == contents("library"));

    let second = home.mirror(0);
    assert!(second.out.contains("31 files in the library, nothing new"), "{}", second.out);
    assert!(!second.out.contains("copied"), "{}", second.out);

    let third = home.run(["mirror", "--json"]);
    let lines = third.json_lines();
    assert!(lines.iter().all(|line| line["v"] == 1 && line["type"].is_string()), "{}", third.out);
    let (start, end) = (&lines[0], lines.last().unwrap());
    assert_eq!((&start["type"], &start["files_new"]), (&"run.start".into(), &0.into()));
    assert_eq!(
        (&end["type"], &end["exit"], &end["run"]),
        (&"run.end".into(), &0.into(), &3.into())
    );
}

#[test]
fn status_says_that_all_is_safe_in_words_and_in_the_documented_fields() {
    let home = copied_example();
    home.mirror(0);
    let words = home.good(["status"]);
    assert!(words.starts_with("Yes: all 31 files are safe.\n"), "{words}");
    let status = home.run(["status", "--json"]).json();
    assert_eq!((&status["v"], &status["safe"]), (&1.into(), &true.into()));
    assert_eq!((&status["verdict"], &status["files"]), (&"safe".into(), &31.into()));
    assert_eq!((&status["safe_files"], &status["by_copies"]["4"]), (&31.into(), &31.into()));
    assert!(status["needs_you"].as_array().unwrap().is_empty());
    let places = status["destinations"].as_array().unwrap();
    let names: Vec<_> = places.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["amazon", "dropbox", "disk"]);
    assert!(places.iter().all(|one| one["state"] == "ok" && one["behind"] == 0));
}

#[test]
fn results_go_to_stdout_talk_to_stderr_and_neither_drives_a_terminal() {
    let home = copied_example();
    let ran = home.mirror(0);
    assert!(ran.err.contains(" mirror start run=1 new=31 "), "{}", ran.err);
    assert!(!ran.out.contains("start run="), "{}", ran.out);
    for text in [&ran.out, &ran.err] {
        assert!(text.bytes().all(|byte| byte == b'\n' || byte >= b' '), "{text:?}");
    }
    let quiet = home.run(["mirror", "--quiet"]);
    assert_eq!((quiet.exit, quiet.err.as_str()), (0, ""));
    let coloured = home.good(["status", "--color", "always"]);
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = copied_example();
    home.mirror(0);
    for args in
        [vec!["ls"], vec!["ls", "--json"], vec!["mirror", "--json"], vec!["config", "schema"]]
    {
        let mut command = home.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        let mut reader = BufReader::with_capacity(1, child.stdout.take().unwrap());
        reader.read_line(&mut first).unwrap();
        drop(reader);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let exit = child.wait().unwrap().code();
        assert_eq!(exit, Some(0), "{args:?}: {said}");
        assert!(!said.contains("panic") && !said.contains("error"), "{args:?}: {said}");
        assert!(!first.is_empty());
    }
}

#[test]
fn the_environment_variable_and_the_flag_name_the_config() {
    let home = copied_example();
    let other = Home::bare();
    let config = home.path("safelight.toml");
    let ran = Ran::of(other.command(["mirror", "-n", "--config"]).arg(&config).output().unwrap());
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Would copy", "31 files"]);
}
