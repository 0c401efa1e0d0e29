//! The public suite against the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Account;
use safelight_testkit::conformance::{self, Outcome, Subject};

async fn run(change: impl Fn(&mut common::Behaviour), root: &str) -> Outcome {
    conformance::run(async || {
        let mut behaviour = common::Behaviour::default();
        change(&mut behaviour);
        let account = Account::new(behaviour).await;
        let provider = account.open_with(account.settings().with_text("root", root)).await;
        Subject::new(provider, account.clock.clone()).holding((account.sandbox, account.folder))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn an_app_folder_keeps_the_contract() {
    run(|_| {}, "").await.assert();
}

#[tokio::test(start_paused = true)]
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
