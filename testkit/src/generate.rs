//! Seeded libraries: the same seed gives the same tree, in a folder or in memory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use crate::content::{self, mix};
use crate::memory::MemoryProvider;

/// Names that trip programs, one of each sort. Legal on Linux; none is reserved or a path of several parts.
pub const NASTY_NAMES: &[&[u8]] = &[
    b" leading blank.jpg",
    b"trailing blank.jpg ",
    b"trailing dot.",
    b"trailing dots...",
    b"..two dots first.jpg",
    b"...",
    b"-rf",
    b"--help",
    b"~",
    b"#hash#.jpg",
    b"%20.jpg",
    b"%2F.jpg",
    b"%2520.jpg",
    b"%",
    b"%zz.jpg",
    b"100%25.jpg",
    b"new\nline.jpg",
    b"trailing newline.jpg\n",
    b"carriage\rreturn.jpg",
    b"tab\t.jpg",
    b"\x1b[31mred\x1b[0m.jpg",
    b"bell\x07.jpg",
    b"delete\x7f.jpg",
    b"quote\"single'.jpg",
    b"back\\slash.jpg",
    b"a:b.jpg",
    b"star*mark?.jpg",
    b"<less>|more|.jpg",
    b"amp&semi;.jpg",
    b"$(id)`id`.jpg",
    b"{brace}[bracket].jpg",
    b"two  blanks.jpg",
    b"plus+.jpg",
    b"a=b?c=d&e#f.jpg",
    b"CON",
    b"aux.jpg",
    b"COM1.jpg",
    b"desktop.ini",
    b".DS_Store",
    b"Thumbs.db",
    b".hidden",
    b"no ending",
    b"\xe3\x80\x80ideographic blank.jpg",
    b"\xc2\xa0no-break blank\xc2\xa0",
    b"\xe2\x80\xaegpj.exe",
    b"\xef\xbb\xbfmark.jpg",
    b"\xe2\x80\x8bzero width.jpg",
    b"\xe2\x80\xa8line separator.jpg",
    b"\xf0\x9f\x93\xb7 camera.jpg",
    b"\xef\xbf\xbd.jpg",
    b"latin \xe9t\xe9.jpg",
    b"\xff\xfe",
    b"broken \xe2\x82.jpg",
    b"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\
      nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.jpg",
];

/// A file to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Where.
    pub key: Key,
    /// The seed of its [content].
    pub seed: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Its modification time.
    pub modified: Timestamp,
}

/// A library that follows from a seed: folders by year and month, photos, raw pictures with sidecars, films.
#[derive(Debug, Clone, Copy)]
pub struct Tree {
    seed: u64,
    files: u64,
    smallest: u64,
    largest: u64,
    per_folder: u64,
    nasty: bool,
}

impl Tree {
    /// A tree of `files` files of 0 to 20,000 bytes with ordinary names.
    pub fn new(seed: u64, files: u64) -> Self {
        Self { seed, files, smallest: 0, largest: 20_000, per_folder: 200, nasty: false }
    }

    /// Lengths lie evenly between these two, both included.
    #[must_use]
    pub fn lengths(mut self, smallest: u64, largest: u64) -> Self {
        (self.smallest, self.largest) = (smallest, largest.max(smallest));
        self
    }

    /// How many files go into one folder.
    #[must_use]
    pub fn per_folder(mut self, files: u64) -> Self {
        self.per_folder = files.max(1);
        self
    }

    /// Every eighth file gets one of [`NASTY_NAMES`].
    #[must_use]
    pub fn with_nasty_names(mut self) -> Self {
        self.nasty = true;
        self
    }

    /// The files, folder by folder.
    pub fn files(&self) -> impl Iterator<Item = Planned> {
        let tree = *self;
        (0..tree.files).filter_map(move |index| tree.file(index))
    }

    fn file(&self, index: u64) -> Option<Planned> {
        const ENDINGS: [&str; 8] = ["jpg", "jpg", "JPG", "heic", "cr3", "cr3.xmp", "mov", "txt"];
        let folder = index / self.per_folder;
        let (year, month) = (2000 + folder / 12, folder % 12 + 1);
        let dice = mix(self.seed, index);
        let mut path = format!("{year}/{month:02}/IMG_{index:06}").into_bytes();
        if self.nasty && index % 8 == 7 {
            // A folder of its own keeps two files of the same nasty name apart.
            path.push(b'/');
            path.extend_from_slice(pick(NASTY_NAMES, index / 8));
        } else {
            path.push(b'.');
            path.extend_from_slice(pick(&ENDINGS, dice >> 32).as_bytes());
        }
        let seconds = 946_684_800 + i64::try_from(folder * 2_600_000 + index % 86_400).ok()?;
        Some(Planned {
            key: Key::new(path).ok()?,
            seed: dice,
            length: self.smallest + dice % (self.largest - self.smallest + 1),
            modified: Timestamp::from_parts(seconds, 123_000_000),
        })
    }

