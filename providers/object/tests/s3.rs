//! What is special about S3, against a server that others wrote.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::{key, put, put_as, request, s3};
use futures::TryStreamExt;
use http::Method;
use safelight_core::body::Body;
use safelight_core::digest::Algorithm;
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::Kind;
use safelight_core::permit::{Disposal, Grounds, RemovalPermit};
use safelight_core::provider::{Proof, Provider, PutMode, PutRequest, Removed, Root};
use safelight_core::registry::Factory;
use safelight_core::time::{Clock, SystemClock, Timestamp};
use safelight_core::wrap::{RetryPolicy, wrapped};
use safelight_object::{OpenDalFactory, S3Factory};
use safelight_sandbox::{Fault, Rule, S3Sandbox};

const MIB: usize = 1024 * 1024;

async fn sandbox() -> (tempfile::TempDir, S3Sandbox, Arc<dyn Provider>) {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    let provider = s3(&sandbox).await;
    (folder, sandbox, provider)
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * i / 7 + i) % 251).unwrap()).collect()
}

#[tokio::test]
async fn a_small_item_is_one_request_with_proof() {
    let (_folder, sandbox, provider) = sandbox().await;
    let receipt = put(&*provider, "2024/a.jpg", b"picture").await.unwrap();
    assert_eq!(receipt.proof, Proof::ServerHash(Algorithm::Crc32c));
    let lines = sandbox.traffic().lines();
    // The other looks for what earlier runs left, once.
    assert_eq!(lines, ["GET /photos?uploads&prefix=lib/", "PUT /photos/lib/2024/a.jpg"]);
    let again = put(&*provider, "2024/a.jpg", b"another").await.unwrap_err();
    assert_eq!(again.kind(), Kind::Exists);
    assert_eq!(sandbox.traffic().total(), 3);
}

#[tokio::test]
async fn replacing_asks_for_exactly_one_version() {
    let (_folder, sandbox, provider) = sandbox().await;
    let first = put(&*provider, "a.jpg", b"one").await.unwrap().version.unwrap();
    let mode = PutMode::Replace(first.clone());
    let second = put_as(&*provider, "a.jpg", b"two", mode.clone()).await.unwrap();
    assert_ne!(second.version, Some(first));
    let stale = put_as(&*provider, "a.jpg", b"three", mode).await.unwrap_err();
    assert_eq!(stale.kind(), Kind::Changed);
    assert_eq!(sandbox.traffic().count(&Method::PUT), 3);
    assert_eq!(sandbox.traffic().total(), 4);
}

#[tokio::test]
async fn a_large_item_goes_in_parts_each_of_them_proven() {
    let (_folder, sandbox, provider) = sandbox().await;
    let bytes = noise(19 * MIB);
    let receipt = put(&*provider, "film.mov", &bytes).await.unwrap();
    // That server answers parts with their MD5 instead of the checksum.
    assert_eq!(receipt.proof, Proof::ServerHash(Algorithm::Md5));
    assert_eq!(sandbox.traffic().count(&Method::PUT), 3);
    assert_eq!(sandbox.traffic().count(&Method::POST), 2);
    assert!(receipt.version.unwrap().0.ends_with("-3"));
    let opened = provider.read(&key("film.mov"), None, None).await.unwrap();
    let read: Vec<Bytes> = opened.bytes.try_collect().await.unwrap();
    assert!(read.concat() == bytes);
}

#[tokio::test]
async fn digest_and_time_go_along_as_metadata() {
    let (_folder, _sandbox, provider) = sandbox().await;
    let time = Timestamp::from_nanos(1_700_000_000_123_456_789);
    let request = PutRequest { modified: Some(time), ..request("a.jpg", 7, PutMode::Create) };
    let bytes = Bytes::from_static(b"picture");
    let digests = common::digests(&*provider, &bytes);
    provider.put(request, Body::whole(bytes, digests)).await.unwrap();
    let entry = provider.stat(&key("a.jpg")).await.unwrap().unwrap();
    assert_eq!(entry.modified, Some(time));
    // Our own claim is not the service's report.
    assert_eq!(entry.digests.sha256, None);
}

