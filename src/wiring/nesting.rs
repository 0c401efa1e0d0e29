//! How library and disks lie to each other on this machine, links and mounts followed. The config check compares
//! paths by their text; here the machine itself is asked.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use safelight_config::{Config, DiskPlace, Storage, codes};
use safelight_core::error::{Error, Kind, Result, Scope};

/// A folder as the machine knows it, or the nearest one above it that is there.
type Id = (u64, u64);

fn id(path: &Path) -> Option<Id> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The folder itself if it is there, and all folders above it that are.
fn chain(path: &Path) -> Vec<Id> {
    let there = path.ancestors().find_map(|folder| folder.canonicalize().ok());
    there.iter().flat_map(|folder| folder.ancestors()).filter_map(id).collect()
}

fn disks(config: &Config) -> impl Iterator<Item = (&str, &PathBuf)> {
    config.destinations.iter().filter_map(|destination| match &destination.storage {
        Storage::Disk(disk) => match &disk.place {
            DiskPlace::Folder(path) => Some((destination.name.as_str(), path)),
            DiskPlace::Volume { .. } => None,
        },
        _ => None,
    })
}

/// Refuses a destination inside the library, a library inside a destination, and a destination inside another.
///
/// # Errors
/// `config/nested-paths`, naming both. Blocks: folders are looked at.
pub fn check(config: &Config) -> Result<()> {
    let library = ("the library", &config.library.path);
    let places: Vec<_> = std::iter::once(library).chain(disks(config)).collect();
    for (at, (name, path)) in places.iter().enumerate() {
        for (other, other_path) in &places[at + 1..] {
            let inside = |inner: &Path, outer: &Path| {
                id(outer).is_some_and(|outer| chain(inner).contains(&outer))
            };
            if inside(path, other_path) || inside(other_path, path) {
                let context = format!(
                    "{name} ({}) and {other} ({}) lie inside each other, by a link or a mount",
                    path.display(),
                    other_path.display()
                );
                let error = Error::new(Kind::Refused, context).code(codes::NESTED_PATHS);
                return Err(error.scope(Scope::Run));
            }
        }
    }
    Ok(())
}

/// Refuses a folder for an export or a restore that lies in a place that it is made from, or around one.
///
/// # Errors
/// `config/nested-paths`, naming both. Blocks: folders are looked at.
pub fn check_folder(folder: &Path, places: &[(&str, &Path)]) -> Result<()> {
    for (name, place) in places {
        let inside = |inner: &Path, outer: &Path| {
            id(outer).is_some_and(|outer| chain(inner).contains(&outer))
        };
        if inside(folder, place) || inside(place, folder) {
            let (folder, place) = (folder.display(), place.display());
            let context = format!("{folder} and {name} ({place}) lie inside each other");
            let error = Error::new(Kind::Refused, context).code(codes::NESTED_PATHS);
            return Err(error.scope(Scope::Run));
        }
    }
    Ok(())
}

/// Pairs of places on one file system: one broken disk would take both.
pub fn neighbours(config: &Config) -> Vec<(String, String)> {
    let library = ("the library", &config.library.path);
    let devices: Vec<_> = std::iter::once(library)
        .chain(disks(config))
        .filter_map(|(name, path)| Some((name, chain(path).first()?.0)))
        .collect();
    let mut pairs = Vec::new();
    for (at, (name, device)) in devices.iter().enumerate() {
        for (other, _) in devices[at + 1..].iter().filter(|(_, theirs)| theirs == device) {
            pairs.push(((*name).to_owned(), (*other).to_owned()));
        }
    }
    pairs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use safelight_config::Env;

    fn config(folder: &Path, disk: &Path) -> Config {
        let text = format!(
            "version = 1\n[library]\npath = \"library\"\n[safety]\ncopies = 2\noffsite = 0\n\
             [destination.disk]\ntype = \"disk\"\npath = {disk:?}\n"
        );
        let env = Env::new(folder, [("HOME", folder)]);
        Config::parse(&text, &folder.join("safelight.toml"), &env).unwrap()
    }

    #[test]
    fn a_link_that_leads_into_the_library_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("library");
        std::fs::create_dir_all(library.join("2024")).unwrap();
        std::os::unix::fs::symlink(library.join("2024"), folder.path().join("link")).unwrap();
        let linked = config(folder.path(), &folder.path().join("link/new/disk"));
        assert_eq!(check(&linked).unwrap_err().id(), codes::NESTED_PATHS);
        let apart = config(folder.path(), &folder.path().join("disk"));
        check(&apart).unwrap();
        assert_eq!(neighbours(&apart), [("the library".to_owned(), "disk".to_owned())]);
    }
}
