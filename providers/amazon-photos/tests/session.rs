//! Signing in, and what happens when the session ends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Account, Expiry, keys, photo, put, read};
use futures::StreamExt as _;
use safelight_amazon_photos::AmazonPhotosFactory;
use safelight_core::error::{Kind, Retry, Scope};
use safelight_core::provider::Root;
use safelight_core::registry::{Factory as _, Settings, Value};

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_ends_everything_at_once_and_new_cookies_go_on() {
    for how in [Expiry::Unauthorized, Expiry::Forbidden, Expiry::SignInPage] {
        let account = Account::ordinary().await;
        let photos: Vec<_> = (0..120).map(|n| photo(n, 2000)).collect();
        let paths: Vec<_> = (0..120).map(|n| format!("{}/{n}.jpg", n % 4)).collect();
        let concurrency = 8;
        let old = account.open().await;
        account.sandbox.expire_after(60, how);
        let puts = paths.iter().zip(&photos).map(|(path, bytes)| put(&*old, path, bytes));
        let done: Vec<_> = futures::stream::iter(puts).buffer_unordered(16).collect().await;
        let failed: Vec<_> = done.into_iter().filter_map(Result::err).collect();
        assert!(!failed.is_empty());
        for error in &failed {
            let found = (error.kind(), error.retry_advice(), error.reach());
            assert_eq!(found, (Kind::SignIn, Retry::NeedsPerson, Scope::Destination), "{error}");
        }
        let after = account.sandbox.counters().without_session;
        assert!(after <= concurrency + 3, "{how:?}: {after} further calls");
        assert_eq!(old.check().await.unwrap_err().kind(), Kind::SignIn);
        assert_eq!(account.sandbox.counters().without_session, after);

        account.sandbox.renew().await.unwrap();
        // What was opened with the old cookies is over for good, and does not even ask.
        account.sandbox.traffic().forget();
        assert_eq!(old.check().await.unwrap_err().kind(), Kind::SignIn);
        assert_eq!(put(&*old, &paths[0], &photos[0]).await.unwrap_err().kind(), Kind::SignIn);
        assert_eq!(old.extras().await.unwrap_err().kind(), Kind::SignIn);
        assert_eq!(account.sandbox.traffic().total(), 0);
        let new = account.open().await;
        let there = keys(&*new).await;
        for (path, bytes) in paths.iter().zip(&photos) {
            if !there.contains(path) {
                put(&*new, path, bytes).await.unwrap();
            }
        }
        assert_eq!(keys(&*new).await.len(), 120);
        assert!(account.uploads() <= 120 + concurrency, "{} uploads", account.uploads());
    }
}

#[tokio::test(start_paused = true)]
async fn brought_cookies_are_checked_with_one_call() {
    let account = Account::ordinary().await;
    let sign_in = AmazonPhotosFactory.sign_in().unwrap();
    let settings = common::at(&account.sandbox.metadata_url(), &account.sandbox.content_url());
    assert!(sign_in.page(&settings, None).unwrap().is_none());
    let brought = account.sandbox.cookies();
    let context = account.context();
    let kept = sign_in.exchange(&settings, &context, None, brought.expose()).await.unwrap();
    assert_eq!(account.sandbox.traffic().total(), 1);
    // It signs in as what was brought did.
    let kept = settings.clone().with("account", Value::Secret(kept));
    let told = sign_in.account(&kept, &context).await.unwrap();
    assert!(told.name.starts_with("amazon.com, customer ") && told.until.is_some());
    assert_eq!(told.pools.len(), 2);
    sign_in.revoke(&account.settings(), &context).await.unwrap();

    account.sandbox.renew().await.unwrap();
    let refused = sign_in.exchange(&settings, &context, None, brought.expose()).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::SignIn);
    for wrong in ["", "at-main=canary", "{]"] {
        let error = sign_in.exchange(&settings, &context, None, wrong).await.unwrap_err();
        assert_eq!(error.kind(), Kind::SignIn);
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[tokio::test(start_paused = true)]
async fn checking_takes_few_calls_and_changes_nothing() {
    let account = Account::ordinary().await;
    let provider = account.open_with(account.settings().with_text("root", "Safelight")).await;
    let health = provider.check().await.unwrap();
    assert_eq!((health.root, account.sandbox.traffic().total()), (Root::New, 2));
    assert!(health.signed_in_until.is_some());
    put(&*provider, "a.jpg", &photo(1, 100)).await.unwrap();
    account.sandbox.forget();
    assert_eq!(provider.check().await.unwrap().root, Root::Ready);
    assert_eq!(account.sandbox.traffic().total(), 1);
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), photo(1, 100));
}

#[tokio::test(start_paused = true)]
async fn without_cookies_or_with_odd_settings_nothing_opens() {
    let account = Account::ordinary().await;
    let open = async |settings: Settings| {
        let opened = AmazonPhotosFactory.open(settings, account.context()).await;
        opened.err().map(|error| error.kind())
    };
    assert_eq!(open(Settings::new("a")).await, Some(Kind::SignIn));
    let with = |name: &str, text: &str| account.settings().with_text(name, text);
    assert_eq!(open(with("country", "atlantis")).await, Some(Kind::Unsupported));
    assert_eq!(open(with("content_url", "http://example.com")).await, Some(Kind::Unsupported));
    assert_eq!(open(with("concurrency", "0")).await, Some(Kind::Unsupported));
    assert_eq!(open(with("root", "../x")).await, Some(Kind::Name));
    assert_eq!(open(account.settings()).await, None);
}
