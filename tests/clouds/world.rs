//! A library in memory, a Dropbox, a catalog, a clock that runs by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::{Catalog, Presence};
use safelight_core::class::Classifier;
use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::error::Result;
use safelight_core::filter::Filter;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::inspect::ByName;
use safelight_core::job::{
    ChangeRules, DeletionRules, Destination, Guard, MirrorJob, MirrorOptions, Stop, Tools,
};
use safelight_core::key::Key;
use safelight_core::mirror::{DestinationReport, RunReport, mirror};
use safelight_core::monitor::{Event, Monitor};
use safelight_core::notebook::Bound;
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Settings, Value};
use safelight_core::time::Clock;
use safelight_core::wrap::{RetryPolicy, wrapped};
use safelight_sandbox::dropbox::Behaviour;
use safelight_sandbox::{Direct, DropboxSandbox};
use safelight_testkit::clock::SimClock;
use safelight_testkit::memory::MemoryProvider;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub const DAY: Duration = Duration::from_hours(24);

struct Silent;

impl Monitor for Silent {
    fn event(&self, _: &Event<'_>) {}
}

pub struct World {
    pub clock: Arc<SimClock>,
    pub library: Arc<MemoryProvider>,
    pub cloud: DropboxSandbox,
    pub catalog: Arc<dyn Catalog>,
    pub job: MirrorJob,
    folder: TempDir,
}

pub fn key(path: impl AsRef<[u8]>) -> Key {
    Key::new(path).unwrap()
}

/// A catalog that lasts as long as the test.
pub async fn scratch() -> Arc<dyn Catalog> {
    Arc::new(SqliteCatalog::scratch(Path::new("/nonexistent/catalog.db")).await.unwrap())
}

impl World {
    pub async fn new() -> Self {
        Self::behaving(Behaviour::default()).await
    }

    pub async fn behaving(behaviour: Behaviour) -> Self {
        let clock = Arc::new(SimClock::start());
        let folder = tempfile::tempdir().unwrap();
        let cloud = DropboxSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
        let library =
            MemoryProvider::build("library").clock(clock.clone()).like_a_disk().read_only();
        let library = Arc::new(library.finish());
        let job = MirrorJob {
            name: "mirror".to_owned(),
            library: library.clone(),
            filter: Filter::default(),
            classifier: Classifier::default(),
            inspector: Arc::new(ByName::default()),
            settle: Duration::ZERO,
            destinations: Vec::new(),
            deletions: DeletionRules {
                propagate_after: Some(30 * DAY),
                keep_for: 180 * DAY,
                guard: Guard { files: 2000, share: 1.0 },
            },
            changes: ChangeRules { keep_versions: 1, guard: Guard { files: 2000, share: 1.0 } },
            memory_bytes: 128 << 20,
        };
        let mut world = Self { clock, library, cloud, catalog: scratch().await, job, folder };
        world.open().await;
        world
    }

    /// Opens the destination anew, as a new start of the program does.
    pub async fn open(&mut self) {
        self.open_through(Arc::new(self.cloud.direct())).await;
    }

    pub async fn open_through(&mut self, http: Arc<dyn HttpTransport>) {
        let url = self.cloud.url();
        let mut settings = Settings::new("dropbox")
            .with_text("app_key", self.cloud.app_key())
            .with("token", Value::Secret(self.cloud.refresh_token().clone()));
        for host in ["api_url", "content_url", "notify_url", "www_url"] {
            settings = settings.with_text(host, &url);
        }
        let clock: Arc<dyn Clock> = self.clock.clone();
        let context = Context {
            clock: clock.clone(),
            http,
            notebook: Arc::new(Bound::new(&self.catalog, "dropbox")),
            cancel: CancellationToken::new(),
        };
        let registry = safelight_providers::registry().unwrap();
        let opened = registry.get("dropbox").unwrap().open(settings, context).await.unwrap();
        let opened: Arc<dyn Provider> = wrapped(opened, &clock, RetryPolicy::default(), None);
        self.job.destinations = vec![Destination::new("dropbox", opened)];
    }

    pub fn tools(&self, catalog: &Arc<dyn Catalog>) -> Tools {
        Tools {
            catalog: catalog.clone(),
            clock: self.clock.clone(),
            monitor: Arc::new(Silent),
            stop: Stop::default(),
        }
    }

    pub async fn run(&self) -> RunReport {
        let tools = self.tools(&self.catalog);
        let report = mirror(&self.job, &MirrorOptions::default(), &tools).await.unwrap();
        assert!(report.destinations.iter().all(DestinationReport::adds_up), "{report:?}");
        let internal = safelight_core::codes::INTERNAL;
        assert!(!report.problem_counts.contains_key(&internal), "{:?}", report.problems);
        report
    }

    /// A small photo.
    pub fn photo(&self, path: &str) -> Key {
        self.library.write(path, format!("photo {path}").into_bytes())
    }

    /// What stands at the cloud under a key.
    pub fn stored(&self, key: &Key) -> Option<Vec<u8>> {
        fs::read(self.folder.path().join("files").join(key.as_str().unwrap())).ok()
    }

    /// All keys at the cloud, what is ours alone left out.
    pub fn photos_at_cloud(&self) -> Vec<Key> {
        let root = self.folder.path().join("files");
        let mut found = Vec::new();
        collect(&root, &root, &mut found);
        found.retain(|key| !key.is_reserved());
        found.sort();
        found
    }

    pub fn assert_mirrored(&self, when: &str) {
        let wanted = self.library.keys();
        for key in &wanted {
            let (there, here) = (self.stored(key), self.library.content(key));
            assert!(there.as_deref() == here.as_deref(), "{when}: {key} differs");
        }
        assert_eq!(self.photos_at_cloud(), wanted, "{when}");
    }

    /// Every copy that the catalog counts is there, with these bytes.
    pub async fn assert_claims_hold(&self, when: &str) {
        for item in self.catalog.browse(None, None, 1000).await.unwrap() {
            for leg in item.legs {
                let Some(held) = leg.leg.held else { continue };
                let now = self.library.content(&item.key);
                let now = now.map(|bytes| Hasher::of(&bytes, Algorithms::default()).sha256);
                let counts = item.presence == Presence::Present
                    && now.is_some_and(|now| now == held.content.digests.sha256);
                if counts {
                    let there = self.stored(&held.key);
                    let there = there.map(|bytes| Hasher::of(&bytes, Algorithms::default()).sha256);
                    assert_eq!(there, now, "{when}: {} is claimed", held.key);
                }
            }
        }
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Key>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            found.push(key(path.strip_prefix(root).unwrap().as_os_str().as_encoded_bytes()));
        }
    }
}

/// When a process dies, seen from its n-th request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// The request never leaves.
    Before,
    /// The service acts, and the answer comes to nobody.
    After,
}

/// A transport whose process dies at its n-th request.
pub struct Dying {
    inner: Direct,
    left: AtomicU64,
    death: Death,
    dead: Notify,
}

impl Dying {
    pub fn at(cloud: &DropboxSandbox, request: u64, death: Death) -> Arc<Self> {
        let left = AtomicU64::new(request);
        Arc::new(Self { inner: cloud.direct(), left, death, dead: Notify::new() })
    }

    pub async fn died(&self) {
        self.dead.notified().await;
    }
}

#[async_trait]
impl HttpTransport for Dying {
    async fn send(&self, request: Request<HttpBody>) -> Result<Response<HttpBody>> {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        if left != 1 {
            return self.inner.send(request).await;
        }
        if self.death == Death::After {
            let _ = self.inner.send(request).await;
        }
        self.dead.notify_one();
        std::future::pending().await
    }
}
