//! What an account holds besides bytes, and bytes that no listing shows by itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Account, files, files_in, key, noise, photo, put, put_as, trash};
use futures::TryStreamExt as _;
use safelight_core::entry::{Entry, Listed, Scope};
use safelight_core::error::{Kind, Result};
use safelight_core::extras::{Extras, Remark};
use safelight_core::provider::{Provider, PutMode};
use safelight_core::taken::Source;
use safelight_core::time::Timestamp;
use safelight_sandbox::amazon::Brought;
use safelight_sandbox::{Fault, Rule};

fn attached() -> Scope {
    Scope { attached: true, ..Scope::default() }
}

fn trashed() -> Scope {
    Scope { trashed: true, ..Scope::default() }
}

fn names(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.key.to_string()).collect()
}

async fn bytes_of(provider: &dyn Provider, entry: &Entry) -> Result<Vec<u8>> {
    let opened = provider.read(&entry.key, None, entry.version.as_ref()).await?;
    assert_eq!((&opened.entry.version, opened.entry.size), (&entry.version, entry.size));
    Ok(opened.bytes.try_collect::<Vec<_>>().await?.concat())
}

fn remark<'a>(extras: &'a Extras, id: &str) -> Option<&'a Remark> {
    extras.remarks.iter().find(|remark| &*remark.remote_id == id)
}

