//! How providers are found by name: a plain value, no code that runs by itself.
//!
//! A provider registers by one function that returns a [`Factory`]. The built-in list is in
//! `safelight-providers`; a third party adds its own to a [`Registry`] without touching this crate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::http::HttpTransport;
use crate::notebook::Notebook;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::sign_in::SignIn;
use crate::time::Clock;

/// What a provider is handed when it is opened.
#[derive(Clone)]
pub struct Context {
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The shared HTTP transport.
    pub http: Arc<dyn HttpTransport>,
    /// What is remembered about this destination from run to run.
    pub notebook: Arc<dyn Notebook>,
    /// Ends everything that waits.
    pub cancel: CancellationToken,
}

/// One setting of a provider, for help and documentation.
#[derive(Debug, Clone, Copy)]
pub struct SettingHelp {
    /// Its name in the config.
    pub name: &'static str,
    /// One line about it.
    pub help: &'static str,
    /// What holds when it is not written.
    pub default: Option<&'static str>,
}

/// The settings of one destination, checked and with secrets resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    values: BTreeMap<String, Value>,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Words or numbers.
    Text(String),
    /// A path on this machine.
    Path(PathBuf),
    /// Something that must not be shown.
    Secret(Secret),
}

impl Settings {
    /// No settings yet, for the destination `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: BTreeMap::new() }
    }

    /// Adds a setting.
    #[must_use]
    pub fn with(mut self, setting: impl Into<String>, value: Value) -> Self {
        self.values.insert(setting.into(), value);
        self
    }

    /// Adds a text setting.
    #[must_use]
    pub fn with_text(self, setting: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(setting, Value::Text(value.into()))
    }

    /// A setting as text; a secret is not text.
    pub fn text(&self, setting: &str) -> Option<&str> {
        match self.values.get(setting)? {
            Value::Text(text) => Some(text),
            Value::Path(path) => path.to_str(),
            Value::Secret(_) => None,
        }
    }

    /// A setting as a path.
    pub fn path(&self, setting: &str) -> Option<PathBuf> {
        match self.values.get(setting)? {
            Value::Text(text) => Some(text.into()),
            Value::Path(path) => Some(path.clone()),
            Value::Secret(_) => None,
        }
    }

    /// A setting as a secret; plain text serves too where the config allowed it.
    pub fn secret(&self, setting: &str) -> Option<Secret> {
        match self.values.get(setting)? {
            Value::Secret(secret) => Some(secret.clone()),
            Value::Text(text) => Some(Secret::new(text.clone())),
            Value::Path(_) => None,
        }
    }

    /// All settings in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A setting that must be there.
    ///
    /// # Errors
    /// [`Kind::Internal`]: the config check should have asked for it.
    pub fn require(&self, setting: &str) -> Result<&str> {
        let missing =
            || Error::new(Kind::Internal, format!("{}: `{setting}` is not set", self.name));
        self.text(setting).ok_or_else(missing)
    }
}

/// Opens providers of one kind.
#[async_trait]
pub trait Factory: Send + Sync {
    /// The word for it in the config's `type`.
    fn kind(&self) -> &'static str;
    /// One line about it.
    fn about(&self) -> &'static str;
    /// Its settings.
    fn settings(&self) -> &'static [SettingHelp];
    /// How to sign in, for services that want that.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }
    /// Opens one destination. Changes nothing; a destination that is not there opens too, and says so in
    /// `check`.
    async fn open(&self, settings: Settings, context: Context) -> Result<Arc<dyn Provider>>;
}

/// The kinds of provider that are known.
#[derive(Clone, Default)]
pub struct Registry {
    factories: BTreeMap<&'static str, Arc<dyn Factory>>,
}

impl Registry {
    /// This registry and one more kind.
    ///
    /// # Errors
    /// [`Kind::Exists`] if the kind is already known.
    pub fn with(mut self, factory: Arc<dyn Factory>) -> Result<Self> {
        let kind = factory.kind();
        match self.factories.insert(kind, factory) {
            None => Ok(self),
            Some(_) => Err(Error::new(Kind::Exists, format!("two providers are called `{kind}`"))),
        }
    }

    /// The factory for `kind`.
    ///
    /// # Errors
    /// [`Kind::Unsupported`], naming the kinds that are known.
    pub fn get(&self, kind: &str) -> Result<&Arc<dyn Factory>> {
        let unknown = || {
            let known: Vec<_> = self.factories.keys().copied().collect();
            Error::new(
                Kind::Unsupported,
                format!("no provider `{kind}`; there are {}", known.join(", ")),
            )
        };
        self.factories.get(kind).ok_or_else(unknown)
    }

    /// All factories by kind.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Factory>> {
        self.factories.values()
    }
}
