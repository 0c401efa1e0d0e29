//! May the membership end? What is proven elsewhere, and what is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::Arc;
use std::time::Duration;

use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::Catalog;
use safelight_core::class::{Classifier, MediaClass};
use safelight_core::filter::Filter;
use safelight_core::inspect::ByName;
use safelight_core::job::{
    ChangeRules, DeletionRules, Destination, Guard, KeepFree, MirrorJob, MirrorOptions, Pool,
    PoolLimit, Tools, WhenFull,
};
use safelight_core::mirror::mirror;
use safelight_core::monitor::Silent;
use safelight_core::provider::{Proof, Provider};
use safelight_export::leave::{Answer, Reason};
use safelight_export::page;
use safelight_export::weigh::{Rules, Shelf, weigh};
use safelight_testkit::memory::MemoryProvider;
use world::{RULES, World, catalog, key, question};

/// A library and its mirror, beside the service.
struct Home {
    library: Arc<MemoryProvider>,
    store: Arc<MemoryProvider>,
    catalog: Arc<SqliteCatalog>,
}

impl Home {
    async fn new(world: &World) -> Self {
        let library = MemoryProvider::build("library").clock(world.clock.clone()).like_a_disk();
        let store = MemoryProvider::build("disk").clock(world.clock.clone());
        Self {
            library: Arc::new(library.finish()),
            store: Arc::new(store.finish()),
            catalog: catalog().await,
        }
    }

    fn speaking_sha256_only(mut self, world: &World) -> Self {
        let store = MemoryProvider::build("disk").clock(world.clock.clone()).like_a_disk();
        self.store = Arc::new(store.finish());
        self
    }

    async fn mirror(&self, world: &World) {
        let guard = Guard { files: 1000, share: 1.0 };
        let job = MirrorJob {
            name: "mirror".to_owned(),
            library: self.library.clone(),
            filter: Filter::default(),
            settle: Duration::ZERO,
            classifier: Classifier::default(),
            inspector: Arc::new(ByName::default()),
            destinations: vec![Destination::new("disk", self.store.clone())],
            deletions: DeletionRules { propagate_after: None, keep_for: Duration::ZERO, guard },
            changes: ChangeRules { keep_versions: 0, guard },
            memory_bytes: 128 << 20,
        };
        let tools = Tools {
            catalog: self.catalog.clone(),
            clock: world.clock.clone(),
            monitor: Arc::new(Silent),
            stop: world.stop.clone(),
        };
        let report = mirror(&job, &MirrorOptions::default(), &tools).await.unwrap();
        assert_eq!(report.exit_code(), 0, "{report:?}");
    }

    fn shelf(&self, reads: bool) -> Shelf {
        Shelf {
            catalog: self.catalog.clone() as Arc<dyn Catalog>,
            library: Some("library".to_owned()),
            reader: reads.then(|| self.library.clone() as Arc<dyn Provider>),
            not: vec!["cloud".to_owned()],
        }
    }
}

/// Ten photos at the service, eight of them in the library under other names.
async fn mostly_at_home(mut world: World, home: &Home) -> World {
    for at in 0..10 {
        let photo = world.service.photo(&format!("IMG_{at}.jpg"));
        if at < 8 {
            let bytes = world.service.inner.content(&photo).unwrap();
            home.library.write(format!("own/{at}.jpg"), bytes);
        }
    }
    home.mirror(&world).await;
    world.shelves = vec![home.shelf(true)];
    world
}

