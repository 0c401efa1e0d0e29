//! Where the root folder is, or would be made.
//!
//! Invariant: a missing root is made only below something that is known to be the right place: the parent
//! folder of a plain path, or the mount point of the volume that was asked for. Nothing above is ever made.

use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Result};

use crate::facts::{Facts, What};
use crate::fault::{Act, fault};
use crate::root::{Root, make_in};
use crate::sync;
use crate::tree::Use;
use crate::volume;

/// Where a root is to be looked for.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// At a path.
    Path(PathBuf),
    /// At a path inside a volume, wherever it is mounted.
    Volume { label: Option<String>, id: Option<String>, path: PathBuf },
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The root is at this path.
    Root(PathBuf),
    /// It can be made by making `names` one in the other, the first in `base`.
    Base { base: PathBuf, names: Vec<PathBuf> },
}

impl Place {
    /// Looks for the root. Changes nothing.
    ///
    /// # Errors
    /// [`Kind::Absent`] if neither it nor the place it belongs to is there; [`Kind::NotOurs`] if something
    /// else than a folder has its name.
    pub(crate) fn find(&self, usage: Use, removable: bool) -> Result<Found> {
        let (base, names) = self.split()?;
        let root = names.iter().fold(base.clone(), |path, name| path.join(name));
        let nothing = |context: String| absent(usage, context);
        match kind_of(&root) {
            Ok(facts) if facts.what == What::Folder => return Ok(Found::Root(root)),
            Ok(_) => {
                let context = format!("{} is not a folder", root.display());
                return Err(Error::new(Kind::NotOurs, context).code(codes::WRONG_PLACE));
            }
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => {
                let context = format!("looking at {}", root.display());
                return Err(match fault(errno, Act::Read, context.clone()).kind() {
                    Kind::Io => nothing(context).source(std::io::Error::from(errno)),
                    _ => fault(errno, Act::Read, context),
                });
            }
        }
        if usage == Use::Library {
            return Err(nothing(format!("{} does not exist", root.display())));
        }
        let Ok(facts) = kind_of(&base) else {
            return Err(nothing(format!("neither {} nor its parent exists", root.display())));
        };
        let system = kind_of(Path::new("/")).map(|facts| facts.device).unwrap_or_default();
        if is_empty_mount_point(removable, facts.device, system) {
            let context = format!(
                "{} is on the system's own disk: the removable one is not there",
                base.display()
            );
            return Err(nothing(context));
        }
        Ok(Found::Base { base, names })
    }

    /// What must be there already, and what may be made below it.
    fn split(&self) -> Result<(PathBuf, Vec<PathBuf>)> {
        match self {
            Self::Path(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Ok(match (path.parent(), path.file_name()) {
                    (Some(parent), Some(name)) => (parent.to_owned(), vec![name.into()]),
                    _ => (path, Vec::new()),
                })
            }
            Self::Volume { label, id, path } => {
                let missing = || {
                    let name = label.as_deref().or(id.as_deref()).unwrap_or_default();
                    Error::new(Kind::Absent, format!("no volume {name} is mounted"))
                };
                let point =
                    volume::mount_point(label.as_deref(), id.as_deref()).ok_or_else(missing)?;
                let inside = path.components().filter_map(|part| match part {
                    Component::Normal(name) => Some(PathBuf::from(name)),
                    _ => None,
                });
                Ok((point, inside.collect()))
            }
        }
    }
}

impl Found {
    /// The root, made first if it was not there.
    pub(crate) fn make(self) -> Result<PathBuf> {
        let (base, names) = match self {
            Self::Root(path) => return Ok(path),
            Self::Base { base, names } => (base, names),
        };
        let failed = |errno| {
            fault(
                errno,
                Act::Write,
                format!("making the destination's folder in {}", base.display()),
            )
        };
        let mut path = base.clone();
        for name in names {
            let above = Root::open(&path).map_err(failed)?;
            make_in(above.handle(), name.as_os_str().as_encoded_bytes()).map_err(failed)?;
            sync::folder(above.handle()).map_err(failed)?;
            path.push(name);
        }
        Ok(path)
    }
}

/// The error for a root that is not there.
pub(crate) fn absent(usage: Use, context: String) -> Error {
    let error = Error::new(Kind::Absent, context);
    match usage {
        Use::Library => error.code(codes::LIBRARY_MISSING),
        Use::Destination => error,
    }
}

fn kind_of(path: &Path) -> Result<Facts, Errno> {
    rustix::fs::stat(path).map(Facts::from)
}

/// Whether a new root for a removable disk would land on the system's own disk.
fn is_empty_mount_point(removable: bool, base_device: u64, system_device: u64) -> bool {
    removable && base_device == system_device
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_removable_disk_is_refused_on_the_systems_own() {
        assert!(is_empty_mount_point(true, 7, 7));
        assert!(!is_empty_mount_point(true, 8, 7));
        assert!(!is_empty_mount_point(false, 7, 7));
    }

    #[test]
    fn only_the_last_folder_of_a_plain_path_may_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let find = |path: &str| Place::Path(dir.path().join(path)).find(Use::Destination, false);
        let new = find("new").unwrap();
        assert!(matches!(&new, Found::Base { names, .. } if names.len() == 1));
        assert_eq!(find("not/there").unwrap_err().kind(), Kind::Absent);
        assert_eq!(new.make().unwrap(), dir.path().join("new"));
        assert_eq!(find("new").unwrap(), Found::Root(dir.path().join("new")));
        std::fs::write(dir.path().join("file"), b"").unwrap();
        assert_eq!(find("file").unwrap_err().kind(), Kind::NotOurs);
    }

    #[test]
    fn a_library_is_never_made() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::Path(dir.path().join("new"));
        let error = place.find(Use::Library, false).unwrap_err();
        assert_eq!((error.kind(), error.id()), (Kind::Absent, codes::LIBRARY_MISSING));
    }

    #[test]
    fn a_volume_that_is_not_mounted_is_absent() {
        let place = Place::Volume {
            label: Some("no such volume".to_owned()),
            id: None,
            path: PathBuf::from("Safelight/Pictures"),
        };
        assert_eq!(place.find(Use::Destination, true).unwrap_err().kind(), Kind::Absent);
    }
}