async fn whole_account(account: &Account) -> std::sync::Arc<dyn Provider> {
    account.open_with(account.settings().with_text("root", "")).await
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_said_about_items_is_told_with_a_call_for_each_page() {
    let account = Account::ordinary().await;
    let best = Brought {
        favourite: true,
        hidden: true,
        caption: Some("At the lake".to_owned()),
        keywords: vec!["lake".to_owned(), "evening".to_owned()],
        taken: Some(Timestamp::from_parts(1_567_787_409, 89_000_000)),
        ..Brought::new("Pictures/Phone/b.jpg", photo(1, 300))
    };
    let best = account.sandbox.bring(best).await.unwrap();
    let plain = Brought::new("Documents/plain.txt", noise(2, 300));
    let plain = account.sandbox.bring(plain).await.unwrap();
    account.sandbox.make_album("Empty", Some("to come")).await.unwrap();

    let provider = whole_account(&account).await;
    account.sandbox.forget();
    let extras = provider.extras().await.unwrap();
    let told = remark(&extras, &best).unwrap();
    assert!(told.favourite && told.hidden && told.film_of.is_none());
    assert_eq!(told.caption.as_deref(), Some("At the lake"));
    assert_eq!(told.keywords, ["lake", "evening"]);
    let taken = told.taken.unwrap();
    assert_eq!((taken.local().as_str(), taken.instant()), ("2019-09-06T16:30:09", None));
    assert_eq!(taken.source(), Source::Service);
    assert_eq!(remark(&extras, &plain), None, "there is nothing to say");
    let [album] = &extras.albums[..] else { panic!("{:?}", extras.albums) };
    assert_eq!((album.title.as_str(), album.members.len()), ("Empty", 0));
    assert_eq!(album.description.as_deref(), Some("to come"));
    // The root, six folders, the albums, what is in the one.
    assert_eq!(account.sandbox.traffic().total(), 1 + 6 + 1 + 1);
}

#[tokio::test(start_paused = true)]
async fn long_albums_keep_their_order_however_awkward_the_pages_are() {
    let account = Account::behaving(|behaviour| {
        behaviour.short_pages = Some(3);
        behaviour.strays = true;
    })
    .await;
    let mut ids = Vec::new();
    for n in 0..450 {
        let albums = vec![if n % 2 == 0 { "Even" } else { "Odd" }.to_owned()];
        let item = Brought::new(format!("Pictures/{}.jpg", 999 - n), photo(n, 60));
        ids.push(account.sandbox.bring(Brought { albums, ..item }).await.unwrap());
    }
    let provider = whole_account(&account).await;
    account.sandbox.forget();
    let extras = provider.extras().await.unwrap();
    for (at, title) in ["Even", "Odd"].into_iter().enumerate() {
        let album = extras.albums.iter().find(|album| album.title == title).unwrap();
        let members: Vec<_> = album.members.iter().map(ToString::to_string).collect();
        let wanted: Vec<_> = ids.iter().skip(at).step_by(2).cloned().collect();
        assert!(members == wanted, "{title}");
    }
    assert!(account.sandbox.traffic().total() < 30, "{:?}", account.sandbox.counters().calls);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_a_folder_tells_of_that_folder_only() {
    let account = Account::ordinary().await;
    let bring = |path: &str, seed, album: &str| {
        let albums = vec![album.to_owned()];
        let item = Brought { favourite: true, albums, ..Brought::new(path, photo(seed, 90)) };
        account.sandbox.bring(item)
    };
    let inner = bring("Pictures/Safelight/a.jpg", 1, "Both").await.unwrap();
    bring("Pictures/b.jpg", 2, "Both").await.unwrap();
    bring("Pictures/c.jpg", 3, "Theirs").await.unwrap();
    account.sandbox.make_album("Empty", None).await.unwrap();
    let extras = account.open().await.extras().await.unwrap();
    let albums = extras.albums.iter().map(|album| (&*album.title, album.members.len()));
    let albums: Vec<_> = albums.collect();
    assert_eq!(albums.len(), 2, "{albums:?}");
    assert!(albums.contains(&("Both", 1)) && albums.contains(&("Empty", 0)));
    assert_eq!(extras.remarks.len(), 1);
    assert!(remark(&extras, &inner).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_leaves_no_half_knowledge() {
    let account = Account::ordinary().await;
    account.sandbox.bring(Brought::new("Pictures/a.jpg", photo(1, 90))).await.unwrap();
    account.sandbox.make_album("Empty", None).await.unwrap();
    account.sandbox.forget();
    whole_account(&account).await.extras().await.unwrap();
    let calls = account.sandbox.traffic().total();
    assert!(calls > 5);
    for n in 0..calls {
        let provider = whole_account(&account).await;
        account.sandbox.traffic().inject(Rule::next(Fault::status(500)).after(n).times(9));
        assert!(provider.extras().await.is_err(), "call {n}");
        account.sandbox.traffic().heal();
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_makes_no_sense_is_no_reason_to_know_nothing() {
    let account = Account::ordinary().await;
    let odd = Brought { favourite: true, ..Brought::new("Pictures/..", photo(1, 90)) };
    let odd = account.sandbox.bring(odd).await.unwrap();
    let good = Brought { favourite: true, ..Brought::new("Pictures/a.jpg", photo(2, 90)) };
    let good = account.sandbox.bring(good).await.unwrap();
    let extras = whole_account(&account).await.extras().await.unwrap();
    assert!(remark(&extras, &good).is_some() && remark(&extras, &odd).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_called_as_we_would_is_told_where_everything_is_to_be_taken_out() {
    let account = Account::ordinary().await;
    let provider = whole_account(&account).await;
    put(&*provider, "x/plain.jpg", &photo(1, 90)).await.unwrap();
    // Stands there as `%2541.jpg`, so that the other's name is taken.
    put(&*provider, "x/%41.jpg", &photo(2, 90)).await.unwrap();
    let theirs = ["x/%41.jpg", "x/end.", "x/ a", "x/..", "%43/deep /a.HEIC"];
    let mut ids = Vec::new();
    for (n, path) in theirs.iter().enumerate() {
        let film = path.ends_with("HEIC").then(|| ("a.qt".to_owned(), noise(99, 700).to_vec()));
        let albums = vec!["Odd".to_owned()];
        let item = Brought::new(*path, photo(10 + n, 400));
        ids.push(account.sandbox.bring(Brought { film, albums, ..item }).await.unwrap());
    }
    let gone = Brought { albums: vec!["Odd".to_owned()], ..Brought::new("x/b ", photo(20, 400)) };
    let gone = account.sandbox.bring(gone).await.unwrap();
    account.sandbox.trash(&gone).await.unwrap();

    let provider = whole_account(&account).await;
    let ordinary = common::list(&*provider, Scope::default()).await.unwrap();
    let is_file = |one: &&Listed| matches!(one, Listed::File(_));
    assert_eq!(ordinary.iter().filter(is_file).count(), 2);
    // The folder is passed as a whole.
    assert_eq!(ordinary.len(), 2 + 4 + 1);

    let all = common::list(&*provider, attached()).await.unwrap();
    assert!(all.iter().all(|one| is_file(&one)), "{all:?}");
    let listed = files_in(&*provider, attached()).await;
    let (tagged, plain): (Vec<_>, Vec<_>) =
        names(&listed).into_iter().partition(|name| name.starts_with("x/%41 ("));
    let deep = ["%43/deep /a.HEIC", "%43/deep /a.MOV"];
    let wanted = [&deep[..], &["x/ a", "x/%41.jpg", "x/__", "x/end.", "x/plain.jpg"]].concat();
    assert_eq!((tagged.len(), plain), (1, wanted.iter().map(ToString::to_string).collect()));
    for (n, id) in ids.iter().enumerate() {
        let entry = listed.iter().find(|entry| entry.remote_id.as_deref() == Some(id)).unwrap();
        assert_eq!(bytes_of(&*provider, entry).await.unwrap(), photo(10 + n, 400), "{}", entry.key);
    }
    let mine = listed.iter().find(|entry| entry.key == key("x/%41.jpg")).unwrap();
    assert_eq!(bytes_of(&*provider, mine).await.unwrap(), photo(2, 90));
    assert_eq!(names(&files_in(&*whole_account(&account).await, attached()).await), names(&listed));

    let extras = provider.extras().await.unwrap();
    let members: Vec<_> = extras.albums[0].members.iter().map(ToString::to_string).collect();
    assert_eq!(members, ids);

    let both = Scope { attached: true, ..trashed() };
    let found = files_in(&*provider, both).await;
    assert_eq!(names(&found), ["x/b "]);
    assert_eq!(bytes_of(&*provider, &found[0]).await.unwrap(), photo(20, 400));
}

#[tokio::test(start_paused = true)]
async fn albums_do_not_name_what_is_in_the_trash_or_gone_for_good() {
    for root in ["", "Pictures"] {
        let account = Account::behaving(|behaviour| behaviour.strays = true).await;
        let mut ids = Vec::new();
        for n in 0..4 {
            let item = Brought::new(format!("Pictures/{n}.jpg"), photo(n, 90));
            let film = Some(("f.qt".to_owned(), noise(n, 90).to_vec()));
            let albums = vec!["Sea".to_owned()];
            ids.push(account.sandbox.bring(Brought { albums, film, ..item }).await.unwrap());
        }
        account.sandbox.trash(&ids[1]).await.unwrap();
        account.sandbox.trash(&ids[2]).await.unwrap();
        std::fs::remove_file(account.folder.path().join("files/Pictures/3.jpg")).unwrap();
        let provider = account.open_with(account.settings().with_text("root", root)).await;
        let extras = provider.extras().await.unwrap();
        let members: Vec<_> = extras.albums[0].members.iter().map(ToString::to_string).collect();
        assert_eq!(members, [ids[0].clone()], "{root:?}");
        let listed = files_in(&*provider, attached()).await;
        assert_eq!(names(&listed).len(), 2, "{:?}", names(&listed));
    }
}

#[tokio::test(start_paused = true)]
async fn the_film_of_a_live_photo_is_listed_beside_its_still_and_read_by_its_version() {
    let account = Account::ordinary().await;
    let live = |path: &str, name: &str, seed| {
        let film = Some((name.to_owned(), noise(seed + 100, 700).to_vec()));
        account.sandbox.bring(Brought { film, ..Brought::new(path, photo(seed, 500)) })
    };
    let still = live("Pictures/IMG_1.HEIC", "IMG_1.qt", 1).await.unwrap();
    live("Pictures/IMG_2.HEIC", "whatever.mp4", 2).await.unwrap();
    // These names are taken: by a film of its own, and by another still's film.
    live("Pictures/IMG_3.HEIC", "IMG_3.qt", 3).await.unwrap();
    account.sandbox.bring(Brought::new("Pictures/img_3.mov", noise(9, 90))).await.unwrap();
    live("Pictures/IMG_1.JPG", "IMG_1.MOV", 4).await.unwrap();
    account.sandbox.bring(Brought::new("Pictures/plain.jpg", photo(5, 90))).await.unwrap();

    let provider = whole_account(&account).await;
    assert_eq!(files(&*provider).await.len(), 6);
    account.sandbox.forget();
    let listed = files_in(&*provider, attached()).await;
    // One for each live photo, none for the others.
    assert_eq!(account.calls("GET nodes/{id}/children"), 4);
    let found = names(&listed);
    let (tagged, plain): (Vec<_>, Vec<_>) =
        found.iter().cloned().partition(|name| name.contains('('));
    assert_eq!(
        plain,
        [
            "IMG_1.HEIC",
            "IMG_1.JPG",
            "IMG_1.MOV",
            "IMG_2.HEIC",
            "IMG_2.mp4",
            "IMG_3.HEIC",
            "img_3.mov",
            "plain.jpg"
        ]
        .map(|name| format!("Pictures/{name}"))
    );
    assert_eq!(tagged.len(), 2, "{found:?}");
    assert!(tagged[0].starts_with("Pictures/IMG_1 (") && tagged[1].starts_with("Pictures/IMG_3 ("));
    assert_eq!(names(&files_in(&*whole_account(&account).await, attached()).await), found);

    let film = listed.iter().find(|entry| entry.key == key("Pictures/IMG_1.MOV")).unwrap();
    assert_eq!(bytes_of(&*provider, film).await.unwrap(), noise(101, 700));
    let part = provider.read(&film.key, Some(10..20), film.version.as_ref()).await.unwrap();
    let part = part.bytes.try_collect::<Vec<_>>().await.unwrap().concat();
    assert_eq!(part, noise(101, 700)[10..20]);
    for entry in listed.iter().filter(|entry| tagged.contains(&entry.key.to_string())) {
        assert_eq!(bytes_of(&*provider, entry).await.unwrap().len(), 700);
    }
    // By its key alone it is nothing: nothing of that name stands there.
    let error = provider.read(&film.key, None, None).await.err().unwrap();
    assert_eq!(error.kind(), Kind::NotFound);

    let extras = provider.extras().await.unwrap();
    let film_of = remark(&extras, film.remote_id.as_ref().unwrap()).unwrap().film_of.clone();
    assert_eq!(film_of.as_deref(), Some(still.as_str()));
    assert_eq!(extras.remarks.iter().filter(|remark| remark.film_of.is_some()).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_film_whose_bytes_are_an_item_s_is_listed_as_that_item() {
    for same_node in [true, false] {
        let account =
            Account::behaving(|behaviour| behaviour.films_count_as_duplicates = same_node).await;
        let provider = account.open().await;
        let film = noise(1, 700);
        let still = put(&*provider, "IMG_1.HEIC", &photo(1, 500)).await.unwrap().remote_id.unwrap();
        let id = account.sandbox.attach_film(&still, "IMG_1.qt", film.to_vec()).await.unwrap();
        let stored = put(&*provider, "IMG_1.MOV", &film).await.unwrap();
        assert_eq!(stored.remote_id.as_deref() == Some(&id), same_node);
        let provider = account.open().await;
        let listed = files_in(&*provider, attached()).await;
        let films: Vec<_> = listed.iter().filter(|entry| entry.size == 700).collect();
        // Two nodes are two files, and only one of them can have the name.
        assert_eq!(films.len(), if same_node { 1 } else { 2 }, "{:?}", names(&listed));
        let item = films.iter().find(|entry| entry.key == key("IMG_1.MOV")).unwrap();
        assert_eq!(item.version, stored.version);
        for film in films {
            assert_eq!(bytes_of(&*provider, film).await.unwrap(), noise(1, 700));
        }
        let extras = provider.extras().await.unwrap();
        assert_eq!(remark(&extras, &id).unwrap().film_of.as_deref(), Some(&*still));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_trash_is_listed_where_it_stood_and_read_by_its_version() {
    let account = Account::ordinary().await;
    let provider = account.open().await;
    let (old, new) = (photo(1, 400), photo(2, 400));
    let first = put(&*provider, "2024/a.jpg", &old).await.unwrap();
    put_as(&*provider, "2024/a.jpg", &new, PutMode::Replace(first.version.unwrap())).await.unwrap();
    put(&*provider, "b.jpg", &photo(3, 400)).await.unwrap();
    put(&*provider, "2024/in/c.jpg", &photo(4, 400)).await.unwrap();
    let ours = put(&*provider, ".safelight/x", &photo(5, 400)).await.unwrap();
    account.sandbox.trash(&ours.remote_id.unwrap()).await.unwrap();
    for path in ["b.jpg", "2024/in/c.jpg"] {
        trash(&account, &*provider, path, None).await.unwrap();
    }
    account.sandbox.bring(Brought::new("Pictures/other.jpg", photo(6, 90))).await.unwrap();

    let provider = account.open().await;
    let listed = files_in(&*provider, trashed()).await;
    assert_eq!(names(&listed), ["2024/a.jpg", "2024/in/c.jpg", "b.jpg"]);
    for (entry, bytes) in listed.iter().zip([&old, &photo(4, 400), &photo(3, 400)]) {
        assert_eq!(bytes_of(&*provider, entry).await.unwrap(), *bytes, "{}", entry.key);
    }
    // The same key stands for what is there, as ever.
    assert_eq!(common::read(&*provider, "2024/a.jpg").await.unwrap(), new);
    assert_eq!(common::keys(&*provider).await, ["2024/a.jpg"]);
    let below = Scope { below: Some(key("2024/in")), ..trashed() };
    assert_eq!(names(&files_in(&*provider, below).await), ["2024/in/c.jpg"]);
    let all = Scope { reserved: true, ..trashed() };
    assert_eq!(files_in(&*provider, all).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_trash_is_told_whole_also_with_its_folders_and_equal_names() {
    let account = Account::ordinary().await;
    let mut wanted = Vec::new();
    for n in 0..230 {
        let path = format!("Pictures/deep/{}/{n}.jpg", n % 3);
        account.sandbox.bring(Brought::new(&path, photo(n, 60))).await.unwrap();
        wanted.push(path);
    }
    let provider = whole_account(&account).await;
    let folders = account.sandbox.id("Pictures/deep").unwrap();
    account.sandbox.trash(&folders).await.unwrap();
    for n in 0..2 {
        let id =
            account.sandbox.bring(Brought::new("again.jpg", photo(900 + n, 60))).await.unwrap();
        account.sandbox.trash(&id).await.unwrap();
    }
    account.sandbox.forget();
    let listed = files_in(&*provider, trashed()).await;
    let calls = account.sandbox.traffic().total();
    assert!(calls <= 8, "{calls} calls");
    wanted.push("again.jpg".to_owned());
    let found = names(&listed);
    assert_eq!(found.len(), 232);
    assert!(wanted.iter().all(|path| found.contains(path)), "{found:?}");
    assert_eq!(found.iter().filter(|path| path.starts_with("again (")).count(), 1);
    assert!(files_in(&*account.open().await, trashed()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_version_by_id_is_good_for_these_bytes_and_for_nothing_else() {
    let account = Account::behaving(|behaviour| behaviour.pending = Duration::ZERO).await;
    let provider = account.open().await;
    put(&*provider, "a.jpg", &photo(1, 400)).await.unwrap();
    trash(&account, &*provider, "a.jpg", None).await.unwrap();
    let listed = files_in(&*provider, trashed()).await;
    let version = listed[0].version.clone().unwrap();
    let wrong = |text: String| safelight_core::entry::Version::new(text);
    for (pin, kind) in [
        (wrong(format!("{}0", version.0)), Kind::Changed),
        (wrong("@AAAAAAAAAAAAAAAAAAAAAQ/00".to_owned()), Kind::NotFound),
        (wrong("@../x/00".to_owned()), Kind::NotFound),
    ] {
        let error = provider.read(&key("a.jpg"), None, Some(&pin)).await.err().unwrap();
        assert_eq!(error.kind(), kind, "{pin:?}");
    }
    // Nothing can be put in place of it.
    let replace = PutMode::Replace(version);
    assert!(put_as(&*provider, "a.jpg", &photo(2, 400), replace).await.is_err());
}
