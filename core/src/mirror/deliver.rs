//! Delivering one item to one destination: create, replace and keep the old version, move, or recognise that it
//! is there already.
//!
//! Invariant: nothing that somebody else wrote is overwritten, and no version of ours is lost before the new
//! one stands and the rules allow it.

use crate::body::Body;
use crate::catalog::{
    Content, DestinationId, GoneCopy, Held, Keeping, Leg, Record, Retained, RetainedId, RunId, Work,
};
use crate::codes;
use crate::digest::Digests;
use crate::entry::Version;
use crate::error::{Error, Kind, Result};
use crate::key::{Key, RESERVED};
use crate::provider::{Provider, PutMode, PutRequest, Receipt, Relocate};
use crate::recognise::recognise;
use crate::time::{Clock, Timestamp};

/// What one delivery needs to know.
pub struct Delivery<'a> {
    /// Where to.
    pub provider: &'a dyn Provider,
    /// The destination's number.
    pub destination: DestinationId,
    /// In which run.
    pub run: RunId,
    /// How many replaced versions stay, where we keep them.
    pub keep_versions: u32,
    /// The source of time.
    pub clock: &'a dyn Clock,
}

/// How a delivery ended well.
pub struct Delivered {
    /// What to write down, in this order.
    pub records: Vec<Record>,
    /// How we know that the copy is good.
    pub held: Held,
    /// No bytes were sent.
    pub without_sending: bool,
}

/// How a move ended.
pub enum Moved {
    /// The item is where it belongs.
    Done(Delivered),
    /// The copy that was to be moved is not there any more; this says so to the catalog.
    NotThere(Record),
    /// It cannot be moved; the item has to be sent.
    Cannot,
}

/// What has to happen before the bytes are sent.
pub struct Prepared {
    /// Under which key.
    pub key: Key,
    /// What may be there.
    pub mode: PutMode,
    records: Vec<Record>,
}

