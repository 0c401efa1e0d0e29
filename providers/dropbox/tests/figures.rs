//! The figures that this destination promises: how many calls things take.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use common::{Account, key, noise, put};
use futures::TryStreamExt as _;
use futures::future::join_all;
use http::{Request, Response};
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::Result;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::notebook::Loose;
use safelight_core::permit::{Disposal, Grounds, RemovalPermit};
use safelight_core::provider::{Provider, Removed};
use safelight_core::registry::{Context, Factory as _, Settings};
use safelight_core::time::Timestamp;
use safelight_dropbox::DropboxFactory;
use safelight_sandbox::dropbox::Behaviour;
use safelight_testkit::clock::SimClock;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn as_measured() -> Behaviour {
    Behaviour {
        latency: Duration::from_millis(80),
        commit_time: Duration::from_millis(570),
        ..Behaviour::default()
    }
}

/// A thousand photos of 100 KB, each other than all others.
fn photos() -> Vec<Bytes> {
    let base = noise(7, 100_000);
    let photo = |n: u32| {
        let mut bytes = base.to_vec();
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        bytes.into()
    };
    (0..1000).map(photo).collect()
}

async fn put_all(provider: &dyn Provider, photos: &[Bytes]) {
    let paths: Vec<_> = (0..photos.len()).map(|n| format!("2024/{}/{n}.jpg", n / 100)).collect();
    let puts = paths.iter().zip(photos).map(|(path, photo)| put(provider, path, photo));
    for receipt in join_all(puts).await {
        assert!(receipt.unwrap().proof.counts());
    }
}

fn permits(account: &Account, keys: Vec<(String, String)>) -> Vec<RemovalPermit> {
    let grant = |(key_text, place): (String, String)| {
        let (disposal, grounds) = if place.is_empty() {
            (Disposal::Purge, Grounds::RetentionOver { kept_since: Timestamp::default() })
        } else {
            let noticed = Timestamp::default();
            (Disposal::Trash(key(&place)), Grounds::DeletedFromLibrary { noticed })
        };
        RemovalPermit::grant(key(&key_text), None, disposal, grounds, &*account.clock).unwrap()
    };
    keys.into_iter().map(grant).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_photos_take_twenty_calls_and_their_removal_four() {
    let account = Account::new(as_measured()).await;
    let context = account.context();
    let provider = DropboxFactory.open(account.settings(), context).await.unwrap();
    put_all(&*provider, &photos()).await;
    let lines = account.sandbox.traffic().lines();
    assert!(account.calls() <= 20, "{} calls: {lines:#?}", account.calls());
    let counters = account.sandbox.counters();
    assert_eq!((counters.overlaps, counters.uploads_without_content_hash), (0, 0));

    let places: Vec<_> = (0..1000)
        .map(|n| {
            let path = format!("2024/{}/{n}.jpg", n / 100);
            (path.clone(), format!(".safelight/trash/7/{path}"))
        })
        .collect();
    account.sandbox.forget();
    let removals = permits(&account, places.clone()).into_iter();
    for removed in join_all(removals.map(|permit| provider.remove(permit))).await {
        assert!(matches!(removed.unwrap(), Removed::Kept(_)));
    }
    let besides_polling = |account: &Account| {
        let lines = account.sandbox.traffic().lines();
        lines.iter().filter(|line| !line.contains("check") && !line.contains("oauth2")).count()
    };
    assert!(besides_polling(&account) <= 4, "{:?}", account.sandbox.traffic().lines());

    account.sandbox.forget();
    let kept = places.into_iter().map(|(_, place)| (place, String::new())).collect();
    let purges = permits(&account, kept).into_iter();
    for removed in join_all(purges.map(|permit| provider.remove(permit))).await {
        assert_eq!(removed.unwrap(), Removed::Gone);
    }
    assert!(besides_polling(&account) <= 4, "{:?}", account.sandbox.traffic().lines());
}

/// A listing of 1,000 folders with 100 files each, in pages as long as they are asked for.
#[derive(Default)]
struct Endless {
    calls: AtomicU64,
}

const FOLDERS: usize = 1000;
const FILES: usize = 100;

fn entry(index: usize) -> Value {
    let (folder, file) = (index / (FILES + 1), index % (FILES + 1));
    let folder_path = format!("/folder {folder}");
    if file == 0 {
        return json!({".tag": "folder", "name": format!("Folder {folder}"),
            "path_lower": folder_path, "path_display": folder_path, "id": "id:f"});
    }
    let name = format!("IMG_{file}.JPG");
    json!({".tag": "file", "name": name, "id": "id:x", "rev": "a1c10ce0dd78", "size": 1,
        "path_lower": format!("{folder_path}/img_{file}.jpg"),
        "path_display": format!("{folder_path}/{name}"),
        "client_modified": "2024-07-01T12:00:00Z", "content_hash": "00".repeat(32)})
}

#[async_trait]
impl HttpTransport for Endless {
    async fn send(&self, request: Request<HttpBody>) -> Result<Response<HttpBody>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let argument = request.into_body().collect(10_000).await?;
        let argument: Value = serde_json::from_slice(&argument).unwrap();
        let from: usize = argument["cursor"].as_str().map_or(0, |at| at.parse().unwrap());
        let limit = argument["limit"].as_u64().map_or(2000, |limit| limit.try_into().unwrap());
        let to = (from + limit).min(FOLDERS * (FILES + 1));
        let entries: Vec<_> = (from..to).map(entry).collect();
        let more = to < FOLDERS * (FILES + 1);
        let page = json!({"entries": entries, "cursor": to.to_string(), "has_more": more});
        Ok(Response::new(HttpBody::Whole(page.to_string().into())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_files_are_listed_in_fifty_five_calls_and_in_one_the_next_time() {
    let transport = Arc::new(Endless::default());
    let notebook = Arc::new(Loose::default());
    let mut calls = Vec::new();
    for _ in 0..2 {
        let context = Context {
            clock: Arc::new(SimClock::start()),
            http: transport.clone(),
            cancel: CancellationToken::new(),
            notebook: notebook.clone(),
        };
        let settings = Settings::new("dropbox").with_text("access_token", "t");
        let provider = DropboxFactory.open(settings, context).await.unwrap();
        let (mut count, mut pages) = (0, provider.list(Scope::default()));
        while let Some(page) = pages.try_next().await.unwrap() {
            for listed in page.entries {
                let Listed::File(file) = listed else { panic!("{listed:?}") };
                assert!(file.key.as_bytes().starts_with(b"Folder "), "{}", file.key);
                count += 1;
            }
        }
        assert_eq!(count, FOLDERS * FILES);
        calls.push(transport.calls.swap(0, Ordering::Relaxed));
    }
    assert!(calls[0] <= 55 && calls[1] == 1, "{calls:?} calls");
}
