//! The provider trait for [`MemoryProvider`].

use std::ops::Range;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use safelight_core::body::Body;
use safelight_core::capability::{Capabilities, Length};
use safelight_core::class::MediaClass;
use safelight_core::codes;
use safelight_core::digest::Hasher;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::{self, Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::permit::{Disposal, RemovalPermit};
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Proof, Provider, PutMode, PutRequest, Receipt, Relocate,
    Removed, Room,
};
use safelight_core::time::Timestamp;
use tokio::task::yield_now;

use super::MemoryProvider;
use super::builder::Pool;
use super::count::{add, one};
use super::reading::Reading;
use super::store::{Content, Node, Object, Quirk, State};

#[async_trait]
impl Provider for MemoryProvider {
    fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    async fn check(&self) -> Result<Health> {
        one(&self.shared.counters.check);
        yield_now().await;
        let state = self.present()?;
        Ok(Health { root: state.root, volume: state.volume.clone(), signed_in_until: None })
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        one(&self.shared.counters.quota);
        yield_now().await;
        let state = self.present()?;
        let usage = |pool: &Pool| PoolUsage {
            counts: pool.counts.clone(),
            room: match pool.total {
                Some(total) => Room::Limited { used: used(&state, pool), total },
                None => Room::Unlimited,
            },
        };
        Ok(self.shared.options.pools.iter().map(usage).collect())
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        self.pages(scope)
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        one(&self.shared.counters.stat);
        yield_now().await;
        let state = self.present()?;
        // A storage that folds names tells them as they were stored, whatever spelling was asked for.
        let name = state.stored_name(key);
        let object = state.object(key);
        Ok(name.zip(object).map(|(name, object)| object.entry(&name, &self.shared.options)))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        one(&self.shared.counters.read);
        yield_now().await;
        if range.is_some() && !self.shared.capabilities.ranges {
            return Err(unsupported("reading a range"));
        }
        let mut state = self.present()?;
        let trashed = pin.and_then(|pin| state.in_trash(key, pin)).cloned();
        let from_trash = trashed.is_some();
        let object = match trashed {
            Some(object) => object,
            None => found(&state, key, pin)?.clone(),
        };
        match object.quirk {
            Some(Quirk::Unreadable(kind)) => {
                return Err(Error::new(kind, format!("opening {key}")).code(codes::UNREADABLE));
            }
            Some(Quirk::VanishesWhenRead) => {
                state.take(key);
                return Err(Error::new(Kind::NotFound, key.to_string()).code(codes::VANISHED));
            }
            Some(Quirk::ChangesWhileRead) | None => {}
        }
        let mut entry = object.entry(key, &self.shared.options);
        if from_trash {
            entry.version = pin.cloned();
        }
        let range = range.unwrap_or(0..entry.size);
        let reading = Reading {
            of: self.clone(),
            key: key.clone(),
            object,
            from_trash,
            at: range.start,
            end: range.end.min(entry.size),
        };
        Ok(Opened { entry, bytes: reading.stream() })
    }

    async fn put(&self, request: PutRequest, mut body: Body) -> Result<Receipt> {
        one(&self.shared.counters.put);
        yield_now().await;
        self.admit(&request)?;
        self.agree(&*self.present()?, &request)?;
        if body.length() != request.length {
            return Err(Error::new(Kind::Corrupt, "the body has another length than announced"));
        }
        let mut bytes = BytesMut::new();
        let mut hasher = Hasher::new(self.shared.capabilities.digests);
        while let Some(chunk) = body.chunk().await? {
            hasher.update(&chunk);
            bytes.extend_from_slice(&chunk);
            yield_now().await;
        }
        let digests = hasher.finish();
        for announced in [body.digests().await?, request.digests] {
            if digests.compare(&announced).is_err() {
                return Err(Error::new(Kind::Corrupt, format!("storing {}", request.key)));
            }
        }
        yield_now().await;
        let receipt = self.commit(&request, bytes.freeze(), digests)?;
        yield_now().await;
        Ok(receipt)
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        one(&self.shared.counters.remove);
        yield_now().await;
        self.must_write()?;
        permit.still_good(&*self.shared.clock)?;
        let mut state = self.present()?;
        let key = permit.key();
        let object = found(&state, key, permit.version())?.clone();
        let removed = match permit.disposal() {
            Disposal::Purge => Removed::Gone,
            Disposal::Trash(_) if self.shared.options.own_trash => {
                state.trash.push((key.clone(), object));
                Removed::Trashed { until: None }
            }
            Disposal::Trash(_) if !self.shared.capabilities.moves => {
                return Err(unsupported("setting aside"));
            }
            Disposal::Trash(place) => {
                must_be_free(&state, place)?;
                state.insert(place, Node::Object(object));
                Removed::Kept(place.clone())
            }
        };
        state.take(key);
        Ok(removed)
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        one(&self.shared.counters.relocate);
        yield_now().await;
        let declared = &self.shared.capabilities;
        let (can, what) = match how {
            Relocate::Move => (declared.moves, "moving"),
            Relocate::Copy => (declared.copies, "copying"),
        };
        if !can {
            return Err(unsupported(what));
        }
        self.check_name(to)?;
        let now = self.now();
        let mut state = self.present()?;
        let mut object = found(&state, from, pin)?.clone();
        let only_spelling =
            how == Relocate::Move && state.stored_name(to) == state.stored_name(from);
        if !only_spelling {
            must_be_free(&state, to)?;
        }
        object.stamp = state.next_stamp();
        object.changed = now;
        match how {
            Relocate::Move => drop(state.take(from)),
            Relocate::Copy => object.file_id = object.stamp,
        }
        let receipt = self.receipt(&object);
        state.insert(to, Node::Object(object));
        Ok(receipt)
    }
}

