//! The public suite against the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Account, Quick};
use safelight_testkit::conformance::{self, Outcome, Subject};

async fn run(change: impl Fn(&mut common::Behaviour), root: &str) -> Outcome {
    conformance::run(async || {
        let clock = Quick::start(40);
        let mut behaviour = common::Behaviour::default();
        change(&mut behaviour);
        let account = Account::new(clock.clone(), behaviour).await;
        let provider = account.open_with(account.settings().with_text("root", root)).await;
        Subject::with_fixed_clock(provider, clock).holding((account.sandbox, account.folder))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_folder_keeps_the_contract() {
    run(|_| {}, "").await.assert();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_an_awkward_account_keeps_the_contract() {
    let awkward = |behaviour: &mut common::Behaviour| {
        behaviour.emoji_names = false;
        behaviour.append_batch = false;
        behaviour.relocation_jobs = true;
        behaviour.empty_pages = true;
        behaviour.longest_page = 7;
        behaviour.parents_in_other_case = true;
    };
    run(awkward, "/Photos/Safe Light").await.assert();
}
