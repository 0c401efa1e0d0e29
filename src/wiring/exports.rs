//! What is remembered of exports: each has a folder of its own in the state folder, with its catalog and a note about
//! where it went.
//!
//! Invariant: the same service and the same targets are the same export for ever, so a command that is repeated goes on
//! in the same folder, on whatever day.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::RESERVED;
use serde_json::{Value, json};

const FOLDER: &str = "exports";
const NOTE: &str = "export.json";

/// One export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Its folder in the state folder.
    pub folder: PathBuf,
    /// The service.
    pub from: String,
    /// Its targets.
    pub targets: Vec<Target>,
    /// The folder inside targets that are destinations, the day filled in.
    pub path: String,
    /// What must not change once it has begun: bag or not, the layout.
    pub shape: String,
    /// When it was last finished with nothing missing.
    pub finished: Option<String>,
}

/// Where an export goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its folder, if that is on this machine.
    pub folder: Option<PathBuf>,
    /// The number of the file system on which the folder was last seen with the export in it, or is going to be made.
    device: Option<u64>,
}

/// The folder in which an export of `from` to these targets is remembered.
pub fn folder_of(state: &Path, from: &str, targets: &[String]) -> PathBuf {
    let text = targets.join("\0");
    let digest = Hasher::of(text.as_bytes(), Algorithms::default()).sha256.unwrap_or_default();
    let tag = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    state.join(FOLDER).join(format!("{from}-{tag:08x}"))
}

/// All exports of a config that ever began.
///
/// # Errors
/// Those of the file system. Blocks.
pub fn all(state: &Path) -> Result<Vec<Remembered>> {
    let place = state.join(FOLDER);
    let failed = |error| Error::io(error, format!("looking at {}", place.display()));
    let entries = match std::fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(Remembered::load(&entry.map_err(failed)?.path())?);
    }
    found.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(found)
}

impl Remembered {
    /// Where its catalog stands.
    pub fn catalog(&self) -> PathBuf {
        self.folder.join("catalog.db")
    }

    /// What stands in a folder; `None` if nothing does.
    ///
    /// # Errors
    /// Those of the file system; [`Kind::Corrupt`] for a note that makes no sense. Blocks.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(NOTE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(error, format!("reading {}", path.display()))),
        };
        let read = serde_json::from_str(&text).ok().and_then(|note| Self::read(folder, &note));
        let broken = || Error::new(Kind::Corrupt, format!("{} makes no sense", path.display()));
        read.map(Some).ok_or_else(broken)
    }

    fn read(folder: &Path, note: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let target = |one: &Value| {
            let folder = text(&one["folder"]).map(PathBuf::from);
            Some(Target { name: text(&one["name"])?, folder, device: one["device"].as_u64() })
        };
        Some(Self {
            folder: folder.to_owned(),
            from: text(&note["from"])?,
            targets: note["targets"].as_array()?.iter().map(target).collect::<Option<_>>()?,
            path: text(&note["path"])?,
            shape: text(&note["shape"])?,
            finished: text(&note["finished"]),
        })
    }

    /// Writes the note, all or nothing, with where the targets are seen now. Those called `unused` hold nothing yet: it is
    /// noted where they are going to be made, so that a run that dies has noted it before it stored anything.
    ///
    /// # Errors
    /// Those of the file system. Blocks.
    pub fn save(&mut self, unused: &[String]) -> Result<()> {
        let known = |one: &&mut Target| unused.contains(&one.name) || !one.is_absent();
        for target in self.targets.iter_mut().filter(known) {
            target.device = target.folder.as_deref().and_then(device_of);
        }
        let target = |one: &Target| {
            let folder = one.folder.as_ref().and_then(|folder| folder.to_str());
            json!({ "name": one.name, "folder": folder, "device": one.device })
        };
        let note = json!({
            "v": 1, "from": self.from, "path": self.path, "shape": self.shape,
            "targets": self.targets.iter().map(target).collect::<Vec<_>>(), "finished": self.finished,
        });
        let (path, new) = (self.folder.join(NOTE), self.folder.join(format!("{NOTE}.new")));
        let written = std::fs::write(&new, format!("{note:#}\n")).and_then(|()| {
            std::fs::File::open(&new)?.sync_all()?;
            std::fs::rename(&new, &path)
        });
        written.map_err(|error| Error::io(error, format!("writing {}", path.display())))
    }

    /// The targets of which nothing is to be seen: a folder that is gone, or a disk that is not attached. Blocks.
    pub fn absent(&self) -> Vec<String> {
        let absent = self.targets.iter().filter(|one| one.is_absent());
        absent.map(|one| one.name.clone()).collect()
    }
}

