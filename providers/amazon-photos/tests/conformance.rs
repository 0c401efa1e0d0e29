//! The public suite against the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Account, Behaviour};
use safelight_testkit::conformance::{self, Outcome, Subject};

async fn run(change: impl Fn(&mut Behaviour)) -> Outcome {
    conformance::run(async || {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        let account = Account::new(behaviour).await;
        let provider = account.open().await;
        Subject::new(provider, account.clock.clone()).holding((account.sandbox, account.folder))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn an_account_keeps_the_contract() {
    run(|_| {}).await.assert();
}

#[tokio::test(start_paused = true)]
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
