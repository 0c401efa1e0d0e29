//! Carrying files back, some at once: fetched with patience, compared, and stored under a name that was free.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use bytes::BytesMut;
use futures::future::{Either, join, select};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use safelight_core::body::{Body, BodySender};
use safelight_core::catalog::{Likeness, Problem, RunId, Wanted};
use safelight_core::digest::Hasher;
use safelight_core::entry::Entry;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::job::{Stop, Tools};
use safelight_core::monitor::Event;
use safelight_core::provider::{Opened, Provider as _, PutMode, PutRequest};
use safelight_core::seats::Readers;
use tokio::sync::Semaphore;

use super::{Outcome, Plan, Restore, Wish};
use crate::inventory::{Inventory, Item};
use crate::layout::Placed;
use crate::source::Source;

/// Files up to this size are compared before a byte of them is stored.
const WHOLE: u64 = 8 * 1024 * 1024;
const WINDOW: usize = 8;
/// Files that are on their way at once, at most; fewer where the destination wants fewer reads, or memory is short.
const AT_ONCE: usize = 512;
/// KiB that files on their way may take.
const MEMORY: u32 = 128 * 1024;

struct Carrier<'a> {
    restore: &'a Restore,
    source: Source,
    tools: &'a Tools,
    stop: Stop,
    to: &'a str,
    readers: Readers,
    memory: Semaphore,
}

/// What became of one file.
enum Carried {
    Stored(u64),
    Failed(Error),
    Left,
}

pub(super) async fn all(restore: &Restore, plan: &Plan, tools: &Tools) -> Result<Outcome> {
    // The destination may end this as well as a person.
    let asked = &tools.stop;
    let stop = Stop { gently: asked.gently.child_token(), now: asked.now.clone() };
    let source = source(restore, &plan.wishes, tools, &stop);
    let to = restore.target.identity().name.as_str();
    let readers = Readers::new(Arc::clone(&restore.source));
    let memory = Semaphore::new(MEMORY as usize);
    let carrier = Carrier { restore, source, tools, stop, to, readers, memory };
    let files = plan.send.files + plan.there.files;
    let new = plan.send;
    tools.monitor.event(&Event::Started { run: RunId::NONE, job: "restore", files, new });
    tools.monitor.event(&Event::Planned { destination: to, send: new });
    let mut outcome = Outcome::default();
    let carrying = plan.wishes.iter().map(|wish| carrier.carry(wish));
    let mut ended = stream::iter(carrying).buffer_unordered(AT_ONCE);
    // Dropping what is under way leaves nothing half-done.
    let mut at_once = pin!(asked.now.cancelled());
    while let Either::Left((Some((wish, became)), _)) = select(ended.next(), &mut at_once).await {
        match became {
            Carried::Stored(bytes) => outcome.restored.add(bytes),
            Carried::Left => {}
            Carried::Failed(error) => match error.reach() {
                Scope::Item => {
                    carrier.tell(wish, &error);
                    outcome.failed.push((wish.key.clone(), error));
                }
                Scope::Destination => {
                    carrier.stop.gently.cancel();
                    outcome.halted.get_or_insert(error);
                }
                Scope::Run if error.kind() == Kind::Cancelled => {}
                Scope::Run => return Err(error),
            },
        }
    }
    drop(ended);
    outcome.failed.sort_by(|one, other| one.0.cmp(&other.0));
    outcome.left = plan.send.files - outcome.restored.files - outcome.failed.len() as u64;
    outcome.stopped = asked.gently.is_cancelled() || asked.now.is_cancelled();
    outcome.down = carrier.source.down();
    Ok(outcome)
}

/// The destination, shown as the library was.
fn source(restore: &Restore, wishes: &[Wish], tools: &Tools, stop: &Stop) -> Source {
    let item = |wish: &Wish| Item {
        entry: Entry {
            digests: wish.held.content.digests,
            modified: Some(wish.modified),
            ..Entry::new(wish.held.key.clone(), wish.held.content.size)
        },
        class: wish.class,
        remark: None,
        albums: Vec::new(),
        film_of: None,
        trashed: false,
        named: None,
    };
    let placed = |(item, wish): (usize, &Wish)| Placed {
        item,
        key: wish.key.clone(),
        content: item as u64,
        changed: false,
    };
    let inventory = Inventory {
        service: restore.source.identity().clone(),
        at: tools.clock.now(),
        items: wishes.iter().map(item).collect(),
        albums: Vec::new(),
        unseen: Vec::new(),
        passed: Vec::new(),
        unlisted: Vec::new(),
        repeated: 0,
        usage: Vec::new(),
    };
    let placed: Vec<Placed> = wishes.iter().enumerate().map(placed).collect();
    let service = Arc::clone(&restore.source);
    let clock = Arc::clone(&tools.clock);
    Source::new(
        service,
        &inventory,
        &placed,
        &HashMap::new(),
        clock,
        restore.patience,
        stop.clone(),
    )
}

