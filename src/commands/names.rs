//! Names on the command line, and what the config says about all of them.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use safelight_config::{Config, Destination, Env, Mirror};
use safelight_core::catalog::{Places, SafetyRules};
use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use crate::failure::Failure;

/// The destination of this name.
///
/// # Errors
/// What was probably meant.
pub fn destination<'a>(config: &'a Config, name: &str) -> Result<&'a Destination, Failure> {
    let known = config.destinations.iter().map(|one| one.name.as_str());
    config.destination(name).ok_or_else(|| unknown("destination", name, known))
}

/// The mirror job of this name.
///
/// # Errors
/// What was probably meant.
pub fn job<'a>(config: &'a Config, name: &str) -> Result<&'a Mirror, Failure> {
    let known = config.jobs.iter().map(|job| job.name.as_str());
    config
        .jobs
        .iter()
        .find(|job| job.name == name)
        .ok_or_else(|| unknown("mirror job", name, known))
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    let list = known.clone().collect::<Vec<_>>().join(", ");
    let help = match safelight_config::nearest(name, known) {
        Some(meant) => format!("did you mean `{meant}`? there are: {list}"),
        None => format!("there are: {list}"),
    };
    let shown = safelight_core::key::printable(name.as_bytes());
    Failure::Usage { message: format!("there is no {what} `{shown}`"), help: Some(help) }
}

/// What counts as safe now.
pub fn safety_rules(config: &Config, now: Timestamp) -> SafetyRules {
    let age = i64::try_from(config.safety.checked.as_nanos()).unwrap_or(i64::MAX);
    SafetyRules {
        copies: config.safety.copies,
        offsite: config.safety.offsite,
        checked_since: Timestamp::from_nanos(now.as_nanos().saturating_sub(age)),
    }
}

/// What is special about the destinations when copies are counted.
pub fn places(config: &Config) -> Places {
    let names = |wanted: fn(&Destination) -> bool| {
        let some = config.destinations.iter().filter(|one| wanted(one));
        some.map(|one| one.name.clone()).collect()
    };
    Places {
        offsite: names(|one| one.offsite),
        never_alone: names(|one| one.storage.is_best_effort()),
    }
}

/// A path of the command line as a key of the library: an absolute path inside it, a path from the current
/// folder that leads into it, or already a path inside it. `None`: the library itself.
///
/// # Errors
/// If it is no path that could be in the library.
pub fn key(config: &Config, env: &Env, path: &Path) -> Result<Option<Key>, Failure> {
    let library = &config.library.path;
    let from_here = env.current_dir().join(path);
    let inside = match (from_here.strip_prefix(library), path.is_absolute()) {
        (Ok(inside), _) => inside,
        (Err(_), false) => path,
        (Err(_), true) => return Err(outside(path)),
    };
    let bytes = inside.as_os_str().as_bytes();
    let bytes = bytes.strip_prefix(b"./").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"/").unwrap_or(bytes);
    if bytes.is_empty() || bytes == b"." {
        return Ok(None);
    }
    Key::new(bytes).map(Some).map_err(|_| outside(path))
}

fn outside(path: &Path) -> Failure {
    let shown = safelight_core::key::printable(path.as_os_str().as_bytes());
    Failure::Usage { message: format!("`{shown}` is not in the library"), help: None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config() -> Config {
        let text = "version = 1\n[library]\npath = \"/photos\"\n[safety]\ncopies = 2\noffsite = 0\n\
                    [destination.disk]\ntype = \"disk\"\npath = \"/disk\"\n";
        let env = Env::new("/", [("HOME", "/home/anna")]);
        Config::parse(text, Path::new("/safelight.toml"), &env).unwrap()
    }

    #[test]
    fn a_path_means_the_same_from_everywhere() {
        let at = |folder: &str, path: &str| {
            let env = Env::new(folder, [("HOME", "/home/anna")]);
            key(&config(), &env, Path::new(path)).map(|key| key.map(|key| key.to_string()))
        };
        for (folder, path) in [
            ("/", "/photos/2024/a.jpg"),
            ("/photos/2024", "a.jpg"),
            ("/home", "2024/a.jpg"),
            ("/", "photos/2024/a.jpg"),
        ] {
            assert_eq!(at(folder, path).unwrap().as_deref(), Some("2024/a.jpg"), "{folder} {path}");
        }
        assert_eq!(at("/", "/photos").unwrap(), None);
        assert!(at("/", "/etc/passwd").is_err());
        assert!(at("/home", "../x").is_err());
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_likely_one() {
        let failure = destination(&config(), "dsik").unwrap_err();
        assert_eq!(
            failure.render(false),
            "error: there is no destination `dsik`\n  did you mean `disk`? there are: disk\n"
        );
    }
}
