//! As many reads at once as pay: found out on the way, on lines and at services of every kind, and nearly as fast as with
//! the number that somebody would have set by hand.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use safelight_core::capability::Capabilities;
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result, Retry};
use safelight_core::key::Key;
use safelight_core::provider::{Opened, Provider};
use safelight_core::seats::Readers;
use safelight_core::time::Clock;
use safelight_core::wrap::{Meter, RetryPolicy, Wrapper, wrapped};
use safelight_testkit::clock::SimClock;
use safelight_testkit::memory::MemoryProvider;

const PHOTOS: usize = 10_000;
/// What each counts on the line.
const PHOTO: u64 = 20_000;

/// What stands between here and the service.
#[derive(Debug, Clone, Copy)]
struct Line {
    round_trip: Duration,
    bytes_per_second: Option<u64>,
    /// More requests in a second are refused.
    requests_per_second: Option<usize>,
}

/// A service behind a line.
struct Far {
    inner: Arc<MemoryProvider>,
    capabilities: Capabilities,
    clock: Arc<dyn Clock>,
    line: Line,
    bytes: Option<Meter>,
    /// Connections that nobody uses at the moment.
    idle: AtomicUsize,
    asked: Mutex<Vec<Duration>>,
    refused: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Far {
    fn admit(&self) -> Result<()> {
        let Some(most) = self.line.requests_per_second else { return Ok(()) };
        let now = self.clock.elapsed();
        let mut asked = self.asked.lock().unwrap();
        asked.retain(|at| *at + Duration::from_secs(1) > now);
        if asked.len() < most {
            asked.push(now);
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        let wait = Retry::After(Duration::from_millis(500));
        Err(Error::new(Kind::RateLimited, "reading").retry(wait))
    }
}

#[async_trait]
impl Wrapper for Far {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn reads_at_once(&self) -> usize {
        self.capabilities.reads
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(under_way, Ordering::Relaxed);
        let take = |idle: usize| idle.checked_sub(1);
        if self.idle.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            self.clock.sleep(self.line.round_trip * 2).await;
        }
        self.clock.sleep(self.line.round_trip).await;
        let answer = self.admit();
        if let (Ok(()), Some(meter)) = (&answer, &self.bytes) {
            meter.take(PHOTO).await;
        }
        self.idle.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        answer?;
        self.inner.read(key, range, pin).await
    }
}

/// What reading everything came to.
#[derive(Debug)]
struct Done {
    took: Duration,
    peak: usize,
    refused: usize,
}

/// Reads all photos, from `first` to `most` at once.
async fn read_all(photos: &Arc<MemoryProvider>, line: Line, first: usize, most: usize) -> Done {
    let clock: Arc<dyn Clock> = Arc::new(SimClock::start());
    let (peak, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let far = Far {
        inner: Arc::clone(photos),
        capabilities: Capabilities {
            reads: first,
            most_reads: most,
            ..photos.capabilities().clone()
        },
        clock: Arc::clone(&clock),
        line,
        bytes: line.bytes_per_second.map(|rate| Meter::new(Arc::clone(&clock), rate)),
        idle: AtomicUsize::new(0),
        asked: Mutex::default(),
        refused: Arc::clone(&refused),
        under_way: Arc::default(),
        peak: Arc::clone(&peak),
    };
    let policy = RetryPolicy { tries: 10, ..RetryPolicy::default() };
    let provider = wrapped(Arc::new(far), &clock, policy, None);
    let readers = &Readers::new(Arc::clone(&provider));
    let began = clock.elapsed();
    let read = |key: Key| {
        let provider = Arc::clone(&provider);
        async move {
            let _reader = readers.take().await;
            let opened = provider.read(&key, None, None).await.unwrap();
            let chunks: Vec<_> = opened.bytes.try_collect().await.unwrap();
            assert_eq!(chunks.concat(), key.as_bytes());
        }
    };
    let reading = stream::iter(photos.keys()).map(read).buffer_unordered(512);
    assert_eq!(reading.count().await, PHOTOS);
    let took = clock.elapsed().saturating_sub(began);
    let load = |number: &AtomicUsize| number.load(Ordering::Relaxed);
    Done { took, peak: load(&peak), refused: load(&refused) }
}

fn photos() -> Arc<MemoryProvider> {
    let photos = MemoryProvider::build("far").finish();
    for n in 0..PHOTOS {
        let name = format!("{n:05}.jpg");
        photos.write(&name, name.clone());
    }
    Arc::new(photos)
}

fn line(milliseconds: u64) -> Line {
    let round_trip = Duration::from_millis(milliseconds);
    Line { round_trip, bytes_per_second: None, requests_per_second: None }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_much_faster_with_a_number_set_by_hand() {
    let lines = [
        Line { bytes_per_second: Some(200_000_000), ..line(1) },
        line(40),
        line(150),
        Line { bytes_per_second: Some(2_000_000), ..line(40) },
        Line { bytes_per_second: Some(20_000_000), ..line(40) },
        Line { bytes_per_second: Some(20_000_000), ..line(150) },
        Line { requests_per_second: Some(300), ..line(40) },
        Line { requests_per_second: Some(1000), ..line(150) },
    ];
    let photos = photos();
    for line in lines {
        let tuned = read_all(&photos, line, 32, 256).await;
        let mut best = Duration::MAX;
        for at_once in [8, 16, 32, 64, 128, 256] {
            best = best.min(read_all(&photos, line, at_once, at_once).await.took);
        }
        let ratio = tuned.took.as_secs_f64() / best.as_secs_f64();
        assert!(ratio <= 1.2, "{line:?}: {tuned:?}, but {best:?} by hand");
    }
}

#[tokio::test(start_paused = true)]
async fn a_narrow_line_is_not_crowded() {
    let narrow = Line { bytes_per_second: Some(1_000_000), ..line(40) };
    let done = read_all(&photos(), narrow, 32, 256).await;
    assert!(done.peak <= 64, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_is_asked_less() {
    let strict = Line { requests_per_second: Some(300), ..line(40) };
    let photos = photos();
    let tuned = read_all(&photos, strict, 32, 256).await;
    let stubborn = read_all(&photos, strict, 64, 64).await;
    assert!(tuned.refused * 5 < stubborn.refused, "{tuned:?}, {stubborn:?}");
}
