//! What the surroundings tell: variables, home, current folder. Handed in as a value, so that nothing here
//! looks at the real environment and tests need none.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// The surroundings of one program run. `Debug` leaves the variables out: they may hold secrets.
#[derive(Clone, Default)]
pub struct Env {
    current_dir: PathBuf,
    variables: BTreeMap<OsString, OsString>,
    windows: bool,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("current_dir", &self.current_dir).finish_non_exhaustive()
    }
}

impl Env {
    /// `variables` is what `std::env::vars_os()` gives; `current_dir` is absolute.
    pub fn new<I, K, V>(current_dir: impl Into<PathBuf>, variables: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables =
            variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { current_dir: current_dir.into(), variables, windows: cfg!(windows) }
    }

    /// Uses the folder conventions of Windows, wherever this runs.
    #[must_use]
    pub fn with_windows_folders(mut self) -> Self {
        self.windows = true;
        self
    }

    /// A variable; an empty one counts as not set.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.variables.get(name.as_ref()).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The folder in which the program was started.
    pub fn current_dir(&self) -> &Path {
        &self.current_dir
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.absolute(if self.windows { "USERPROFILE" } else { "HOME" })
    }

    /// A variable that names an absolute folder; anything else is ignored, as the XDG rules ask. Of a list
    /// (systemd writes several folders with colons between them) the first counts.
    fn absolute(&self, name: &str) -> Option<PathBuf> {
        let value = self.get(name)?;
        let first = match (self.windows, value.to_str()) {
            (false, Some(text)) => OsStr::new(text.split(':').next().unwrap_or(text)),
            _ => value,
        };
        let path = PathBuf::from(first);
        (self.windows || path.is_absolute()).then_some(path)
    }
}

/// Where Safelight keeps its things when nothing else is said. systemd's folder variables win over the XDG
/// ones, these over the usual places below the home folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The user's config file; it need not exist.
    pub config: PathBuf,
    /// Catalogs, runs and sandbox data: one subfolder per library.
    pub state: PathBuf,
    /// Things that can be made again.
    pub cache: PathBuf,
    /// Lock and control socket.
    pub runtime: PathBuf,
    /// Log files.
    pub logs: PathBuf,
}

impl Paths {
    /// Works out the folders; creates nothing.
    pub fn of(env: &Env) -> Self {
        if env.windows { Self::windows(env) } else { Self::unix(env) }
    }

    fn unix(env: &Env) -> Self {
        let home = env.home().unwrap_or_else(|| env.current_dir.clone());
        let xdg = |variable: &str, below_home: &str| {
            env.absolute(variable).unwrap_or_else(|| home.join(below_home)).join("safelight")
        };
        let state = env
            .absolute("STATE_DIRECTORY")
            .unwrap_or_else(|| xdg("XDG_STATE_HOME", ".local/state"));
        Self {
            config: xdg("XDG_CONFIG_HOME", ".config").join("safelight.toml"),
            cache: env
                .absolute("CACHE_DIRECTORY")
                .unwrap_or_else(|| xdg("XDG_CACHE_HOME", ".cache")),
            runtime: env
                .absolute("RUNTIME_DIRECTORY")
                .or_else(|| env.absolute("XDG_RUNTIME_DIR").map(|folder| folder.join("safelight")))
                .unwrap_or_else(|| state.clone()),
            logs: env.absolute("LOGS_DIRECTORY").unwrap_or_else(|| state.clone()),
            state,
        }
    }

    fn windows(env: &Env) -> Self {
        let home = env.home().unwrap_or_else(|| env.current_dir.clone());
        let roaming =
            env.absolute("APPDATA").unwrap_or_else(|| home.join("AppData").join("Roaming"));
        let local =
            env.absolute("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData").join("Local"));
        let local = local.join("safelight");
        let state = local.join("state");
        Self {
            config: roaming.join("safelight").join("safelight.toml"),
            cache: local.join("cache"),
            runtime: state.clone(),
            logs: state.clone(),
            state,
        }
    }
}

/// The config file to use: `--config`, `$SAFELIGHT_CONFIG`, `./safelight.toml`, the user's config folder.
/// `exists` is asked only for the last two; when neither is there the answer is the user's, so that the error
/// names the place where a file is expected.
pub fn find_config(option: Option<&Path>, env: &Env, exists: impl Fn(&Path) -> bool) -> PathBuf {
    let named = option.or_else(|| env.get("SAFELIGHT_CONFIG").map(Path::new));
    if let Some(path) = named {
        return env.current_dir.join(path);
    }
    let here = env.current_dir.join("safelight.toml");
    if exists(&here) { here } else { Paths::of(env).config }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::new("/data", pairs.iter().copied())
    }

    #[test]
    fn folders_follow_home_then_xdg_then_systemd() {
        let paths = Paths::of(&env(&[("HOME", "/home/anna")]));
        assert_eq!(paths.config, Path::new("/home/anna/.config/safelight/safelight.toml"));
        assert_eq!(paths.state, Path::new("/home/anna/.local/state/safelight"));
        assert_eq!(paths.runtime, paths.state);

        let xdg = [
            ("HOME", "/home/anna"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_CACHE_HOME", "not/absolute"),
            ("XDG_RUNTIME_DIR", "/run/user/1"),
        ];
        let paths = Paths::of(&env(&xdg));
        assert_eq!(paths.state, Path::new("/s/safelight"));
        assert_eq!(paths.cache, Path::new("/home/anna/.cache/safelight"));
        assert_eq!(paths.runtime, Path::new("/run/user/1/safelight"));

        let systemd =
            [("STATE_DIRECTORY", "/var/lib/safelight:/other"), ("LOGS_DIRECTORY", "/var/log/s")];
        let paths = Paths::of(&env(&systemd));
        assert_eq!(paths.state, Path::new("/var/lib/safelight"));
        assert_eq!(paths.logs, Path::new("/var/log/s"));
    }

    #[test]
    fn windows_uses_its_own_folders() {
        let env = env(&[("APPDATA", "R"), ("LOCALAPPDATA", "L")]).with_windows_folders();
        let paths = Paths::of(&env);
        assert_eq!(paths.config, Path::new("R/safelight/safelight.toml"));
        assert_eq!(paths.cache, Path::new("L/safelight/cache"));
    }

    #[test]
    fn the_config_file_is_looked_for_in_the_stated_order() {
        let set = env(&[("HOME", "/h"), ("SAFELIGHT_CONFIG", "env.toml")]);
        let unset = env(&[("HOME", "/h")]);
        let option = Some(Path::new("/opt.toml"));
        assert_eq!(find_config(option, &set, |_| true), Path::new("/opt.toml"));
        assert_eq!(find_config(None, &set, |_| true), Path::new("/data/env.toml"));
        assert_eq!(find_config(None, &unset, |_| true), Path::new("/data/safelight.toml"));
        let user = Path::new("/h/.config/safelight/safelight.toml");
        assert_eq!(find_config(None, &unset, |_| false), user);
    }
}
