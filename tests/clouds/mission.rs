//! The three destinations that everybody should have: Amazon Photos, Dropbox, a disk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures::TryStreamExt as _;
use http::{Request, Response};
use safelight_core::catalog::Presence;
use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::Result;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::job::Destination;
use safelight_core::key::Key;
use safelight_core::mirror::DestinationReport;
use safelight_core::mirror::RunReport;
use safelight_core::notebook::Bound;
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Settings, Value};
use safelight_core::time::Clock;
use safelight_core::wrap::{RetryPolicy, wrapped};
use safelight_sandbox::amazon::Behaviour;
use safelight_sandbox::{AmazonSandbox, Direct, Fault, Rule, Traffic};
use safelight_testkit::memory::MemoryProvider;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::world::{Death, World};

pub struct Mission {
    /// The library, the catalog, the clock, and Dropbox.
    pub world: World,
    pub amazon: AmazonSandbox,
    pub disk: Arc<MemoryProvider>,
    /// Calls at once at Amazon, at most.
    pub concurrency: usize,
    /// Removed with the rest.
    _folder: TempDir,
}

impl Mission {
    pub async fn new() -> Self {
        Self::behaving(Behaviour::default()).await
    }

    pub async fn behaving(behaviour: Behaviour) -> Self {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let clock = world.clock.clone();
        let amazon = AmazonSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
        let disk = MemoryProvider::build("disk").clock(clock).like_a_disk().finish();
        let mut mission =
            Self { world, amazon, disk: Arc::new(disk), concurrency: 4, _folder: folder };
        mission.open().await;
        mission
    }

    /// Opens all destinations anew, as a new start of the program does.
    pub async fn open(&mut self) {
        let wire = Wire::new(self, u64::MAX, Incident::Nothing);
        self.open_through(&wire).await;
    }

    /// The same, over a wire on which something happens.
    pub async fn open_through(&mut self, wire: &Arc<Wire>) {
        self.world.open_through(wire.to_dropbox()).await;
        let amazon = self.open_amazon(wire.to_amazon()).await;
        let clock: Arc<dyn Clock> = self.world.clock.clone();
        let disk: Arc<dyn Provider> =
            wrapped(self.disk.clone(), &clock, RetryPolicy::default(), None);
        for (name, opened) in [("amazon", amazon), ("disk", disk)] {
            self.world.job.destinations.push(Destination::new(name, opened));
        }
    }

    async fn open_amazon(&self, http: Arc<dyn HttpTransport>) -> Arc<dyn Provider> {
        let clock: Arc<dyn Clock> = self.world.clock.clone();
        let settings = Settings::new("amazon")
            .with_text("metadata_url", self.amazon.metadata_url())
            .with_text("content_url", self.amazon.content_url())
            .with_text("thumbnail_url", self.amazon.thumbnails_url())
            .with_text("root", "Pictures/Safelight")
            .with_text("concurrency", self.concurrency.to_string())
            .with("account", Value::Secret(self.amazon.cookies()));
        let context = Context {
            clock: clock.clone(),
            http,
            notebook: Arc::new(Bound::new(&self.world.catalog, "amazon")),
            cancel: CancellationToken::new(),
        };
        let registry = safelight_providers::registry().unwrap();
        let opened = registry.get("amazon-photos").unwrap().open(settings, context).await.unwrap();
        wrapped(opened, &clock, RetryPolicy::default(), None)
    }

    pub async fn run(&self) -> RunReport {
        self.world.run().await
    }

    /// The bytes under a key at a destination, whoever asks.
    async fn stored(&self, amazon: &dyn Provider, name: &str, key: &Key) -> Option<Vec<u8>> {
        match name {
            "dropbox" => self.world.stored(key),
            "disk" => self.disk.content(key).map(Vec::from),
            _ => {
                let opened = amazon.read(key, None, None).await.ok()?;
                Some(opened.bytes.try_collect::<Vec<_>>().await.ok()?.concat())
            }
        }
    }

    /// Every copy that the catalog counts is there, with these bytes. Heals the wire.
    pub async fn assert_claims_hold(&self, when: &str) {
        self.heal();
        let amazon = self.open_amazon(Arc::new(self.amazon.direct())).await;
        for item in self.world.catalog.browse(None, None, 1000).await.unwrap() {
            let bytes = self.world.library.content(&item.key);
            let now = bytes.map(|bytes| Hasher::of(&bytes, Algorithms::default()).sha256);
            for leg in item.legs {
                let Some(held) = leg.leg.held else { continue };
                let current = now.is_some_and(|now| now == held.content.digests.sha256);
                if item.presence == Presence::Present && current {
                    let there = self.stored(&*amazon, &leg.destination, &held.key).await;
                    let there = there.map(|bytes| Hasher::of(&bytes, Algorithms::default()).sha256);
                    assert_eq!(there, now, "{when}: {} at {}", held.key, leg.destination);
                }
            }
        }
    }

