//! Listings: order, what is passed over, what could not be seen.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use futures::StreamExt as _;
use safelight_core::codes;
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::Provider as _;
use safelight_disk::Disk;
use support::{Mounted, destination, key, list, place};

fn write(root: &Path, path: &[u8], bytes: &[u8]) {
    let path = root.join(OsStr::from_bytes(path));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Letters around `/` in the order of bytes, bytes that are not UTF-8, line breaks, escapes.
const PARTS: [&[u8]; 11] = [
    b"a",
    b"a!",
    b"a-",
    b"a.",
    b"a0",
    b"a b",
    b"\xff",
    b"a\nb",
    b"\x1b[31m",
    b"A",
    "\u{e9}".as_bytes(),
];

#[tokio::test]
async fn nasty_names_arrive_whole_and_in_the_order_of_keys() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for one in PARTS {
        let plain = [one, b"x"].concat();
        write(dir.path(), &plain, b"1");
        expected.push(key(&plain));
        for two in PARTS {
            for three in [&b"f"[..], b"a/f"] {
                let path = [one, b"/", two, b"_", three].concat();
                write(dir.path(), &path, b"12");
                expected.push(key(&path));
            }
        }
    }
    expected.sort();
    let library = Disk::library(dir.path());
    let found = list(&library, Scope::default()).await.unwrap();
    let keys: Vec<_> = found.iter().map(|listed| place(listed).clone()).collect();
    assert_eq!(keys, expected);
    assert!(found.iter().all(|listed| matches!(listed, Listed::File(_))));
}

#[tokio::test]
async fn many_pages_and_folders_stay_in_order() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..3500 {
        let path = format!("{}/{}/{number}", number % 7, number % 31);
        write(dir.path(), path.as_bytes(), b"");
    }
    let library = Disk::library(dir.path());
    let pages: Vec<_> = library.list(Scope::default()).collect().await;
    assert!(pages.len() > 3);
    let keys: Vec<_> = pages
        .into_iter()
        .flat_map(|page| page.unwrap().entries)
        .map(|listed| place(&listed).clone())
        .collect();
    assert_eq!(keys.len(), 3500);
    assert!(keys.is_sorted());
}

#[tokio::test]
async fn links_and_pipes_are_named_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), b"photos/a.jpg", b"1");
    symlink("..", dir.path().join("photos/loop")).unwrap();
    symlink("/nowhere", dir.path().join("photos/broken")).unwrap();
    symlink("a.jpg", dir.path().join("photos/link.jpg")).unwrap();
    let _socket = UnixListener::bind(dir.path().join("photos/socket")).unwrap();
    let pipe = dir.path().join("photos/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let found = list(&Disk::library(dir.path()), Scope::default()).await.unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|listed| match listed {
            Listed::Passed { key, code } => (key.to_string(), Some(*code)),
            other => (place(other).to_string(), None),
        })
        .collect();
    let expected = [
        ("photos/a.jpg", None),
        ("photos/broken", Some(codes::LINK_SKIPPED)),
        ("photos/link.jpg", Some(codes::LINK_SKIPPED)),
        ("photos/loop", Some(codes::LINK_SKIPPED)),
        ("photos/pipe", Some(codes::NOT_A_FILE)),
        ("photos/socket", Some(codes::NOT_A_FILE)),
    ];
    assert_eq!(told, expected.map(|(path, code)| (path.to_owned(), code)));
}

#[tokio::test]
async fn folders_deeper_than_a_path_may_be_long_are_walked_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let disk = destination(dir.path());
    let deep = [vec![[b'd'; 160]; 30].join(&b'/'), b"/a.jpg".to_vec()].concat();
    support::put(&disk, &deep, b"deep").await.unwrap();
    let found = list(&disk, Scope::default()).await.unwrap();
    assert_eq!(found.iter().map(place).collect::<Vec<_>>(), [&key(&deep)]);
    assert_eq!(support::content(&disk, &deep).await.unwrap(), b"deep");
}

