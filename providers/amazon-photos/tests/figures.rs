//! The figures that this destination promises: calls, bytes, and calls at once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use common::{Account, Plan, RateLimit, SECRET, SimClock, files, keys, noise, photo, put, read};
use futures::StreamExt as _;
use http::{Request, Response};
use safelight_amazon_photos::AmazonPhotosFactory;
use safelight_core::class::MediaClass;
use safelight_core::error::Result;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::notebook::Loose;
use safelight_core::provider::{Provider, Room};
use safelight_core::registry::{Context, Factory as _};
use safelight_core::wrap::{RetryPolicy, Retrying};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// An account with 20,000 items: 8,000 in 40 folders, 12,000 in one. Every third page is short.
#[derive(Default)]
struct Large {
    calls: AtomicU64,
}

const FOLDERS: u64 = 41;

impl Large {
    fn folder(id: u64) -> Vec<Value> {
        let items = if id == 0 { 12_000 } else { 200 };
        let node = |n: u64| {
            let created =
                format!("2024-01-{:02}T{:02}:{:02}:00.000Z", n / 1440 + 1, n / 60 % 24, n % 60);
            json!({"id": format!("n-{id}-{n}"), "kind": "FILE", "status": "AVAILABLE",
                "name": format!("{n}.jpg"), "parents": [format!("f{id}")], "createdDate": created,
                "contentProperties": {"size": 1000, "md5": format!("{id:016x}{n:016x}")}})
        };
        (0..items).map(node).collect()
    }

    fn root() -> Vec<Value> {
        let node = |id: u64| {
            json!({"id": format!("f{id}"), "kind": "FOLDER", "name": format!("folder {id}"),
                "parents": ["root"], "createdDate": "2024-01-01T00:00:00.000Z"})
        };
        (0..FOLDERS).map(node).collect()
    }

    fn answer(&self, query: &str) -> Value {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let get = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            pair.unwrap_or_default().replace("%22", "\"").replace("%3A", ":").replace("%20", " ")
        };
        let filter = get("filters");
        let quoted: Vec<_> = filter.split('"').collect();
        let mut all = match quoted.get(1) {
            None => vec![json!({"id": "root", "kind": "FOLDER", "isRoot": true, "ownerId": "me"})],
            Some(&"root") => Self::root(),
            Some(id) => Self::folder(id[1..].parse().unwrap()),
        };
        if let Some(since) = quoted.get(3) {
            all.retain(|node| node["createdDate"].as_str().unwrap() >= *since);
        }
        let number = |name: &str| get(name).parse::<usize>().unwrap();
        let (offset, limit) = (number("offset"), number("limit"));
        assert!(limit <= 200 && offset + limit <= 9999, "{offset} + {limit}");
        let limit = if call.is_multiple_of(3) && limit > 1 { limit / 2 } else { limit };
        let count = all.len();
        let data: Vec<_> = all.into_iter().skip(offset).take(limit).collect();
        json!({"count": count, "data": data})
    }
}

