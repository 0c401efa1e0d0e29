//! The wrappers change nothing but what they are told to.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::{Either, select};
use safelight_core::body::Body;
use safelight_core::class::MediaClass;
use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::{Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::{Provider, PutMode, PutRequest, Receipt};
use safelight_core::time::Clock;
use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Subject};
use safelight_testkit::content;
use safelight_testkit::faulty::{Call, Fault, FaultyProvider, Script};
use safelight_testkit::memory::MemoryProvider;
use safelight_testkit::slow::SlowProvider;

struct Rig {
    memory: MemoryProvider,
    script: Arc<Script>,
    faulty: FaultyProvider,
}

fn rig(script: Script) -> Rig {
    let clock = Arc::new(SimClock::start());
    let memory = MemoryProvider::build("memory").clock(clock.clone()).finish();
    let script = Arc::new(script);
    let faulty = FaultyProvider::new(Arc::new(memory.clone()), script.clone(), clock);
    Rig { memory, script, faulty }
}

fn key(path: &str) -> Key {
    Key::new(path).unwrap()
}

async fn put(provider: &dyn Provider, path: &str, length: usize) -> Result<Receipt> {
    let bytes = content::bytes(1, length);
    let digests = Hasher::of(&bytes, Algorithms::default());
    let request = PutRequest {
        key: key(path),
        length: length as u64,
        class: MediaClass::Photo,
        modified: None,
        mode: PutMode::Create,
        digests,
    };
    provider.put(request, Body::whole(bytes, digests)).await
}

async fn read(provider: &dyn Provider, path: &str) -> Result<Vec<u8>> {
    let opened = provider.read(&key(path), None, None).await?;
    let chunks: Vec<_> = opened.bytes.try_collect().await?;
    Ok(chunks.concat())
}

async fn listed(provider: &dyn Provider) -> Vec<Key> {
    let pages: Vec<_> = provider.list(Scope::default()).try_collect().await.unwrap();
    let entries = pages.into_iter().flat_map(|page| page.entries);
    let file = |listed| match listed {
        Listed::File(entry) => Some(entry.key),
        _ => None,
    };
    entries.filter_map(file).collect()
}

#[tokio::test(start_paused = true)]
async fn without_faults_the_wrapped_provider_conforms() {
    let outcome = conformance::run(async || {
        let clock = Arc::new(SimClock::start());
        let memory = Arc::new(MemoryProvider::build("memory").clock(clock.clone()).finish());
        let slow = SlowProvider::new(memory, clock.clone())
            .latency(Duration::from_millis(5))
            .rate(50_000_000);
        let script = Arc::new(Script::new());
        let faulty = FaultyProvider::new(Arc::new(slow), script, clock.clone());
        Subject::new(Arc::new(faulty), clock)
    })
    .await;
    outcome.assert();
}

