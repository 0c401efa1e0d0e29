//! Sign-in, tokens, pauses, room, health.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Account, key, noise, put};
use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use safelight_core::error::Kind;
use safelight_core::permit::{Disposal, Grounds, PERMIT_LIFE, RemovalPermit};
use safelight_core::provider::{Room, Root};
use safelight_core::registry::{Factory as _, Settings, Value};
use safelight_core::time::{Clock as _, Timestamp};
use safelight_dropbox::DropboxFactory;
use safelight_sandbox::dropbox::{RateLimit, TeamSpace};

#[tokio::test(start_paused = true)]
async fn one_refresh_serves_all_who_wait() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let keys: Vec<_> = (0..20).map(|n| key(&format!("{n}.jpg"))).collect();
    let looks = || join_all(keys.iter().map(|key| provider.stat(key)));
    assert!(looks().await.iter().all(Result::is_ok));
    assert_eq!(account.sandbox.calls("oauth2/token"), 1);
    account.sandbox.expire_access_tokens();
    assert!(looks().await.iter().all(Result::is_ok));
    assert_eq!(account.sandbox.calls("oauth2/token"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_its_end() {
    let account = Account::ordinary().await;
    let clock = account.clock.clone();
    let provider = account.open().await;
    provider.stat(&key("a.jpg")).await.unwrap();
    clock.skip(Duration::from_secs(4 * 3600 - 301));
    provider.stat(&key("a.jpg")).await.unwrap();
    assert_eq!(account.sandbox.calls("oauth2/token"), 1);
    clock.skip(Duration::from_secs(2));
    provider.stat(&key("a.jpg")).await.unwrap();
    assert_eq!(account.sandbox.calls("oauth2/token"), 2);
    assert_eq!(account.sandbox.calls("files/get_metadata"), 3, "no call was made in vain");
}

#[tokio::test(start_paused = true)]
async fn who_unlinked_the_app_is_asked_to_sign_in_and_nothing_loops() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap();
    account.sandbox.unlink();
    account.sandbox.forget();
    for n in 0..5 {
        let error = put(&*provider, &format!("{n}.jpg"), &noise(n, 10)).await.unwrap_err();
        assert_eq!((error.kind(), error.id().0), (Kind::SignIn, "auth/expired"), "{error}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains(account.sandbox.refresh_token().expose()));
    }
    assert!(account.sandbox.traffic().total() <= 2, "{:?}", account.sandbox.traffic().lines());
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_is_missing_is_named() {
    let account = Account::ordinary().await;
    account.sandbox.limit_scopes(&["account_info.read", "files.metadata.read"]);
    let provider = account.open().await;
    let error = put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::SignIn);
    assert!(error.context().contains("files.content.write"), "{error}");
    assert!(provider.stat(&key("a.jpg")).await.unwrap().is_none(), "what is allowed goes on");
}

#[tokio::test(start_paused = true)]
async fn nobody_calls_while_the_service_asks_for_a_pause() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    provider.stat(&key("a.jpg")).await.unwrap();
    account.sandbox.refuse_for(Duration::from_secs(30));
    // The first one is told; the others start after it was.
    let told = key("0.jpg");
    let first = provider.stat(&told);
    let others = async {
        account.clock.sleep(Duration::from_secs(5)).await;
        let keys: Vec<_> = (1..30).map(|n| key(&format!("{n}.jpg"))).collect();
        join_all(keys.iter().map(|key| provider.stat(key))).await
    };
    let (first, others) = futures::future::join(first, others).await;
    assert!(first.is_ok() && others.iter().all(Result::is_ok));
    let counters = account.sandbox.counters();
    assert_eq!((counters.refused, counters.within_retry_after), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_nobody_told_is_met_once() {
    let limit = RateLimit { calls_per_second: 12, burst: 12, retry_after: 5 };
    let account = Account::ordinary().await;
    account.sandbox.behave(|behaviour| behaviour.rate_limit = Some(limit)).await.unwrap();
    let provider = account.open().await;
    let looks = stream::iter(0..600)
        .map(|n| {
            let provider = Arc::clone(&provider);
            async move { provider.stat(&key(&format!("{n}.jpg"))).await }
        })
        .buffer_unordered(4);
    let results: Vec<_> = looks.collect().await;
    assert!(results.iter().all(Result::is_ok));
    let refused = account.sandbox.counters().refused;
    assert!(refused <= 2, "{refused} calls were refused");
}

#[tokio::test(start_paused = true)]
async fn health_is_one_call_and_changes_nothing() {
    let account = Account::ordinary().await;
    let settings = account.settings().with_text("root", "/Photos/Backup/");
    let provider = account.open_with(settings).await;
    assert_eq!(provider.check().await.unwrap().root, Root::New);
    assert_eq!(account.calls(), 1);
    assert!(common::files(&*provider).await.is_empty());
    put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap();
    account.sandbox.forget();
    assert_eq!(provider.check().await.unwrap().root, Root::Ready);
    assert_eq!(account.calls(), 1);
    let top = account.open().await;
    assert_eq!(top.check().await.unwrap().root, Root::Ready);
    put(&*top, "Photos/file", &noise(1, 10)).await.unwrap();
    let settings = account.settings().with_text("root", "photos/FILE");
    let error = account.open_with(settings).await.check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotOurs);
}

#[tokio::test(start_paused = true)]
async fn room_is_that_of_the_account() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    put(&*provider, "a.jpg", &noise(1, 1000)).await.unwrap();
    let pools = provider.quota().await.unwrap();
    assert_eq!(pools[0].room, Room::Limited { used: 1000, total: 2 << 40 });
    account
        .sandbox
        .behave(|behaviour| behaviour.quota = safelight_sandbox::dropbox::Quota::Individual(1500))
        .await
        .unwrap();
    let error = put(&*provider, "b.jpg", &noise(2, 1000)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reach()),
        (Kind::NoRoom, safelight_core::error::Scope::Destination)
    );
}

