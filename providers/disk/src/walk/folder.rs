//! Reading one folder: names, what stands under them, sorted.

use std::cmp::Ordering;
use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, fstat, statat};
use rustix::io::Errno;
use safelight_core::codes::{self, Code};
use safelight_core::entry::Scope;
use safelight_core::key::Key;

use super::{reason, reserved};
use crate::facts::{Facts, Stamp, What};
use crate::tree::{Tree, is_private};

/// What stands under a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Finding {
    /// A file.
    File(Stamp),
    /// Something that is passed over.
    Passed(Code),
    /// Something that could not be looked at.
    Unseen(Errno),
    /// A sub-folder, by its number among the sub-folders. It sorts as its name.
    Folder(usize),
    /// The content of a sub-folder. It sorts as its name and a `/`.
    Inside(usize),
}

#[derive(Debug)]
struct Item {
    start: usize,
    length: usize,
    finding: Finding,
}

/// The content of a folder in the order of keys. All names stand in one piece of memory.
#[derive(Debug)]
pub(super) struct Folder {
    /// The file system it is on.
    pub(super) device: u64,
    names: Vec<u8>,
    items: Vec<Item>,
    folders: Vec<(usize, usize)>,
}

impl Folder {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn get(&self, at: usize) -> (&[u8], Finding) {
        let item = &self.items[at];
        (&self.names[item.start..item.start + item.length], item.finding)
    }

    /// The names of the sub-folders by their numbers.
    pub(super) fn folders(&self) -> impl Iterator<Item = &[u8]> {
        self.folders.iter().map(|(start, length)| &self.names[*start..start + length])
    }

    /// The numbers of the sub-folders in the order in which the walk comes to them.
    pub(super) fn visits(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.items.iter().filter_map(|item| match item.finding {
            Finding::Folder(number) => Some(number),
            _ => None,
        })
    }

    fn push(&mut self, name: &[u8], finding: Finding) {
        let (start, length) = (self.names.len(), name.len());
        self.names.extend_from_slice(name);
        self.items.push(Item { start, length, finding });
        if let Finding::Folder(number) = finding {
            self.items.push(Item { start, length, finding: Finding::Inside(number) });
            self.folders.push((start, length));
        }
    }

    fn sort(&mut self) {
        let names = &self.names;
        self.items.sort_unstable_by(|a, b| order(names, a, b));
    }
}

/// As [`Key`] orders whole paths: the content of a folder has a `/` where a longer name goes on.
fn order(names: &[u8], a: &Item, b: &Item) -> Ordering {
    let name = |item: &Item| &names[item.start..item.start + item.length];
    let tail = |item: &Item| matches!(item.finding, Finding::Inside(_)).then_some(b'/');
    let (a_name, b_name) = (name(a), name(b));
    let common = a_name.len().min(b_name.len());
    a_name[..common].cmp(&b_name[..common]).then_with(|| {
        let rest = |name: &[u8], tail: Option<u8>| name.get(common).copied().or(tail);
        let (a_next, b_next) = (rest(a_name, tail(a)), rest(b_name, tail(b)));
        a_next.cmp(&b_next).then(a_name.len().cmp(&b_name.len()))
    })
}

/// What is needed to read any folder of a listing.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) tree: &'a Tree,
    pub(super) scope: &'a Scope,
}

impl Reader<'_> {
    /// Reads the folder `key` (the root for `None`).
    pub(super) fn read(&self, key: Option<&Key>) -> Result<Folder, Errno> {
        let stored = key.map(|key| self.tree.stored(key)).unwrap_or_default();
        let fd = self.tree.root.folder(&stored)?;
        let device = Facts::from(fstat(&fd)?).device;
        let mut folder =
            Folder { device, names: Vec::new(), items: Vec::new(), folders: Vec::new() };
        each_name(&fd, |name, what| {
            let stored_name = name.to_bytes();
            let Some(plain) = self.tree.rules.spelling.read(stored_name) else {
                folder.push(stored_name, Finding::Passed(codes::NAME_REFUSED));
                return;
            };
            if let Some(finding) = self.look(key, &fd, name, &plain, what, folder.folders.len()) {
                folder.push(&plain, finding);
            }
        })?;
        folder.sort();
        Ok(folder)
    }

    fn look(
        &self,
        above: Option<&Key>,
        fd: &OwnedFd,
        stored: &CStr,
        name: &[u8],
        known: Option<What>,
        number: usize,
    ) -> Option<Finding> {
        let path = || match above {
            None => Key::new(name).ok(),
            Some(above) => above.join(name).ok(),
        };
        if above.is_none_or(Key::is_reserved) {
            let key = path()?;
            if is_private(key.as_bytes()) {
                return None;
            }
            if above.is_none() && key.is_reserved() && !self.scope.reserved {
                return reserved(self.tree, self.scope);
            }
        }
        let facts = match known {
            Some(What::Folder | What::Link | What::Other) => None,
            Some(What::File) | None => match statat(fd, stored, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => Some(Facts::from(stat)),
                // It went away between the two looks.
                Err(Errno::NOENT) => return None,
                Err(errno) => return Some(Finding::Unseen(errno)),
            },
        };
        match (facts, facts.map(|facts| facts.what).or(known)?) {
            (Some(facts), What::File) => Some(Finding::File(facts.stamp)),
            (_, What::Folder) => {
                let wanted = match &self.scope.descend {
                    Some(descend) => descend(&path()?),
                    None => true,
                };
                wanted.then_some(Finding::Folder(number))
            }
            (_, other) => Some(Finding::Passed(reason(other))),
        }
    }
}

/// Calls `with` for every name but `.` and `..`, and what it stands for if the folder says so.
fn each_name(fd: &OwnedFd, mut with: impl FnMut(&CStr, Option<What>)) -> Result<(), Errno> {
    let mut tell = |name: &CStr, kind: rustix::fs::FileType| {
        if !matches!(name.to_bytes(), b"." | b"..") {
            with(name, (kind != rustix::fs::FileType::Unknown).then(|| What::from(kind)));
        }
    };
    #[cfg(target_os = "linux")]
    {
        let mut buffer = Vec::with_capacity(64 * 1024);
        let mut names = rustix::fs::RawDir::new(fd, buffer.spare_capacity_mut());
        while let Some(entry) = names.next() {
            let entry = entry?;
            tell(entry.file_name(), entry.file_type());
        }
    }
    #[cfg(not(target_os = "linux"))]
    for entry in rustix::fs::Dir::read_from(fd)? {
        let entry = entry?;
        tell(entry.file_name(), entry.file_type());
    }
    Ok(())
}
