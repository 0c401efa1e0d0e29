//! What a listing says.

use std::sync::Arc;

use crate::codes::Code;
use crate::digest::Digests;
use crate::error::Error;
use crate::key::Key;
use crate::time::Timestamp;

/// A tag that changes whenever the object changes: an etag, a revision, or inode and times. Opaque to
/// everybody but the provider that made it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(pub Arc<str>);

impl Version {
    /// Wraps the text of a tag.
    pub fn new(tag: impl AsRef<str>) -> Self {
        Self(tag.as_ref().into())
    }
}

/// One object as a provider sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it stands.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was last modified, as far as the storage keeps that.
    pub modified: Option<Timestamp>,
    /// When its record was last changed (`ctime`); only disks know.
    pub changed: Option<Timestamp>,
    /// What stays the same when it is renamed (the inode); only disks know.
    pub file_id: Option<u64>,
    /// Its version tag.
    pub version: Option<Version>,
    /// Digests that the service reports without reading the object back.
    pub digests: Digests,
    /// The service's own name for it, if that differs from the key.
    pub remote_id: Option<Arc<str>>,
}

impl Entry {
    /// An entry of which only place and size are known.
    pub fn new(key: Key, size: u64) -> Self {
        Self {
            key,
            size,
            modified: None,
            changed: None,
            file_id: None,
            version: None,
            digests: Digests::default(),
            remote_id: None,
        }
    }
}

/// One finding of a listing.
#[derive(Debug)]
pub enum Listed {
    /// An object.
    File(Entry),
    /// Something that is not copied: a link, a pipe. `key` may be unusable as a path, hence the code.
    Passed {
        /// Where.
        key: Key,
        /// Why it is passed over.
        code: Code,
    },
    /// What is at or below `key` could not be seen; it must not be taken for deleted.
    Unseen {
        /// The unseen part; `None` stands for everything.
        key: Option<Key>,
        /// Why.
        error: Error,
    },
    /// Another file system is mounted at this folder.
    Mount {
        /// The folder.
        key: Key,
        /// The identity of the file system.
        volume: String,
    },
}

/// Some findings of a listing. A listing is complete only if its stream ended without an error.
#[derive(Debug, Default)]
pub struct Page {
    /// The findings, in key order if the provider declares sorted listings.
    pub entries: Vec<Listed>,
}

/// Says for a folder whether a listing should go into it.
pub type Descend = Arc<dyn Fn(&Key) -> bool + Send + Sync>;

/// What to list.
#[derive(Clone, Default)]
pub struct Scope {
    /// Only what is at or below this key.
    pub below: Option<Key>,
    /// Folders for which this answers false need not be listed. Advice: a provider may ignore it.
    pub descend: Option<Descend>,
    /// Also what stands in the folder [`RESERVED`](crate::key::RESERVED); left out otherwise.
    pub reserved: bool,
    /// Also what the service keeps inside of other objects (the film of a live photo), under a key beside them; and what
    /// others gave names to which no key of ours leads, under a key that shows the name ([`literal`](crate::literal)).
    /// Read by that key and version. Services that keep nothing so list nothing more.
    pub attached: bool,
    /// Instead: only what is in the service's own trash, under the keys where it stood. Read by key and version.
    /// Services without such a trash, or whose trash cannot be listed, list nothing.
    pub trashed: bool,
}
