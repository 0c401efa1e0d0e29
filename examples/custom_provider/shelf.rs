//! A shelf: contents in memory, each kept once however many names it has.
//!
//! Invariant: a name is put on the shelf in one step, after all its bytes came and their digests were found
//! right. So a `put` that fails or is dropped leaves nothing behind, without any tidying up.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream::{BoxStream, iter};
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::digest::{Digests, Hasher};
use safelight_core::entry::{Entry, Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::permit::{Disposal, RemovalPermit};
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Proof, Provider, PutMode, PutRequest, Receipt, Relocate,
    Removed, Root,
};
use safelight_core::registry::{Context, Factory, SettingHelp, Settings};
use safelight_core::time::{Clock, Timestamp};

const PAGE: usize = 1000;
const CHUNK: usize = 64 * 1024;

/// Opens shelves.
pub struct ShelfFactory;

#[async_trait]
impl Factory for ShelfFactory {
    fn kind(&self) -> &'static str {
        "shelf"
    }

    fn about(&self) -> &'static str {
        "Memory that keeps equal contents once"
    }

    fn settings(&self) -> &'static [SettingHelp] {
        &[]
    }

    async fn open(&self, settings: Settings, context: Context) -> Result<Arc<dyn Provider>> {
        Ok(Arc::new(Shelf::new(&settings.name, context.clock)))
    }
}

/// See the module.
pub struct Shelf {
    identity: Identity,
    capabilities: Capabilities,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    named: BTreeMap<Key, Book>,
    /// Contents by digest, for as long as some name holds them.
    contents: BTreeMap<[u8; 32], Weak<Bytes>>,
    puts: u64,
}

#[derive(Clone)]
struct Book {
    bytes: Arc<Bytes>,
    digests: Digests,
    modified: Option<Timestamp>,
    version: Version,
}

impl Book {
    fn entry(&self, key: &Key) -> Entry {
        Entry {
            modified: self.modified,
            version: Some(self.version.clone()),
            digests: self.digests,
            ..Entry::new(key.clone(), self.bytes.len() as u64)
        }
    }

    fn receipt(&self) -> Receipt {
        let proof = Proof::ServerHash(safelight_core::digest::Algorithm::Sha256);
        let (version, modified) = (Some(self.version.clone()), self.modified);
        Receipt { version, remote_id: None, modified, digests: self.digests, proof }
    }
}

impl State {
    fn find(&self, key: &Key, pin: Option<&Version>) -> Result<&Book> {
        let missing = || Error::new(Kind::NotFound, format!("{key} is not on the shelf"));
        let book = self.named.get(key).ok_or_else(missing)?;
        if pin.is_some_and(|pin| *pin != book.version) {
            return Err(Error::new(Kind::Changed, format!("{key} is another version")));
        }
        Ok(book)
    }

    fn must_be_free(&self, key: &Key) -> Result<()> {
        match self.named.get(key) {
            Some(_) => Err(Error::new(Kind::Exists, format!("{key} is on the shelf already"))),
            None => Ok(()),
        }
    }

    fn allows(&self, request: &PutRequest) -> Result<()> {
        match &request.mode {
            PutMode::Create => self.must_be_free(&request.key),
            PutMode::Replace(version) => self.find(&request.key, Some(version)).map(drop),
        }
    }

    /// The content, from the shelf if it stands there.
    fn shared(&mut self, bytes: Bytes, digests: &Digests) -> Arc<Bytes> {
        self.contents.retain(|_, content| content.strong_count() > 0);
        let Some(sha256) = digests.sha256 else { return Arc::new(bytes) };
        if let Some(known) = self.contents.get(&sha256).and_then(Weak::upgrade) {
            return known;
        }
        let content = Arc::new(bytes);
        self.contents.insert(sha256, Arc::downgrade(&content));
        content
    }
}

impl Shelf {
    /// An empty shelf.
    pub fn new(name: &str, clock: Arc<dyn Clock>) -> Self {
        let identity = Identity {
            name: name.to_owned(),
            kind: "shelf",
            location: "the memory of this program".to_owned(),
        };
        let capabilities = Capabilities {
            copies: true,
            moves: true,
            sorted_listing: true,
            keeps_modified: true,
            ..Capabilities::default()
        };
        Self { identity, capabilities, clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Provider for Shelf {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn check(&self) -> Result<Health> {
        Ok(Health { root: Root::Ready, volume: None, signed_in_until: None })
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        Ok(Vec::new())
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        let state = self.state();
        // A shelf has no trash of its own.
        let within = |key: &Key| {
            !scope.trashed && scope.below.as_ref().is_none_or(|below| key.is_within(below))
        };
        let entries = state
            .named
            .iter()
            .filter(|(key, _)| within(key) && (scope.reserved || !key.is_reserved()))
            .map(|(key, book)| book.entry(key));
        let entries: Vec<_> = entries.collect();
        let page = |entries: &[Entry]| Page {
            entries: entries.iter().cloned().map(Listed::File).collect(),
        };
        let pages: Vec<_> = entries.chunks(PAGE).map(|entries| Ok(page(entries))).collect();
        iter(pages).boxed()
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(self.state().named.get(key).map(|book| book.entry(key)))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let book = self.state().find(key, pin)?.clone();
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(book.bytes.len());
        let range = range.map_or(0..book.bytes.len(), |range| place(range.start)..place(range.end));
        // What was opened stays whole in the reader's hands, whatever happens on the shelf.
        let bytes = book.bytes.slice(range);
        let chunks = (0..bytes.len())
            .step_by(CHUNK)
            .map(|at| Ok(bytes.slice(at..bytes.len().min(at + CHUNK))))
            .collect::<Vec<_>>();
        Ok(Opened { entry: book.entry(key), bytes: iter(chunks).boxed() })
    }

    async fn put(&self, request: PutRequest, mut body: Body) -> Result<Receipt> {
        self.state().allows(&request)?;
        if body.length() != request.length {
            return Err(Error::new(Kind::Corrupt, "the body has another length than announced"));
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        let digests = Hasher::of(&bytes, self.capabilities.digests);
        for announced in [body.digests().await?, request.digests] {
            if digests.compare(&announced).is_err() {
                return Err(Error::new(Kind::Corrupt, format!("storing {}", request.key)));
            }
        }
        let mut state = self.state();
        // Somebody else may have been quicker.
        state.allows(&request)?;
        state.puts += 1;
        let version = Version::new(state.puts.to_string());
        let bytes = state.shared(bytes.freeze(), &digests);
        let book = Book { bytes, digests, modified: request.modified, version };
        let receipt = book.receipt();
        state.named.insert(request.key, book);
        Ok(receipt)
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        permit.still_good(&*self.clock)?;
        let mut state = self.state();
        let book = state.find(permit.key(), permit.version())?.clone();
        let removed = match permit.disposal() {
            Disposal::Purge => Removed::Gone,
            Disposal::Trash(place) => {
                state.must_be_free(place)?;
                state.named.insert(place.clone(), book);
                Removed::Kept(place.clone())
            }
        };
        state.named.remove(permit.key());
        Ok(removed)
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        let mut state = self.state();
        let book = state.find(from, pin)?.clone();
        state.must_be_free(to)?;
        if how == Relocate::Move {
            state.named.remove(from);
        }
        let receipt = book.receipt();
        state.named.insert(to.clone(), book);
        Ok(receipt)
    }
}
