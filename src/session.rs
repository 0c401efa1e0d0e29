//! What every command is handed: flags, surroundings, config, clock, output.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_config::{Config, Env, find_config};
use safelight_core::time::{Clock, SystemClock};

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;

/// One call of the program.
pub struct Session {
    /// The flags that every command has.
    pub flags: Global,
    /// Variables and current folder.
    pub env: Env,
    /// Where results and remarks go.
    pub out: Arc<Output>,
}

impl Session {
    /// Looks at the surroundings once.
    ///
    /// # Errors
    /// If the current folder is gone.
    pub fn new(flags: Global, out: &Arc<Output>) -> Result<Self, Failure> {
        let folder = std::env::current_dir()
            .map_err(|error| Failure::other("cannot tell the current folder", &error))?;
        Ok(Self { flags, env: Env::new(folder, std::env::vars_os()), out: Arc::clone(out) })
    }

    /// Which config file is used.
    pub fn config_file(&self) -> PathBuf {
        find_config(self.flags.config.as_deref(), &self.env, Path::exists)
    }

    /// The config, checked.
    ///
    /// # Errors
    /// Everything that is wrong with it, in one report.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.config_file(), &self.env)?)
    }

    /// That other machines may be asked: `what` needs it, `instead` is what else could be done.
    ///
    /// # Errors
    /// With `--offline`.
    pub fn online(&self, what: &str, instead: &str) -> Result<(), Failure> {
        if !self.flags.offline {
            return Ok(());
        }
        let help = format!("leave out --offline{instead}");
        Err(Failure::Usage { message: what.to_owned(), help: Some(help) })
    }

    /// A clock that starts now; needs a runtime around it.
    #[allow(clippy::unused_self)] // everything a command needs comes from its session
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::start())
    }
}

/// Where the catalog of this config stands.
pub fn catalog_path(config: &Config) -> PathBuf {
    config.state.join("catalog.db")
}
