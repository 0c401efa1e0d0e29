//! Opens destinations as providers, with everything that is put around them.

use std::path::PathBuf;
use std::sync::Arc;

use safelight_config::{Config, Destination, Env, Storage};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::HttpTransport;
use safelight_core::notebook::{Bound, Loose, Notebook};
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Factory, Registry, Settings};
use safelight_core::renewal::Renewal;
use safelight_core::time::Clock;
use safelight_core::wrap::{Meter, RetryPolicy, wrapped};
use safelight_http::ReqwestTransport;
use tokio_util::sync::CancellationToken;

use super::renewal::Secrets;
use super::sandbox::Sandbox;
use super::settings;
use crate::machine;

/// No provider makes more calls at once, whatever a job allows.
const MOST_CALLS: u32 = 32;

/// Opens destinations; the sandboxes that it starts live as long as it does.
pub struct Opener {
    registry: Registry,
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpTransport>,
    cancel: CancellationToken,
    catalog: Option<Arc<dyn Catalog>>,
    env: Env,
    state: PathBuf,
    sandboxes: Vec<Sandbox>,
}

impl Opener {
    /// `cancel` ends everything that waits inside the providers. What they remember stands in `catalog`; with
    /// none, they are only looked at, and remember nothing.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(
        config: &Config,
        env: &Env,
        clock: &Arc<dyn Clock>,
        cancel: CancellationToken,
        catalog: Option<&Arc<dyn Catalog>>,
    ) -> Result<Self> {
        Ok(Self {
            registry: safelight_providers::registry()?,
            clock: Arc::clone(clock),
            http: Arc::new(ReqwestTransport::new(Arc::clone(clock))?),
            cancel,
            catalog: catalog.cloned(),
            env: env.clone(),
            state: config.state.clone(),
            sandboxes: Vec::new(),
        })
    }

    /// Opens one destination.
    ///
    /// # Errors
    /// A secret that cannot be fetched, a sandbox that does not start, whatever the provider says.
    pub async fn open(&mut self, destination: &Destination) -> Result<Arc<dyn Provider>> {
        let settings = self.settings(destination).await?;
        let way = self.way(destination, None, None)?;
        self.open_with(destination, settings, &way).await
    }

    /// Opens one destination of a job, and says who notices when its secrets are replaced; what it sends to anything but
    /// a disk counts on `meter`. A job that limits how much is under way at once there (`parallel`) limits the calls of a
    /// provider that makes several for one file, too.
    ///
    /// # Errors
    /// If there is no provider for it. What else goes wrong is the first part of the answer.
    pub async fn open_for_job(
        &mut self,
        destination: &Destination,
        meter: Option<Arc<Meter>>,
        parallel: Option<u32>,
    ) -> Result<(Result<Arc<dyn Provider>>, Option<Arc<dyn Renewal>>)> {
        let way = self.way(destination, meter, parallel)?;
        let settings = self.settings(destination).await;
        let known = settings.as_ref().ok().cloned();
        let opened = match settings {
            Ok(settings) => self.open_with(destination, settings, &way).await,
            Err(error) => Err(error),
        };
        Ok((opened, Secrets::of(destination, &self.env, way, known)))
    }

    async fn open_with(
        &mut self,
        destination: &Destination,
        mut settings: Settings,
        way: &Way,
    ) -> Result<Arc<dyn Provider>> {
        if let Some(sandbox) = Sandbox::start(destination, &self.state, &self.clock).await? {
            settings = sandbox.settings(settings);
            self.sandboxes.push(sandbox);
        }
        way.open(settings).await
    }

    fn way(
        &self,
        destination: &Destination,
        meter: Option<Arc<Meter>>,
        parallel: Option<u32>,
    ) -> Result<Way> {
        let limited = matches!(destination.storage, Storage::AmazonPhotos(_));
        Ok(Way {
            factory: Arc::clone(self.registry.get(destination.storage.kind())?),
            context: self.context(&destination.name),
            meter: meter.filter(|_| !matches!(destination.storage, Storage::Disk(_))),
            calls: parallel.filter(|_| limited).map(|calls| calls.min(MOST_CALLS)),
        })
    }

    /// What knows how to sign in to a destination's service; `None` where nobody signs in, and at a sandbox.
    ///
    /// # Errors
    /// If there is no provider for it.
    pub fn signs_in(&self, destination: &Destination) -> Result<Option<Arc<dyn Factory>>> {
        signs_in(&self.registry, destination)
    }

    /// The settings of a destination, secrets fetched.
    ///
    /// # Errors
    /// A secret that cannot be fetched.
    pub async fn settings(&self, destination: &Destination) -> Result<Settings> {
        fetch(destination, &self.env).await
    }

    /// What a provider of this destination is handed besides its settings.
    pub fn context(&self, destination: &str) -> Context {
        let notebook: Arc<dyn Notebook> = match &self.catalog {
            Some(catalog) => Arc::new(Bound::new(catalog, destination)),
            None => Arc::new(Loose::default()),
        };
        Context {
            clock: Arc::clone(&self.clock),
            http: Arc::clone(&self.http),
            notebook,
            cancel: self.cancel.clone(),
        }
    }

    /// Ends the sandboxes after what they have begun.
    pub async fn close(self) {
        for sandbox in self.sandboxes {
            sandbox.stop().await;
        }
    }
}

/// How a destination is opened, as often as it takes.
pub struct Way {
    factory: Arc<dyn Factory>,
    context: Context,
    meter: Option<Arc<Meter>>,
    /// The most calls at once, where the job limits them.
    calls: Option<u32>,
}

impl Way {
    /// Opens it, with everything that is put around a provider.
    ///
    /// # Errors
    /// Whatever the provider says.
    pub async fn open(&self, mut settings: Settings) -> Result<Arc<dyn Provider>> {
        if let Some(calls) = self.calls {
            settings = settings.with_text("concurrency", calls.to_string());
        }
        let provider = self.factory.open(settings, self.context.clone()).await?;
        let clock = &self.context.clock;
        Ok(wrapped(provider, clock, RetryPolicy::default(), self.meter.clone()))
    }
}

/// The settings of a destination, secrets fetched.
///
/// # Errors
/// A secret that cannot be fetched.
pub async fn fetch(destination: &Destination, env: &Env) -> Result<Settings> {
    machine::no_core_dumps();
    let (wanted, env) = (destination.clone(), env.clone());
    let fetching = tokio::task::spawn_blocking(move || settings::of(&wanted, &env));
    fetching
        .await
        .map_err(|error| Error::new(Kind::Internal, "fetching the settings").source(error))?
}

/// The names of the destinations to whose services people sign in.
///
/// # Errors
/// If there is no provider for one.
pub fn signing_in(config: &Config) -> Result<Vec<String>> {
    let registry = safelight_providers::registry()?;
    let mut names = Vec::new();
    for destination in &config.destinations {
        names.extend(signs_in(&registry, destination)?.map(|_| destination.name.clone()));
    }
    Ok(names)
}

fn signs_in(registry: &Registry, destination: &Destination) -> Result<Option<Arc<dyn Factory>>> {
    let factory = registry.get(destination.storage.kind())?;
    let asks = factory.sign_in().is_some() && !destination.storage.is_sandbox();
    Ok(asks.then(|| Arc::clone(factory)))
}
