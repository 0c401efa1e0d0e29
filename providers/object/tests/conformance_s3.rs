//! The public suite against an S3 server that others wrote.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use safelight_core::registry::Factory;
use safelight_object::S3Factory;
use safelight_sandbox::S3Sandbox;
use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Subject};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_s3_bucket_keeps_the_contract() {
    let outcome = conformance::run(async || {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = S3Sandbox::start(folder.path(), "photos").await.expect("a server");
        let clock = Arc::new(SimClock::start());
        let settings = common::s3_settings(&sandbox);
        let provider = S3Factory.open(settings, common::context(clock.clone())).await;
        Subject::new(provider.expect("a provider"), clock).holding((sandbox, folder))
    })
    .await;
    outcome.assert();
}
