//! The figures of Amazon Photos with whole runs: how many calls, how many bytes, and what happens when the session
//! ends.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use safelight_catalog::SqliteCatalog;
use safelight_core::codes;
use safelight_core::job::{Destination, MirrorOptions};
use safelight_core::mirror::{DestinationState, mirror};
use safelight_core::time::Clock as _;
use safelight_sandbox::amazon::{Behaviour, Expiry};
use safelight_testkit::memory::MemoryProvider;

use crate::mission::{Mission, at};
use crate::world::scratch;

/// Words that stand in every picture, so that it is one.
fn picture(n: usize, length: usize) -> Vec<u8> {
    let mut bytes = format!("\u{0}{n:08}").into_bytes();
    bytes.splice(0..1, *b"\xff\xd8\xff\xe0");
    bytes.resize(length, u8::try_from(n % 251).unwrap());
    bytes
}

fn fill(mission: &Mission, count: usize, length: usize) {
    for n in 0..count {
        mission.world.library.write(format!("{:02}/IMG_{n:05}.jpg", n % 20), picture(n, length));
    }
}

/// What a first listing of so many items in so many folders may take.
fn budget(items: u64, folders: u64) -> u64 {
    items / 200 * 3 / 2 + folders + 20
}

#[tokio::test(start_paused = true)]
async fn a_run_with_nothing_new_makes_no_content_request_and_a_listing_keeps_to_its_budget() {
    nothing_new_costs_nothing_and_a_listing_keeps_to_its_budget(1000).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "takes minutes; the same with the number that is promised"]
async fn twenty_thousand_with_nothing_new_cost_nothing_and_are_listed_within_the_budget() {
    nothing_new_costs_nothing_and_a_listing_keeps_to_its_budget(20_000).await;
}

async fn nothing_new_costs_nothing_and_a_listing_keeps_to_its_budget(items: u64) {
    let mut mission = Mission::behaving(Behaviour {
        short_pages: Some(3),
        drift: Some(5),
        ..Behaviour::default()
    })
    .await;
    fill(&mission, usize::try_from(items).unwrap(), 300);
    let first = mission.run().await;
    assert_eq!(first.exit_code(), 0, "{:?}", first.problems);
    assert_eq!(mission.amazon.counters().stored, items + 1, "the items and the marker");

    mission.open().await;
    mission.amazon.forget();
    assert_eq!(mission.run().await.exit_code(), 0);
    let idle = mission.amazon.counters();
    // The marker is read, and nothing else.
    assert_eq!((idle.content, idle.signed, idle.bytes_uploaded), (0, 1, 0));
    assert!(idle.metadata <= 8, "{:?}", idle.calls);

    // As a library it is listed whole.
    mission.open().await;
    let amazon = Arc::clone(mission.world.job.destinations[1].opened.as_ref().unwrap());
    mission.world.job.library = amazon;
    let store = MemoryProvider::build("store").clock(mission.world.clock.clone()).like_a_disk();
    mission.world.job.destinations = vec![Destination::new("store", Arc::new(store.finish()))];
    mission.amazon.forget();
    let tools = mission.world.tools(&scratch().await);
    let options = MirrorOptions { dry_run: true, ..MirrorOptions::default() };
    let report = mirror(&mission.world.job, &options, &tools).await.unwrap();
    assert_eq!((report.files.files, report.new.files), (items, items));
    let listing = mission.amazon.counters();
    assert!(listing.metadata <= budget(items, 21), "{:?}", listing.calls);
    assert_eq!(listing.content, 0);
}