    /// Everywhere stands what the library holds, and nothing else.
    pub async fn assert_mirrored(&self, when: &str) {
        self.world.assert_mirrored(when);
        let wanted: BTreeSet<_> = self.world.library.keys().into_iter().collect();
        let amazon = self.open_amazon(Arc::new(self.amazon.direct())).await;
        let pages: Vec<_> = amazon.list(Scope::default()).try_collect().await.unwrap();
        let listed = pages.into_iter().flat_map(|page| page.entries).map(|listed| match listed {
            Listed::File(entry) => entry.key,
            other => panic!("{when}: {other:?}"),
        });
        assert_eq!(listed.collect::<BTreeSet<_>>(), wanted, "{when}: at amazon");
        let disk = self.disk.keys().into_iter().filter(|key| !key.is_reserved());
        assert_eq!(disk.collect::<BTreeSet<_>>(), wanted, "{when}: on the disk");
        for key in &wanted {
            let here = self.world.library.content(key).map(Vec::from);
            for name in ["amazon", "disk"] {
                let there = self.stored(&*amazon, name, key).await;
                assert!(there == here, "{when}: {key} differs at {name}");
            }
        }
    }

    pub fn heal(&self) {
        self.world.cloud.traffic().heal();
        self.amazon.traffic().heal();
    }

    /// What was stored, moved or removed so far.
    pub fn changes(&self) -> u64 {
        let routes = ["finish_batch_v2", "delete_batch", "move_batch_v2", "copy_batch_v2"];
        let dropbox = self.world.cloud.counters().calls;
        let dropbox =
            dropbox.iter().filter(|(route, _)| routes.iter().any(|end| route.ends_with(end)));
        let amazon = self.amazon.counters().calls;
        let amazon = amazon.iter().filter(|(route, _)| !route.starts_with("GET "));
        let disk = self.disk.counts();
        dropbox.chain(amazon).map(|(_, n)| n).sum::<u64>() + disk.put + disk.remove + disk.relocate
    }
}

pub fn at<'a>(report: &'a RunReport, name: &str) -> &'a DestinationReport {
    report.destinations.iter().find(|one| one.name == name).unwrap()
}

/// What happens to one request.
#[derive(Debug, Clone)]
pub enum Incident {
    Nothing,
    Fault(Fault),
    Death(Death),
}

/// The way to both clouds. Something happens to the n-th request that is made, wherever it goes.
pub struct Wire {
    amazon: (Direct, Traffic),
    dropbox: (Direct, Traffic),
    left: AtomicU64,
    incident: Incident,
    kinds: Mutex<Vec<String>>,
    dead: Notify,
}

impl Wire {
    pub fn new(mission: &Mission, request: u64, incident: Incident) -> Arc<Self> {
        let (amazon, dropbox) = (&mission.amazon, &mission.world.cloud);
        Arc::new(Self {
            amazon: (amazon.direct(), amazon.traffic().clone()),
            dropbox: (dropbox.direct(), dropbox.traffic().clone()),
            left: AtomicU64::new(request),
            incident,
            kinds: Mutex::default(),
            dead: Notify::new(),
        })
    }

    /// The kind of every request so far: host, method and path without ids.
    pub fn kinds(&self) -> Vec<String> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub async fn died(&self) {
        self.dead.notified().await;
    }

    fn to_amazon(self: &Arc<Self>) -> Arc<dyn HttpTransport> {
        Arc::new(End { wire: Arc::clone(self), amazon: true })
    }

    fn to_dropbox(self: &Arc<Self>) -> Arc<dyn HttpTransport> {
        Arc::new(End { wire: Arc::clone(self), amazon: false })
    }
}

struct End {
    wire: Arc<Wire>,
    amazon: bool,
}

#[async_trait]
impl HttpTransport for End {
    async fn send(&self, request: Request<HttpBody>) -> Result<Response<HttpBody>> {
        let wire = &*self.wire;
        let (direct, traffic) = if self.amazon { &wire.amazon } else { &wire.dropbox };
        let plain = |part: &&str| part.len() != 22 && part.len() < 32;
        let path: Vec<_> = request.uri().path().split('/').filter(plain).collect();
        let kind = format!("{} {}", request.method(), path.join("/"));
        wire.kinds.lock().unwrap_or_else(PoisonError::into_inner).push(kind);
        if wire.left.fetch_sub(1, Ordering::Relaxed) != 1 {
            return direct.send(request).await;
        }
        match &wire.incident {
            Incident::Nothing => direct.send(request).await,
            Incident::Fault(fault) => {
                traffic.inject(Rule::next(fault.clone()));
                direct.send(request).await
            }
            Incident::Death(death) => {
                if *death == Death::After {
                    let _ = direct.send(request).await;
                }
                wire.dead.notify_one();
                std::future::pending().await
            }
        }
    }
}
