//! Where each item goes.
//!
//! Invariant: every key is safe everywhere, no two are one file anywhere, and none stands on a file that an earlier run
//! wrote for something else. A key depends on the item, on what else there is, and on what was written before, never on
//! the order of a listing; once given it stays.

mod names;
mod safe;

use std::collections::HashMap;

use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::entry::Entry;
use safelight_core::key::Key;
use safelight_core::template::Template;

pub use self::names::{Placed, lay_out};
pub use self::safe::{fold, key as safe_key, segment as safe_segment};

/// Where what is in the service's trash goes, below everything else.
pub const TRASH: &str = "Trash";

/// The shape of an export.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// How folders and names come about; `None` keeps the service's own.
    pub template: Option<Template>,
    /// The folder below which everything goes: `data` in a bag.
    pub below: Option<&'static str>,
    /// Names right below the target that are not for items.
    pub reserved: Vec<String>,
}

/// What an earlier run wrote.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// By [`fold`]: the key as it is spelled, and what stands there.
    files: HashMap<Vec<u8>, (Key, u64)>,
}

impl Known {
    /// Remembers that `content` was written, or was to be written, under a key.
    pub fn add(&mut self, key: Key, content: u64) {
        self.files.insert(fold(&key), (key, content));
    }

    /// Whether anything is known.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether exactly this stands under the key.
    pub fn has(&self, key: &Key, content: u64) -> bool {
        self.at(&fold(key)).is_some_and(|(known, what)| known == key && *what == content)
    }

    fn at(&self, fold: &[u8]) -> Option<&(Key, u64)> {
        self.files.get(fold)
    }

    fn keys(&self) -> Vec<&Key> {
        let mut keys: Vec<_> = self.files.values().map(|(key, _)| key).collect();
        keys.sort();
        keys
    }
}

/// A number for the content of an entry, as far as the service tells: by its strongest digest, else by its version or date
/// under its name, for others may have the same. Other content has another number.
pub fn content_number(entry: &Entry) -> u64 {
    let told = digest(entry).unwrap_or_else(|| {
        let id = entry.remote_id.as_ref().map(|id| id.as_bytes());
        let version = entry.version.as_ref().map(|version| version.0.as_bytes().to_vec());
        let modified = || entry.modified.map(|modified| modified.as_nanos().to_le_bytes().to_vec());
        let version = version.or_else(modified).unwrap_or_default();
        [id.unwrap_or(entry.key.as_bytes()), b"\0", version.as_slice()].concat()
    });
    let digest = sha256(&[&entry.size.to_le_bytes(), told.as_slice()].concat());
    let mut number = [0; 8];
    number.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(number)
}

/// Whether the service tells more of the content than a name and a size.
pub fn tells_content(entry: &Entry) -> bool {
    digest(entry).is_some() || entry.version.is_some() || entry.modified.is_some()
}

fn digest(entry: &Entry) -> Option<Vec<u8>> {
    let digests = &entry.digests;
    let sha256 = digests.sha256.map(Vec::from);
    let dropbox = || digests.dropbox.map(Vec::from);
    sha256.or_else(dropbox).or_else(|| digests.md5.map(Vec::from))
}

/// Eight hexadecimal digits for some bytes.
pub(crate) fn tag_of(bytes: &[u8]) -> String {
    hex::encode(&sha256(bytes)[..4])
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Hasher::of(bytes, Algorithms::default()).sha256.unwrap_or_default()
}
