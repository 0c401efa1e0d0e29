//! A service that tells what services tell, well or badly, and an export of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unused_imports)]
#![allow(clippy::case_sensitive_file_extension_comparisons)]

pub mod service;
pub mod verifier;

use std::path::Path;
use std::sync::Arc;

use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::Catalog;
use safelight_core::error::Result;
use safelight_core::job::{Destination, Stop, Tools};
use safelight_core::key::Key;
use safelight_core::monitor::{Monitor, Silent};
use safelight_core::provider::Provider;
use safelight_core::time::Timestamp;
use safelight_export::inventory::{Inventory, Look};
use safelight_export::leave::{Answer, Question};
use safelight_export::plan::{Export, Plan, Wishes};
use safelight_export::run::{Options, Outcome};
use safelight_export::weigh::{Rules, Shelf, Standing, weigh};
use safelight_testkit::clock::SimClock;
use safelight_testkit::memory::MemoryProvider;
pub use service::{Manner, Service};

pub struct World {
    pub clock: Arc<SimClock>,
    pub service: Arc<Service>,
    pub stores: Vec<Arc<MemoryProvider>>,
    /// What the export goes through; the stores themselves unless a test says otherwise.
    pub source: Arc<dyn Provider>,
    pub targets: Vec<Arc<dyn Provider>>,
    pub catalog: Arc<SqliteCatalog>,
    pub shelves: Vec<Shelf>,
    pub stop: Stop,
    pub wishes: Wishes,
    pub look: Look,
    pub options: Options,
    pub monitor: Arc<dyn Monitor>,
}

pub fn key(path: impl AsRef<[u8]>) -> Key {
    Key::new(path).unwrap()
}

pub async fn catalog() -> Arc<SqliteCatalog> {
    Arc::new(SqliteCatalog::scratch(Path::new("/nonexistent/catalog.db")).await.unwrap())
}

pub const RULES: Rules = Rules { copies: 2, checked_since: Timestamp::from_nanos(0) };

impl World {
    pub async fn new(targets: usize) -> Self {
        let clock = Arc::new(SimClock::start());
        let service = Arc::new(Service::new(clock.clone()));
        let store = |at: usize| {
            let build = MemoryProvider::build(&format!("t{at}")).clock(clock.clone()).like_a_disk();
            Arc::new(build.finish())
        };
        let stores: Vec<_> = (0..targets).map(store).collect();
        Self {
            source: service.clone(),
            targets: stores.iter().map(|store| store.clone() as Arc<dyn Provider>).collect(),
            clock,
            service,
            stores,
            catalog: catalog().await,
            shelves: Vec::new(),
            stop: Stop::default(),
            wishes: Wishes { sidecars: true, ..Wishes::default() },
            look: Look::default(),
            options: Options::default(),
            monitor: Arc::new(Silent),
        }
    }

    pub fn tools(&self) -> Tools {
        Tools {
            catalog: self.catalog.clone(),
            clock: self.clock.clone(),
            monitor: self.monitor.clone(),
            stop: self.stop.clone(),
        }
    }

    pub async fn inventory(&self) -> Result<Inventory> {
        Inventory::take(&*self.source, &self.look, &self.tools()).await
    }

    pub async fn standings(&self, inventory: &Inventory) -> Vec<Standing> {
        weigh(inventory, &self.shelves, RULES, &self.stop).await.unwrap()
    }

    pub async fn export(&self) -> Result<Export> {
        let inventory = self.inventory().await?;
        let standings = self.standings(&inventory).await;
        let target = |(at, opened): (usize, &Arc<dyn Provider>)| {
            Destination::new(format!("t{at}"), Arc::clone(opened))
        };
        Ok(Export {
            name: "goodbye".to_owned(),
            service: Arc::clone(&self.source),
            inventory: Arc::new(inventory),
            standings: Arc::new(standings),
            targets: self.targets.iter().enumerate().map(target).collect(),
            wishes: self.wishes.clone(),
            memory_bytes: 128 << 20,
        })
    }

    pub async fn plan(&self) -> (Export, Plan) {
        let export = self.export().await.unwrap();
        let plan = export.plan(&*self.catalog).await.unwrap();
        (export, plan)
    }

    pub async fn try_run(&self) -> Result<Outcome> {
        let export = self.export().await?;
        let plan = export.plan(&*self.catalog).await?;
        export.run(&plan, &self.options, &self.tools()).await
    }

    pub async fn run(&self) -> Outcome {
        let outcome = self.try_run().await.unwrap();
        for (class, account) in &outcome.account.classes {
            assert!(account.adds_up(), "{class}: {account:?}");
        }
        outcome
    }

    /// What `leave` says, the copies of this export counted.
    pub async fn leave(&self) -> Answer {
        let inventory = self.inventory().await.unwrap();
        let own = Shelf {
            catalog: self.catalog.clone() as Arc<dyn Catalog>,
            library: None,
            reader: None,
            not: Vec::new(),
        };
        let mut standings = weigh(&inventory, &[own], RULES, &self.stop).await.unwrap();
        let others = self.standings(&inventory).await;
        for (standing, other) in standings.iter_mut().zip(others) {
            standing.places.extend(other.places);
            standing.perhaps |= other.perhaps;
        }
        Answer::of(&inventory, &standings, &question(), |_, _| {})
    }

    /// The photos at a target, as text, without papers.
    pub fn files(&self, at: usize) -> Vec<String> {
        let keys = self.stores[at].keys();
        let keys = keys.iter().map(ToString::to_string);
        keys.filter(|key| key.starts_with("data/") && !key.ends_with(".xmp")).collect()
    }

    pub fn text(&self, at: usize, name: &str) -> String {
        let bytes = self.stores[at].content(&key(name)).unwrap_or_else(|| panic!("no {name}"));
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

pub fn question() -> Question {
    Question { rules: RULES, afterwards: Vec::new(), whole_account: false, name_at_most: 10 }
}
