//! A service in memory with ids, MD5 and no dates, as Amazon Photos has them; each object can be given out in a bad manner.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use safelight_core::body::Body;
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::extras::{Album, Extras, Remark};
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{Opened, Provider, PutRequest, Receipt, Relocate, Removed};
use safelight_core::time::Clock;
use safelight_core::wrap::Wrapper;
use safelight_testkit::clock::SimClock;
use safelight_testkit::memory::MemoryProvider;

/// How an object is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Other bytes of the same length, the same each time.
    Lies,
    /// Other bytes each time.
    Fickle,
    /// Whole reads break off in the middle; ranges come whole.
    BreaksOff,
    /// It ends early as if that were all, whatever is asked for.
    Short,
    /// More bytes than listed, without end.
    Endless,
    /// A byte every ten seconds.
    Drips,
    /// Nothing comes at all.
    Silent,
}

/// One more finding of a listing.
pub type More = Box<dyn Fn() -> Vec<Listed> + Send + Sync>;

/// What happens while a key is read.
pub type Meanwhile = Box<dyn Fn(&Key) + Send + Sync>;

pub struct Service {
    pub inner: MemoryProvider,
    clock: Arc<SimClock>,
    pub extras: Mutex<Extras>,
    pub extras_fail: Mutex<Option<Kind>>,
    pub manners: Mutex<HashMap<Key, Manner>>,
    /// Told after everything else, page by page.
    pub more: Mutex<Vec<More>>,
    pub forever: Mutex<bool>,
    pub trash: Mutex<Vec<Entry>>,
    pub ids: Mutex<HashMap<Key, String>>,
    /// Every read fails in this way.
    pub reads_fail: Mutex<Option<Kind>>,
    /// Done whenever something is about to be read.
    pub meanwhile: Mutex<Option<Meanwhile>>,
    pub reads: AtomicU64,
    rounds: AtomicU64,
}

impl Service {
    pub fn new(clock: Arc<SimClock>) -> Self {
        let inner = MemoryProvider::build("cloud").clock(clock.clone()).page(7).finish();
        Self {
            inner,
            clock,
            extras: Mutex::default(),
            extras_fail: Mutex::default(),
            manners: Mutex::default(),
            more: Mutex::default(),
            forever: Mutex::default(),
            trash: Mutex::default(),
            ids: Mutex::default(),
            reads_fail: Mutex::default(),
            meanwhile: Mutex::default(),
            reads: AtomicU64::new(0),
            rounds: AtomicU64::new(0),
        }
    }

    pub fn photo(&self, path: &str) -> Key {
        self.inner.write(path, format!("photo {path}").into_bytes())
    }

    pub fn manner(&self, key: &Key, manner: Manner) {
        self.manners.lock().unwrap().insert(key.clone(), manner);
    }

    pub fn id(&self, key: &Key) -> Arc<str> {
        id_of(&self.ids.lock().unwrap(), key)
    }

    pub fn set_id(&self, key: &Key, id: &str) {
        self.ids.lock().unwrap().insert(key.clone(), id.to_owned());
    }

    pub fn remark(&self, key: &Key, change: impl FnOnce(&mut Remark)) {
        let mut remark = Remark::new(self.id(key));
        change(&mut remark);
        self.extras.lock().unwrap().remarks.push(remark);
    }

    pub fn album(&self, title: &str, members: &[&Key]) {
        let members = members.iter().map(|key| self.id(key)).collect();
        let mut extras = self.extras.lock().unwrap();
        let remote_id = format!("album-{}", extras.albums.len()).into();
        extras.albums.push(Album {
            remote_id,
            title: title.to_owned(),
            description: None,
            members,
        });
    }

    pub fn reads(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }

    pub fn tell_more(&self, more: impl Fn() -> Vec<Listed> + Send + Sync + 'static) {
        self.more.lock().unwrap().push(Box::new(more));
    }

    pub fn entry(&self, entry: Entry) -> Entry {
        as_told(entry, &self.ids.lock().unwrap())
    }

    pub async fn also_in_trash(&self, key: &Key) {
        let entry = Provider::stat(self, key).await.unwrap().unwrap();
        self.trash.lock().unwrap().push(entry);
    }

