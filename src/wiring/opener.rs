//! Opens destinations as providers, with everything that is put around them.

use std::path::PathBuf;
use std::sync::Arc;

use safelight_config::{Config, Destination, Endpoint, Env, Storage};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::HttpTransport;
use safelight_core::notebook::{Bound, Loose, Notebook};
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Registry, Settings, Value};
use safelight_core::time::Clock;
use safelight_core::wrap::{Meter, RetryPolicy, wrapped};
use safelight_http::ReqwestTransport;
use safelight_sandbox::S3Sandbox;
use tokio_util::sync::CancellationToken;

use super::settings;
use crate::machine;

/// Opens destinations; the sandboxes that it starts live as long as it does.
pub struct Opener {
    registry: Registry,
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpTransport>,
    cancel: CancellationToken,
    catalog: Option<Arc<dyn Catalog>>,
    env: Env,
    state: PathBuf,
    sandboxes: Vec<S3Sandbox>,
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

    /// Opens one destination; what it sends to anything but a disk counts on `meter`.
    ///
    /// # Errors
    /// A secret that cannot be fetched, a sandbox that does not start, whatever the provider says.
    pub async fn open(
        &mut self,
        destination: &Destination,
        meter: Option<Arc<Meter>>,
    ) -> Result<Arc<dyn Provider>> {
        machine::no_core_dumps();
        let (wanted, env) = (destination.clone(), self.env.clone());
        let fetching = tokio::task::spawn_blocking(move || settings::of(&wanted, &env));
        let settings = fetching
            .await
            .map_err(|error| Error::new(Kind::Internal, "fetching the settings").source(error))??;
        let settings = self.with_sandbox(destination, settings).await?;
        let factory = self.registry.get(destination.storage.kind())?;
        let provider = factory.open(settings, self.context(&destination.name)).await?;
        let meter = meter.filter(|_| !matches!(destination.storage, Storage::Disk(_)));
        Ok(wrapped(provider, &self.clock, RetryPolicy::default(), meter))
    }

    fn context(&self, destination: &str) -> Context {
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

    /// Where a sandbox is asked for, starts it; its address and keys are settings like any other.
    async fn with_sandbox(&mut self, to: &Destination, settings: Settings) -> Result<Settings> {
        let Storage::S3(s3) = &to.storage else { return Ok(settings) };
        let Endpoint::Sandbox { folder } = &s3.endpoint else { return Ok(settings) };
        let usual = || self.state.join("sandbox").join(&to.name);
        let folder = folder.clone().unwrap_or_else(usual);
        let sandbox = S3Sandbox::start(&folder, &s3.bucket).await?;
        let settings = settings
            .with_text("endpoint", sandbox.endpoint())
            .with("access_key_id", Value::Text(sandbox.access_key_id().to_owned()))
            .with("secret_access_key", Value::Secret(sandbox.secret_access_key().clone()));
        self.sandboxes.push(sandbox);
        Ok(settings)
    }

    /// Ends the sandboxes after what they have begun.
    pub async fn close(self) {
        for sandbox in self.sandboxes {
            sandbox.stop().await;
        }
    }
}
