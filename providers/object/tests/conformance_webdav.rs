//! The public suite against a WebDAV server that others wrote.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Subject};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webdav_folder_keeps_the_contract() {
    let outcome = conformance::run(async || {
        let folder = tempfile::tempdir().expect("a folder");
        let (server, _) = common::dav(folder.path()).await;
        let clock = Arc::new(SimClock::start());
        let provider = common::webdav(&server.url(), common::context(clock.clone())).await;
        Subject::new(provider, clock).holding((server, folder))
    })
    .await;
    outcome.assert();
}
