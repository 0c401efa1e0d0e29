//! Opens destinations as providers, with everything that is put around them.

use std::path::PathBuf;
use std::sync::Arc;

use safelight_config::{Config, Destination, DropboxEndpoint, Endpoint, Env, Storage};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::HttpTransport;
use safelight_core::notebook::{Bound, Loose, Notebook};
use safelight_core::provider::Provider;
use safelight_core::registry::{Context, Factory, Registry, Settings, Value};
use safelight_core::time::Clock;
use safelight_core::wrap::{Meter, RetryPolicy, wrapped};
use safelight_http::ReqwestTransport;
use safelight_sandbox::dropbox::Behaviour;
use safelight_sandbox::{DropboxSandbox, S3Sandbox};
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
    sandboxes: Vec<Sandbox>,
}

enum Sandbox {
    S3(S3Sandbox),
    Dropbox(DropboxSandbox),
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
        let settings = self.settings(destination).await?;
        let settings = self.with_sandbox(destination, settings).await?;
        let factory = self.registry.get(destination.storage.kind())?;
        let provider = factory.open(settings, self.context(&destination.name)).await?;
        let meter = meter.filter(|_| !matches!(destination.storage, Storage::Disk(_)));
        Ok(wrapped(provider, &self.clock, RetryPolicy::default(), meter))
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
        machine::no_core_dumps();
        let (wanted, env) = (destination.clone(), self.env.clone());
        let fetching = tokio::task::spawn_blocking(move || settings::of(&wanted, &env));
        fetching
            .await
            .map_err(|error| Error::new(Kind::Internal, "fetching the settings").source(error))?
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

    /// Where a sandbox is asked for, starts it; its address and keys are settings like any other.
    async fn with_sandbox(&mut self, to: &Destination, settings: Settings) -> Result<Settings> {
        let usual = || self.state.join("sandbox").join(&to.name);
        match &to.storage {
            Storage::S3(s3) => {
                let Endpoint::Sandbox { folder } = &s3.endpoint else { return Ok(settings) };
                let folder = folder.clone().unwrap_or_else(usual);
                let sandbox = S3Sandbox::start(&folder, &s3.bucket).await?;
                let settings = settings
                    .with_text("endpoint", sandbox.endpoint())
                    .with("access_key_id", Value::Text(sandbox.access_key_id().to_owned()))
                    .with("secret_access_key", Value::Secret(sandbox.secret_access_key().clone()));
                self.sandboxes.push(Sandbox::S3(sandbox));
                Ok(settings)
            }
            Storage::Dropbox(dropbox) => {
                let DropboxEndpoint::Sandbox { folder } = &dropbox.endpoint else {
                    return Ok(settings);
                };
                let folder = folder.clone().unwrap_or_else(usual);
                let clock = Arc::clone(&self.clock);
                let sandbox = DropboxSandbox::start(&folder, clock, Behaviour::default()).await?;
                let hosts = ["api_url", "content_url", "notify_url", "www_url"];
                let settings = hosts
                    .into_iter()
                    .fold(settings, |settings, host| settings.with_text(host, sandbox.url()))
                    .with_text("app_key", sandbox.app_key())
                    .with("token", Value::Secret(sandbox.refresh_token().clone()));
                self.sandboxes.push(Sandbox::Dropbox(sandbox));
                Ok(settings)
            }
            Storage::Disk(_) | Storage::OpenDal(_) => Ok(settings),
        }
    }

    /// Ends the sandboxes after what they have begun.
    pub async fn close(self) {
        for sandbox in self.sandboxes {
            match sandbox {
                Sandbox::S3(sandbox) => sandbox.stop().await,
                Sandbox::Dropbox(sandbox) => sandbox.stop().await,
            }
        }
    }
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
