//! The examples do what they say. `cargo test` builds them; here they are run.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

fn example(name: &str) -> Command {
    let this = std::env::current_exe().unwrap();
    let built: PathBuf = this.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(built.exists(), "{} is built by `cargo test`", built.display());
    Command::new(built)
}

fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

#[test]
#[cfg(unix)]
fn mirror_to_folder_copies_and_then_has_nothing_to_do() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    std::fs::create_dir_all(at("library/2024")).unwrap();
    for number in 0..3 {
        std::fs::write(at(&format!("library/2024/{number}.jpg")), format!("photo {number}"))
            .unwrap();
    }
    let paths = [at("library"), at("copy"), at("catalog.db")];
    let (exit, said) = run(example("mirror_to_folder").args(&paths));
    assert_eq!(exit, Some(0), "{said}");
    assert_eq!(said, "3 files in the library, 3 new\ncopy: 3 copied, 0 unchanged\n");
    assert_eq!(std::fs::read(at("copy/2024/1.jpg")).unwrap(), b"photo 1");
    let (exit, said) = run(example("mirror_to_folder").args(&paths));
    assert_eq!(exit, Some(0), "{said}");
    assert_eq!(said, "3 files in the library, 0 new\ncopy: 0 copied, 3 unchanged\n");
    assert_eq!(run(&mut example("mirror_to_folder")).0, Some(2));
}

#[test]
fn custom_provider_keeps_the_contract_and_is_mirrored_to() {
    let (exit, said) = run(&mut example("custom_provider"));
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains(" cases, 0 failed\n"), "{said}");
    assert!(said.contains("mirror: 12 copied, 0 unchanged\n"), "{said}");
    assert!(said.contains("mirror: 0 copied, 12 unchanged\n"), "{said}");
}
