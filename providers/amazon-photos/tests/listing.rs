//! Listings under everything that the service is known or feared to do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Account, files, key, keys, list, photo, put, read, trash};
use futures::StreamExt as _;
use safelight_core::entry::{Listed, Scope};
use safelight_core::provider::Provider;
use safelight_sandbox::{Fault, Rule};

async fn fill(provider: &dyn Provider, count: usize, path: impl Fn(usize) -> String) {
    let items: Vec<_> = (0..count).map(|n| (path(n), photo(n, 60))).collect();
    let puts = items.iter().map(|(path, bytes)| put(provider, path, bytes));
    let mut done = futures::stream::iter(puts).buffer_unordered(16);
    while let Some(receipt) = done.next().await {
        receipt.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_or_breaks_off_is_asked_for_again() {
    let account = Account::ordinary().await;
    fill(&*account.open().await, 450, |n| format!("{}/{n}.jpg", n % 2)).await;
    for fault in [Fault::Reset, Fault::status(502), Fault::LoseAnswer, Fault::CutBody(40)] {
        for n in 0.. {
            let provider = account.open().await;
            account.sandbox.forget();
            account.sandbox.traffic().inject(Rule::next(fault.clone()).after(n).times(2));
            assert_eq!(keys(&*provider).await.len(), 450, "{fault:?} at call {n}");
            account.sandbox.traffic().heal();
            if account.sandbox.traffic().total() <= n {
                assert!(n > 5, "only {n} calls");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn drift_short_pages_and_strays_hide_and_repeat_nothing() {
    let account = Account::ordinary().await;
    fill(&*account.open().await, 900, |n| format!("{}/{n}.jpg", n % 2)).await;
    for drift in [2, 3, 5] {
        account.sandbox.behave(|behaviour| {
            behaviour.drift = Some(drift);
            behaviour.short_pages = Some(3);
            behaviour.strays = true;
        });
        account.sandbox.forget();
        let mut found = keys(&*account.open().await).await;
        found.dedup();
        assert_eq!(found.len(), 900);
        let calls = account.sandbox.counters().metadata;
        assert!(calls <= 900 / 200 * 3 / 2 + 5 + 20, "{calls} calls with drift {drift}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_lags_or_is_pending_is_asked_for_by_its_id() {
    let account = Account::behaving(|behaviour| {
        behaviour.listing_lag = Duration::from_mins(5);
        behaviour.pending = Duration::from_secs(4);
    })
    .await;
    let provider = account.open().await;
    for (path, seed) in [("a.jpg", 1), ("x/b.jpg", 2)] {
        let receipt = put(&*provider, path, &photo(seed, 500)).await.unwrap();
        assert!(receipt.proof.counts());
        let entry = provider.stat(&key(path)).await.unwrap().unwrap();
        assert_eq!((entry.version, entry.size), (receipt.version, 500));
        assert_eq!(read(&*provider, path).await.unwrap(), photo(seed, 500));
    }
    assert_eq!(keys(&*provider).await, ["a.jpg", "x/b.jpg"]);
    trash(&account, &*provider, "a.jpg", None).await.unwrap();
    assert!(provider.stat(&key("a.jpg")).await.unwrap().is_none());
    assert_eq!(keys(&*provider).await, ["x/b.jpg"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_service_takes_its_time_over_is_neither_proven_nor_taken_for_gone() {
    let account = Account::behaving(|behaviour| behaviour.pending = Duration::from_hours(9)).await;
    let provider = account.open().await;
    let receipt = put(&*provider, "a.mov", &photo(1, 500)).await.unwrap();
    assert!(!receipt.proof.counts());
    let listed = list(&*provider, Scope::default()).await.unwrap();
    assert!(
        matches!(&listed[..], [Listed::Unseen { key: Some(unseen), .. }] if *unseen == key("a.mov")),
        "{listed:?}"
    );
    assert!(provider.stat(&key("a.mov")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn keys_under_nodes_outside_of_the_root_cost_a_listing_of_their_folder() {
    let account = Account::ordinary().await;
    let phone = account.open_with(account.settings().with_text("root", "Pictures/Phone")).await;
    fill(&*phone, 300, |n| format!("IMG_{n}.jpg")).await;
    let provider = account.open().await;
    fill(&*provider, 320, |n| format!("{}/{n}.jpg", n % 3)).await;
    assert_eq!(account.sandbox.counters().stored, 320);
    account.sandbox.forget();
    let found = files(&*account.open().await).await;
    assert_eq!(found.len(), 320);
    let calls = account.sandbox.counters().metadata;
    assert!(calls <= 320 * 3 / 400 + 4 + 20, "{calls} calls");
    // What is gone there is told no more.
    trash(&account, &*phone, "IMG_7.jpg", None).await.unwrap();
    assert_eq!(files(&*account.open().await).await.len(), 319);
}

#[tokio::test(start_paused = true)]
async fn the_film_of_a_live_photo_counts_as_stored_and_is_no_item_of_its_own() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let still = put(&*provider, "IMG_1.HEIC", &photo(1, 500)).await.unwrap();
    let film = common::noise(2, 700);
    let id = still.remote_id.unwrap();
    account.sandbox.attach_film(&id, "IMG_1.MOV", film.to_vec()).await.unwrap();
    assert_eq!(keys(&*provider).await, ["IMG_1.HEIC"]);
    let stored = put(&*provider, "IMG_1.MOV", &film).await.unwrap();
    assert_eq!(read(&*provider, "IMG_1.MOV").await.unwrap(), film);
    assert_eq!(provider.stat(&key("IMG_1.MOV")).await.unwrap().unwrap().version, stored.version);
}
