//! The public conformance suite, run on a folder.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::Arc;

use safelight_core::provider::Provider as _;
use safelight_disk::{Disk, Options, Reserve};
use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Subject};

async fn prove(options: Options, root_is_there: bool) {
    let outcome = conformance::run(async || {
        let dir = tempfile::tempdir().unwrap();
        let path = if root_is_there { dir.path().to_owned() } else { dir.path().join("new") };
        let clock = Arc::new(SimClock::start());
        let disk = Disk::destination("disk", path, options.clone(), clock.clone());
        assert!(disk.capabilities().writes);
        Subject::new(Arc::new(disk), clock).holding(dir)
    })
    .await;
    outcome.assert();
}

fn options(read_back: bool) -> Options {
    Options { read_back, reserve: Reserve::Bytes(0), ..Options::default() }
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    prove(options(true), true).await;
}

#[tokio::test]
async fn a_folder_that_is_made_first_keeps_the_contract() {
    prove(options(true), false).await;
}

#[tokio::test]
async fn a_folder_without_reading_back_keeps_the_contract() {
    prove(options(false), true).await;
}
