//! Hazard E2: links that somebody plants in the folder of an export, before a run or between its check and its write,
//! lead nowhere: nothing is written, replaced or read outside.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_core::provider::Provider;
use safelight_core::time::Clock;
use safelight_disk::{Disk, Options};
use safelight_export::run::Outcome;
use world::World;

/// An export that ran once into a folder, and the home of somebody beside it.
struct Planted {
    folder: tempfile::TempDir,
    world: World,
}

impl Planted {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("home/data")).unwrap();
        std::fs::write(folder.path().join("home/mine.txt"), "mine").unwrap();
        let planted = Self { folder, world: World::new(0).await };
        planted.world.service.photo("a/one.jpg");
        let mut planted = planted;
        planted.open();
        assert_eq!(planted.world.run().await.exit_code(), 0);
        planted
    }

    /// As a new run opens it.
    fn open(&mut self) {
        let clock: Arc<dyn Clock> = self.world.clock.clone();
        let disk = Disk::destination("t0".to_owned(), self.target(), Options::default(), clock);
        self.world.targets = vec![Arc::new(disk) as Arc<dyn Provider>];
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Puts a link to somebody's home, or to a file in it, in the place of whatever stands there.
    fn plant(&self, at: &str, to: &str) {
        plant(&self.target().join(at), &self.outside().join(to));
    }

    /// Another run, after which everything outside is as it was.
    async fn run(&mut self) -> Outcome {
        let before = files(&self.outside());
        self.open();
        let outcome = self.world.run().await;
        assert_eq!(files(&self.outside()), before);
        outcome
    }
}

fn plant(link: &Path, to: &Path) {
    if link.symlink_metadata().is_ok() {
        std::fs::rename(link, link.with_extension("before")).unwrap();
    }
    symlink(to, link).unwrap();
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), Vec::new());
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn a_folder_that_became_a_link_is_not_gone_into() {
    for at in ["data", "data/b"] {
        let mut planted = Planted::new().await;
        planted.world.service.photo("b/two.jpg");
        planted.plant(at, "data");
        let outcome = planted.run().await;
        assert_eq!(outcome.exit_code(), 3, "{at}: {outcome:?}");
        assert_eq!(outcome.account.missing[0].key, world::key("b/two.jpg"));
    }
}

#[tokio::test]
async fn a_name_that_became_a_link_is_neither_followed_nor_taken() {
    for to in ["mine.txt", "not-there.txt"] {
        let mut planted = Planted::new().await;
        planted.world.service.photo("a/two.jpg");
        planted.plant("data/a/two.jpg", to);
        let outcome = planted.run().await;
        assert_eq!((outcome.exit_code(), outcome.account.missing.len()), (3, 1), "{outcome:?}");
        assert!(planted.target().join("data/a/two.jpg").is_symlink());
    }
}

#[tokio::test]
async fn papers_are_not_written_through_links() {
    for paper in ["CHECKSUMS.sha256", "safelight-export.json", "manifest-sha256.txt"] {
        let mut planted = Planted::new().await;
        planted.world.service.photo("a/two.jpg");
        planted.plant(paper, "mine.txt");
        let outcome = planted.run().await;
        assert_eq!(outcome.exit_code(), 3, "{paper}: {outcome:?}");
        let failed = &outcome.papers[0].1.as_ref().unwrap().failed;
        assert_eq!(failed[0].0, world::key(paper));
        assert!(planted.target().join("data/a/two.jpg").exists(), "the photo itself came");
    }
}

#[tokio::test]
async fn a_workshop_that_became_a_link_is_not_worked_in() {
    for at in [".safelight", ".safelight/tmp", ".safelight/marker"] {
        let mut planted = Planted::new().await;
        planted.world.service.photo("a/two.jpg");
        // What stands outside is even what would be believed.
        std::fs::copy(planted.target().join(".safelight/marker"), planted.outside().join("marker"))
            .unwrap();
        std::fs::create_dir(planted.outside().join("tmp")).unwrap();
        let to = at.trim_start_matches(".safelight").trim_start_matches('/');
        planted.plant(at, to);
        let outcome = planted.run().await;
        assert_eq!(outcome.exit_code(), 3, "{at}: {outcome:?}");
        assert!(!planted.target().join("data/a/two.jpg").exists(), "{at}");
    }
}

#[tokio::test]
async fn a_link_that_is_planted_between_check_and_write_is_not_followed() {
    for (size, at) in [(20, "data/b"), (9 << 20, "data/b"), (20, "CHECKSUMS.sha256")] {
        let mut planted = Planted::new().await;
        planted.world.service.inner.write("b/two.jpg", vec![2_u8; size]);
        let (link, to) = (planted.target().join(at), planted.outside().join("data"));
        let act = move |_: &_| {
            if !link.is_symlink() {
                plant(&link, &to);
            }
        };
        *planted.world.service.meanwhile.lock().unwrap() = Some(Box::new(act));
        let outcome = planted.run().await;
        assert_eq!(outcome.exit_code(), 3, "{at}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_folder_with_nothing_but_a_link_is_not_taken_for_an_empty_one() {
    let mut planted = Planted::new().await;
    planted.world.catalog = world::catalog().await;
    std::fs::remove_dir_all(planted.target()).unwrap();
    std::fs::create_dir(planted.target()).unwrap();
    planted.plant("data", "data");
    let outcome = planted.run().await;
    assert_eq!(outcome.exit_code(), 3, "{outcome:?}");
    assert!(!planted.target().join(".safelight").exists());
}
