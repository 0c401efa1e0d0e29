//! What is remembered of exports: each has a folder of its own in the state folder, with its catalog and a note about
//! where it went.
//!
//! Invariant: the same service and the same targets are the same export for ever, so a command that is repeated goes on
//! in the same folder, on whatever day.

use std::path::{Path, PathBuf};

use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::error::{Error, Kind, Result};
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
    /// Its targets: their names, and on this machine their folders.
    pub targets: Vec<(String, Option<PathBuf>)>,
    /// The folder inside targets that are destinations, the day filled in.
    pub path: String,
    /// What must not change once it has begun: bag or not, the layout.
    pub shape: String,
    /// When it was last finished with nothing missing.
    pub finished: Option<String>,
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
            let place = text(&one["folder"]).map(PathBuf::from);
            Some((text(&one["name"])?, place))
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

    /// Writes the note, all or nothing.
    ///
    /// # Errors
    /// Those of the file system. Blocks.
    pub fn save(&self) -> Result<()> {
        let target = |(name, folder): &(String, Option<PathBuf>)| {
            let folder = folder.as_ref().and_then(|folder| folder.to_str());
            json!({ "name": name, "folder": folder })
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
        let gone = |(_, folder): &&(String, Option<PathBuf>)| {
            folder
                .as_ref()
                .is_some_and(|folder| !folder.join(safelight_core::key::RESERVED).is_dir())
        };
        self.targets.iter().filter(gone).map(|(name, _)| name.clone()).collect()
    }
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
        let remembered = Remembered {
            folder: folder.clone(),
            from: "amazon".to_owned(),
            targets: vec![("nas".to_owned(), None), ("/a".to_owned(), Some(there.clone()))],
            path: "Leaving amazon 2026-11-23".to_owned(),
            shape: "bag".to_owned(),
            finished: None,
        };
        std::fs::create_dir_all(&folder).unwrap();
        remembered.save().unwrap();
        assert_eq!(all(state.path()).unwrap(), std::slice::from_ref(&remembered));
        assert_eq!(remembered.absent(), ["/a"]);
        std::fs::create_dir_all(there.join(".safelight")).unwrap();
        assert!(remembered.absent().is_empty());
    }
}
