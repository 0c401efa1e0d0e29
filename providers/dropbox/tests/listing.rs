//! Listings and reads, against the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use bytes::Bytes;
use common::{Account, files, key, list, noise, put, put_as, read};
use futures::TryStreamExt as _;
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::{Kind, Retry};
use safelight_core::provider::{Provider, PutMode};
use safelight_sandbox::{Fault, Rule};

async fn cursor(provider: &dyn Provider, scope: Scope) -> (Vec<Listed>, Option<String>) {
    let pages: Vec<_> = provider.list(scope).try_collect().await.unwrap();
    let cursor = pages.last().and_then(|page| page.cursor.clone());
    (pages.into_iter().flat_map(|page| page.entries).collect(), cursor)
}

#[tokio::test]
async fn folders_are_spelled_as_they_are_whatever_an_entry_says() {
    let account = Account::behaving(|behaviour| {
        behaviour.parents_in_other_case = true;
        behaviour.longest_page = 2;
        behaviour.empty_pages = true;
    })
    .await;
    let settings = account.settings().with_text("root", "Backup");
    let provider = account.open_with(settings).await;
    for path in ["Été 2024/Ä/a.jpg", "Été 2024/Ä/b.jpg", "Été 2024/c.jpg", "d.jpg"] {
        put(&*provider, path, &noise(1, 10)).await.unwrap();
    }
    let keys: Vec<_> = files(&*provider).await.into_iter().map(|file| file.key).collect();
    let expected = ["d.jpg", "Été 2024/c.jpg", "Été 2024/Ä/a.jpg", "Été 2024/Ä/b.jpg"];
    assert_eq!(keys, expected.map(key));
}

#[tokio::test]
async fn a_cursor_asks_only_for_what_changed() {
    let account = Account::quick().await;
    let provider = account.open().await;
    put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap();
    let (all, first) = cursor(&*provider, Scope::default()).await;
    assert_eq!(all.len(), 1);
    put(&*provider, "b.jpg", &noise(2, 10)).await.unwrap();
    let scope = Scope { cursor: first.clone(), ..Scope::default() };
    let (changed, second) = cursor(&*provider, scope).await;
    assert!(matches!(&changed[..], [Listed::File(entry)] if entry.key == key("b.jpg")));
    assert!(second.is_some() && second != first);
    account.sandbox.reset_cursors();
    let scope = Scope { cursor: second, ..Scope::default() };
    let error = list(&*provider, scope).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (Kind::Changed, Retry::Now));
    assert_eq!(files(&*provider).await.len(), 2);
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again() {
    let account = Account::behaving(|behaviour| behaviour.longest_page = 3).await;
    let provider = account.open().await;
    for n in 0..10 {
        put(&*provider, &format!("{n}.jpg"), &noise(n, 10)).await.unwrap();
    }
    for (route, after) in [("list_folder", 0), ("continue", 0), ("continue", 1)] {
        for fault in [Fault::Reset, Fault::status(502), Fault::CutBody(40)] {
            account.sandbox.traffic().inject(Rule::next(fault).containing(route).after(after));
            assert_eq!(files(&*provider).await.len(), 10);
            account.sandbox.traffic().heal();
        }
    }
}

#[tokio::test]
async fn what_others_put_there_is_passed_over_where_it_looks_like_ours() {
    let account = Account::quick().await;
    let top = account.open().await;
    // Written without our escapes, by a destination whose own name for it is another one.
    put(&*top, "x/%41.jpg", &noise(1, 10)).await.unwrap();
    let listed = files(&*top).await;
    assert_eq!(listed[0].key, key("x/%41.jpg"));
}

#[tokio::test]
async fn names_that_dropbox_ignores_or_refuses_are_kept() {
    let account = Account::quick().await;
    let provider = account.open().await;
    let names = ["Thumbs.db", ".DS_Store", "desktop.ini", "Icon\r", "end ", "a\\b.jpg", ".dropbox"];
    for (n, name) in names.iter().enumerate() {
        put(&*provider, &format!("odd/{name}"), &noise(n, 50)).await.unwrap();
    }
    for (n, name) in names.iter().enumerate() {
        assert_eq!(read(&*provider, &format!("odd/{name}")).await.unwrap(), noise(n, 50));
    }
    assert_eq!(files(&*provider).await.len(), names.len());
}

#[tokio::test]
async fn bytes_that_are_cut_or_altered_are_never_taken_for_the_file() {
    let account = Account::quick().await;
    let provider = account.open().await;
    let bytes = noise(1, 200_000);
    put(&*provider, "a.jpg", &bytes).await.unwrap();
    account.sandbox.traffic().inject(Rule::next(Fault::CutBody(150_000)).containing("download"));
    let error = read(&*provider, "a.jpg").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(read(&*provider, "a.jpg").await.unwrap(), bytes);
    account.sandbox.traffic().inject(Rule::next(Fault::FlipBody(77)).containing("download"));
    let error = read(&*provider, "a.jpg").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
}

#[tokio::test]
async fn a_file_that_may_not_be_read_stops_nothing_else() {
    let account = Account::behaving(|behaviour| {
        behaviour.restricted.insert("/a.jpg".to_owned());
        behaviour.not_downloadable.insert("/b.gdoc".to_owned());
    })
    .await;
    let provider = account.open().await;
    for path in ["a.jpg", "b.gdoc", "c.jpg"] {
        put(&*provider, path, &noise(1, 10)).await.unwrap();
    }
    for path in ["a.jpg", "b.gdoc"] {
        let error = read(&*provider, path).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{path}");
    }
    assert!(read(&*provider, "c.jpg").await.is_ok());
}

#[tokio::test]
async fn an_edit_by_somebody_else_is_noticed() {
    let account = Account::quick().await;
    let (ours, theirs) = (account.open().await, account.open().await);
    let first = put(&*ours, "a.jpg", &noise(1, 100)).await.unwrap().version.unwrap();
    put_as(&*theirs, "a.jpg", &noise(2, 100), PutMode::Replace(first.clone())).await.unwrap();
    let pinned = ours.read(&key("a.jpg"), None, Some(&first)).await;
    assert_eq!(pinned.err().unwrap().kind(), Kind::Changed);
    let part = ours.read(&key("a.jpg"), Some(10..20), None).await.unwrap();
    let part: Vec<Bytes> = part.bytes.try_collect().await.unwrap();
    assert_eq!(part.concat(), noise(2, 100)[10..20]);
    let beyond = ours.read(&key("a.jpg"), Some(200..300), None).await.unwrap();
    assert!(beyond.bytes.try_collect::<Vec<_>>().await.unwrap().is_empty());
}