#[tokio::test]
async fn an_upload_that_fails_is_aborted() {
    let (_folder, sandbox, provider) = sandbox().await;
    let refuse = Rule::next(Fault::status(500)).method(Method::PUT).containing("partNumber=2");
    sandbox.traffic().inject(refuse.times(9));
    let error = put(&*provider, "film.mov", &noise(19 * MIB)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(sandbox.traffic().count(&Method::DELETE), 1);
    assert_eq!(provider.stat(&key("film.mov")).await.unwrap(), None);
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_aborted_by_the_next_check() {
    let (_folder, sandbox, provider) = sandbox().await;
    let length = 40 * MIB;
    let (sender, body) = Body::stream(length as u64, 1);
    let mut storing = provider.put(request("film.mov", length, PutMode::Create), body);
    for chunk in noise(30 * MIB).chunks(MIB) {
        let sent = Box::pin(sender.send(Ok(Bytes::copy_from_slice(chunk))));
        match futures::future::select(storing, sent).await {
            futures::future::Either::Left(_) => panic!("it ended too early"),
            futures::future::Either::Right((sent, going_on)) => {
                sent.unwrap();
                storing = going_on;
            }
        }
    }
    drop(storing);
    assert_eq!(sandbox.traffic().count(&Method::DELETE), 0);
    provider.check().await.unwrap();
    assert_eq!(sandbox.traffic().count(&Method::DELETE), 1);
}

#[tokio::test]
async fn check_tells_new_from_ready_and_lists_only_where_there_is_no_marker() {
    let (_folder, sandbox, provider) = sandbox().await;
    assert_eq!(provider.check().await.unwrap().root, Root::New);
    assert_eq!(sandbox.traffic().total(), 2);
    put(&*provider, "theirs.jpg", b"picture").await.unwrap();
    assert_eq!(provider.check().await.unwrap().root, Root::Ready);
    put(&*provider, ".safelight/marker", b"{}").await.unwrap();
    sandbox.traffic().forget();
    assert_eq!(provider.check().await.unwrap().root, Root::Ready);
    assert_eq!(sandbox.traffic().lines(), ["HEAD /photos/lib/.safelight/marker"]);
}

#[tokio::test]
async fn the_data_survives_a_restart_of_the_server() {
    let (folder, first, provider) = sandbox().await;
    put(&*provider, "2024/a.jpg", b"picture").await.unwrap();
    first.stop().await;
    let gone = provider.check().await.unwrap_err();
    assert_eq!(gone.kind(), Kind::Unavailable);
    let second = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    let entry = s3(&second).await.stat(&key("2024/a.jpg")).await.unwrap().unwrap();
    assert_eq!(entry.size, 7);
}

#[tokio::test]
async fn foreign_objects_do_not_break_the_listing() {
    let (folder, _sandbox, provider) = sandbox().await;
    put(&*provider, " a\n.jpg", b"odd").await.unwrap();
    let root = folder.path().join("photos/lib");
    std::fs::create_dir_all(root.join("empty/deep")).unwrap();
    std::fs::write(root.join(" theirs.jpg"), b"blank in front").unwrap();
    std::fs::write(folder.path().join("photos/outside.jpg"), b"not below the root").unwrap();
    let pages: Vec<_> = provider.list(Scope::default()).try_collect().await.unwrap();
    let found: Vec<_> = pages.iter().flat_map(|page| &page.entries).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .any(|found| matches!(found, Listed::File(entry) if entry.key == key(" a\n.jpg")))
    );
    assert!(found.iter().any(
        |found| matches!(found, Listed::Passed { key, .. } if *key == common::key(" theirs.jpg"))
    ));
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_an_error() {
    let (_folder, sandbox, provider) = sandbox().await;
    put(&*provider, "a.jpg", &noise(100_000)).await.unwrap();
    sandbox.traffic().inject(Rule::next(Fault::CutBody(50_000)).method(Method::GET));
    // The line may break before the head of the answer gets through, or after.
    let read = async {
        let opened = provider.read(&key("a.jpg"), None, None).await?;
        opened.bytes.try_collect::<Vec<_>>().await
    };
    assert_eq!(read.await.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn after_slow_down_half_as_many_reads_run_at_once() {
    let (_folder, sandbox, provider) = sandbox().await;
    put(&*provider, "a.jpg", b"picture").await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let policy = RetryPolicy { first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
    let provider = wrapped(provider, &clock, policy, None);
    assert_eq!(provider.reads_at_once(), 32);
    let body = "<Error><Code>SlowDown</Code></Error>";
    let refusal = Fault::Status { status: 503, retry_after: None, body };
    sandbox.traffic().inject(Rule::next(refusal).method(Method::GET));
    assert!(provider.read(&key("a.jpg"), None, None).await.is_ok());
    assert_eq!(provider.reads_at_once(), 16);
}

#[tokio::test]
async fn a_lost_answer_is_found_out_by_the_next_put() {
    let (_folder, sandbox, provider) = sandbox().await;
    sandbox.traffic().inject(Rule::next(Fault::LoseAnswer).method(Method::PUT));
    let lost = put(&*provider, "a.jpg", b"picture").await.unwrap_err();
    assert_eq!(lost.kind(), Kind::Unavailable);
    assert_eq!(put(&*provider, "a.jpg", b"picture").await.unwrap_err().kind(), Kind::Exists);
}

#[tokio::test]
async fn the_trash_is_filled_by_copy_then_delete() {
    let (_folder, sandbox, provider) = sandbox().await;
    let receipt = put(&*provider, "a.jpg", b"picture").await.unwrap();
    let clock = SystemClock::start();
    let kept = key(".safelight/trash/a.jpg");
    let grounds = Grounds::DeletedFromLibrary { noticed: Timestamp::default() };
    let disposal = Disposal::Trash(kept.clone());
    let permit = RemovalPermit::grant(key("a.jpg"), receipt.version, disposal, grounds, &clock);
    sandbox.traffic().forget();
    assert_eq!(provider.remove(permit.unwrap()).await.unwrap(), Removed::Kept(kept.clone()));
    let lines = sandbox.traffic().lines();
    assert_eq!(lines.last().unwrap(), "DELETE /photos/lib/a.jpg");
    assert_eq!(provider.stat(&kept).await.unwrap().unwrap().size, 7);
}

#[tokio::test]
async fn without_conditions_it_is_looked_first_and_without_checksums_the_etag_proves() {
    let (_folder, sandbox, _) = sandbox().await;
    let settings = common::s3_settings(&sandbox)
        .with_text("conditional_writes", "false")
        .with_text("checksum", "none");
    let context = common::context(Arc::new(SystemClock::start()));
    let provider = S3Factory.open(settings, context).await.unwrap();
    let receipt = put(&*provider, "a.jpg", b"picture").await.unwrap();
    // Its etags are as good as a checksum.
    assert_eq!(receipt.proof, Proof::ServerHash(Algorithm::Md5));
    assert_eq!(put(&*provider, "a.jpg", b"picture").await.unwrap_err().kind(), Kind::Exists);
    assert_eq!(sandbox.traffic().count(&Method::PUT), 1);
    let film = put(&*provider, "film.mov", &noise(19 * MIB)).await.unwrap();
    assert_eq!(film.proof, Proof::ServerHash(Algorithm::Md5));
}

#[tokio::test]
async fn settings_are_asked_for_by_name() {
    let (_folder, sandbox, _) = sandbox().await;
    let context = || common::context(Arc::new(SystemClock::start()));
    let bare = safelight_core::registry::Settings::new("cloud").with_text("bucket", "photos");
    let error = S3Factory.open(bare, context()).await.err().unwrap();
    assert_eq!((error.kind(), error.id().0), (Kind::SignIn, "auth/secret-missing"));
    let unknown = common::s3_settings(&sandbox).with_text("service", "gopher");
    let error = OpenDalFactory.open(unknown, context()).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Unsupported);
    let wrong = common::s3_settings(&sandbox).with_text("virtual_host", "perhaps");
    assert!(S3Factory.open(wrong, context()).await.is_err());
    let wrong = common::s3_settings(&sandbox).with_text("checksum", "crc64");
    assert!(S3Factory.open(wrong, context()).await.is_err());
}
