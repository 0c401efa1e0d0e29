//! Leaving a cloud: whole exports, with everything that goes wrong on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use safelight_core::catalog::Catalog;
use safelight_core::codes;
use safelight_core::digest::{Algorithm, Algorithms, Hasher};
use safelight_core::error::Result;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::job::{Destination, Stop, Tools};
use safelight_core::monitor::Silent;
use safelight_core::notebook::Loose;
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Settings, Value};
use safelight_core::time::{Clock, Timestamp};
use safelight_core::wrap::{RetryPolicy, wrapped};
use safelight_export::inventory::{Inventory, Look};
use safelight_export::leave::{Answer, Question, Reason};
use safelight_export::plan::{Export, Wishes};
use safelight_export::run::{Options, Outcome};
use safelight_export::weigh::{Rules, Shelf, weigh};
use safelight_sandbox::AmazonSandbox;
use safelight_sandbox::amazon::{Behaviour, Brought, Expiry};
use safelight_testkit::clock::SimClock;
use safelight_testkit::faulty::{Fault, FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::line::{Chance, Fetched, Line};
use crate::mission::Mission;
use crate::world::{Death, key, scratch};

const RULES: Rules = Rules { copies: 2, checked_since: Timestamp::from_nanos(0) };
/// Calls at once, as the config has them.
const CONCURRENCY: u64 = 4;

/// An export that goes on where it was, and what else counts.
struct Going {
    clock: Arc<SimClock>,
    store: Arc<MemoryProvider>,
    catalog: Arc<dyn Catalog>,
    shelves: Vec<Shelf>,
}

impl Going {
    async fn new(clock: &Arc<SimClock>) -> Self {
        let store = MemoryProvider::build("target").clock(clock.clone()).like_a_disk().finish();
        let (clock, store) = (Arc::clone(clock), Arc::new(store));
        Self { clock, store, catalog: scratch().await, shelves: Vec::new() }
    }

    /// Besides what `mission` mirrors, but not to `leaving`.
    async fn home(mission: &Mission, leaving: &str) -> Self {
        let mut going = Self::new(&mission.world.clock).await;
        going.shelves.push(Shelf {
            catalog: mission.world.catalog.clone(),
            library: Some("library".to_owned()),
            reader: None,
            not: vec![leaving.to_owned()],
        });
        going
    }

    fn tools(&self) -> Tools {
        Tools {
            catalog: self.catalog.clone(),
            clock: self.clock.clone(),
            monitor: Arc::new(Silent),
            stop: Stop::default(),
        }
    }

    async fn try_run(
        &self,
        service: &Arc<dyn Provider>,
        target: Arc<dyn Provider>,
    ) -> Result<(Arc<Inventory>, Outcome)> {
        let tools = self.tools();
        let inventory = Inventory::take(&**service, &Look::default(), &tools).await?;
        let standings = weigh(&inventory, &self.shelves, RULES, &tools.stop).await?;
        let inventory = Arc::new(inventory);
        let export = Export {
            name: "goodbye".to_owned(),
            service: Arc::clone(service),
            inventory: Arc::clone(&inventory),
            standings: Arc::new(standings),
            targets: vec![Destination::new("target", target)],
            wishes: Wishes { sidecars: true, ..Wishes::default() },
            memory_bytes: 128 << 20,
        };
        let plan = export.plan(&*self.catalog).await?;
        let outcome = export.run(&plan, &Options::default(), &tools).await?;
        for (class, account) in &outcome.account.classes {
            assert!(account.adds_up(), "{class}: {account:?}");
        }
        Ok((inventory, outcome))
    }

    async fn run(&self, service: &Arc<dyn Provider>) -> (Arc<Inventory>, Outcome) {
        self.try_run(service, self.store.clone()).await.unwrap()
    }

    /// What `leave` says, what was exported included.
    async fn leave(&self, service: &Arc<dyn Provider>) -> Answer {
        let tools = self.tools();
        let inventory = Inventory::take(&**service, &Look::default(), &tools).await.unwrap();
        let own =
            Shelf { catalog: self.catalog.clone(), library: None, reader: None, not: Vec::new() };
        let mut shelves = vec![own];
        for Shelf { catalog, library, reader, not } in &self.shelves {
            let (catalog, library) = (Arc::clone(catalog), library.clone());
            shelves.push(Shelf { catalog, library, reader: reader.clone(), not: not.clone() });
        }
        let standings = weigh(&inventory, &shelves, RULES, &tools.stop).await.unwrap();
        let question =
            Question { rules: RULES, afterwards: Vec::new(), whole_account: true, name_at_most: 9 };
        Answer::of(&inventory, &standings, &question, |_, _| {})
    }

    /// The photos at the target: their SHA-256 by their names without folders.
    fn photos(&self) -> BTreeMap<String, [u8; 32]> {
        let keys = self.store.keys().into_iter();
        let photos = keys.filter(|key| key.is_within(&crate::world::key("data")));
        let photos = photos.filter(|key| !key.name().ends_with(b".xmp"));
        photos
            .map(|key| {
                let bytes = self.store.content(&key).unwrap();
                let name = String::from_utf8_lossy(key.name()).into_owned();
                (name, sha256(&bytes))
            })
            .collect()
    }

    /// The photos that the catalog says are stored, by their names.
    async fn recorded(&self) -> BTreeSet<String> {
        let (mut all, mut after) = (BTreeSet::new(), None);
        loop {
            let items = self.catalog.browse(None, after, 4096).await.unwrap();
            let Some(last) = items.last() else { return all };
            after = Some(last.key.clone());
            let stored =
                items.iter().filter(|item| item.legs.iter().any(|leg| leg.leg.held.is_some()));
            all.extend(stored.map(|item| String::from_utf8_lossy(item.key.name()).into_owned()));
        }
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Hasher::of(bytes, Algorithms::default()).sha256.unwrap()
}

/// An account that somebody's phone has filled.
struct Account {
    clock: Arc<SimClock>,
    amazon: AmazonSandbox,
    fetched: Fetched,
    /// The SHA-256 of everything that was brought, by names, and the ids.
    brought: BTreeMap<String, ([u8; 32], String)>,
    _folder: TempDir,
}

impl Account {
    async fn new(behaviour: Behaviour) -> Self {
        let (clock, folder) = (Arc::new(SimClock::start()), tempfile::tempdir().unwrap());
        let amazon = AmazonSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
        let (fetched, brought) = (Fetched::default(), BTreeMap::new());
        Self { clock, amazon, fetched, brought, _folder: folder }
    }

    /// In folders of 60.
    async fn fill(&mut self, count: usize) {
        for n in 0..count {
            let name = format!("IMG_{n:05}.jpg");
            let bytes = [b"\xff\xd8\xff\xe0".as_slice(), name.as_bytes()].concat();
            let sha256 = sha256(&bytes);
            let path = format!("Pictures/Phone/{:03}/{name}", n / 60);
            let id = self.amazon.bring(Brought::new(path, bytes)).await.unwrap();
            self.brought.insert(name, (sha256, id));
        }
    }

    fn line(&self) -> Line {
        Line::sound(&self.amazon, &self.fetched)
    }

    async fn open(&self, line: Arc<Line>) -> Arc<dyn Provider> {
        open_amazon(&self.amazon, &self.clock, line, "").await
    }

    async fn reopen(&self) -> Arc<dyn Provider> {
        self.open(Arc::new(self.line())).await
    }

    /// At the target stands what was brought, all of it and nothing else.
    fn assert_whole(&self, going: &Going) {
        let wanted: BTreeMap<_, _> =
            self.brought.iter().map(|(name, (sha256, _))| (name.clone(), *sha256)).collect();
        assert!(going.photos() == wanted, "{} of {}", going.photos().len(), wanted.len());
    }

    /// How often the bytes of something were asked for that the catalog had.
    fn again(&self, recorded: &BTreeSet<String>, before: &BTreeMap<String, u64>) -> usize {
        let fetched = self.fetched.all();
        let ids = recorded.iter().filter_map(|name| self.brought.get(name)).map(|(_, id)| id);
        ids.filter(|id| fetched.get(*id) != before.get(*id)).count()
    }
}

/// As something that is to be left: nothing is remembered of earlier runs.
async fn open_amazon(
    amazon: &AmazonSandbox,
    clock: &Arc<SimClock>,
    http: Arc<dyn HttpTransport>,
    root: &str,
) -> Arc<dyn Provider> {
    let settings = Settings::new("amazon")
        .with_text("metadata_url", amazon.metadata_url())
        .with_text("content_url", amazon.content_url())
        .with_text("thumbnail_url", amazon.thumbnails_url())
        .with_text("root", root)
        .with_text("concurrency", CONCURRENCY.to_string())
        .with("account", Value::Secret(amazon.cookies()));
    open("amazon-photos", settings, clock, http).await
}

async fn open_dropbox(mission: &Mission) -> Arc<dyn Provider> {
    let cloud = &mission.world.cloud;
    let settings = Settings::new("dropbox")
        .with_text("app_key", cloud.app_key())
        .with("token", Value::Secret(cloud.refresh_token().clone()));
    let hosts = ["api_url", "content_url", "notify_url", "www_url"];
    let settings = hosts.iter().fold(settings, |all, host| all.with_text(*host, cloud.url()));
    open("dropbox", settings, &mission.world.clock, Arc::new(cloud.direct())).await
}

async fn open(
    kind: &str,
    settings: Settings,
    clock: &Arc<SimClock>,
    http: Arc<dyn HttpTransport>,
) -> Arc<dyn Provider> {
    let clock: Arc<dyn Clock> = clock.clone();
    let (notebook, cancel) = (Arc::new(Loose::default()), CancellationToken::new());
    let context = Context { clock: clock.clone(), http, notebook, cancel };
    let registry = safelight_providers::registry().unwrap();
    let opened = registry.get(kind).unwrap().open(settings, context).await.unwrap();
    wrapped(opened, &clock, RetryPolicy::default(), None)
}

async fn everything_comes_once_from_a_service_in_trouble(items: usize) {
    let awkward = Behaviour {
        short_pages: Some(3),
        drift: Some(5),
        strays: true,
        latency: Duration::from_millis(50),
        ..Behaviour::default()
    };
    let mut account = Account::new(awkward).await;
    account.fill(items).await;
    let service = account.open(Arc::new(account.line().failing(20))).await;
    let going = Going::new(&account.clock).await;
    account.amazon.forget();
    let (inventory, outcome) = going.run(&service).await;
    assert_eq!(outcome.exit_code(), 0, "{:?} {:?}", outcome.reports, outcome.account.missing);
    let md5 = |name: &str| {
        let bytes = [b"\xff\xd8\xff\xe0".as_slice(), name.as_bytes()].concat();
        Hasher::of(&bytes, Algorithms::default().with(Algorithm::Md5)).md5
    };
    assert_eq!((inventory.items.len(), inventory.is_complete()), (items, true));
    for item in &inventory.items {
        let name = String::from_utf8_lossy(item.entry.key.name()).into_owned();
        let id = item.entry.remote_id.as_deref();
        assert_eq!(account.brought.get(&name).map(|(_, id)| id.as_str()), id);
        assert_eq!(item.entry.digests.md5, md5(&name));
    }
    let all = outcome.account.all();
    assert_eq!((all.exported.files, outcome.account.is_complete()), (items as u64, true));
    account.assert_whole(&going);
    let downloads = account.amazon.counters().signed;
    assert!(downloads >= items as u64 && downloads * 100 <= items as u64 * 105, "{downloads}");

    let service = account.reopen().await;
    account.amazon.forget();
    let (_, again) = going.run(&service).await;
    assert_eq!((again.exit_code(), account.amazon.counters().signed), (0, 0));
    assert!(going.leave(&service).await.is_safe());
}

#[tokio::test(start_paused = true)]
async fn everything_comes_once_though_requests_fail_and_listings_drift() {
    everything_comes_once_from_a_service_in_trouble(2000).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "takes minutes; the same with the number that is promised"]
async fn twenty_thousand_come_once_though_requests_fail_and_listings_drift() {
    everything_comes_once_from_a_service_in_trouble(20_000).await;
}

#[tokio::test(start_paused = true)]
async fn killed_at_fifty_moments_nothing_is_lost_and_nothing_recorded_is_downloaded_again() {
    const ITEMS: usize = 300;
    const KILLS: u64 = 50;
    let latency = Duration::from_millis(50);
    let mut account = Account::new(Behaviour { latency, ..Behaviour::default() }).await;
    account.fill(ITEMS).await;
    let going = Going::new(&account.clock).await;
    let mut chance = Chance::new(11);
    let mut died = 0;
    for kill in 0..KILLS {
        let recorded = going.recorded().await;
        let before = account.fetched.all();
        let script = match kill % 5 {
            0 => Script::new().at(1 + chance.below(20), Fault::DieBefore),
            1 => Script::new().at(1 + chance.below(20), Fault::DieHalfway),
            2 => Script::new().at(1 + chance.below(20), Fault::DieAfter),
            _ => Script::new(),
        };
        let death = if kill % 2 == 0 { Death::Before } else { Death::After };
        let request = if kill % 5 < 3 { u64::MAX } else { 1 + chance.below(70) };
        let line = Arc::new(account.line().dying(request, death));
        let script = Arc::new(script);
        let store = going.store.clone();
        let target = FaultyProvider::new(store, Arc::clone(&script), going.clock.clone());
        let run = async {
            let service = account.open(Arc::clone(&line)).await;
            going.try_run(&service, Arc::new(target)).await
        };
        died += u64::from(tokio::select! {
            () = script.died() => true,
            () = line.died() => true,
            _ = run => false,
        });
        assert_eq!(account.again(&recorded, &before), 0, "kill {kill}");
    }
    assert_eq!(died, KILLS, "the export was over before the last");
    let recorded = going.recorded().await;
    assert!(recorded.len() * 10 > ITEMS, "killed too early: {}", recorded.len());
    let (before, service) = (account.fetched.all(), account.reopen().await);
    let (_, outcome) = going.run(&service).await;
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert_eq!(account.again(&recorded, &before), 0);
    account.assert_whole(&going);
    let fetched: u64 = account.fetched.all().values().sum();
    // What was in flight at each of them, calls and what waited for its record.
    assert!(fetched <= ITEMS as u64 + KILLS * 2 * CONCURRENCY, "{fetched}");
    assert!(going.leave(&service).await.is_safe());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_dies_ends_the_export_at_once_and_new_cookies_go_on() {
    const ITEMS: usize = 200;
    for how in [Expiry::Unauthorized, Expiry::Forbidden, Expiry::SignInPage] {
        let latency = Duration::from_millis(50);
        let mut account = Account::new(Behaviour { latency, ..Behaviour::default() }).await;
        account.fill(ITEMS).await;
        let going = Going::new(&account.clock).await;
        let service = account.reopen().await;
        account.amazon.forget();
        account.amazon.expire_after(250, how);
        let (_, outcome) = going.run(&service).await;
        assert_eq!(outcome.exit_code(), 7, "{how:?}");
        assert_eq!(outcome.cut(), Some(codes::SIGN_IN), "{how:?}");
        let counters = account.amazon.counters();
        assert!(counters.without_session <= CONCURRENCY + 3, "{how:?}: {counters:?}");

        // The same cookies again: nothing is fetched.
        let (recorded, before) = (going.recorded().await, account.fetched.all());
        assert!(recorded.len() > 20, "{how:?}: {}", recorded.len());
        let dead = account.reopen().await;
        assert!(going.try_run(&dead, going.store.clone()).await.is_err(), "{how:?}");
        assert_eq!(account.fetched.all(), before, "{how:?}");

        account.amazon.renew().await.unwrap();
        let service = account.reopen().await;
        let (_, outcome) = going.run(&service).await;
        assert_eq!(outcome.exit_code(), 0, "{how:?}: {outcome:?}");
        assert_eq!(account.again(&recorded, &before), 0, "{how:?}");
        let fetched: u64 = account.fetched.all().values().sum();
        assert!(fetched <= ITEMS as u64 + 2 * CONCURRENCY, "{how:?}: {fetched}");
        account.assert_whole(&going);
        assert!(going.leave(&service).await.is_safe(), "{how:?}");
    }
}

/// A library that is mirrored to all three.
async fn mirrored() -> Mission {
    let mission = Mission::new().await;
    for n in 0..300 {
        let bytes = [b"\xff\xd8\xff\xe0".as_slice(), format!("own {n}").as_bytes()].concat();
        mission.world.library.write(format!("{:02}/IMG_{n:04}.jpg", n % 5), bytes);
    }
    assert_eq!(mission.run().await.exit_code(), 0);
    mission
}

#[tokio::test(start_paused = true)]
async fn of_amazon_only_what_is_nowhere_else_is_fetched_and_then_it_is_safe_to_cancel() {
    let mission = mirrored().await;
    let (amazon, going) = (&mission.amazon, Going::home(&mission, "amazon").await);
    let http = Arc::new(amazon.direct());
    let service = open_amazon(amazon, &mission.world.clock, http, "Pictures/Safelight").await;
    amazon.forget();
    let (inventory, outcome) = going.run(&service).await;
    assert_eq!((outcome.exit_code(), inventory.items.len()), (0, 300), "{outcome:?}");
    assert_eq!((amazon.counters().signed, amazon.counters().content), (0, 0));
    assert!(going.leave(&service).await.is_safe());

    let albums = || vec!["Sea".to_owned()];
    let bring = |path: &str, bytes: &[u8]| Brought {
        albums: albums(),
        ..Brought::new(format!("Pictures/Safelight/{path}"), bytes)
    };
    let live = Brought {
        film: Some(("a.qt".to_owned(), b"film".to_vec())),
        favourite: true,
        hidden: true,
        ..bring("Phone/a.HEIC", b"\xff\xd8\xff\xe0 a")
    };
    amazon.bring(live).await.unwrap();
    for path in ["Phone/b.jpg", "Phone/%41.jpg", "Phone/end.", "odd /c.txt"] {
        amazon.bring(bring(path, path.as_bytes())).await.unwrap();
    }
    let gone = amazon.bring(bring("Phone/gone.jpg", b"gone")).await.unwrap();
    amazon.trash(&gone).await.unwrap();
    amazon.make_album("Empty", None).await.unwrap();

    let answer = going.leave(&service).await;
    assert_eq!(answer.reasons, [Reason::OnlyThere], "{answer:?}");
    assert_eq!((answer.all.files, answer.only_there.files), (306, 6));
    assert_eq!((answer.losses.albums, answer.losses.live_pairs), (2, 1));
    amazon.forget();
    let (_, outcome) = going.run(&service).await;
    assert_eq!((outcome.exit_code(), amazon.counters().signed), (0, 6), "{outcome:?}");
    let photos = going.photos();
    let wanted = ["_41.jpg", "a.HEIC", "a.MOV", "b.jpg", "c.txt", "end_"];

    assert!(photos.keys().eq(wanted.iter()), "{:?}", photos.keys());
    let answer = going.leave(&service).await;
    assert!(answer.is_safe(), "{answer:?}");
    assert_eq!((answer.enough.files, answer.fewer.files), (300, 6));
    amazon.forget();
    assert_eq!(going.run(&service).await.1.exit_code(), 0);
    assert_eq!(amazon.counters().signed, 0);
}

/// As another program of the user would.
async fn upload(mission: &Mission, path: &str, bytes: &'static [u8]) {
    let cloud = &mission.world.cloud;
    let request = Request::post(format!("{}/2/files/upload", cloud.url()))
        .header("authorization", format!("Bearer {}", cloud.access_token().expose()))
        .header("content-type", "application/octet-stream")
        .header("dropbox-api-arg", format!(r#"{{"path": "/{path}"}}"#))
        .body(HttpBody::Whole(bytes.into()))
        .unwrap();
    assert_eq!(cloud.direct().send(request).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn of_dropbox_only_what_is_nowhere_else_is_fetched_and_then_it_is_safe_to_cancel() {
    let mission = mirrored().await;
    let (cloud, going) = (&mission.world.cloud, Going::home(&mission, "dropbox").await);
    let service = open_dropbox(&mission).await;
    cloud.forget();
    let (inventory, outcome) = going.run(&service).await;
    assert_eq!((outcome.exit_code(), inventory.items.len()), (0, 300), "{outcome:?}");
    assert_eq!(cloud.calls("files/download"), 0);
    assert!(going.leave(&service).await.is_safe());

    upload(&mission, "Phone/b.jpg", b"b").await;
    upload(&mission, "Phone/%41.jpg", b"c").await;
    upload(&mission, "%42/nothing.txt", b"").await;
    // The bytes of a photo of the library under another name.
    let known = mission.world.library.content(&key("00/IMG_0000.jpg")).unwrap();
    upload(&mission, "Phone/again.jpg", Box::leak(Vec::from(known).into_boxed_slice())).await;

    let answer = going.leave(&service).await;
    assert_eq!(answer.reasons, [Reason::OnlyThere], "{answer:?}");
    assert_eq!((answer.all.files, answer.only_there.files), (304, 3));
    cloud.forget();
    let (_, outcome) = going.run(&service).await;
    assert_eq!((outcome.exit_code(), cloud.calls("files/download")), (0, 3), "{outcome:?}");
    let photos: Vec<_> = going.photos().into_keys().collect();
    assert_eq!(photos, ["_41.jpg", "b.jpg", "nothing.txt"]);
    let answer = going.leave(&service).await;
    assert!(answer.is_safe(), "{answer:?}");
    cloud.forget();
    assert_eq!(going.run(&service).await.1.exit_code(), 0);
    assert_eq!(cloud.calls("files/download"), 0);
}
