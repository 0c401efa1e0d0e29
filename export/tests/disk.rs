//! A disk as the target, and tools of others that check what stands there.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod world;

use std::process::Command;
use std::sync::Arc;

use safelight_core::provider::Provider;
use safelight_core::time::Clock;
use safelight_disk::{Disk, Options};
use safelight_export::plan::AlbumForm;
use world::{World, key};

async fn exported(plain: bool) -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(0).await;
    let clock: Arc<dyn Clock> = world.clock.clone();
    let disk =
        Disk::destination("t0".to_owned(), folder.path().to_owned(), Options::default(), clock);
    world.targets = vec![Arc::new(disk) as Arc<dyn Provider>];
    world.wishes.plain = plain;
    for name in ["a/IMG 1.jpg", "a/100%25.jpg", "ä/ö.jpg", "a/x\\y.jpg", "a/new\nline.jpg"] {
        world.service.photo(name);
    }
    world.service.remark(&key("a/IMG 1.jpg"), |remark| remark.favourite = true);
    world.wishes.albums = AlbumForm::Links;
    world.service.album("Sea: 1", &[&key("a/IMG 1.jpg"), &key("ä/ö.jpg")]);
    world.service.inner.write("film.mov", vec![9_u8; 9 << 20]);
    let outcome = world.run().await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    (folder, world)
}

#[tokio::test]
async fn sha256sum_finds_everything_good() {
    for plain in [true, false] {
        let (folder, world) = exported(plain).await;
        let check = Command::new("sha256sum")
            .args(["--check", "--strict", "CHECKSUMS.sha256"])
            .current_dir(folder.path())
            .output();
        let Ok(check) = check else {
            println!("skipped: there is no sha256sum here");
            return;
        };
        let said = String::from_utf8_lossy(&check.stdout);
        assert!(check.status.success(), "{said}");
        assert_eq!(said.lines().filter(|line| line.ends_with(": OK")).count(), 10);
        assert_eq!((world.service.reads(), world.run().await.exit_code()), (6, 0));
        assert_eq!(world.service.reads(), 0);
    }
}

#[tokio::test]
async fn albums_become_folders_that_take_no_room() {
    use std::os::unix::fs::MetadataExt as _;
    let (folder, world) = exported(true).await;
    let link = std::fs::metadata(folder.path().join("Albums/Sea_ 1/IMG 1.jpg")).unwrap();
    let file = std::fs::metadata(folder.path().join("a/IMG 1.jpg")).unwrap();
    assert_eq!((link.ino(), link.dev()), (file.ino(), file.dev()));
    world.service.photo("Albums/Sea_ 1/other.jpg");
    world.service.album("Sea: 1", &[&key("a/IMG 1.jpg")]);
    assert_eq!(world.run().await.exit_code(), 0);
    let names: Vec<_> = std::fs::read_dir(folder.path().join("Albums")).unwrap().collect();
    assert_eq!(names.len(), 2);
}

#[tokio::test]
async fn the_bagit_tool_of_others_finds_the_bag_valid() {
    let (folder, _) = exported(false).await;
    let script = "import sys\ntry:\n import bagit\nexcept ImportError:\n sys.exit(77)\nbagit.Bag(sys.argv[1]).validate()\n";
    let check = Command::new("python3").args(["-c", script]).arg(folder.path()).output();
    match check {
        Ok(check) if check.status.code() != Some(77) => {
            assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
        }
        _ => println!("skipped: there is no Python with the package bagit here"),
    }
}