#[tokio::test(start_paused = true)]
async fn exactly_what_is_nowhere_else_is_named_fetched_and_then_it_is_safe() {
    let world = World::new(1).await;
    let home = Home::new(&world).await;
    let world = mostly_at_home(world, &home).await;
    let answer = world.leave().await;
    assert_eq!((answer.all.files, answer.enough.files, answer.only_there.files), (10, 8, 2));
    assert_eq!(answer.reasons, [Reason::OnlyThere]);
    let inventory = world.inventory().await.unwrap();
    let named: Vec<_> =
        answer.named.iter().map(|one| inventory.items[one.item].entry.key.to_string()).collect();
    assert_eq!(named, ["IMG_8.jpg", "IMG_9.jpg"]);
    world.service.reads();
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.service.reads()), (0, 2), "{outcome:?}");
    assert_eq!(world.files(0), ["data/IMG_8.jpg", "data/IMG_9.jpg"]);
    let all = outcome.account.all();
    assert_eq!((all.exported.files, all.elsewhere.files), (2, 8));
    let answer = world.leave().await;
    assert!(answer.is_safe(), "{answer:?}");
    assert_eq!((answer.enough.files, answer.fewer.files), (8, 2));
    assert_eq!((world.run().await.exit_code(), world.service.reads()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn with_everything_proven_elsewhere_nothing_is_downloaded_but_the_papers_stand() {
    let world = World::new(1).await;
    let home = Home::new(&world).await;
    let mut world = mostly_at_home(world, &home).await;
    for at in 8..10 {
        let bytes = world.service.inner.content(&key(format!("IMG_{at}.jpg"))).unwrap();
        home.library.write(format!("own/{at}.jpg"), bytes);
    }
    home.mirror(&world).await;
    world.service.reads();
    let outcome = world.run().await;
    assert_eq!((outcome.exit_code(), world.service.reads()), (0, 0), "{outcome:?}");
    assert!(world.text(0, "safelight-export.json").contains("\"where\":\"disk\""));
    assert_eq!(world.files(0), [] as [String; 0]);
    world.wishes.everything = true;
    assert_eq!(world.run().await.account.all().exported.files, 10);
    assert_eq!(world.service.reads(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_is_nowhere_else_goes_first() {
    let mut world = World::new(1).await;
    let home = Home::new(&world).await;
    world = mostly_at_home(world, &home).await;
    world.wishes.everything = true;
    world.run().await;
    let first = world.catalog.work(safelight_core::catalog::WorkQuery {
        destinations: Vec::new(),
        after: None,
        not_tried_in: None,
        with_held: true,
        limit: 1,
    });
    assert!(first.await.unwrap().is_empty());
    let items = world.catalog.browse(None, None, 100).await.unwrap();
    let mut by_id: Vec<_> = items.iter().map(|item| (item.item, item.key.to_string())).collect();
    by_id.sort();
    let names: Vec<_> = by_id.iter().take(2).map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["data/IMG_8.jpg", "data/IMG_9.jpg"]);
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_the_catalog_lacks_is_computed_once_from_the_library() {
    let world = World::new(1).await;
    let home = Home::new(&world).await.speaking_sha256_only(&world);
    let mut world = mostly_at_home(world, &home).await;
    world.shelves = vec![home.shelf(false)];
    let answer = world.leave().await;
    assert_eq!((answer.only_there.files, answer.perhaps), (10, 10));
    world.shelves = vec![home.shelf(true)];
    home.library.reset_counts();
    let answer = world.leave().await;
    assert_eq!((answer.enough.files, answer.only_there.files), (8, 2));
    assert_eq!(home.library.counts().read, 8);
    home.library.reset_counts();
    assert_eq!(world.leave().await.only_there.files, 2);
    // Only what is still open is looked at again; what was settled stands in the catalog.
    assert_eq!(home.library.counts().read, 0);
}

#[tokio::test(start_paused = true)]
async fn old_weak_and_own_copies_do_not_count() {
    let mut world = World::new(1).await;
    let home = Home::new(&world).await;
    world = mostly_at_home(world, &home).await;
    let inventory = world.inventory().await.unwrap();
    let not_library =
        |not: &str| Shelf { library: None, not: vec![not.to_owned()], ..home.shelf(false) };
    let count = async |shelf: Shelf, rules: Rules| {
        let standings = weigh(&inventory, &[shelf], rules, &world.stop).await.unwrap();
        standings.iter().filter(|standing| standing.is_elsewhere()).count()
    };
    assert_eq!(count(not_library("cloud"), RULES).await, 8);
    assert_eq!(count(not_library("disk"), RULES).await, 0);
    let late = world.clock.now_plus_a_day();
    assert_eq!(count(not_library("cloud"), Rules { checked_since: late, ..RULES }).await, 0);
    assert!(!Proof::SizeOnly.counts());
}

trait Later {
    fn now_plus_a_day(&self) -> safelight_core::time::Timestamp;
}

impl Later for safelight_testkit::clock::SimClock {
    fn now_plus_a_day(&self) -> safelight_core::time::Timestamp {
        safelight_core::time::Clock::now(self).plus(Duration::from_hours(24))
    }
}

#[tokio::test(start_paused = true)]
async fn what_would_be_lost_and_what_is_beyond_the_quota_is_counted() {
    let world = World::new(1).await;
    let photo = world.service.photo("a.jpg");
    let film = world.service.photo("b.mov");
    world.service.album("One", &[&photo]);
    world.service.album("None", &[]);
    let still = world.service.id(&photo);
    world.service.remark(&photo, |remark| {
        remark.favourite = true;
        remark.caption = Some("c".to_owned());
    });
    world.service.remark(&film, |remark| {
        remark.hidden = true;
        remark.film_of = Some(still);
    });
    let inventory = world.inventory().await.unwrap();
    let pool = Pool {
        counts: MediaClass::ALL.to_vec(),
        limit: PoolLimit::Bytes(10),
        keep_free: KeepFree::Bytes(0),
        when_full: WhenFull::NewestFirst,
    };
    let question = safelight_export::leave::Question { afterwards: vec![pool], ..question() };
    let mut rows = 0;
    let answer = Answer::of(&inventory, &[], &question, |_, _| rows += 1);
    let losses = answer.losses.clone();
    assert_eq!((losses.albums, losses.empty_albums, losses.favourites), (2, 1, 1));
    assert_eq!((losses.captions, losses.hidden, losses.live_pairs, rows), (1, 1, 1, 2));
    assert_eq!(answer.beyond[0].bytes(), answer.all.bytes - 10);
}

#[tokio::test(start_paused = true)]
async fn an_album_that_names_what_is_not_listed_is_no_complete_listing() {
    let world = World::new(1).await;
    world.service.photo("a.jpg");
    let ghost = key("ghost.jpg");
    world.service.album("One", &[&ghost]);
    world.run().await;
    assert_eq!(world.leave().await.reasons, [Reason::Unlisted]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_counts_more_than_it_lists_is_not_safe_to_leave() {
    let mut world = World::new(1).await;
    world.service.photo("a.jpg");
    world.run().await;
    let mut inventory = world.inventory().await.unwrap();
    inventory.usage = vec![safelight_core::provider::PoolUsage {
        counts: MediaClass::ALL.to_vec(),
        room: safelight_core::provider::Room::Limited { used: 50 << 20, total: 1 << 40 },
    }];
    let own =
        Shelf { catalog: world.catalog.clone(), library: None, reader: None, not: Vec::new() };
    world.shelves = vec![own];
    let standings = world.standings(&inventory).await;
    let mut question = question();
    let answer = Answer::of(&inventory, &standings, &question, |_, _| {});
    assert!(answer.is_safe() && answer.reckonings[0].lacks());
    question.whole_account = true;
    let answer = Answer::of(&inventory, &standings, &question, |_, _| {});
    assert_eq!(answer.reasons, [Reason::CountsMore]);
}

#[tokio::test(start_paused = true)]
async fn the_page_is_whole_in_itself_and_names_are_only_text() {
    let world = World::new(1).await;
    world.service.photo("<script>alert(1)</script>.jpg");
    world.service.photo("\u{1b}[31m\"onload='x'.jpg");
    world.run().await;
    let inventory = world.inventory().await.unwrap();
    let own =
        Shelf { catalog: world.catalog.clone(), library: None, reader: None, not: Vec::new() };
    let standings = weigh(&inventory, &[own], RULES, &world.stop).await.unwrap();
    let answer = Answer::of(&inventory, &standings, &question(), |_, _| {});
    let mut out = Vec::new();
    page::write(&mut out, &inventory, &standings, &answer, RULES.copies).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains("<script") && !text.contains('\u{1b}') && !text.contains("http://"));
    assert!(!text.contains("src=") && !text.contains("href="));
    assert_eq!(text.matches("<tr class=\"few\">").count(), 2, "{text}");
    assert!(text.contains("Safe to cancel.") && text.contains("t0: data/"));
}