impl Target {
    /// A target of an export that begins.
    pub fn new(name: String, folder: Option<PathBuf>) -> Self {
        Self { name, folder, device: None }
    }

    fn is_absent(&self) -> bool {
        self.folder.as_ref().is_some_and(|folder| !folder.join(RESERVED).is_dir())
    }

    /// Whether its folder was removed or emptied below `base`, which is there: then it is not its disk that is away. A
    /// mount point without its disk is an empty folder, too, but of another file system. Blocks.
    pub fn is_lost(&self, base: &Path) -> bool {
        let Some(folder) = &self.folder else { return false };
        let nothing = match std::fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        let same_device = self.device.is_some() && device_of(folder) == self.device;
        nothing && base.is_dir() && same_device
    }
}

/// The number of the file system that a folder is on, or would be made on.
fn device_of(folder: &Path) -> Option<u64> {
    let there = |path: &Path| std::fs::metadata(path).ok().map(|facts| facts.dev());
    folder.ancestors().find_map(there)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_remembered_by_service_and_targets() {
        let state = tempfile::tempdir().unwrap();
        let folder = folder_of(state.path(), "amazon", &["/a".to_owned()]);
        assert_eq!(folder, folder_of(state.path(), "amazon", &["/a".to_owned()]));
        assert_ne!(folder, folder_of(state.path(), "amazon", &["/b".to_owned()]));
        assert_eq!(all(state.path()).unwrap(), []);
        let there = state.path().join("target");
        let mut remembered = Remembered {
            folder: folder.clone(),
            from: "amazon".to_owned(),
            targets: vec![
                Target::new("nas".to_owned(), None),
                Target::new("/a".to_owned(), Some(there.clone())),
            ],
            path: "Leaving amazon 2026-11-23".to_owned(),
            shape: "bag".to_owned(),
            finished: None,
        };
        std::fs::create_dir_all(&folder).unwrap();
        remembered.save(&[]).unwrap();
        assert_eq!(all(state.path()).unwrap(), std::slice::from_ref(&remembered));
        assert_eq!(remembered.absent(), ["/a"]);
        std::fs::create_dir_all(there.join(".safelight")).unwrap();
        assert!(remembered.absent().is_empty());
    }

    /// A target as a run notes it that sees nothing of it.
    fn noted(home: &tempfile::TempDir, folder: &Path, unused: &[String]) -> Target {
        let state = home.path().join("state");
        std::fs::create_dir_all(&state).unwrap();
        let mut remembered = Remembered {
            folder: state,
            from: "amazon".to_owned(),
            targets: vec![Target::new("bye".to_owned(), Some(folder.to_owned()))],
            path: String::new(),
            shape: String::new(),
            finished: None,
        };
        remembered.save(unused).unwrap();
        remembered.targets.remove(0)
    }

    #[test]
    fn a_folder_is_lost_if_it_is_gone_or_empty_where_it_was_made() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("bye");
        let new = Target::new("bye".to_owned(), Some(folder.clone()));
        assert!(!new.is_lost(home.path()), "it was never there");
        let target = Target { device: device_of(home.path()), ..new };
        assert!(target.is_lost(home.path()));
        std::fs::create_dir(&folder).unwrap();
        assert!(target.is_lost(home.path()));
        std::fs::write(folder.join("mine.txt"), "mine").unwrap();
        assert!(!target.is_lost(home.path()));
        std::fs::remove_dir_all(&folder).unwrap();
        let begun = noted(&home, &folder, &["bye".to_owned()]);
        assert!(begun.is_lost(home.path()), "where it was going to be made was noted");
        assert!(!noted(&home, &folder, &[]).is_lost(home.path()));
        let elsewhere = Target { device: Some(u64::MAX), ..target.clone() };
        assert!(!elsewhere.is_lost(home.path()), "its disk is away");
        std::fs::remove_dir_all(home.path()).unwrap();
        assert!(!target.is_lost(home.path()), "where it belongs is not there either");
    }
}
