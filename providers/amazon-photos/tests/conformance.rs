//! The public suite against the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Account, Behaviour, Quick};
use safelight_testkit::conformance::{self, Outcome, Subject};

async fn run(change: impl Fn(&mut Behaviour)) -> Outcome {
    conformance::run(async || {
        let clock = Quick::start(60);
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        let account = Account::new(clock.clone(), behaviour).await;
        let provider = account.open().await;
        Subject::with_fixed_clock(provider, clock).holding((account.sandbox, account.folder))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_keeps_the_contract() {
    run(|_| {}).await.assert();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_awkward_account_keeps_the_contract() {
    let awkward = |behaviour: &mut Behaviour| {
        behaviour.short_pages = Some(3);
        behaviour.drift = Some(5);
        behaviour.strays = true;
        behaviour.ghosts_per_thousand = 100;
        behaviour.listing_lag = Duration::from_secs(2);
        behaviour.pending = Duration::from_millis(500);
    };
    run(awkward).await.assert();
}