    /// Writes the tree below `root`. Returns how many files and bytes were written; names that the system
    /// cannot hold are left out.
    ///
    /// # Errors
    /// What the file system reports; the part that was written stays.
    pub fn write_to(&self, root: &Path) -> io::Result<Written> {
        let mut written = Written::default();
        let mut made = PathBuf::new();
        for file in self.files() {
            let Some(path) = below(root, &file.key) else { continue };
            if let Some(folder) = path.parent().filter(|folder| *folder != made) {
                fs::create_dir_all(folder)?;
                made = folder.to_owned();
            }
            write_file(&path, &file)?;
            written.files += 1;
            written.bytes += file.length;
        }
        Ok(written)
    }

    /// Puts the tree into a library in memory. Contents are made while they are read and take no memory.
    pub fn fill(&self, library: &MemoryProvider) -> Written {
        let mut written = Written::default();
        for file in self.files() {
            let key = library.write_made(file.key.as_bytes(), file.seed, file.length);
            library.set_modified(&key, file.modified);
            written.files += 1;
            written.bytes += file.length;
        }
        written
    }
}

/// How much was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

fn pick<T: Copy>(list: &[T], dice: u64) -> T {
    let index = dice % list.len() as u64;
    list[usize::try_from(index).unwrap_or(0)]
}

fn write_file(path: &Path, file: &Planned) -> io::Result<()> {
    const STEP: usize = 1024 * 1024;
    let mut handle = File::create(path)?;
    let mut at = 0;
    while at < file.length {
        let length = usize::try_from(file.length - at).unwrap_or(STEP).min(STEP);
        handle.write_all(&content::part(file.seed, at, length))?;
        at += length as u64;
    }
    let nanos = u64::try_from(file.modified.as_nanos()).unwrap_or(0);
    handle.set_modified(UNIX_EPOCH + Duration::from_nanos(nanos))
}

/// The path of `key` below `root`, where the system can hold its name.
#[cfg(unix)]
fn below(root: &Path, key: &Key) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    // Other systems than Linux insist on UTF-8.
    let holds = cfg!(target_os = "linux") || key.as_str().is_some();
    holds.then(|| root.join(OsStr::from_bytes(key.as_bytes())))
}

/// The path of `key` below `root`, where the system can hold its name.
#[cfg(not(unix))]
fn below(root: &Path, key: &Key) -> Option<PathBuf> {
    let plain = |c: char| c.is_alphanumeric() || "/._- ".contains(c);
    let name = key.as_str().filter(|name| name.chars().all(plain) && !name.ends_with(['.', ' ']));
    name.map(|name| root.join(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nasty_names_are_keys_and_differ() {
        let distinct: HashSet<_> = NASTY_NAMES.iter().map(|name| Key::new(name).unwrap()).collect();
        assert_eq!(distinct.len(), NASTY_NAMES.len());
        assert!(NASTY_NAMES.iter().all(|name| !name.contains(&b'/') && name.len() < 256));
    }

    #[test]
    fn the_same_seed_gives_the_same_tree() {
        let tree = Tree::new(3, 500).with_nasty_names();
        let keys: HashSet<_> = tree.files().map(|file| file.key).collect();
        assert_eq!(keys.len(), 500);
        assert!(tree.files().eq(tree.files()));
        assert!(!tree.files().eq(Tree::new(4, 500).with_nasty_names().files()));
    }

    #[test]
    fn folder_and_memory_hold_the_same_tree() {
        let tree = Tree::new(5, 60).with_nasty_names().lengths(0, 3000);
        let folder = tempfile::tempdir().unwrap();
        let library = MemoryProvider::library();
        tree.write_to(folder.path()).unwrap();
        assert_eq!(tree.fill(&library).files, 60);
        for file in tree.files() {
            let Some(path) = below(folder.path(), &file.key) else { continue };
            assert_eq!(Some(fs::read(&path).unwrap().into()), library.content(&file.key));
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            assert_eq!(Timestamp::from(modified), file.modified);
        }
    }
}