#[tokio::test(start_paused = true)]
async fn the_nth_call_fails_and_no_other() {
    for n in 1..=4 {
        let rig = rig(Script::new().at(n, Fault::Error(Kind::Io)));
        for call in 1..=3 {
            let result = put(&rig.faulty, &format!("{call}.jpg"), 10).await;
            assert_eq!(result.is_err(), call == n);
        }
        assert_eq!(rig.script.fired(), u64::from(n < 4));
        assert_eq!(rig.script.steps(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_the_item_stored() {
    let rig = rig(Script::new().on(Call::Put, 1, Fault::LostAnswer(Kind::Timeout)));
    assert!(rig.faulty.check().await.is_ok());
    assert_eq!(put(&rig.faulty, "a.jpg", 10).await.unwrap_err().kind(), Kind::Timeout);
    assert_eq!(rig.memory.keys(), [key("a.jpg")]);
}

#[tokio::test(start_paused = true)]
async fn spoilt_bytes_never_pass_as_stored() {
    for fault in [Fault::FlippedBit, Fault::ShortBody] {
        let rig = rig(Script::new().at(1, fault));
        assert!(put(&rig.faulty, "a.jpg", 1000).await.is_err(), "{fault:?}");
        assert_eq!(rig.memory.keys(), []);
        put(&rig.faulty, "a.jpg", 1000).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn spoilt_reads_give_other_bytes_without_an_error() {
    let script =
        Script::new().on(Call::Read, 1, Fault::FlippedBit).on(Call::Read, 2, Fault::ShortBody);
    let rig = rig(script);
    put(&rig.faulty, "a.jpg", 200_000).await.unwrap();
    let good = content::bytes(1, 200_000);
    let flipped = read(&rig.faulty, "a.jpg").await.unwrap();
    assert_eq!((flipped[0], &flipped[1..]), (good[0] ^ 1, &good[1..]));
    assert_eq!(read(&rig.faulty, "a.jpg").await.unwrap(), good[..100_000]);
    assert_eq!(read(&rig.faulty, "a.jpg").await.unwrap(), good);
}

#[tokio::test(start_paused = true)]
async fn a_stale_listing_lacks_what_is_new() {
    let rig = rig(Script::new().from(1, Fault::StaleListing));
    put(&rig.faulty, "a.jpg", 10).await.unwrap();
    assert_eq!(listed(&rig.faulty).await, []);
    assert_eq!(listed(&rig.faulty).await, [key("a.jpg")]);
}

#[tokio::test(start_paused = true)]
async fn room_and_sign_in_run_out() {
    let rig = rig(Script::new().no_room_after(25));
    put(&rig.faulty, "a.jpg", 20).await.unwrap();
    assert_eq!(put(&rig.faulty, "b.jpg", 20).await.unwrap_err().kind(), Kind::NoRoom);
    let rig = self::rig(Script::new().sign_in_after(1));
    put(&rig.faulty, "a.jpg", 20).await.unwrap();
    assert_eq!(rig.faulty.check().await.unwrap_err().kind(), Kind::SignIn);
}

#[tokio::test(start_paused = true)]
async fn after_death_no_call_ends() {
    for (fault, stored) in
        [(Fault::DieBefore, false), (Fault::DieHalfway, false), (Fault::DieAfter, true)]
    {
        let rig = rig(Script::new().at(1, fault));
        let run = Box::pin(async {
            let _ = put(&rig.faulty, "a.jpg", 1000).await;
        });
        match select(run, Box::pin(rig.script.died())).await {
            Either::Left(_) => panic!("the put ended"),
            Either::Right(((), run)) => drop(run),
        }
        assert_eq!(!rig.memory.keys().is_empty(), stored, "{fault:?}");
        let clock = SimClock::start();
        let late = select(rig.faulty.check(), clock.sleep(Duration::from_secs(1000))).await;
        assert!(matches!(late, Either::Right(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults() {
    async fn fates(seed: u64) -> Vec<Option<Kind>> {
        let faults = [Fault::Error(Kind::Io), Fault::LostAnswer(Kind::Timeout)];
        let rig = rig(Script::new().dice(seed, 300, &faults));
        let mut fates = Vec::new();
        for n in 0..100 {
            fates.push(put(&rig.faulty, &format!("{n}.jpg"), 5).await.err().map(|e| e.kind()));
        }
        fates
    }
    let fates_of_one = fates(1).await;
    assert_eq!(fates_of_one, fates(1).await);
    assert_ne!(fates_of_one, fates(2).await);
    let failed = fates_of_one.iter().flatten().count();
    assert!((15..50).contains(&failed), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_costs_time_by_the_clock() {
    let clock = Arc::new(SimClock::start());
    let memory = Arc::new(MemoryProvider::build("memory").finish());
    let slow = SlowProvider::new(memory, clock.clone()).latency(Duration::from_secs(1)).rate(1000);
    put(&slow, "a.jpg", 5000).await.unwrap();
    assert_eq!(clock.elapsed().as_secs(), 6);
    read(&slow, "a.jpg").await.unwrap();
    assert_eq!(clock.elapsed().as_secs(), 12);
}
