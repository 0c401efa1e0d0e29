//! Notices, while a run goes on, that the secrets of a destination were replaced.
//!
//! Invariant: secrets are fetched again only from where that asks nobody and starts nothing.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use safelight_config::{Destination, Env, SecretRef};
use safelight_core::provider::Provider;
use safelight_core::registry::Settings;
use safelight_core::renewal::Renewal;

use super::opener::{Way, fetch};

/// See the module.
pub struct Secrets {
    destination: Destination,
    env: Env,
    way: Way,
    /// What was opened last; nothing, where a secret could not even be fetched.
    known: Mutex<Option<Settings>>,
}

impl Secrets {
    /// Those of a destination that was opened with `known`; `None` where there are none that could be replaced.
    pub fn of(
        destination: &Destination,
        env: &Env,
        way: Way,
        known: Option<Settings>,
    ) -> Option<Arc<dyn Renewal>> {
        let references = destination.storage.secrets();
        let kept = references.iter().any(|(_, reference)| reference.can_keep());
        let quiet = |reference: &SecretRef| !matches!(reference, SecretRef::Command(_));
        let looks = kept && references.iter().all(|(_, reference)| quiet(reference));
        let secrets = || Self {
            destination: destination.clone(),
            env: env.clone(),
            way,
            known: Mutex::new(known),
        };
        (looks && !destination.storage.is_sandbox()).then(|| Arc::new(secrets()) as Arc<_>)
    }

    fn is_known(&self, settings: &Settings) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(settings)
    }
}

#[async_trait]
impl Renewal for Secrets {
    async fn renewed(&self) -> Option<Arc<dyn Provider>> {
        // Whatever is wrong with them was said when the destination stopped, and may be half a file now.
        let settings = fetch(&self.destination, &self.env).await.ok()?;
        if self.is_known(&settings) {
            return None;
        }
        let provider = self.way.open(settings.clone()).await.ok()?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
        Some(provider)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use safelight_config::Config;
    use safelight_core::time::{Clock, SystemClock};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::wiring::Opener;

    const ADDRESS: &str = "http://127.0.0.1:1/";

    fn keep(folder: &Path, text: &str) {
        let path = folder.join("cookies");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    async fn of(folder: &Path, account: &str) -> Option<Arc<dyn Renewal>> {
        let text = format!(
            "version = 1\n[library]\npath = \"library\"\n\
             [destination.disk]\ntype = \"disk\"\npath = \"disk\"\n\
             [destination.amazon]\ntype = \"amazon-photos\"\naccount = \"{account}\"\n\
             endpoint = {{ metadata = \"{ADDRESS}\", content = \"{ADDRESS}\", thumbnail = \"{ADDRESS}\" }}\n"
        );
        let env = Env::new(folder, [("HOME", folder), ("COOKIES", Path::new("at-main=1"))]);
        let config = Config::parse(&text, &folder.join("safelight.toml"), &env).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let cancel = CancellationToken::new();
        let mut opener = Opener::new(&config, &env, &clock, cancel, None).unwrap();
        let amazon = config.destination("amazon").unwrap();
        opener.open_for_job(amazon, None, None).await.unwrap().1
    }

    #[tokio::test]
    async fn a_replaced_file_is_noticed_once_and_half_a_file_is_no_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), "session-id=1; ubid-main=2; at-main=3");
        let renewal = of(folder.path(), "file:cookies").await.unwrap();
        assert!(renewal.renewed().await.is_none());
        for unusable in ["", "session-id=1; ubid-"] {
            keep(folder.path(), unusable);
            assert!(renewal.renewed().await.is_none(), "{unusable}");
        }
        fs::remove_file(folder.path().join("cookies")).unwrap();
        assert!(renewal.renewed().await.is_none());
        keep(folder.path(), "session-id=1; ubid-main=2; at-main=4");
        assert!(renewal.renewed().await.is_some());
        assert!(renewal.renewed().await.is_none());
    }

    #[tokio::test]
    async fn a_file_that_was_missing_is_noticed_when_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let renewal = of(folder.path(), "file:cookies").await.unwrap();
        assert!(renewal.renewed().await.is_none());
        keep(folder.path(), "session-id=1; ubid-main=2; at-main=3");
        assert!(renewal.renewed().await.is_some());
    }

    #[tokio::test]
    async fn nothing_is_started_and_nobody_asked_to_look_for_secrets() {
        let folder = tempfile::tempdir().unwrap();
        for account in ["env:COOKIES", "cmd:echo at-main=1"] {
            assert!(of(folder.path(), account).await.is_none(), "{account}");
        }
    }
}