impl Delivery<'_> {
    /// Sets the old version aside, if there is one, and says how the new one is to be put.
    pub async fn prepare(&self, work: &Work, leg: &Leg) -> Result<Prepared> {
        let own = leg.assigned.as_ref().unwrap_or(&work.key);
        let Some(held) = &leg.held else {
            return Ok(Prepared { key: own.clone(), mode: PutMode::Create, records: Vec::new() });
        };
        let key = held.key.clone();
        let declared = self.provider.capabilities();
        // A service that cannot copy but keeps what is replaced in its own trash does that by itself.
        let set_aside = self.keep_versions > 0 && (declared.copies || !declared.replaced_to_trash);
        // Where setting it aside compares the version and leaves it as it is, there is no need to look before
        // and after: many changed items then cost no call each.
        let untouched = set_aside && declared.copies_untouched;
        let known = held.version.clone().filter(|_| untouched);
        let mut replaced = match known {
            Some(version) => version,
            None => match self.standing(&key, held).await? {
                Some(version) => version,
                None => {
                    return Ok(Prepared { key, mode: PutMode::Create, records: Vec::new() });
                }
            },
        };
        let mut records = Vec::new();
        if set_aside {
            let kept = reserved("versions", held.proved_at, &key)?;
            let copied = self.provider.relocate(&key, &kept, Relocate::Copy, Some(&replaced)).await;
            let receipt = copied.map_err(|error| match error.kind() {
                Kind::Unsupported => error.code(codes::NO_VERSIONS),
                _ => error,
            });
            let version = match receipt {
                Ok(receipt) => receipt.version,
                // Left over from a try that died: the same bytes, for the key names the version.
                Err(error) if error.kind() == Kind::Exists => None,
                Err(error) if error.kind() == Kind::NotFound => {
                    return Ok(Prepared { key, mode: PutMode::Create, records });
                }
                Err(error) if error.kind() == Kind::Changed => return Err(foreign(&key)),
                Err(error) => return Err(error),
            };
            if !untouched {
                let Some(now) = self.provider.stat(&key).await? else {
                    return Ok(Prepared { key, mode: PutMode::Create, records });
                };
                replaced = now.version.unwrap_or(replaced);
            }
            records.push(Record::Retained(Retained {
                id: RetainedId(0),
                destination: self.destination,
                keeping: Keeping::Version,
                original: key.clone(),
                key: Some(kept),
                version,
                content: held.content,
                since: self.clock.now(),
                until: None,
            }));
        }
        Ok(Prepared { key, mode: PutMode::Replace(replaced), records })
    }

    /// The version that stands there, if it is the one that we stored; `None` if nothing stands there.
    async fn standing(&self, key: &Key, held: &Held) -> Result<Option<Version>> {
        let Some(there) = self.provider.stat(key).await? else { return Ok(None) };
        if there.version.is_some() && held.version.is_some() && there.version != held.version {
            return Err(foreign(key));
        }
        let none = || {
            let context = format!("{key}: the service gives no version to replace");
            Error::new(Kind::Unsupported, context)
        };
        there.version.map(Some).ok_or_else(none)
    }

    /// Sends an item whose bytes are all in memory.
    pub async fn send(
        &self,
        work: &Work,
        leg: &Leg,
        content: &Content,
        modified: Timestamp,
        body: Body,
    ) -> Result<Delivered> {
        let prepared = match self.prepare(work, leg).await {
            Err(error) if error.kind() == Kind::Changed => {
                return self.there_already(work, leg, content, Vec::new(), error).await;
            }
            prepared => prepared?,
        };
        let answer = self.put(work, &prepared, content.digests, modified, body).await;
        self.settle(work, leg, content, prepared, answer).await
    }

    /// The put itself.
    pub async fn put(
        &self,
        work: &Work,
        prepared: &Prepared,
        digests: Digests,
        modified: Timestamp,
        body: Body,
    ) -> Result<Receipt> {
        let request = PutRequest {
            key: prepared.key.clone(),
            length: body.length(),
            class: work.class,
            modified: Some(modified),
            mode: prepared.mode.clone(),
            digests,
        };
        self.provider.put(request, body).await
    }

    /// Turns the answer to a put into records. An answer that says "something is there" is looked into: it may
    /// be this very item, from a try whose answer was lost.
    pub async fn settle(
        &self,
        work: &Work,
        leg: &Leg,
        content: &Content,
        prepared: Prepared,
        answer: Result<Receipt>,
    ) -> Result<Delivered> {
        match answer {
            Ok(receipt) => {
                let held = self.held(prepared.key, content, &receipt);
                Ok(self.delivered(work, held, prepared.records, false))
            }
            Err(error) if matches!(error.kind(), Kind::Exists | Kind::Changed) => {
                self.there_already(work, leg, content, prepared.records, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn there_already(
        &self,
        work: &Work,
        leg: &Leg,
        content: &Content,
        records: Vec<Record>,
        error: Error,
    ) -> Result<Delivered> {
        let held = leg.held.as_ref().map(|held| &held.key);
        let key = held.or(leg.assigned.as_ref()).unwrap_or(&work.key);
        match recognise(self.provider, key, content, self.clock.now()).await? {
            Some(held) => Ok(self.delivered(work, held, records, true)),
            None if error.kind() == Kind::Changed => Err(error.code(codes::FOREIGN_VERSION)),
            None => Err(error),
        }
    }

    /// Moves the copy of an item that is gone from the library to where this one belongs.
    pub async fn move_from(
        &self,
        work: &Work,
        leg: &Leg,
        content: &Content,
        gone: &GoneCopy,
    ) -> Result<Moved> {
        let to = leg.assigned.as_ref().unwrap_or(&work.key);
        let from = &gone.held;
        let moved =
            self.provider.relocate(&from.key, to, Relocate::Move, from.version.as_ref()).await;
        let dropped = Record::Dropped { item: gone.item, destination: self.destination };
        let receipt = match moved {
            Ok(receipt) => receipt,
            Err(error) => {
                return match error.kind() {
                    Kind::NotFound => Ok(Moved::NotThere(dropped)),
                    Kind::Changed | Kind::Unsupported | Kind::Exists => Ok(Moved::Cannot),
                    _ => Err(error),
                };
            }
        };
        let held = Held {
            key: to.clone(),
            content: *content,
            version: receipt.version,
            remote_id: receipt.remote_id.map(|id| id.to_string()),
            // A move does not touch the bytes: what was proved of them before still holds.
            proof: from.proof,
            proved_at: from.proved_at,
        };
        Ok(Moved::Done(self.delivered(work, held, vec![dropped], true)))
    }

    fn held(&self, key: Key, content: &Content, receipt: &Receipt) -> Held {
        Held {
            key,
            content: *content,
            version: receipt.version.clone(),
            remote_id: receipt.remote_id.as_ref().map(ToString::to_string),
            proof: receipt.proof,
            proved_at: self.clock.now(),
        }
    }

    fn delivered(
        &self,
        work: &Work,
        held: Held,
        mut records: Vec<Record>,
        without_sending: bool,
    ) -> Delivered {
        records.push(Record::Stored {
            item: work.item,
            destination: self.destination,
            held: held.clone(),
            run: self.run,
        });
        Delivered { records, held, without_sending }
    }
}

fn foreign(key: &Key) -> Error {
    let context = format!("{key} was changed there by somebody else");
    Error::new(Kind::Changed, context).code(codes::FOREIGN_VERSION)
}

/// Where something is kept: below the reserved folder, by its date, so that it never meets something else, and
/// a try that died half-way finds its own traces.
pub fn reserved(area: &str, date: Timestamp, key: &Key) -> Result<Key> {
    let bad = |error| Error::new(Kind::Internal, format!("cannot keep {key}")).source(error);
    let at = Key::new(format!("{RESERVED}/{area}/{}", date.as_nanos()));
    at.and_then(|at| at.join(key.as_bytes())).map_err(bad)
}
