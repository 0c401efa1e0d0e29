//! The stand-ins that the config asks for with `endpoint = "sandbox"`: started inside the program, on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_config::{AmazonEndpoint, AmazonPhotos, AmazonPlan, Dropbox, DropboxEndpoint};
use safelight_config::{Destination, Endpoint, S3, Storage};
use safelight_core::error::Result;
use safelight_core::registry::{Settings, Value};
use safelight_core::time::Clock;
use safelight_sandbox::{AmazonSandbox, DropboxSandbox, S3Sandbox, amazon, dropbox};

/// A stand-in that runs until it is stopped.
pub enum Sandbox {
    /// For a bucket.
    S3(S3Sandbox),
    /// For Dropbox.
    Dropbox(DropboxSandbox),
    /// For Amazon Photos.
    Amazon(AmazonSandbox),
}

impl Sandbox {
    /// Starts the stand-in that `to` asks for, `None` if it asks for none. Without a folder of its own in the config,
    /// it keeps its files below `state`.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn start(
        to: &Destination,
        state: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>> {
        if !to.storage.is_sandbox() {
            return Ok(None);
        }
        let usual = || state.join("sandbox").join(&to.name);
        let folder = folder(&to.storage).unwrap_or_else(usual);
        let clock = Arc::clone(clock);
        Ok(match &to.storage {
            Storage::S3(s3) => Some(Self::S3(S3Sandbox::start(&folder, &s3.bucket).await?)),
            Storage::Dropbox(_) => {
                let behaviour = dropbox::Behaviour::default();
                Some(Self::Dropbox(DropboxSandbox::start(&folder, clock, behaviour).await?))
            }
            Storage::AmazonPhotos(asked) => {
                let behaviour = behaviour(asked);
                Some(Self::Amazon(AmazonSandbox::start(&folder, clock, behaviour).await?))
            }
            Storage::Disk(_) | Storage::OpenDal(_) => None,
        })
    }

    /// Its addresses and keys, which are settings like any other.
    pub fn settings(&self, settings: Settings) -> Settings {
        match self {
            Self::S3(sandbox) => settings
                .with_text("endpoint", sandbox.endpoint())
                .with_text("access_key_id", sandbox.access_key_id())
                .with("secret_access_key", Value::Secret(sandbox.secret_access_key().clone())),
            Self::Dropbox(sandbox) => ["api_url", "content_url", "notify_url", "www_url"]
                .into_iter()
                .fold(settings, |settings, host| settings.with_text(host, sandbox.url()))
                .with_text("app_key", sandbox.app_key())
                .with("token", Value::Secret(sandbox.refresh_token().clone())),
            Self::Amazon(sandbox) => settings
                .with_text("metadata_url", sandbox.metadata_url())
                .with_text("content_url", sandbox.content_url())
                .with_text("thumbnail_url", sandbox.thumbnails_url())
                // Nobody has to be spared.
                .with_text("calls_per_second", "1000")
                .with("account", Value::Secret(sandbox.cookies())),
        }
    }

    /// Ends it after what it has begun.
    pub async fn stop(self) {
        match self {
            Self::S3(sandbox) => sandbox.stop().await,
            Self::Dropbox(sandbox) => sandbox.stop().await,
            Self::Amazon(sandbox) => sandbox.stop().await,
        }
    }
}

/// The folder of its own that the config gives it.
fn folder(storage: &Storage) -> Option<PathBuf> {
    match storage {
        Storage::S3(S3 { endpoint: Endpoint::Sandbox { folder }, .. })
        | Storage::Dropbox(Dropbox { endpoint: DropboxEndpoint::Sandbox { folder }, .. })
        | Storage::AmazonPhotos(AmazonPhotos {
            endpoint: AmazonEndpoint::Sandbox { folder },
            ..
        }) => folder.clone(),
        _ => None,
    }
}

/// The account that the config describes.
fn behaviour(asked: &AmazonPhotos) -> amazon::Behaviour {
    let plan = match asked.plan {
        AmazonPlan::Prime => amazon::Plan::Prime,
        AmazonPlan::None => amazon::Plan::None,
    };
    amazon::Behaviour { plan, country: asked.country.clone(), ..amazon::Behaviour::default() }
}