impl MemoryProvider {
    pub(super) fn present(&self) -> Result<std::sync::MutexGuard<'_, State>> {
        let state = self.state();
        if state.absent {
            return Err(Error::new(Kind::Absent, self.shared.identity.location.clone()));
        }
        Ok(state)
    }

    fn must_write(&self) -> Result<()> {
        if self.shared.capabilities.writes { Ok(()) } else { Err(unsupported("storing")) }
    }

    /// What can be said about a request without looking at what is stored.
    fn admit(&self, request: &PutRequest) -> Result<()> {
        self.must_write()?;
        self.check_name(&request.key)?;
        let declared = &self.shared.capabilities;
        if declared.max_item_bytes.is_some_and(|most| request.length > most) {
            return Err(Error::new(Kind::TooLarge, request.key.to_string()));
        }
        if !declared.classes.contains(&request.class) {
            let context = format!("{} is of class {}", request.key, request.class);
            return Err(Error::new(Kind::Refused, context).code(codes::CLASS_NOT_ACCEPTED));
        }
        Ok(())
    }

    fn check_name(&self, key: &Key) -> Result<()> {
        let rules = self.shared.capabilities.names;
        let too_long = |segment: &[u8]| match rules.max_segment {
            Some(Length::Bytes(most)) => segment.len() > most,
            Some(Length::Utf16(most)) => {
                String::from_utf8_lossy(segment).encode_utf16().count() > most
            }
            None => false,
        };
        let long_key = rules.max_key_bytes.is_some_and(|most| key.as_bytes().len() > most);
        if long_key || key.segments().any(too_long) {
            return Err(Error::new(Kind::Name, format!("{key} is too long")));
        }
        Ok(())
    }

    /// Whether what is stored now allows the put; asked before the body is pulled and again at the commit.
    fn agree(&self, state: &State, request: &PutRequest) -> Result<()> {
        let old = state.object(&request.key);
        match &request.mode {
            PutMode::Create => must_be_free(state, &request.key)?,
            PutMode::Replace(version) => drop(found(state, &request.key, Some(version))?),
        }
        let freed = |pool: &Pool| match old {
            Some(object) if pool.counts.contains(&object.class) => object.content.length(),
            _ => 0,
        };
        let counts = |pool: &&Pool| pool.counts.contains(&request.class);
        let options = &self.shared.options;
        let full = options.pools.iter().filter(counts).find(|pool| {
            let after = used(state, pool).saturating_sub(freed(pool)) + request.length;
            pool.total.is_some_and(|total| after > total)
        });
        let Some(pool) = full else { return Ok(()) };
        let error = Error::new(Kind::NoRoom, request.key.to_string());
        let everything = MediaClass::ALL.iter().all(|class| pool.counts.contains(class));
        // Where other classes still have room, this one item has to wait and nothing else.
        Err(if everything { error } else { error.scope(error::Scope::Item).code(codes::POOL_FULL) })
    }

    fn commit(
        &self,
        request: &PutRequest,
        bytes: Bytes,
        digests: safelight_core::digest::Digests,
    ) -> Result<Receipt> {
        let now = self.now();
        let mut state = self.present()?;
        self.agree(&state, request)?;
        let stamp = state.next_stamp();
        add(&self.shared.counters.bytes_stored, bytes.len());
        let object = Object {
            content: Content::Kept(bytes),
            class: request.class,
            modified: Some(self.kept_time(request.modified, now)),
            changed: now,
            file_id: stamp,
            stamp,
            digests,
            quirk: None,
        };
        let receipt = self.receipt(&object);
        let old = state.object(&request.key).cloned();
        if let Some(old) = old.filter(|_| self.shared.capabilities.replaced_to_trash) {
            state.trash.push((request.key.clone(), old));
        }
        state.insert(&request.key, Node::Object(object));
        Ok(receipt)
    }

    fn kept_time(&self, given: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let declared = &self.shared.capabilities;
        let given = given.filter(|_| declared.keeps_modified).unwrap_or(now).as_nanos();
        let step = i64::try_from(declared.time_granularity_ns).unwrap_or(i64::MAX).max(1);
        Timestamp::from_nanos(given - given.rem_euclid(step))
    }

    fn receipt(&self, object: &Object) -> Receipt {
        // Content that is made while it is read was never hashed, so nothing can be claimed for its copies.
        let hashed = object.digests.sha256.is_some();
        Receipt {
            version: Some(object.version()),
            remote_id: None,
            modified: object.modified,
            digests: object.digests,
            proof: if hashed { self.shared.options.proof } else { Proof::Claimed },
        }
    }
}

fn used(state: &State, pool: &Pool) -> u64 {
    let counted = state.objects().filter(|(_, object)| pool.counts.contains(&object.class));
    counted.map(|(_, object)| object.content.length()).sum()
}

fn found<'a>(state: &'a State, key: &Key, pin: Option<&Version>) -> Result<&'a Object> {
    let object = state
        .object(key)
        .ok_or_else(|| Error::new(Kind::NotFound, format!("looking for {key}")))?;
    if pin.is_some_and(|pin| *pin != object.version()) {
        return Err(Error::new(Kind::Changed, format!("{key} is another version"))
            .code(codes::FOREIGN_VERSION));
    }
    Ok(object)
}

fn must_be_free(state: &State, key: &Key) -> Result<()> {
    match state.stored_name(key) {
        Some(_) => Err(Error::new(Kind::Exists, format!("{key} is taken"))),
        None => Ok(()),
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(Kind::Unsupported, format!("{what} is not declared"))
}
