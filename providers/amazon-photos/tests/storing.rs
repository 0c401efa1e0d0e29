//! Storing and removing where the service keeps equal bytes once, answers wrongly, or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Account, ROOT, digests, files, key, keys, noise, photo, put, put_as, read, stream};
use common::{request, stream_of, trash};
use futures::future::join_all;
use http::Method;
use safelight_core::body::Body;
use safelight_core::digest::{Algorithm, Digests};
use safelight_core::entry::Scope;
use safelight_core::error::Kind;
use safelight_core::notebook::Loose;
use safelight_core::permit::{Disposal, Grounds, RemovalPermit};
use safelight_core::provider::{Proof, PutMode, Removed};
use safelight_core::wrap::{RetryPolicy, Retrying};
use safelight_sandbox::{Fault, Rule};
use tokio::time::timeout;

const PROVEN: Proof = Proof::ServerHash(Algorithm::Md5);

#[tokio::test(start_paused = true)]
async fn equal_bytes_are_one_node_under_many_keys_also_after_a_new_start() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = photo(1, 3000);
    let first = put(&*provider, "2024/a.jpg", &bytes).await.unwrap();
    let second = put(&*provider, "2025/b.jpg", &bytes).await.unwrap();
    assert_eq!((second.proof, &second.remote_id), (PROVEN, &first.remote_id));
    assert_eq!(account.sandbox.counters().stored, 1);
    let provider = account.open().await;
    assert_eq!(keys(&*provider).await, ["2024/a.jpg", "2025/b.jpg"]);
    assert_eq!(read(&*provider, "2025/b.jpg").await.unwrap(), bytes);
    let entry = provider.stat(&key("2025/b.jpg")).await.unwrap().unwrap();
    assert_eq!((entry.version, entry.remote_id), (second.version, second.remote_id));
}

