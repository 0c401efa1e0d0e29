//! The suite passes on the in-memory provider, whatever kind of storage it plays.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use safelight_core::capability::Length;
use safelight_core::class::MediaClass;
use safelight_core::provider::Proof;
use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Finding, Outcome, Subject};
use safelight_testkit::memory::{Builder, MemoryProvider};

async fn tried(shape: impl Fn(Builder) -> Builder) -> Outcome {
    conformance::run(async || {
        let clock = Arc::new(SimClock::start());
        let provider = shape(MemoryProvider::build("memory").clock(clock.clone())).finish();
        Subject::new(Arc::new(provider), clock)
    })
    .await
}

fn left_out(outcome: &Outcome) -> Vec<&str> {
    let skipped = |finding: &Finding| matches!(finding, Finding::NotApplicable(_));
    let cases = outcome.cases.iter().filter(|case| skipped(&case.finding));
    cases.map(|case| case.name).collect()
}

#[tokio::test(start_paused = true)]
async fn as_a_storage_that_can_everything() {
    let outcome = tried(|memory| memory).await;
    outcome.assert();
    let beside = [
        "put::what_is_replaced_stays_in_the_trash",
        "put::refuses_what_is_too_large",
        "names::long_keys_are_refused_beyond_the_limit",
    ];
    assert_eq!(left_out(&outcome), beside);
}

#[tokio::test(start_paused = true)]
async fn as_a_disk() {
    tried(Builder::like_a_disk).await.assert();
}

#[tokio::test(start_paused = true)]
async fn as_a_storage_that_folds_names_and_lists_in_disorder() {
    tried(|memory| memory.folds_names().unsorted().page(7).chunk(1000)).await.assert();
}

#[tokio::test(start_paused = true)]
async fn as_a_plain_object_store() {
    let shape = |memory: Builder| {
        memory.without_relocation().proof(Proof::SizeOnly).with(|declared| {
            declared.keeps_modified = false;
            declared.ranges = false;
        })
    };
    tried(shape).await.assert();
}

#[tokio::test(start_paused = true)]
async fn as_a_service_that_keeps_what_is_replaced() {
    let outcome = tried(Builder::keeps_replaced).await;
    outcome.assert();
    assert!(!left_out(&outcome).contains(&"put::what_is_replaced_stays_in_the_trash"));
}

#[tokio::test(start_paused = true)]
async fn as_a_service_with_trash_and_quota() {
    tried(|memory| memory.own_trash().pool(&MediaClass::ALL, Some(1 << 30))).await.assert();
}

#[tokio::test(start_paused = true)]
async fn as_a_storage_with_narrow_limits() {
    let shape = |memory: Builder| {
        memory.with(|declared| {
            declared.max_item_bytes = Some(3_000_000);
            declared.names.max_segment = Some(Length::Bytes(210));
            declared.names.max_key_bytes = Some(400);
            declared.time_granularity_ns = 2_000_000_000;
        })
    };
    tried(shape).await.assert();
}

#[tokio::test(start_paused = true)]
async fn as_something_that_can_only_be_read() {
    tried(Builder::read_only).await.assert();
}