#[tokio::test(start_paused = true)]
async fn ghosts_cost_no_second_node_and_hardly_a_byte() {
    const DISTINCT: usize = 300;
    let mission =
        Mission::behaving(Behaviour { ghosts_per_thousand: 100, ..Behaviour::default() }).await;
    fill(&mission, DISTINCT, 4000);
    for n in 0..10 {
        mission.world.library.write(format!("twin/{n}.jpg"), picture(n, 4000));
    }
    let payload = (DISTINCT as u64 + 10) * 4000;
    let report = mission.run().await;
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    let counters = mission.amazon.counters();
    assert!(counters.ghosts > 15, "{counters:?}");
    assert_eq!(counters.stored, DISTINCT as u64 + 1, "{counters:?}");
    assert!(counters.bytes_uploaded * 100 <= payload * 115, "{counters:?}");
    mission.assert_mirrored("after ghosts").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_dies_stops_amazon_alone_and_new_cookies_go_on() {
    const FILES: u64 = 150;
    for how in [Expiry::Unauthorized, Expiry::Forbidden, Expiry::SignInPage] {
        let mut mission = Mission::new().await;
        let concurrency = mission.concurrency as u64;
        mission.run().await;
        fill(&mission, usize::try_from(FILES).unwrap(), 500);
        mission.open().await;
        mission.amazon.forget();
        mission.amazon.expire_after(70, how);
        let report = mission.run().await;
        let DestinationState::Stopped(error) = &at(&report, "amazon").state else {
            panic!("{how:?}: {:?}", at(&report, "amazon").state)
        };
        assert_eq!((error.id(), report.exit_code()), (codes::SIGN_IN, 7), "{how:?}");
        for other in ["dropbox", "disk"] {
            assert_eq!(at(&report, other).copied.files, FILES, "{how:?}: {other}");
        }
        let counters = mission.amazon.counters();
        assert!(counters.without_session <= concurrency + 3, "{how:?}: {counters:?}");
        let uploads = mission.amazon.calls("POST v2/upload");

        // The same cookies again: one look, and nothing else.
        mission.open().await;
        mission.amazon.forget();
        assert_eq!(mission.run().await.exit_code(), 7, "{how:?}");
        let again = mission.amazon.counters();
        assert_eq!((again.without_session, again.content), (1, 0), "{how:?}: {again:?}");

        mission.amazon.renew().await.unwrap();
        mission.assert_claims_hold(&format!("{how:?}")).await;
        mission.open().await;
        mission.amazon.forget();
        let report = mission.run().await;
        assert_eq!(report.exit_code(), 0, "{how:?}: {:?}", report.problems);
        let uploads = uploads + mission.amazon.calls("POST v2/upload");
        assert!(uploads <= FILES + concurrency, "{how:?}: {uploads} uploads");
        mission.assert_mirrored(&format!("{how:?}, new cookies")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn never_more_calls_at_once_than_set_and_none_inside_an_announced_pause() {
    let mut mission = Mission::behaving(Behaviour {
        latency: Duration::from_millis(400),
        ..Behaviour::default()
    })
    .await;
    mission.concurrency = 3;
    mission.open().await;
    fill(&mission, 120, 500);
    let pausing = async {
        while mission.amazon.calls("POST v2/upload") < 30 {
            mission.world.clock.sleep(Duration::from_millis(50)).await;
        }
        mission.amazon.refuse_for(Duration::from_secs(20), 503);
    };
    let (report, ()) = tokio::join!(mission.run(), pausing);
    assert_eq!(report.exit_code(), 0, "{:?}", report.problems);
    let counters = mission.amazon.counters();
    assert!(counters.peak <= 3, "{counters:?}");
    // Only what was under way when the pause was announced.
    assert!((1..=3).contains(&counters.within_retry_after), "{counters:?}");
    assert_eq!(counters.refused, counters.within_retry_after, "{counters:?}");
    mission.assert_mirrored("after a pause").await;
    assert_eq!(mission.amazon.counters().credentials_on_signed_links, 0);
    assert!(mission.amazon.counters().signed > 0, "reading back went over signed links");
}

/// What was logged, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn no_cookie_is_told_by_logs_reports_or_the_catalog() {
    // With one listener only, whoever comes first from another test would decide for all that nobody listens.
    let _other = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let log = Log::default();
    let writer = log.clone();
    let logging = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let logging = tracing::subscriber::set_default(logging);
    let mut mission = Mission::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    mission.world.catalog = Arc::new(SqliteCatalog::open(&file, "test").await.unwrap());
    mission.open().await;
    fill(&mission, 20, 300);
    let first = format!("{:?}", mission.run().await);
    let cookies = mission.amazon.cookies();
    mission.amazon.expire_after(0, Expiry::Unauthorized);
    mission.open().await;
    let last = mission.run().await;
    assert_eq!(last.exit_code(), 7);
    drop(logging);

    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("amazon"), "something was logged");
    let mut told = vec![first, format!("{last:?}"), log];
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        told.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let lines = cookies.expose().lines().filter(|line| !line.starts_with('#'));
    let values: Vec<_> = lines.map(|line| line.rsplit('\t').next().unwrap()).collect();
    assert!(values.len() >= 3);
    for value in values {
        assert!(told.iter().all(|text| !text.contains(value)), "a cookie was told");
    }
}
