//! The provider trait: one noun for the library folder, an external disk and a cloud.
//!
//! A mirror reads from one provider and writes to many; an export reads from a cloud. One trait, one engine,
//! one conformance suite (`safelight-testkit`), which proves the contract below for every provider.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::body::Body;
use crate::capability::Capabilities;
use crate::class::MediaClass;
use crate::digest::{Algorithm, Digests};
use crate::entry::{Entry, Page, Scope, Version};
use crate::error::Result;
use crate::extras::Extras;
use crate::key::Key;
use crate::permit::RemovalPermit;
use crate::time::Timestamp;

/// Who a provider is. Constant, free of secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The destination's name in the config.
    pub name: String,
    /// The kind of provider: `disk`, `s3` ...
    pub kind: &'static str,
    /// Where it is, for people.
    pub location: String,
}

/// What a health check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether the root is there, or would be made by the first `put`.
    pub root: Root,
    /// The identity of the file system it stands on; only disks know.
    pub volume: Option<String>,
    /// Until when the sign-in is good, where the service says so.
    pub signed_in_until: Option<Timestamp>,
}

/// Whether the root of a destination is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// It is there.
    Ready,
    /// It is not there, but the place it belongs to is: the first `put` makes it. Only right for a destination
    /// that was never used before; otherwise it means that something is missing.
    New,
}

/// What counts against one quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolUsage {
    /// The media classes that count against it.
    pub counts: Vec<MediaClass>,
    /// What is known of it.
    pub room: Room,
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// No limit.
    Unlimited,
    /// A limit, in bytes.
    Limited {
        /// Used by whatever counts against it, ours or not.
        used: u64,
        /// The limit.
        total: u64,
    },
    /// The service does not say.
    Unknown,
}

/// How a `put` treats what may already be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutMode {
    /// Only if nothing is there; otherwise [`Kind::Exists`](crate::error::Kind::Exists) and no change.
    Create,
    /// Only if exactly this version is there; otherwise [`Kind::Changed`](crate::error::Kind::Changed) and no
    /// change.
    Replace(Version),
}

/// What is to be stored.
#[derive(Debug, Clone)]
pub struct PutRequest {
    /// Under which key.
    pub key: Key,
    /// Its length in bytes.
    pub length: u64,
    /// Its media class.
    pub class: MediaClass,
    /// Its modification time, to be kept where the destination can.
    pub modified: Option<Timestamp>,
    /// What may already be there.
    pub mode: PutMode,
    /// Digests that are known before the body is read. With them a provider may answer at once that it has
    /// the content.
    pub digests: Digests,
}

/// How well we know that what is stored is what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The service said yes, nothing more.
    Claimed,
    /// The stored size is right.
    SizeOnly,
    /// The service's own digest of the stored bytes is ours.
    ServerHash(Algorithm),
    /// The stored bytes were read back and their digest is ours.
    ReadBack,
}

impl Proof {
    /// Whether a copy with this proof counts towards "safe".
    pub fn counts(self) -> bool {
        matches!(self, Self::ServerHash(_) | Self::ReadBack)
    }
}

/// What a provider answers after storing.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The version now under the key, to be replaced or read by.
    pub version: Option<Version>,
    /// The service's own name for the object, if that differs from the key.
    pub remote_id: Option<Arc<str>>,
    /// The modification time as the destination kept it.
    pub modified: Option<Timestamp>,
    /// Digests of the bytes that were stored.
    pub digests: Digests,
    /// How well we know.
    pub proof: Proof,
}

/// What became of something removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It stands under this key now.
    Kept(Key),
    /// It is in the service's own trash, until then if the service says.
    Trashed {
        /// Until when it can be brought back.
        until: Option<Timestamp>,
    },
    /// It is gone.
    Gone,
}

/// How `relocate` leaves the old place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relocate {
    /// Empty.
    Move,
    /// As it is.
    Copy,
}

/// An opened object.
pub struct Opened {
    /// The object as it was opened.
    pub entry: Entry,
    /// Its bytes. The stream ends with [`Kind::Changed`](crate::error::Kind::Changed) if the object changed
    /// while it was read; only a stream that ends without error gave one whole version.
    pub bytes: BoxStream<'static, Result<Bytes>>,
}

/// The code that speaks to one kind of storage.
///
/// Every future may be dropped at any await: nothing half-done may be visible then.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Who this is. No I/O.
    fn identity(&self) -> &Identity;

    /// What it can do. No I/O after opening.
    fn capabilities(&self) -> &Capabilities;

    /// How many reads at once are sensible now. No I/O. What finds it out while it reads tells another number later.
    fn reads_at_once(&self) -> usize {
        self.capabilities().reads
    }

    /// Reachable? Credentials good? The place it should be? Changes nothing.
    ///
    /// # Errors
    /// [`Kind::Absent`](crate::error::Kind::Absent), `SignIn`, `ReadOnly`, `Unavailable`.
    async fn check(&self) -> Result<Health>;

    /// Room per pool, as far as the service says.
    async fn quota(&self) -> Result<Vec<PoolUsage>>;

    /// What the service knows about its objects beyond their bytes; nothing, where it knows nothing.
    ///
    /// # Errors
    /// As those of listings; then what is known is not known completely.
    async fn extras(&self) -> Result<Extras> {
        Ok(Extras::default())
    }

    /// Lists objects page by page. An entry may fail alone; a failed page ends the stream with an error, and
    /// then the listing is not complete.
    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>>;

    /// One object, or `None` if nothing is under the key.
    async fn stat(&self, key: &Key) -> Result<Option<Entry>>;

    /// Opens an object for reading, whole or a range of it.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::error::Kind::NotFound); `Changed` if it is not the version `pin`.
    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened>;

    /// Stores one item.
    ///
    /// * Nothing is visible under the key unless this returned `Ok`; an existing version stays whole until the
    ///   new one replaces it.
    /// * Wrong length or wrong digest is an error, and nothing is left behind.
    /// * Dropping the future leaves nothing visible under the key, or the whole item if the commit had begun.
    /// * It returns only when the item is committed and durable. Commits of several items may be made
    ///   together.
    ///
    /// # Errors
    /// As [`PutMode`] says; any kind with its retry advice and scope.
    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt>;

    /// Removes what the permit names. There is no other way to delete.
    ///
    /// # Errors
    /// [`Kind::Changed`](crate::error::Kind::Changed) if another version is there (it stays), `NotFound`,
    /// `Denied` if the permit has expired.
    async fn remove(&self, permit: RemovalPermit) -> Result<Removed>;

    /// Moves or copies on the destination's own side, without sending bytes. The target must not exist.
    ///
    /// # Errors
    /// [`Kind::Exists`](crate::error::Kind::Exists) if the target exists; `NotFound`; `Changed` if the source
    /// is not the version `pin`; `Unsupported`.
    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt>;
}