#[tokio::test(start_paused = true)]
async fn a_team_space_is_reached_by_its_namespace() {
    let space = TeamSpace { root_namespace: "777".to_owned(), home: "Ann".to_owned() };
    let account = Account::behaving(|behaviour| behaviour.team_space = Some(space)).await;
    let settings = || account.settings().with_text("root", "Shared/Photos");
    let provider = account.open_with(settings().with_text("path_root", "777")).await;
    put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap();
    assert_eq!(common::files(&*provider).await[0].key, key("a.jpg"));
    let own = account.open_with(settings()).await;
    assert_eq!(own.check().await.unwrap().root, Root::New);
    let wrong = account.open_with(settings().with_text("path_root", "778")).await;
    let error = wrong.check().await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Absent | Kind::Denied), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_has_expired_removes_nothing() {
    let account = Account::ordinary().await;
    let clock = account.clock.clone();
    let provider = account.open().await;
    put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap();
    let grounds = Grounds::DeletedFromLibrary { noticed: Timestamp::default() };
    let disposal = Disposal::Trash(key(".safelight/trash/a.jpg"));
    let permit = RemovalPermit::grant(key("a.jpg"), None, disposal, grounds, &*clock).unwrap();
    clock.skip(PERMIT_LIFE + Duration::from_secs(1));
    assert_eq!(provider.remove(permit).await.unwrap_err().kind(), Kind::Denied);
    assert!(provider.stat(&key("a.jpg")).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn signing_in_ends_in_a_token_that_works_and_can_be_revoked() {
    let account = Account::ordinary().await;
    let sign_in = DropboxFactory.sign_in().unwrap();
    let bare = common::at(&account.sandbox.url()).with_text("app_key", account.sandbox.app_key());
    let page = sign_in.page(&bare, None).unwrap().unwrap();
    let brought = account.sandbox.refresh_token().expose();
    let kept = sign_in.exchange(&bare, &account.context(), None, brought).await.unwrap();
    assert_eq!(kept.expose(), brought);
    let wrong = sign_in.exchange(&bare, &account.context(), Some(&page), "no such code").await;
    assert_eq!(wrong.unwrap_err().kind(), Kind::SignIn);
    let signed = bare.with("token", Value::Secret(kept));
    let who = sign_in.account(&signed, &account.context()).await.unwrap();
    assert!(!who.name.is_empty() && who.pools.len() == 1);
    sign_in.revoke(&signed, &account.context()).await.unwrap();
    let error = sign_in.account(&signed, &account.context()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::SignIn);
    sign_in.revoke(&signed, &account.context()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn settings_are_asked_for_by_name() {
    let account = Account::ordinary().await;
    let open = async |settings: Settings| {
        let error = DropboxFactory.open(settings, account.context()).await.err().unwrap();
        (error.kind(), error.id().0)
    };
    let bare = || Settings::new("dropbox").with_text("app_key", "k");
    assert_eq!(open(bare()).await, (Kind::SignIn, "auth/secret-missing"));
    let token = || bare().with_text("token", "t");
    assert_eq!(open(token().with_text("api_url", "http://a.test")).await.0, Kind::Unsupported);
    assert_eq!(open(token().with_text("path_root", "1\n2")).await.0, Kind::Unsupported);
    assert_eq!(open(token().with_text("root", "a/../b")).await.0, Kind::Name);
}
