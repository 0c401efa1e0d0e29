//! Where a sign-in is kept.

use safelight_config::{Config, Destination, SecretRef, secrets};

use super::blocking;
use crate::args::Store;
use crate::failure::Failure;

/// Where a sign-in goes.
pub struct Place {
    /// The place.
    pub reference: SecretRef,
    /// The line that the config needs to find it there; `None` if the config says so already.
    pub line: Option<String>,
}

impl Place {
    /// The place that the config names, or the one that was asked for; `setting` is what refers to the secret.
    ///
    /// # Errors
    /// If nothing can be put there.
    pub async fn choose(
        config: &Config,
        destination: &Destination,
        setting: &str,
        store: Option<Store>,
    ) -> Result<Self, Failure> {
        let written = destination.storage.secrets().into_iter().find(|(name, _)| *name == setting);
        let written = written.map(|(_, reference)| reference);
        let reference = reference(config, destination, written, store)?;
        if let SecretRef::Keyring(_) = reference {
            blocking(secrets::keyring_is_there).await?;
        }
        let line = (Some(&reference) != written).then(|| {
            let value = serde_json::Value::from(reference.to_string());
            format!("{setting} = {value}")
        });
        Ok(Self { reference, line })
    }

    /// The place for people.
    pub fn shown(&self) -> String {
        match &self.reference {
            SecretRef::Keyring(name) => {
                format!("in the system keyring as \"{} {name}\"", secrets::SERVICE)
            }
            SecretRef::File(path) => {
                format!("in the file {}, which only you can read", path.display())
            }
            other => format!("in {other}"),
        }
    }
}

fn reference(
    config: &Config,
    destination: &Destination,
    written: Option<&SecretRef>,
    store: Option<Store>,
) -> Result<SecretRef, Failure> {
    let name = &destination.name;
    match (store, written) {
        (None, Some(written)) if !written.can_keep() => Err(Failure::Usage {
            message: format!("`{name}` has its sign-in from {written}, where nothing can be put"),
            help: Some("--store keyring or --store file keeps it elsewhere".to_owned()),
        }),
        (None, Some(written))
        | (Some(Store::Keyring), Some(written @ SecretRef::Keyring(_)))
        | (Some(Store::File), Some(written @ SecretRef::File(_))) => Ok(written.clone()),
        (None | Some(Store::Keyring), _) => Ok(SecretRef::Keyring(name.clone())),
        (Some(Store::File), _) => Ok(SecretRef::File(config.state.join("sign-in").join(name))),
    }
}
