//! What happens to items on their way, against the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use bytes::Bytes;
use common::{Account, files, key, noise, put, put_as, read};
use futures::future::join_all;
use safelight_core::digest::Algorithm;
use safelight_core::error::{Kind, Retry, Scope};
use safelight_core::provider::{Proof, PutMode, Relocate};
use safelight_core::time::Timestamp;
use safelight_sandbox::dropbox::WhenLocked;
use safelight_sandbox::{Fault, Rule};

const APPEND: &str = "files/upload_session/append_batch";
const FINISH: &str = "files/upload_session/finish_batch_v2";
const START: &str = "files/upload_session/start";

async fn put_many(provider: &dyn safelight_core::provider::Provider, count: usize) -> Vec<Bytes> {
    let items: Vec<_> = (0..count).map(|n| noise(n, 300 + n)).collect();
    let paths: Vec<_> = (0..count).map(|n| format!("{}/{n}.jpg", n % 3)).collect();
    let puts = join_all(paths.iter().zip(&items).map(|(path, item)| put(provider, path, item)));
    for receipt in puts.await {
        assert_eq!(receipt.unwrap().proof, Proof::ServerHash(Algorithm::DropboxHash));
    }
    items
}

#[tokio::test(start_paused = true)]
async fn many_small_items_go_in_few_calls_and_one_in_two() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let items = put_many(&*provider, 30).await;
    assert_eq!(account.calls(), 3, "{:?}", account.sandbox.traffic().lines());
    assert_eq!(account.sandbox.counters().uploads_without_content_hash, 0);
    assert_eq!(files(&*provider).await.len(), 30);
    assert_eq!(read(&*provider, "1/4.jpg").await.unwrap(), items[4]);
    account.sandbox.forget();
    put(&*provider, "one.jpg", &noise(99, 99)).await.unwrap();
    assert_eq!((account.sandbox.calls(START), account.calls()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn where_bundles_are_not_known_every_item_goes_by_itself() {
    let account = Account::behaving(|behaviour| behaviour.append_batch = false).await;
    let provider = account.open().await;
    put_many(&*provider, 10).await;
    assert_eq!((account.sandbox.calls(APPEND), account.sandbox.calls(START)), (1, 10));
    put(&*provider, "late.jpg", &noise(1, 1)).await.unwrap();
    assert_eq!(account.sandbox.calls(APPEND), 1, "it is not asked again");
}

#[tokio::test(start_paused = true)]
async fn identical_bytes_are_recognised_and_nothing_changes() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(1, 1000);
    let first = put(&*provider, "a.jpg", &bytes).await.unwrap();
    let again = put(&*provider, "a.jpg", &bytes).await.unwrap();
    assert_eq!(again.version, first.version);
    assert_eq!(again.proof, Proof::ServerHash(Algorithm::DropboxHash));
    let other = put(&*provider, "A.JPG", &noise(2, 1000)).await.unwrap_err();
    assert_eq!(other.kind(), Kind::Exists);
    assert_eq!(first.modified, Some(Timestamp::from_parts(1_600_000_000, 0)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_got_lost_is_looked_after_before_anything_is_sent_again() {
    for fault in [Fault::LoseAnswer, Fault::Reset, Fault::status(500), Fault::status(503)] {
        for route in ["start_batch", APPEND, FINISH] {
            let account = Account::ordinary().await;
            let provider = account.open().await;
            let rule = Rule::next(fault.clone()).containing(route);
            account.sandbox.traffic().inject(rule);
            put_many(&*provider, 12).await;
            assert_eq!(files(&*provider).await.len(), 12, "{fault:?} at {route}");
            assert_eq!(account.sandbox.calls(START), 0, "{fault:?} at {route}: sent twice");
            assert!(account.sandbox.calls(APPEND) <= 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_that_are_gone_before_their_commit_are_a_reason_to_send_again() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    // The commit happens, its answer is lost, and somebody removes the file at once.
    account.sandbox.traffic().inject(Rule::next(Fault::LoseAnswer).containing(FINISH));
    account.sandbox.traffic().inject(
        Rule::next(Fault::Status {
            status: 409,
            retry_after: None,
            body: r#"{"error":{".tag":"path","path":{".tag":"not_found"}}}"#,
        })
        .containing("get_metadata"),
    );
    let error = put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap_err();
    let found = (error.kind(), error.retry_advice(), error.reach());
    assert_eq!(found, (Kind::Unavailable, Retry::Now, Scope::Item));
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_altered_on_the_way_are_sent_again() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    account.sandbox.traffic().inject(Rule::next(Fault::FlipSent(777)).containing(APPEND));
    let items = put_many(&*provider, 12).await;
    assert_eq!(account.sandbox.calls(APPEND), 2);
    assert_eq!(read(&*provider, "1/4.jpg").await.unwrap(), items[4]);
    // One by itself goes up to whoever may try it again.
    account.sandbox.traffic().inject(Rule::next(Fault::FlipSent(7)).containing(START));
    let error = put(&*provider, "one.jpg", &noise(1, 100)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (Kind::Corrupt, Retry::Now));
}

#[tokio::test(start_paused = true)]
async fn a_busy_account_is_tried_again_entry_by_entry() {
    let account = Account::behaving(|behaviour| {
        behaviour.when_locked = WhenLocked::Refuse;
        behaviour.commit_time = std::time::Duration::from_millis(400);
    })
    .await;
    let (one, two) = (account.open().await, account.open().await);
    let items: Vec<_> = (0..20).map(|n| noise(n, 100)).collect();
    let puts = items.iter().enumerate().map(|(n, item)| {
        let provider = if n % 2 == 0 { &*one } else { &*two };
        let path = format!("{n}.jpg");
        async move { put(provider, &path, item).await }
    });
    assert!(join_all(puts).await.iter().all(Result::is_ok));
    assert_eq!(files(&*one).await.len(), 20);
    assert!(account.sandbox.calls(APPEND) == 2, "no bytes were sent twice");
}

#[tokio::test(start_paused = true)]
async fn commits_of_one_destination_never_meet() {
    let account = Account::behaving(|behaviour| {
        behaviour.commit_time = std::time::Duration::from_millis(300);
    })
    .await;
    let provider = account.open().await;
    put_many(&*provider, 20).await;
    let moves = (0..10).map(|n| {
        let provider = &*provider;
        async move {
            let (from, to) = (format!("{}/{n}.jpg", n % 3), format!("moved/{n}.jpg"));
            provider.relocate(&key(&from), &key(&to), Relocate::Move, None).await
        }
    });
    let copies = (10..20).map(|n| {
        let provider = &*provider;
        async move {
            let (from, to) = (format!("{}/{n}.jpg", n % 3), format!("copied/{n}.jpg"));
            provider.relocate(&key(&from), &key(&to), Relocate::Copy, None).await
        }
    });
    let items: Vec<_> = (0..10).map(|n| noise(n + 50, 100)).collect();
    let puts = items.iter().enumerate().map(|(n, item)| {
        let provider = &*provider;
        async move { put(provider, &format!("more/{n}.jpg"), item).await }
    });
    let all = futures::future::join3(join_all(moves), join_all(copies), join_all(puts)).await;
    assert!(all.0.iter().chain(&all.1).chain(&all.2).all(Result::is_ok));
    assert_eq!(account.sandbox.counters().overlaps, 0);
    assert_eq!(files(&*provider).await.len(), 40);
}

#[tokio::test(start_paused = true)]
async fn replacing_names_the_revision() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let first = put(&*provider, "a.jpg", &noise(1, 100)).await.unwrap().version.unwrap();
    let mode = PutMode::Replace(first);
    put_as(&*provider, "a.jpg", &noise(2, 100), mode.clone()).await.unwrap();
    let stale = put_as(&*provider, "a.jpg", &noise(3, 100), mode).await.unwrap_err();
    assert_eq!((stale.kind(), stale.id().0), (Kind::Changed, "destination/foreign-version"));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_case_goes_by_way_of_another_name() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(1, 100);
    put(&*provider, "2024/img.jpg", &bytes).await.unwrap();
    let (from, to) = (key("2024/img.jpg"), key("2024/IMG.JPG"));
    provider.relocate(&from, &to, Relocate::Move, None).await.unwrap();
    let listed = files(&*provider).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].key, to);
    assert_eq!(read(&*provider, "2024/IMG.JPG").await.unwrap(), bytes);
    let same = provider.relocate(&to, &from, Relocate::Copy, None).await.unwrap_err();
    assert_eq!(same.kind(), Kind::Exists);
}

#[tokio::test(start_paused = true)]
async fn emoji_go_as_they_are_or_escaped_and_that_is_remembered() {
    let account = Account::behaving(|behaviour| behaviour.emoji_names = false).await;
    let provider = account.open().await;
    let bytes = noise(1, 100);
    let stored = put(&*provider, "📷/a 📷.jpg", &bytes).await.unwrap();
    assert_eq!(account.sandbox.calls(FINISH), 2);
    assert_eq!(read(&*provider, "📷/a 📷.jpg").await.unwrap(), bytes);
    let stated = provider.stat(&key("📷/a 📷.jpg")).await.unwrap().unwrap();
    assert_eq!(stated.version, stored.version);
    assert_eq!(files(&*provider).await[0].key, key("📷/a 📷.jpg"));
    drop(provider);
    // The next run knows.
    let provider = account.open().await;
    account.sandbox.forget();
    put(&*provider, "📷/b 📷.jpg", &noise(2, 100)).await.unwrap();
    assert_eq!(account.sandbox.calls(FINISH), 1);
    // What an earlier time took as it was is still found.
    account.sandbox.behave(|behaviour| behaviour.emoji_names = true).await.unwrap();
    let to = key("plain.jpg");
    provider.relocate(&key("📷/b 📷.jpg"), &to, Relocate::Move, None).await.unwrap();
    assert!(provider.stat(&to).await.unwrap().is_some());
}
