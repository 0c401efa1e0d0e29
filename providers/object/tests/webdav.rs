//! What is special about WebDAV, against a server that others wrote.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use common::{key, put, put_as, request, webdav};
use http::Method;
use safelight_core::body::Body;
use safelight_core::digest::Digests;
use safelight_core::error::Kind;
use safelight_core::provider::{Proof, Provider, PutMode, Root};
use safelight_core::registry::{Factory, Settings};
use safelight_core::time::SystemClock;
use safelight_object::OpenDalFactory;
use safelight_sandbox::{Fault, Loopback, Rule, Traffic};

struct Nas {
    folder: tempfile::TempDir,
    server: Loopback,
    traffic: Traffic,
    provider: Arc<dyn Provider>,
}

async fn nas() -> Nas {
    let folder = tempfile::tempdir().unwrap();
    let (server, traffic) = common::dav(folder.path()).await;
    let context = common::context(Arc::new(SystemClock::start()));
    let provider = webdav(&server.url(), context).await;
    Nas { folder, server, traffic, provider }
}

impl Nas {
    fn temporary(&self) -> usize {
        let folder = self.folder.path().join("backup/lib/.safelight/tmp");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

fn mv() -> Method {
    Method::from_bytes(b"MOVE").unwrap()
}

#[tokio::test]
async fn items_arrive_under_a_temporary_name_and_are_moved() {
    let nas = nas().await;
    assert_eq!(nas.provider.check().await.unwrap().root, Root::New);
    let receipt = put(&*nas.provider, "2024/a.jpg", b"picture").await.unwrap();
    assert_eq!(receipt.proof, Proof::ReadBack);
    let lines = nas.traffic.lines();
    let stored = lines.iter().find(|line| line.starts_with("PUT")).unwrap();
    assert!(stored.starts_with("PUT /backup/lib/.safelight/tmp/"), "{stored}");
    assert_eq!(std::fs::read(nas.folder.path().join("backup/lib/2024/a.jpg")).unwrap(), b"picture");
    assert_eq!(nas.temporary(), 0);
    assert_eq!(nas.provider.check().await.unwrap().root, Root::Ready);
}

#[tokio::test]
async fn what_comes_back_otherwise_than_it_was_sent_is_no_copy() {
    let nas = nas().await;
    nas.traffic.inject(Rule::next(Fault::CutBody(3)).method(Method::GET).containing("/tmp/"));
    let error = put(&*nas.provider, "a.jpg", b"picture").await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Corrupt | Kind::Unavailable), "{error:?}");
    assert_eq!(nas.temporary(), 0);
    assert_eq!(nas.provider.stat(&key("a.jpg")).await.unwrap(), None);
}

#[tokio::test]
async fn a_create_that_meets_another_at_the_last_moment_gives_way() {
    let nas = nas().await;
    let file = nas.folder.path().join("backup/lib/a.jpg");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let (sender, body) = Body::stream(7, 1);
    let storing = nas.provider.put(request("a.jpg", 7, PutMode::Create), body);
    let feeding = async {
        sender.send(Ok(bytes::Bytes::from_static(b"picture"))).await.unwrap();
        sender.finish(Digests::default());
    };
    // The look finds nothing, since it is answered before the other one writes.
    nas.traffic.inject(Rule::next(Fault::status(404)).containing("/backup/lib/a.jpg"));
    std::fs::write(&file, b"theirs").unwrap();
    let (stored, ()) = futures::future::join(storing, feeding).await;
    assert_eq!(stored.unwrap_err().kind(), Kind::Exists);
    assert_eq!(std::fs::read(&file).unwrap(), b"theirs");
    assert_eq!(nas.temporary(), 0);
}

#[tokio::test]
async fn what_a_failed_move_leaves_is_cleared_away() {
    let nas = nas().await;
    nas.traffic.inject(Rule::next(Fault::status(507)).method(mv()));
    let error = put(&*nas.provider, "a.jpg", b"picture").await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoRoom);
    assert_eq!(nas.temporary(), 0);
    assert_eq!(nas.provider.stat(&key("a.jpg")).await.unwrap(), None);
}

#[tokio::test]
async fn another_version_is_not_replaced() {
    let nas = nas().await;
    let first = put(&*nas.provider, "a.jpg", b"one").await.unwrap().version.unwrap();
    let mode = PutMode::Replace(first);
    put_as(&*nas.provider, "a.jpg", b"longer", mode.clone()).await.unwrap();
    let stale = put_as(&*nas.provider, "a.jpg", b"three", mode).await.unwrap_err();
    assert_eq!((stale.kind(), stale.id().0), (Kind::Changed, "destination/foreign-version"));
}

#[tokio::test]
async fn what_does_not_fit_in_one_piece_is_refused_before_anything_is_sent() {
    let nas = nas().await;
    let settings = Settings::new("nas")
        .with_text("service", "webdav")
        .with_text("endpoint", nas.server.url())
        .with_text("max_item", "1 KiB");
    let context = common::context(Arc::new(SystemClock::start()));
    let provider = OpenDalFactory.open(settings, context).await.unwrap();
    assert_eq!(provider.capabilities().max_item_bytes, Some(1024));
    let error = put(&*provider, "a.jpg", &[7; 1025]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert_eq!(nas.traffic.total(), 0);
}