#[async_trait]
impl HttpTransport for Large {
    async fn send(&self, request: Request<HttpBody>) -> Result<Response<HttpBody>> {
        let body = self.answer(request.uri().query().unwrap()).to_string();
        let answer = Response::builder().header("content-type", "application/json");
        Ok(answer.body(HttpBody::Whole(body.into())).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_items_are_listed_within_the_budget() {
    let large = Arc::new(Large::default());
    let cookies = format!("session-id={SECRET}; ubid-main={SECRET}; at-main={SECRET}");
    let url = "http://127.0.0.1:9";
    let settings = common::at(url, url).with_text("root", "").with_text("account", cookies);
    let context = Context {
        clock: Arc::new(SimClock::start()),
        http: large.clone(),
        cancel: CancellationToken::new(),
        notebook: Arc::new(Loose::default()),
    };
    let provider = AmazonPhotosFactory.open(settings, context).await.unwrap();
    let found = keys(&*provider).await;
    assert_eq!(found.len(), 20_000);
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), 20_000);
    let calls = large.calls.load(Ordering::Relaxed);
    assert!(calls <= 20_000 / 200 * 3 / 2 + FOLDERS + 20, "{calls} calls");
}

async fn store_all(provider: &dyn Provider, items: &[(String, Bytes)], at_once: usize) {
    let puts = items.iter().map(|(path, bytes)| put(provider, path, bytes));
    let done: Vec<_> = futures::stream::iter(puts).buffer_unordered(at_once).collect().await;
    for receipt in done {
        assert!(receipt.unwrap().proof.counts());
    }
}

fn items(count: usize, length: usize) -> Vec<(String, Bytes)> {
    (0..count).map(|n| (format!("{}/{n}.jpg", n % 5), photo(n, length))).collect()
}

#[tokio::test(start_paused = true)]
async fn uploads_that_arrive_but_look_failed_are_not_sent_twice() {
    for lag in [0, 2] {
        let account = Account::behaving(|behaviour| {
            behaviour.ghosts_per_thousand = 100;
            behaviour.listing_lag = Duration::from_secs(lag);
        })
        .await;
        let inner = account.open().await;
        let provider = Retrying::new(inner, account.clock.clone(), RetryPolicy::default());
        let mut items = items(300, 4000);
        // Some bytes come twice under other names.
        let twins: Vec<_> = items[..10]
            .iter()
            .map(|(path, bytes)| (format!("twin/{path}"), bytes.clone()))
            .collect();
        store_all(&provider, &items, 8).await;
        store_all(&provider, &twins, 8).await;
        items.extend(twins);
        let counters = account.sandbox.counters();
        assert!(counters.ghosts > 15 && counters.stored == 300, "{counters:?}");
        let payload = items.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
        assert!(counters.bytes_uploaded * 100 <= payload * 115, "{counters:?}");
        assert_eq!(files(&provider).await.len(), 310);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_with_nothing_new_sends_no_bytes() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    store_all(&*provider, &items(400, 300), 8).await;
    account.sandbox.forget();
    let provider = account.open().await;
    provider.check().await.unwrap();
    assert_eq!(files(&*provider).await.len(), 400);
    let counters = account.sandbox.counters();
    assert_eq!((counters.content, counters.signed), (0, 0));
    assert!(counters.metadata <= 400 / 200 * 3 / 2 + 6 + 20, "{counters:?}");
}

#[tokio::test(start_paused = true)]
async fn never_more_calls_at_once_than_the_setting_and_none_inside_an_announced_pause() {
    let account = Account::behaving(|behaviour| {
        behaviour.latency = Duration::from_millis(400);
        behaviour.rate_limit =
            Some(RateLimit { calls_per_second: 12, burst: 12, status: 503, retry_after: 3 });
    })
    .await;
    let settings = account.settings().with_text("concurrency", "3");
    let inner = account.open_with(settings).await;
    let provider = Retrying::new(
        inner,
        account.clock.clone(),
        RetryPolicy { tries: 9, ..RetryPolicy::default() },
    );
    let items = items(120, 500);
    store_all(&provider, &items, 16).await;
    for (path, bytes) in &items[..20] {
        assert_eq!(read(&provider, path).await.unwrap(), bytes);
    }
    let counters = account.sandbox.counters();
    assert!(counters.peak <= 3, "{counters:?}");
    // What was under way when the pause was announced could not know of it.
    assert!(counters.within_retry_after <= counters.refused * 2 / 3, "{counters:?}");

    account.sandbox.behave(|behaviour| behaviour.rate_limit = None);
    account.sandbox.forget();
    account.sandbox.refuse_for(Duration::from_secs(30), 429);
    assert!(provider.stat(&common::key("0/0.jpg")).await.unwrap().is_some());
    assert_eq!(account.sandbox.counters().within_retry_after, 1);
}

#[tokio::test(start_paused = true)]
async fn pools_follow_from_what_is_billed() {
    for plan in [Plan::Prime, Plan::None] {
        let account = Account::behaving(|behaviour| {
            behaviour.plan = plan;
            behaviour.usage_every = Duration::ZERO;
            behaviour.quota = 1 << 20;
        })
        .await;
        let provider = account.open().await;
        put(&*provider, "a.jpg", &photo(1, 5000)).await.unwrap();
        put(&*provider, "a.bin", &noise(2, 700)).await.unwrap();
        let pools = provider.quota().await.unwrap();
        if plan == Plan::Prime {
            assert_eq!(pools[0].counts, [MediaClass::Photo, MediaClass::Raw]);
            assert_eq!(pools[0].room, Room::Unlimited);
            assert_eq!(pools[1].room, Room::Limited { used: 700, total: 1 << 20 });
        } else {
            assert_eq!(pools[0].counts, MediaClass::ALL);
            assert_eq!(pools[0].room, Room::Limited { used: 5700, total: 1 << 20 });
        }
        // No room for one pool is no reason to stop the others.
        let error = put(&*provider, "b.bin", &noise(3, 2 << 20)).await.unwrap_err();
        assert_eq!(error.reach(), safelight_core::error::Scope::Item);
        assert_eq!(error.id().0, "destination/pool-full");
    }
}
