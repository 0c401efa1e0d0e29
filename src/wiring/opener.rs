//! Opens destinations as providers, with everything that is put around them.

use std::path::PathBuf;
use std::sync::Arc;

use safelight_config::{Config, Destination, Endpoint, Env, Storage};
use safelight_core::error::{Error, Kind, Result};
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
    context: Context,
    env: Env,
    state: PathBuf,
    sandboxes: Vec<S3Sandbox>,
}

impl Opener {
    /// `cancel` ends everything that waits inside the providers.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(
        config: &Config,
        env: &Env,
        clock: &Arc<dyn Clock>,
        cancel: CancellationToken,
    ) -> Result<Self> {
        let http = Arc::new(ReqwestTransport::new(Arc::clone(clock))?);
        Ok(Self {
            registry: safelight_providers::registry()?,
            context: Context { clock: Arc::clone(clock), http, cancel },
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
        let provider = factory.open(settings, self.context.clone()).await?;
        let meter = meter.filter(|_| !matches!(destination.storage, Storage::Disk(_)));
        Ok(wrapped(provider, &self.context.clock, RetryPolicy::default(), meter))
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