    fn spoilt(
        &self,
        manner: Manner,
        opened: Opened,
        ranged: bool,
    ) -> BoxStream<'static, Result<Bytes>> {
        let size = usize::try_from(opened.entry.size).unwrap();
        let round = self.rounds.fetch_add(1, Ordering::Relaxed);
        let clock = self.clock.clone();
        let other = |seed: u64| Bytes::from(vec![u8::try_from(seed % 200).unwrap(); size]);
        match manner {
            Manner::Lies => stream::iter([Ok(other(7))]).boxed(),
            Manner::Fickle => stream::iter([Ok(other(round))]).boxed(),
            Manner::BreaksOff if ranged => opened.bytes,
            Manner::BreaksOff => {
                let error = Error::new(Kind::Unavailable, "the connection broke");
                opened
                    .bytes
                    .take(1)
                    .map_ok(|chunk| chunk.slice(..chunk.len() / 2))
                    .chain(stream::iter([Err(error)]))
                    .boxed()
            }
            Manner::Short => {
                opened.bytes.take(1).map_ok(|chunk| chunk.slice(..chunk.len() / 2)).boxed()
            }
            Manner::Endless => stream::repeat_with(|| Ok(Bytes::from_static(&[0; 4096]))).boxed(),
            Manner::Drips => stream::unfold((), move |()| {
                let wait = clock.sleep(Duration::from_secs(10));
                async move {
                    wait.await;
                    Some((Ok(Bytes::from_static(b"x")), ()))
                }
            })
            .boxed(),
            Manner::Silent => stream::pending().boxed(),
        }
    }
}

fn id_of(ids: &HashMap<Key, String>, key: &Key) -> Arc<str> {
    ids.get(key).cloned().unwrap_or_else(|| format!("id-{key}")).into()
}

/// As the service tells of it: with an id and an MD5, and without a date.
fn as_told(entry: Entry, ids: &HashMap<Key, String>) -> Entry {
    let digests = Digests { md5: entry.digests.md5, ..Digests::default() };
    let remote_id = Some(id_of(ids, &entry.key));
    Entry { modified: None, digests, remote_id, ..entry }
}

#[async_trait]
impl Wrapper for Service {
    fn inner(&self) -> &dyn Provider {
        &self.inner
    }

    async fn extras(&self) -> Result<Extras> {
        match *self.extras_fail.lock().unwrap() {
            Some(kind) => Err(Error::new(kind, "asking for albums")),
            None => Ok(self.extras.lock().unwrap().clone()),
        }
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        if scope.trashed {
            let entries = self.trash.lock().unwrap().iter().cloned().map(Listed::File).collect();
            return stream::iter([Ok(Page { entries })]).boxed();
        }
        let mut more: Vec<_> =
            self.more.lock().unwrap().iter().map(|more| Page { entries: more() }).collect();
        let ids = self.ids.lock().unwrap().clone();
        let pages = self.inner.list(scope).map_ok(move |mut page| {
            for listed in &mut page.entries {
                if let Listed::File(entry) = listed {
                    *entry = as_told(entry.clone(), &ids);
                }
            }
            page
        });
        if *self.forever.lock().unwrap() {
            let repeat = stream::repeat_with(|| {
                let entry = Entry {
                    remote_id: Some("again".into()),
                    ..Entry::new(Key::new("again").unwrap(), 1)
                };
                Ok(Page { entries: vec![Listed::File(entry)] })
            });
            return pages.chain(repeat).boxed();
        }
        pages.chain(stream::iter(more.drain(..).map(Ok).collect::<Vec<_>>())).boxed()
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(self.inner.stat(key).await?.map(|entry| self.entry(entry)))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if let Some(act) = &*self.meanwhile.lock().unwrap() {
            act(key);
        }
        if let Some(kind) = *self.reads_fail.lock().unwrap() {
            return Err(Error::new(kind, format!("reading {key}")));
        }
        let ranged = range.is_some();
        let opened = self.inner.read(key, range, pin).await?;
        let entry = self.entry(opened.entry.clone());
        let manner = self.manners.lock().unwrap().get(key).copied();
        let bytes = match manner {
            None => opened.bytes,
            Some(manner) => self.spoilt(manner, opened, ranged),
        };
        Ok(Opened { entry, bytes })
    }

    async fn put(&self, _: PutRequest, _: Body) -> Result<Receipt> {
        panic!("nothing is stored at the service")
    }

    async fn remove(&self, _: RemovalPermit) -> Result<Removed> {
        panic!("nothing is removed at the service")
    }

    async fn relocate(
        &self,
        _: &Key,
        _: &Key,
        _: Relocate,
        _: Option<&Version>,
    ) -> Result<Receipt> {
        panic!("nothing is moved at the service")
    }
}