impl Carrier<'_> {
    async fn carry<'w>(&self, wish: &'w Wish) -> (&'w Wish, Carried) {
        let _memory = self.memory.acquire_many(kibibytes(wish.held.content.size)).await;
        let _reader = self.readers.take().await;
        if self.stop.gently.is_cancelled() {
            return (wish, Carried::Left);
        }
        let mut became = self.one(wish, &self.source).await;
        if let Err(error) = &became
            && error.kind() == Kind::NotFound
            && let Ok(Some(twin)) = self.twin(wish).await
        {
            let source = source(self.restore, std::slice::from_ref(&twin), self.tools, &self.stop);
            became = self.one(&twin, &source).await;
        }
        let became = match became {
            Ok(()) => Carried::Stored(wish.held.content.size),
            // The destination is gone: that is told once.
            Err(_) if self.source.down().is_some() => Carried::Left,
            Err(error) => Carried::Failed(error),
        };
        (wish, became)
    }

    /// The same content under another key of the destination: a service may keep equal files once, wherever it saw them
    /// first.
    async fn twin(&self, wish: &Wish) -> Result<Option<Wish>> {
        let content = wish.held.content;
        let wanted = Wanted { size: content.size, digests: content.digests };
        let holdings = self.tools.catalog.holders(vec![wanted]).await?;
        let same = holdings.into_iter().filter(|one| matches!(one.likeness, Likeness::Same(_)));
        let other = same.flat_map(|one| one.copies).find(|(name, held)| {
            *name == self.restore.from
                && held.key != wish.held.key
                && held.content.digests.sha256 == content.digests.sha256
        });
        Ok(other.map(|(_, held)| Wish { held, ..wish.clone() }))
    }

    async fn one(&self, wish: &Wish, source: &Source) -> Result<()> {
        let size = wish.held.content.size;
        let opened = source.read(&wish.key, None, None).await.map_err(of_the_file)?;
        let request = PutRequest {
            key: wish.key.clone(),
            length: size,
            class: wish.class,
            modified: Some(wish.modified),
            mode: PutMode::Create,
            digests: wish.held.content.digests,
        };
        let target = &self.restore.target;
        let receipt = if size <= WHOLE {
            let body = self.whole(wish, opened).await?;
            target.put(request, body).await?
        } else {
            let (sender, body) = Body::stream(size, WINDOW);
            let (fed, stored) =
                join(self.feed(wish, opened, sender), target.put(request, body)).await;
            // Whoever stopped first knows why.
            match (fed, stored) {
                (_, Ok(receipt)) => receipt,
                (Err(error), Err(_)) if error.kind() != Kind::Cancelled => return Err(error),
                (_, Err(error)) => return Err(error),
            }
        };
        let (destination, proof) = (self.to, receipt.proof);
        let key = &wish.key;
        let event = Event::Copied { destination, key, bytes: size, proof, moved: false };
        self.tools.monitor.event(&event);
        Ok(())
    }

    fn hasher(&self) -> Hasher {
        Hasher::new(self.restore.target.capabilities().digests)
    }

    fn sent(&self, bytes: usize) {
        let event = Event::Sent { destination: self.to, bytes: bytes as u64 };
        self.tools.monitor.event(&event);
    }

    async fn whole(&self, wish: &Wish, mut opened: Opened) -> Result<Body> {
        let (mut bytes, mut hasher) = (BytesMut::new(), self.hasher());
        while let Some(chunk) = opened.bytes.try_next().await.map_err(of_the_file)? {
            hasher.update(&chunk);
            self.sent(chunk.len());
            bytes.extend_from_slice(&chunk);
        }
        let digests = hasher.finish();
        if digests.sha256 != wish.held.content.digests.sha256 {
            return Err(damaged(wish));
        }
        Ok(Body::whole(bytes.freeze(), digests))
    }

    /// Hands the bytes over; without the recorded digest at their end, nothing of them becomes visible.
    async fn feed(&self, wish: &Wish, mut opened: Opened, sender: BodySender) -> Result<()> {
        let mut hasher = self.hasher();
        loop {
            match opened.bytes.try_next().await {
                Ok(Some(chunk)) => {
                    hasher.update(&chunk);
                    self.sent(chunk.len());
                    sender.send(Ok(chunk)).await?;
                }
                Ok(None) => break,
                Err(error) => return Err(of_the_file(error)),
            }
        }
        let digests = hasher.finish();
        if digests.sha256 != wish.held.content.digests.sha256 {
            return Err(damaged(wish));
        }
        sender.finish(digests);
        Ok(())
    }

    fn tell(&self, wish: &Wish, error: &Error) {
        let problem = Problem {
            run: RunId::NONE,
            destination: Some(self.to.to_owned()),
            key: Some(wish.key.clone()),
            code: error.id(),
            message: error.to_string(),
        };
        let retry = error.retry_advice();
        self.tools.monitor.event(&Event::Problem { problem: &problem, retry });
    }
}

/// The memory that a file takes on its way: twice its bytes as long as it is compared, else a few chunks.
fn kibibytes(size: u64) -> u32 {
    u32::try_from(32 + 2 * size.min(WHOLE) / 1024).unwrap_or(MEMORY)
}

/// The source itself says when the destination is not to be asked any more; until then it is a matter of the file.
fn of_the_file(error: Error) -> Error {
    error.scope(Scope::Item)
}

fn damaged(wish: &Wish) -> Error {
    let context = format!("reading {}: the copy is not what was stored there", wish.held.key);
    Error::new(Kind::Corrupt, context)
}
