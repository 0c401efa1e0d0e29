//! The direction of dependencies, as ARCHITECTURE.md draws it, compared with what Cargo says.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Which crates of ours a crate may use. Everything points at core; the program and the measurements may use
/// everything. A crate that is not named here has to be put into this table first.
const OURS: [(&str, &[&str]); 15] = [
    ("safelight-core", &[]),
    ("safelight-config", &["safelight-core"]),
    ("safelight-catalog", &["safelight-core"]),
    ("safelight-media", &["safelight-core"]),
    ("safelight-export", &["safelight-core"]),
    ("safelight-http", &["safelight-core"]),
    ("safelight-disk", &["safelight-core"]),
    ("safelight-object", &["safelight-core"]),
    ("safelight-dropbox", &["safelight-core"]),
    ("safelight-amazon-photos", &["safelight-core"]),
    (
        "safelight-providers",
        &[
            "safelight-core",
            "safelight-disk",
            "safelight-object",
            "safelight-dropbox",
            "safelight-amazon-photos",
        ],
    ),
    ("safelight-sandbox", &["safelight-core"]),
    ("safelight-testkit", &["safelight-core"]),
    (
        "safelight",
        &[
            "safelight-core",
            "safelight-config",
            "safelight-catalog",
            "safelight-media",
            "safelight-export",
            "safelight-http",
            "safelight-disk",
            "safelight-providers",
            "safelight-sandbox",
        ],
    ),
    (
        "safelight-bench",
        &[
            "safelight-core",
            "safelight-catalog",
            "safelight-disk",
            "safelight-dropbox",
            "safelight-export",
            "safelight-http",
            "safelight-media",
            "safelight-providers",
            "safelight-sandbox",
            "safelight-testkit",
        ],
    ),
];

/// Which crates may use a library of others that belongs into one place.
const THEIRS: [(&str, &[&str]); 11] = [
    ("opendal", &["safelight-object"]),
    ("reqwest", &["safelight-http"]),
    ("rustls", &["safelight-http"]),
    ("hyper", &["safelight-sandbox"]),
    ("s3s", &["safelight-sandbox"]),
    ("rusqlite", &["safelight-catalog"]),
    ("toml", &["safelight-config"]),
    ("clap", &["safelight"]),
    ("indicatif", &["safelight"]),
    ("miette", &["safelight-config"]),
    ("tracing-subscriber", &["safelight"]),
];

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    command.no_deps().other_options(["--offline".to_owned()]).exec().unwrap()
}

fn used(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    let of_kind = package.dependencies.iter().filter(|one| one.kind == kind);
    of_kind.map(|one| one.name.as_str()).collect()
}

#[test]
fn our_crates_use_each_other_only_in_the_drawn_direction() {
    let metadata = metadata();
    let allowed: BTreeMap<_, _> = OURS.into_iter().collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            wrong.push(format!("{} is not in the table", package.name));
            continue;
        };
        for name in used(package, DependencyKind::Normal) {
            if name.starts_with("safelight") && !allowed.contains(&name) {
                wrong.push(format!("{} uses {name}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn libraries_that_belong_into_one_place_are_used_only_there() {
    let metadata = metadata();
    for (library, allowed) in THEIRS {
        for package in metadata.workspace_packages() {
            let name = package.name.as_str();
            if used(package, DependencyKind::Normal).contains(library) {
                assert!(allowed.contains(&name), "{name} uses {library}");
            }
        }
    }
}

#[test]
fn nothing_of_the_testkit_gets_into_the_program() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let uses = used(package, DependencyKind::Normal).contains("safelight-testkit");
        assert!(!uses || package.name.as_str() == "safelight-bench", "{}", package.name);
    }
}

#[test]
fn core_reaches_for_nothing_by_itself() {
    let forbidden =
        ["std::fs", "std::env", "std::net", "std::process", "println!", "tokio::fs", "tokio::net"];
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for (word, line) in code.flat_map(|line| forbidden.map(|word| (word, line))) {
            assert!(!line.contains(word), "{}: {line}", file.display());
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