#[tokio::test(start_paused = true)]
async fn a_node_goes_with_the_last_of_its_keys() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = photo(2, 3000);
    for path in ["a.jpg", "x/b.jpg", "x/c.jpg"] {
        put(&*provider, path, &bytes).await.unwrap();
    }
    for (path, left) in [("a.jpg", vec!["x/b.jpg", "x/c.jpg"]), ("x/c.jpg", vec!["x/b.jpg"])] {
        let removed = trash(&account, &*provider, path, None).await.unwrap();
        assert_eq!(removed, Removed::Trashed { until: None });
        assert_eq!(keys(&*provider).await, left);
        assert!(provider.stat(&key(path)).await.unwrap().is_none());
        assert_eq!(account.calls("PATCH trash"), 0);
        assert_eq!(read(&*provider, "x/b.jpg").await.unwrap(), bytes);
    }
    // The name that was left is still taken there; another item can have the key all the same.
    let other = photo(3, 1000);
    put(&*provider, "a.jpg", &other).await.unwrap();
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), other);
    assert_eq!(keys(&*account.open().await).await, ["a.jpg", "x/b.jpg"]);

    let removed = trash(&account, &*provider, "x/b.jpg", None).await.unwrap();
    assert!(matches!(removed, Removed::Trashed { until: Some(_) }));
    assert_eq!(account.calls("PATCH trash"), 1);
    assert_eq!(keys(&*account.open().await).await, ["a.jpg"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_removed_once_the_notes_on_shared_bytes_are_lost() {
    let mut account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = photo(4, 100);
    put(&*provider, "a.jpg", &bytes).await.unwrap();
    put(&*provider, "b.jpg", &bytes).await.unwrap();
    account.notebook = Arc::new(Loose::default());
    let provider = account.open().await;
    let error = trash(&account, &*provider, "a.jpg", None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    // Storing it again finds it again.
    put(&*provider, "b.jpg", &bytes).await.unwrap();
    assert_eq!(keys(&*provider).await, ["a.jpg", "b.jpg"]);
    assert!(trash(&account, &*provider, "a.jpg", None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_replacement_has_the_name_in_the_end_and_the_old_version_is_in_the_trash() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let (old, new) = (photo(5, 2000), photo(6, 2000));
    let first = put(&*provider, "a.jpg", &old).await.unwrap();
    let mode = PutMode::Replace(first.version.clone().unwrap());
    let second = put_as(&*provider, "a.jpg", &new, mode).await.unwrap();
    assert_ne!(first.remote_id, second.remote_id);
    assert!(account.folder.path().join("files").join(ROOT).join("a.jpg").is_file());
    // And back: the bytes come out of the trash instead of being sent again.
    let sent = account.sandbox.counters().stored;
    let mode = PutMode::Replace(second.version.unwrap());
    let third = put_as(&*provider, "a.jpg", &old, mode).await.unwrap();
    assert_eq!(third.remote_id, first.remote_id);
    assert_eq!(account.sandbox.counters().stored, sent);
    let provider = account.open().await;
    assert_eq!(keys(&*provider).await, ["a.jpg"]);
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), old);
}

#[tokio::test(start_paused = true)]
async fn replacing_one_of_two_equal_items_leaves_the_other() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let (bytes, new) = (photo(7, 900), photo(8, 900));
    let first = put(&*provider, "a.jpg", &bytes).await.unwrap();
    put(&*provider, "b.jpg", &bytes).await.unwrap();
    let mode = PutMode::Replace(first.version.unwrap());
    put_as(&*provider, "a.jpg", &new, mode).await.unwrap();
    let provider = account.open().await;
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), new);
    assert_eq!(read(&*provider, "b.jpg").await.unwrap(), bytes);
    assert_eq!(keys(&*provider).await, ["a.jpg", "b.jpg"]);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_cannot_retire_the_old_version_changes_nothing() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let (old, new) = (photo(9, 900), photo(10, 900));
    let first = put(&*provider, "a.jpg", &old).await.unwrap();
    let refuse = Rule::next(Fault::status(500)).method(Method::PATCH).containing("/trash");
    account.sandbox.traffic().inject(refuse.times(9));
    let mode = PutMode::Replace(first.version.clone().unwrap());
    put_as(&*provider, "a.jpg", &new, mode.clone()).await.unwrap_err();
    let entry = provider.stat(&key("a.jpg")).await.unwrap().unwrap();
    assert_eq!(entry.version, first.version);
    account.sandbox.traffic().heal();
    put_as(&*provider, "a.jpg", &new, mode).await.unwrap();
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), new);
    assert_eq!(keys(&*provider).await, ["a.jpg"]);
    assert_eq!(account.sandbox.counters().stored, 2);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_somebody_trashed_is_made_anew() {
    let account = Account::ordinary().await;
    let inner = account.open().await;
    let provider = Retrying::new(inner, account.clock.clone(), RetryPolicy::default());
    put(&provider, "2024/a.jpg", &photo(70, 100)).await.unwrap();
    let gone = Fault::Status {
        status: 400,
        retry_after: None,
        body: r#"{"errorCode": "ParentNodeInTrash", "message": "x"}"#,
    };
    account.sandbox.traffic().inject(Rule::next(gone).containing("v2/upload"));
    account.sandbox.forget();
    put(&provider, "2024/b.jpg", &photo(71, 100)).await.unwrap();
    // What leads there was looked for again.
    assert!(account.calls("GET nodes") >= 2);
    assert_eq!(keys(&provider).await, ["2024/a.jpg", "2024/b.jpg"]);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_is_dropped_leaves_the_old_or_the_new_and_is_done_in_the_end() {
    let account = Account::ordinary().await;
    let mut seed = 0;
    for fault in [Fault::Stall, Fault::Withhold] {
        let mut calls = 0;
        while dropped_in_a_replacement(&account, calls, fault.clone(), seed).await {
            (calls, seed) = (calls + 1, seed + 1);
            assert!(calls < 50, "it does not come to its end");
        }
        assert!(calls >= 3, "only {calls} calls were tried");
        seed += 1;
    }
}

/// Replaces a photo, lets `calls` calls pass, drops the replacement at the next one, and looks what is there; whether
/// there was such a call.
async fn dropped_in_a_replacement(
    account: &Account,
    calls: u64,
    fault: Fault,
    seed: usize,
) -> bool {
    let provider = account.open().await;
    let path = format!("{fault:?}-{calls}/a.jpg");
    let (old, new) = (photo(1000 + seed, 900), photo(2000 + seed, 900));
    let first = put(&*provider, &path, &old).await.unwrap();
    account.sandbox.traffic().inject(Rule::next(fault).after(calls));
    let mode = PutMode::Replace(first.version.unwrap());
    let replacing = put_as(&*provider, &path, &new, mode);
    let done = matches!(timeout(Duration::from_hours(1), replacing).await, Ok(Ok(_)));
    account.sandbox.traffic().heal();

    // As after a new start.
    let provider = account.open().await;
    let there = read(&*provider, &path).await.unwrap();
    assert!(there == new || (there == old && !done), "dropped at {path}");
    if there == old {
        let version = provider.stat(&key(&path)).await.unwrap().unwrap().version.unwrap();
        put_as(&*provider, &path, &new, PutMode::Replace(version)).await.unwrap();
    }
    assert_eq!(read(&*provider, &path).await.unwrap(), new);
    let folder = path.split('/').next().unwrap();
    let below = Scope { below: Some(key(folder)), ..Scope::default() };
    let listed = common::list(&*provider, below).await.unwrap();
    assert_eq!(listed.len(), 1, "dropped at {path}: {listed:?}");
    !done
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_somebody_elses_are_used_and_never_trashed() {
    let account = Account::ordinary().await;
    let phone = account.open_with(account.settings().with_text("root", "Pictures/Phone")).await;
    let bytes = photo(60, 900);
    let there = put(&*phone, "IMG_1.jpg", &bytes).await.unwrap();
    let provider = account.open().await;
    let receipt = put(&*provider, "2024/a.jpg", &bytes).await.unwrap();
    assert_eq!(receipt.remote_id, there.remote_id);
    assert_eq!(read(&*provider, "2024/a.jpg").await.unwrap(), bytes);
    trash(&account, &*provider, "2024/a.jpg", receipt.version).await.unwrap();
    assert_eq!(account.calls("PATCH trash"), 0);
    assert!(keys(&*provider).await.is_empty());
    assert_eq!(read(&*phone, "IMG_1.jpg").await.unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn bytes_in_the_trash_are_brought_back_instead_of_being_relied_on() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = photo(61, 900);
    put(&*provider, "a.jpg", &bytes).await.unwrap();
    trash(&account, &*provider, "a.jpg", None).await.unwrap();
    let provider = account.open().await;
    put(&*provider, "b.jpg", &bytes).await.unwrap();
    assert_eq!(account.sandbox.counters().stored, 1);
    assert_eq!(keys(&*account.open().await).await, ["b.jpg"]);
    assert_eq!(read(&*provider, "b.jpg").await.unwrap(), bytes);
    assert!(provider.stat(&key("a.jpg")).await.unwrap().is_none());
    // It is there for `b.jpg` only, so it goes with it.
    trash(&account, &*provider, "b.jpg", None).await.unwrap();
    assert_eq!(account.calls("PATCH trash"), 3);
    assert!(keys(&*account.open().await).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn racing_workers_make_each_folder_once() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let items: Vec<_> =
        (0..24).map(|n| (format!("a/b/c{}/{n}.jpg", n % 3), photo(n, 50))).collect();
    let puts = items.iter().map(|(path, bytes)| put(&*provider, path, bytes));
    assert!(join_all(puts).await.into_iter().all(|done| done.is_ok()));
    // `Pictures` is there from the start.
    assert_eq!(account.calls("POST nodes"), 1 + 2 + 3);
    // Somebody else's folder is used.
    let other = account.open().await;
    put(&*other, "a/b/new.jpg", &photo(99, 50)).await.unwrap();
    assert_eq!(account.calls("POST nodes"), 6);
}

#[tokio::test(start_paused = true)]
async fn large_items_are_streamed_by_the_route_that_their_digest_allows() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(11, 12 << 20);
    let receipt = stream(&*provider, "a.mov", &bytes).await.unwrap();
    assert_eq!(receipt.proof, PROVEN);
    assert_eq!((account.calls("POST cdproxy/nodes"), account.calls("POST v2/upload")), (1, 0));
    // With the digest known ahead, the service compares it.
    let bytes = noise(12, 12 << 20);
    let (sender, body) = Body::stream(bytes.len() as u64, 2);
    let known = digests(&*provider, &bytes);
    let mut asked = request("b.mov", bytes.len(), PutMode::Create);
    asked.digests = known;
    let feed = async {
        sender.send(Ok(bytes.clone())).await.unwrap();
        sender.finish(known);
    };
    let (receipt, ()) = futures::future::join(provider.put(asked, body), feed).await;
    assert_eq!(receipt.unwrap().proof, PROVEN);
    assert_eq!(account.calls("POST v2/upload"), 1);
    assert_eq!(read(&*provider, "b.mov").await.unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn a_stream_unlike_its_digest_is_never_sent_whole() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(13, 10 << 20);
    let wrong: Digests = digests(&*provider, b"other");
    let error = stream_of(&*provider, "a.mov", &bytes, wrong).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert_eq!(account.sandbox.counters().stored, 0);
}

#[tokio::test(start_paused = true)]
async fn where_the_current_route_is_unknown_the_older_one_serves() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let unknown = Fault::Status { status: 404, retry_after: None, body: "<Unknown/>" };
    account.sandbox.traffic().inject(Rule::next(unknown).containing("v2/upload"));
    for n in 0..3 {
        let receipt = put(&*provider, &format!("{n}.jpg"), &photo(20 + n, 500)).await.unwrap();
        assert_eq!(receipt.proof, PROVEN);
    }
    assert_eq!(account.calls("POST cdproxy/nodes"), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_is_looked_for_before_anything_is_sent_again() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    put(&*provider, "first.jpg", &photo(30, 10)).await.unwrap();
    account.sandbox.forget();
    for fault in [Fault::LoseAnswer, Fault::CutBody(20)] {
        account.sandbox.traffic().inject(Rule::next(fault).containing("v2/upload"));
    }
    for n in 1..3 {
        let receipt = put(&*provider, &format!("{n}.jpg"), &photo(30 + n, 900)).await.unwrap();
        assert_eq!(receipt.proof, PROVEN);
    }
    assert_eq!((account.uploads(), files(&*provider).await.len()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_damaged_is_told_and_no_link_sees_a_credential() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = photo(41, 4000);
    put(&*provider, "a.jpg", &bytes).await.unwrap();
    let corrupt = Rule::next(Fault::FlipBody(100)).containing("/signed/");
    account.sandbox.traffic().inject(corrupt);
    assert_eq!(read(&*provider, "a.jpg").await.unwrap_err().kind(), Kind::Corrupt);
    let cut = Rule::next(Fault::CutBody(100)).containing("/signed/");
    account.sandbox.traffic().inject(cut);
    assert!(read(&*provider, "a.jpg").await.is_err());
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), bytes);
    assert_eq!(account.sandbox.counters().credentials_on_signed_links, 0);
}

#[tokio::test(start_paused = true)]
async fn removals_go_many_in_a_call_and_only_our_own_folder_is_purged() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let paths: Vec<_> = (0..60).map(|n| format!("{n}.jpg")).collect();
    for (n, path) in paths.iter().enumerate() {
        put(&*provider, path, &photo(100 + n, 30)).await.unwrap();
    }
    let removals = paths.iter().map(|path| trash(&account, &*provider, path, None));
    for removed in join_all(removals).await {
        assert!(matches!(removed.unwrap(), Removed::Trashed { until: Some(_) }));
    }
    assert!(account.calls("PATCH trash") <= 20, "{} calls", account.calls("PATCH trash"));
    assert!(keys(&*provider).await.is_empty());
    let probe = ".safelight/probe/x";
    put(&*provider, probe, &noise(500, 30)).await.unwrap();
    let grounds = Grounds::OwnProbe;
    let clock = &*account.clock;
    let permit = RemovalPermit::grant(key(probe), None, Disposal::Purge, grounds, clock).unwrap();
    assert_eq!(provider.remove(permit).await.unwrap(), Removed::Gone);
    assert_eq!(account.calls("POST bulk/nodes/purge"), 1);
}
