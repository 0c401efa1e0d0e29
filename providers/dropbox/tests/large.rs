//! Large items: blocks, lost answers, going on after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Account, digests, key, noise, put, read, request, stream};
use futures::future::{Either, select};
use safelight_core::body::Body;
use safelight_core::digest::Algorithm;
use safelight_core::error::Kind;
use safelight_core::provider::{Proof, Provider, PutMode, PutRequest};
use safelight_core::time::Clock as _;
use safelight_sandbox::{Fault, Rule};

const MIB: usize = 1 << 20;
const APPEND: &str = "files/upload_session/append_v2";
const START: &str = "files/upload_session/start";

/// Streams `bytes` with known digests, as the engine does for what it has read before.
async fn known(provider: &dyn Provider, bytes: &Bytes) -> safelight_core::error::Result<Proof> {
    let request = PutRequest {
        digests: digests(provider, bytes),
        ..request("film.mov", bytes.len(), PutMode::Create)
    };
    let body = Body::whole(bytes.clone(), request.digests);
    Ok(provider.put(request, body).await?.proof)
}

#[tokio::test(start_paused = true)]
async fn medium_items_go_in_one_request() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(1, 9 * MIB + 5);
    let receipt = stream(&*provider, "raw.cr3", &bytes).await.unwrap();
    assert_eq!(receipt.proof, Proof::ServerHash(Algorithm::DropboxHash));
    assert_eq!((account.sandbox.calls(START), account.calls()), (1, 2));
    assert_eq!(read(&*provider, "raw.cr3").await.unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn large_items_go_in_blocks_whatever_their_length() {
    for (length, calls) in [(16 * MIB + 1, 3), (24 * MIB, 3), (29 * MIB + 7, 4)] {
        let account = Account::ordinary().await;
        let provider = account.open().await;
        let bytes = noise(length, length);
        let receipt = stream(&*provider, "film.mov", &bytes).await.unwrap();
        assert_eq!(receipt.proof, Proof::ServerHash(Algorithm::DropboxHash));
        assert_eq!(account.sandbox.calls(APPEND), calls);
        assert_eq!(account.sandbox.counters().uploads_without_content_hash, 0);
        assert_eq!(read(&*provider, "film.mov").await.unwrap(), bytes);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_not_sent() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(1, 20 * MIB);
    stream(&*provider, "film.mov", &bytes).await.unwrap();
    account.sandbox.forget();
    assert_eq!(known(&*provider, &bytes).await.unwrap(), Proof::ServerHash(Algorithm::DropboxHash));
    assert_eq!(account.calls(), 1);
    let other = known(&*provider, &noise(2, 20 * MIB)).await.unwrap_err();
    assert_eq!(other.kind(), Kind::Exists);
    assert_eq!(account.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn blocks_whose_answer_got_lost_do_not_spoil_the_item() {
    for skipped in 0..3 {
        for fault in [Fault::LoseAnswer, Fault::Reset, Fault::status(500)] {
            let account = Account::ordinary().await;
            let provider = account.open().await;
            let rule = Rule::next(fault.clone()).containing(APPEND).after(skipped);
            account.sandbox.traffic().inject(rule);
            let bytes = noise(1, 20 * MIB);
            let receipt = stream(&*provider, "film.mov", &bytes).await;
            assert!(receipt.is_ok(), "{fault:?} after {skipped}: {receipt:?}");
            assert_eq!(read(&*provider, "film.mov").await.unwrap(), bytes);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_failed_goes_on_after_a_restart() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(1, 60 * MIB);
    let refuse = Rule::next(Fault::status(500)).containing(APPEND).after(4).times(1000);
    account.sandbox.traffic().inject(refuse);
    let error = stream(&*provider, "film.mov", &bytes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(provider.stat(&key("film.mov")).await.unwrap().is_none());
    drop(provider);
    account.sandbox.traffic().heal();
    account.sandbox.forget();
    let provider = account.open().await;
    stream(&*provider, "film.mov", &bytes).await.unwrap();
    assert_eq!(account.sandbox.calls(START), 0);
    assert_eq!(account.sandbox.calls(APPEND), 2, "of six calls four were made before");
    assert_eq!(read(&*provider, "film.mov").await.unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_was_cut_off_goes_on_where_it_was_noted() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(1, 40 * MIB);
    let (sender, body) = Body::stream(bytes.len() as u64, 1);
    let storing = provider.put(request("film.mov", bytes.len(), PutMode::Create), body);
    let feed = async {
        for start in (0..33 * MIB).step_by(MIB) {
            sender.send(Ok(bytes.slice(start..start + MIB))).await.unwrap();
        }
        while account.sandbox.calls(APPEND) < 2 {
            account.clock.sleep(Duration::from_secs(1)).await;
        }
        // Long enough for a note.
        account.clock.sleep(Duration::from_secs(10)).await;
        sender.send(Ok(bytes.slice(33 * MIB..34 * MIB))).await.unwrap();
    };
    match select(storing, Box::pin(feed)).await {
        Either::Left((ended, _)) => panic!("it ended too early: {ended:?}"),
        Either::Right(((), storing)) => drop(storing),
    }
    drop((provider, sender));
    account.sandbox.forget();
    let provider = account.open().await;
    stream(&*provider, "film.mov", &bytes).await.unwrap();
    assert_eq!(read(&*provider, "film.mov").await.unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn other_bytes_do_not_go_on_with_an_old_upload() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let refuse = Rule::next(Fault::status(500)).containing(APPEND).after(2).times(1000);
    account.sandbox.traffic().inject(refuse);
    stream(&*provider, "film.mov", &noise(1, 40 * MIB)).await.unwrap_err();
    account.sandbox.traffic().heal();
    let other = noise(2, 40 * MIB);
    let error = stream(&*provider, "film.mov", &other).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    stream(&*provider, "film.mov", &other).await.unwrap();
    assert_eq!(read(&*provider, "film.mov").await.unwrap(), other);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_expired_is_begun_anew() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let bytes = noise(1, 40 * MIB);
    let refuse = Rule::next(Fault::status(500)).containing(APPEND).after(2).times(1000);
    account.sandbox.traffic().inject(refuse);
    stream(&*provider, "film.mov", &bytes).await.unwrap_err();
    account.sandbox.traffic().heal();
    account.clock.sleep(Duration::ZERO).await;
    // Another service without that session, as after its end.
    let other = Account::ordinary().await;
    let other = Account { notebook: account.notebook.clone(), ..other };
    let provider = other.open().await;
    let error = stream(&*provider, "film.mov", &bytes).await.unwrap_err();
    assert_eq!(error.retry_advice(), safelight_core::error::Retry::Now);
    stream(&*provider, "film.mov", &bytes).await.unwrap();
    assert_eq!(read(&*provider, "film.mov").await.unwrap(), bytes);
    put(&*provider, "b.jpg", &noise(1, 5)).await.unwrap();
}