#[tokio::test]
async fn a_listing_keeps_to_its_scope() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["a/1", "a/b/2", "a-/3", "c/4", ".safelight/marker", ".safelight/tmp/5"] {
        write(dir.path(), path.as_bytes(), b"");
    }
    let disk = destination(dir.path());
    let keys = async |scope: Scope| -> Vec<String> {
        list(&disk, scope).await.unwrap().iter().map(|listed| place(listed).to_string()).collect()
    };
    let below = |path: &str| Scope { below: Some(key(path)), ..Scope::default() };
    assert_eq!(keys(Scope::default()).await, ["a-/3", "a/1", "a/b/2", "c/4"]);
    assert_eq!(keys(below("a")).await, ["a/1", "a/b/2"]);
    assert_eq!(keys(below("a/b/2")).await, ["a/b/2"]);
    assert!(keys(below("none")).await.is_empty());
    assert!(keys(below(".safelight")).await.is_empty());
    let descend: safelight_core::entry::Descend = Arc::new(|folder: &Key| *folder != key("a/b"));
    let advised = Scope { descend: Some(descend), ..Scope::default() };
    assert_eq!(keys(advised).await, ["a-/3", "a/1", "c/4"]);
    let all = Scope { reserved: true, ..Scope::default() };
    assert_eq!(keys(all).await, [".safelight/marker", "a-/3", "a/1", "a/b/2", "c/4"]);
}

#[tokio::test]
async fn the_reserved_name_in_a_library_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), b".Safelight/photo.jpg", b"");
    let found = list(&Disk::library(dir.path()), Scope::default()).await.unwrap();
    assert!(matches!(&found[..], [Listed::Passed { code, .. }] if *code == codes::RESERVED_NAME));
}

#[tokio::test]
async fn a_root_that_was_removed_is_an_error_and_not_empty() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("library");
    write(&root, b"a.jpg", b"1");
    let library = Disk::library(&root);
    assert_eq!(list(&library, Scope::default()).await.unwrap().len(), 1);
    std::fs::remove_dir_all(&root).unwrap();
    let error = list(&library, Scope::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.id()), (Kind::Absent, codes::LIBRARY_MISSING));
    let error = library.stat(&key("a.jpg")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Absent);
}

#[tokio::test]
async fn a_library_that_never_was_there_is_missing() {
    let library = Disk::library("/no/such/library");
    let error = library.check().await.unwrap_err();
    assert_eq!((error.kind(), error.id()), (Kind::Absent, codes::LIBRARY_MISSING));
    assert_eq!(list(&library, Scope::default()).await.unwrap_err().kind(), Kind::Absent);
}

#[tokio::test]
async fn another_file_system_inside_is_named_and_walked() {
    let Some(mounted) = Mounted::memory(1024) else { return };
    write(&mounted.at, b"inner.jpg", b"1");
    let root = mounted.at.parent().unwrap();
    write(root, b"mount-.jpg", b"1");
    let found = list(&Disk::library(root), Scope::default()).await.unwrap();
    let keys: Vec<_> = found.iter().map(|listed| place(listed).to_string()).collect();
    assert_eq!(keys, ["mount", "mount-.jpg", "mount/inner.jpg"]);
    assert!(matches!(&found[0], Listed::Mount { volume, .. } if !volume.is_empty()));
}

/// Rights do not bind the administrator, who therefore runs this test once more as nobody.
#[test]
fn an_unreadable_folder_is_unseen_and_not_empty() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), b"closed/a.jpg", b"1");
    write(dir.path(), b"closed-.jpg", b"1");
    write(dir.path(), b"secret.jpg", b"1");
    let rights = |path: &str, mode| {
        std::fs::set_permissions(dir.path().join(path), std::fs::Permissions::from_mode(mode))
            .unwrap();
    };
    rights("closed", 0o000);
    rights("secret.jpg", 0o000);
    if std::fs::read_dir(dir.path().join("closed")).is_ok() {
        let name = "an_unreadable_folder_is_unseen_and_not_empty";
        let nobody = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .current_dir("/")
            .uid(65534)
            .gid(65534)
            .output();
        match nobody {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(_) => println!("skipped: rights do not bind this user"),
        }
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let library = Disk::library(dir.path());
    let found = runtime.block_on(list(&library, Scope::default())).unwrap();
    let refused = runtime.block_on(library.read(&key("secret.jpg"), None, None)).err().unwrap();
    rights("closed", 0o755);
    let Listed::Unseen { key: Some(unseen), error } = &found[0] else { panic!("{found:?}") };
    assert_eq!((unseen, error.id()), (&key("closed"), codes::UNREADABLE));
    assert_eq!(place(&found[1]), &key("closed-.jpg"));
    assert_eq!((refused.kind(), refused.id()), (Kind::Denied, codes::UNREADABLE));
}
