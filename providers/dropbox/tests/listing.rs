//! Listings and reads, against the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use bytes::Bytes;
use common::{Account, files, files_in, key, list, noise, put, put_as, read};
use futures::{StreamExt as _, TryStreamExt as _};
use safelight_core::entry::{Entry, Listed, Scope, Version};
use safelight_core::error::{Kind, Retry};
use safelight_core::http::{HttpBody, HttpTransport as _};
use safelight_core::provider::PutMode;
use safelight_sandbox::{Fault, Rule};

fn listings(account: &Account) -> u64 {
    let calls = |route| account.sandbox.calls(route);
    calls("files/list_folder") + calls("files/list_folder/continue")
}

/// As another program would.
async fn delete(account: &Account, path: &str) {
    let body = format!(r#"{{"path": "{path}"}}"#);
    let request = http::Request::post(format!("{}/2/files/delete_v2", account.sandbox.url()))
        .header("authorization", format!("Bearer {}", account.sandbox.access_token().expose()))
        .header("content-type", "application/json")
        .body(HttpBody::Whole(body.into()))
        .unwrap();
    let answer = account.sandbox.direct().send(request).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
async fn a_second_listing_asks_only_for_what_has_changed() {
    let account = Account::behaving(|behaviour| behaviour.longest_page = 3).await;
    let provider = account.open().await;
    for path in ["Été/a.jpg", "Été/b.jpg", "Été/deep/c.jpg", "Old/d.jpg", "Old/e.jpg", "f.jpg"]
    {
        put(&*provider, path, &noise(path.len(), 10)).await.unwrap();
    }
    let first = files(&*provider).await;
    let pages = listings(&account);
    assert!(pages > 2, "{pages}");

    // Another run: nothing but the notebook is left.
    let provider = account.open().await;
    assert_eq!(files(&*provider).await, first);
    assert_eq!(listings(&account), pages + 1);

    put(&*provider, "Été/deep/g.jpg", &noise(7, 10)).await.unwrap();
    delete(&account, "/Old").await;
    put(&*provider, "Old/h.jpg", &noise(8, 10)).await.unwrap();
    delete(&account, "/f.jpg").await;
    let paths = |files: &[Entry]| files.iter().map(|file| file.key.clone()).collect::<Vec<_>>();
    let expected = ["Old/h.jpg", "Été/a.jpg", "Été/b.jpg", "Été/deep/c.jpg", "Été/deep/g.jpg"];
    for _ in 0..2 {
        let provider = account.open().await;
        assert_eq!(paths(&files(&*provider).await), expected.map(key));
    }
    let asked = listings(&account);

    account.sandbox.reset_cursors();
    let anew = files(&*account.open().await).await;
    assert_eq!(paths(&anew), expected.map(key));
    assert!(listings(&account) > asked + 1);
    assert_eq!(files(&*account.open().await).await, anew);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_broke_off_is_not_remembered() {
    let account = Account::behaving(|behaviour| behaviour.longest_page = 2).await;
    let provider = account.open().await;
    for n in 0..6 {
        put(&*provider, &format!("{n}.jpg"), &noise(n, 10)).await.unwrap();
    }
    let mut half = provider.list(Scope::default());
    half.next().await.unwrap().unwrap();
    half.next().await.unwrap().unwrap();
    drop(half);
    assert_eq!(files(&*account.open().await).await.len(), 6);
    delete(&account, "/3.jpg").await;
    let fault = Rule::next(Fault::status(503)).containing("continue");
    account.sandbox.traffic().inject(fault);
    assert_eq!(files(&*account.open().await).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_was_remembered_and_lost_is_asked_for_anew() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    put(&*provider, "a.jpg", &noise(1, 10)).await.unwrap();
    files(&*provider).await;
    for page in ["listing", "listing:0:folders", "listing:0:0"] {
        for text in [None, Some("{]".to_owned())] {
            account.notebook.write(page, text).await.unwrap();
            let provider = account.open().await;
            let found = match list(&*provider, Scope::default()).await {
                Err(error) => {
                    assert_eq!((error.kind(), error.retry_advice()), (Kind::Changed, Retry::Now));
                    files(&*provider).await
                }
                Ok(_) => files(&*provider).await,
            };
            assert_eq!(found.len(), 1, "{page}");
        }
    }
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
async fn what_others_put_there_is_passed_over_where_it_looks_like_ours() {
    let account = Account::ordinary().await;
    let top = account.open().await;
    // Written without our escapes, by a destination whose own name for it is another one.
    put(&*top, "x/%41.jpg", &noise(1, 10)).await.unwrap();
    let listed = files(&*top).await;
    assert_eq!(listed[0].key, key("x/%41.jpg"));
}

/// As another program would.
async fn upload(account: &Account, path: &str, bytes: &Bytes) {
    let argument = format!(r#"{{"path": "{path}", "mode": "overwrite"}}"#);
    let request = http::Request::post(format!("{}/2/files/upload", account.sandbox.url()))
        .header("authorization", format!("Bearer {}", account.sandbox.access_token().expose()))
        .header("content-type", "application/octet-stream")
        .header("dropbox-api-arg", argument)
        .body(HttpBody::Whole(bytes.clone()))
        .unwrap();
    let answer = account.sandbox.direct().send(request).await.unwrap();
    assert_eq!(answer.status(), 200);
}

fn attached() -> Scope {
    Scope { attached: true, ..Scope::default() }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_called_as_we_would_is_told_where_everything_is_to_be_taken_out() {
    let account = Account::behaving(|behaviour| behaviour.longest_page = 2).await;
    let provider = account.open().await;
    put(&*provider, "x/plain.jpg", &noise(1, 10)).await.unwrap();
    // Stands there as `%2541.jpg`, so that the other's name is taken.
    put(&*provider, "x/%41.jpg", &noise(2, 10)).await.unwrap();
    let theirs = ["x/%41.jpg", "x/%42.jpg", "%43/deep/a.jpg", "%43/none.txt"];
    for (n, path) in theirs.iter().enumerate() {
        let length = if path.ends_with("txt") { 0 } else { 100 };
        upload(&account, &format!("/{path}"), &noise(10 + n, length)).await;
    }
    let ordinary = list(&*provider, Scope::default()).await.unwrap();
    let passed = ordinary.iter().filter(|one| matches!(one, Listed::Passed { .. })).count();
    assert_eq!((ordinary.len(), passed), (6, 4));

    // Anew, and by what is remembered of the listing before.
    for again in [false, true] {
        if again {
            upload(&account, "/x/%42.jpg", &noise(11, 101)).await;
        }
        let found = files_in(&*account.open().await, attached()).await;
        let names: Vec<_> = found.iter().map(|entry| entry.key.to_string()).collect();
        let tagged = names.iter().position(|name| name.starts_with("x/%41 (")).unwrap();
        let plain = names.iter().filter(|name| !name.starts_with("x/%41 ("));
        let wanted = ["%43/deep/a.jpg", "%43/none.txt", "x/%41.jpg", "x/%42.jpg", "x/plain.jpg"];
        assert_eq!(plain.collect::<Vec<_>>(), wanted);
        let bytes = async |entry: &Entry| {
            let opened = provider.read(&entry.key, None, entry.version.as_ref()).await.unwrap();
            assert_eq!((&opened.entry.version, opened.entry.size), (&entry.version, entry.size));
            opened.bytes.try_collect::<Vec<_>>().await.unwrap().concat()
        };
        let of = |name: &str| found.iter().find(|entry| entry.key == key(name)).unwrap();
        assert_eq!(bytes(of("x/%41.jpg")).await, noise(2, 10));
        assert_eq!(bytes(&found[tagged]).await, noise(10, 100));
        assert_eq!(bytes(of("x/%42.jpg")).await, noise(11, if again { 101 } else { 100 }));
        assert_eq!(bytes(of("%43/deep/a.jpg")).await, noise(12, 100));
        assert_eq!(bytes(of("%43/none.txt")).await, b"");
        let pin = of("x/%42.jpg").version.clone();
        let part = provider.read(&key("x/%42.jpg"), Some(10..20), pin.as_ref()).await.unwrap();
        let part = part.bytes.try_collect::<Vec<_>>().await.unwrap().concat();
        assert_eq!(part, noise(11, if again { 101 } else { 100 })[10..20]);
        let nothing = provider.read(&key("x/%42.jpg"), Some(5..5), pin.as_ref()).await.unwrap();
        assert_eq!(nothing.entry.version, pin);
    }
    let wrong = Version::new("rev:0123456789abc");
    let error = provider.read(&key("x/%42.jpg"), None, Some(&wrong)).await.err().unwrap();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn names_that_dropbox_ignores_or_refuses_are_kept() {
    let account = Account::ordinary().await;
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

#[tokio::test(start_paused = true)]
async fn bytes_that_are_cut_or_altered_are_never_taken_for_the_file() {
    let account = Account::ordinary().await;
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

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
async fn an_edit_by_somebody_else_is_noticed() {
    let account = Account::ordinary().await;
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
