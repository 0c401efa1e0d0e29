//! Carrying one item: read it, judge it, hand it to its lanes, note what became of every leg.

mod streamed;

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use futures::future::join_all;
use tokio::sync::{SemaphorePermit, mpsc};

use super::deliver::{Delivered, Delivery, Moved};
use super::inspect::remark;
use super::ledger::Full;
use super::plan::decide;
use super::record::{Arrival, News, Note, failure, may_pass};
use super::source::{Judgement, Whole, judge};
use super::transfer::Shared;
use crate::body::Body;
use crate::catalog::{Content, GoneCopy, Leg, Problem, Record, Stat, Work};
use crate::codes::{self, Code};
use crate::error::{Error, Kind, Result, Scope};
use crate::monitor::Event;
use crate::seats::Reader;
use crate::traits::Traits;

const STREAM_TRIES: u32 = 3;

/// An item and the lanes that were reserved for it.
pub struct Parcel {
    /// The item.
    pub work: Work,
    /// The lanes.
    pub lanes: Vec<usize>,
    /// The bytes reserved in each lane.
    pub bytes: u64,
    /// Whether it passes through chunk by chunk.
    pub streamed: bool,
}

/// Carries one item to its lanes. Every leg of the parcel is settled when this returns.
pub async fn carry(shared: &Shared, notes: &mpsc::Sender<Note>, parcel: Parcel) {
    let streamed = parcel.streamed;
    let errand = Errand { shared, notes, parcel, found: None };
    if streamed {
        // Boxed, so that the many small items do not each carry the state of a stream.
        Box::pin(errand.streamed()).await;
    } else {
        errand.whole().await;
    }
}

struct Errand<'a> {
    shared: &'a Shared,
    notes: &'a mpsc::Sender<Note>,
    parcel: Parcel,
    /// What the item turned out to be, if that was not known.
    found: Option<Traits>,
}

/// How a leg ended.
enum End {
    Delivered(Box<Delivered>, Arrival),
    /// It may not go there after all.
    Held(Code),
    /// To be taken up again by a later pass or run, without a word.
    GivenBack,
    Failed(Error),
}

impl Errand<'_> {
    fn work(&self) -> &Work {
        &self.parcel.work
    }

    async fn whole(mut self) {
        let Some(reader) = self.reader().await else { return self.give_all_back().await };
        let read = self.shared.source.read_whole(self.work()).await;
        drop(reader);
        let Whole { bytes, content, stat } = match read {
            Ok(whole) => whole,
            Err(error) => return self.unreadable(&error).await,
        };
        if self.is_unknown(&stat) {
            self.found(self.shared.look.at_bytes(&self.work().key, &stat, &bytes));
        }
        let Some(lanes) = self.understood(&content, stat).await else { return };
        let errand = &self;
        let legs = lanes.into_iter().map(|lane| {
            let body = Body::whole(bytes.clone(), content.digests);
            async move {
                let end = errand.whole_leg(lane, &content, stat, body).await;
                errand.shared.holdings.release(lane, errand.parcel.bytes);
                errand.end(lane, end).await;
            }
        });
        join_all(legs).await;
    }

    /// Whether it was not looked into in this form.
    fn is_unknown(&self, stat: &Stat) -> bool {
        let known = &self.work().stat;
        !self.work().inspected || (stat.size, stat.modified) != (known.size, known.modified)
    }

    fn found(&mut self, traits: Traits) {
        self.parcel.work.class = traits.class;
        self.found = Some(traits);
    }

    async fn whole_leg(&self, lane: usize, content: &Content, stat: Stat, body: Body) -> End {
        let Some(_place) = self.place(lane).await else { return End::GivenBack };
        let Some(leg) = self.leg(lane) else { return End::GivenBack };
        match self.moved(lane, leg, content).await {
            Ok(Some(delivered)) => return End::Delivered(Box::new(delivered), Arrival::Moved),
            Ok(None) => {}
            Err(error) => return End::Failed(error),
        }
        if let Err(code) = self.admit(lane, leg, content.size) {
            return End::Held(code);
        }
        let length = body.length();
        let sent = self.delivery(lane).send(self.work(), leg, content, stat.modified, body).await;
        match sent {
            Ok(delivered) if delivered.without_sending => {
                End::Delivered(Box::new(delivered), Arrival::Recognised)
            }
            Ok(delivered) => {
                self.went_out(lane, length);
                End::Delivered(Box::new(delivered), Arrival::Sent)
            }
            Err(error) => End::Failed(error),
        }
    }

    /// Waits for its turn to read; `None` if the run ends: then nothing is read that would not be sent any more.
    async fn reader(&self) -> Option<Reader<'_>> {
        let stop = &self.shared.tools.stop.gently;
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            reader = self.shared.source.readers.take() => Some(reader),
        }
    }

    /// Waits for a place in the lane; `None` if the run ends or the lane is down.
    async fn place(&self, lane: usize) -> Option<SemaphorePermit<'_>> {
        let stop = &self.shared.tools.stop.gently;
        let place = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            place = self.shared.lanes[lane].places.acquire() => place.ok(),
        };
        place.filter(|_| self.shared.holdings.down(lane).is_none())
    }

    /// Reserves room for the item, as what it turned out to be.
    fn admit(&self, lane: usize, leg: &Leg, bytes: u64) -> std::result::Result<(), Code> {
        let capabilities = self.shared.lanes[lane].provider.capabilities();
        if let Some(code) = decide(self.work(), leg, capabilities) {
            return Err(code);
        }
        let (item, class) = (self.work().item, self.work().class);
        self.shared.ledgers[lane].reserve(item, class, bytes).map_err(|Full| codes::POOL_FULL)
    }

    fn leg(&self, lane: usize) -> Option<&Leg> {
        let id = self.shared.lanes[lane].id;
        self.work().legs.iter().find(|leg| leg.destination == id)
    }

    fn delivery(&self, lane: usize) -> Delivery<'_> {
        let lane = &self.shared.lanes[lane];
        Delivery {
            provider: &*lane.provider,
            destination: lane.id,
            run: self.shared.run,
            keep_versions: self.shared.keep_versions,
            clock: &*self.shared.tools.clock,
        }
    }

    /// Tries to get the item by moving the copy of one that is gone.
    async fn moved(&self, lane: usize, leg: &Leg, content: &Content) -> Result<Option<Delivered>> {
        let id = self.shared.lanes[lane].id;
        let capable = self.shared.lanes[lane].provider.capabilities().moves;
        let (Some(sha256), true) = (content.digests.sha256, capable) else { return Ok(None) };
        if leg.held.is_some() || !self.shared.gone_sizes.contains(&content.size) {
            return Ok(None);
        }
        let claim = |gone: &GoneCopy| {
            let mut claimed = self.shared.claimed.lock().unwrap_or_else(PoisonError::into_inner);
            claimed.insert((gone.item, id))
        };
        let copies = self.shared.tools.catalog.gone_copies(id, sha256).await?;
        let Some(gone) = copies.into_iter().find(claim) else { return Ok(None) };
        match self.delivery(lane).move_from(self.work(), leg, content, &gone).await? {
            Moved::Done(delivered) => Ok(Some(delivered)),
            Moved::Cannot => Ok(None),
            Moved::NotThere(record) => {
                let (settled, news) = (Vec::new(), Vec::new());
                self.note(Note { records: vec![record], settled, news }).await;
                Ok(None)
            }
        }
    }

    fn went_out(&self, lane: usize, bytes: u64) {
        self.shared.sent.fetch_add(bytes, Ordering::Relaxed);
        let destination = &self.shared.lanes[lane].name;
        self.shared.tools.monitor.event(&Event::Sent { destination, bytes });
    }

    /// Notes what was read. Answers the lanes that still want the item; the others have it already. `None` if
    /// the item looks damaged; then all legs are settled.
    async fn understood(&self, content: &Content, stat: Stat) -> Option<Vec<usize>> {
        let work = self.work();
        if judge(work, &stat, &content.digests) == Judgement::Suspect {
            self.suspect_and_release(&self.parcel.lanes).await;
            return None;
        }
        let has_it = |leg: &&Leg| {
            leg.held
                .as_ref()
                .is_some_and(|held| held.content.digests.sha256 == content.digests.sha256)
        };
        let had: Vec<_> = work.legs.iter().filter(has_it).map(|leg| leg.destination).collect();
        self.read(content, stat, had.clone()).await;
        let (done, open): (Vec<_>, Vec<_>) =
            self.parcel.lanes.iter().partition(|lane| had.contains(&self.shared.lanes[**lane].id));
        for lane in done {
            self.shared.holdings.release(lane, self.parcel.bytes);
            let note =
                Note { records: Vec::new(), settled: vec![(work.item, lane)], news: Vec::new() };
            self.note(note).await;
        }
        Some(open)
    }

    /// Records what was read, and that the destinations `had` need nothing.
    async fn read(&self, content: &Content, stat: Stat, had: Vec<crate::catalog::DestinationId>) {
        let work = self.work();
        let (item, content) = (work.item, *content);
        let mut records = vec![Record::Read { item, stat, content }];
        let mut news = Vec::new();
        if let Some(traits) = &self.found {
            records.push(Record::Inspected { item, traits: traits.clone() });
            if let Some((code, message)) = traits.health.and_then(remark) {
                let error = Error::new(Kind::Refused, message).code(code);
                records.push(self.remark(&error));
                news.push(News::Problem { lanes: Vec::new(), key: work.key.clone(), error });
            }
        }
        for destination in had {
            records.push(Record::Unchanged { item, destination });
            let lane = self.shared.lanes.iter().position(|lane| lane.id == destination);
            news.extend(lane.map(|lane| News::Unchanged { lane }));
        }
        if content.size == 0 && work.content.is_none() {
            let error = Error::new(Kind::Refused, "it has no bytes").code(codes::EMPTY_FILE);
            records.push(self.remark(&error));
            news.push(News::Problem { lanes: Vec::new(), key: work.key.clone(), error });
        }
        self.note(Note { records, settled: Vec::new(), news }).await;
    }

    /// The record of something that is wrong with the item wherever it goes.
    fn remark(&self, error: &Error) -> Record {
        Record::Problem(Problem {
            run: self.shared.run,
            destination: None,
            key: Some(self.work().key.clone()),
            code: error.id(),
            message: error.to_string(),
        })
    }

    async fn give_all_back(&self) {
        for lane in &self.parcel.lanes {
            self.give_back(*lane).await;
        }
    }

    async fn give_back(&self, lane: usize) {
        self.shared.holdings.release(lane, self.parcel.bytes);
        self.end(lane, End::GivenBack).await;
    }

    async fn unreadable(&self, error: &Error) {
        for lane in &self.parcel.lanes {
            self.shared.holdings.release(*lane, self.parcel.bytes);
        }
        self.unreadable_at(&self.parcel.lanes, error).await;
    }

    async fn unreadable_at(&self, lanes: &[usize], error: &Error) {
        let work = self.work();
        let records = vec![failure(work.item, None, self.shared.run, error)];
        let settled = lanes.iter().map(|lane| (work.item, *lane)).collect();
        let all = work
            .legs
            .iter()
            .filter_map(|leg| self.shared.lanes.iter().position(|lane| lane.id == leg.destination));
        let news =
            News::Problem { lanes: all.collect(), key: work.key.clone(), error: error.duplicate() };
        self.note(Note { records, settled, news: vec![news] }).await;
    }

    async fn suspect_and_release(&self, lanes: &[usize]) {
        for lane in lanes {
            self.shared.holdings.release(*lane, self.parcel.bytes);
        }
        self.suspect(lanes).await;
    }

    async fn suspect(&self, lanes: &[usize]) {
        let work = self.work();
        let error = Error::new(Kind::Corrupt, "held back; the good copies stay")
            .code(codes::SUSPECTED_DAMAGE);
        let suspected = Record::Suspected { item: work.item, run: self.shared.run };
        let records = vec![suspected, self.remark(&error)];
        let settled = lanes.iter().map(|lane| (work.item, *lane)).collect();
        let news = News::Problem { lanes: Vec::new(), key: work.key.clone(), error };
        self.note(Note { records, settled, news: vec![news] }).await;
    }

    /// Notes how a leg ended.
    async fn end(&self, lane: usize, end: End) {
        let work = self.work();
        let end = self.balance(lane, end);
        let mut note =
            Note { records: Vec::new(), settled: vec![(work.item, lane)], news: Vec::new() };
        match end {
            End::GivenBack => {}
            End::Delivered(delivered, how) => {
                let (bytes, proof) = (delivered.held.content.size, delivered.held.proof);
                note.records = delivered.records;
                note.news.push(News::Copied { lane, key: work.key.clone(), bytes, proof, how });
            }
            End::Held(hold) => {
                let (item, destination) = (work.item, self.shared.lanes[lane].id);
                note.records.push(Record::Planned { item, destination, hold: Some(hold) });
                note.news.push(News::Held { lane, key: work.key.clone() });
            }
            End::Failed(error) if error.reach() != Scope::Item => self.stop_lane(lane, &error),
            End::Failed(error) if error.kind() == Kind::Cancelled => {}
            End::Failed(error)
                if self.parcel.streamed && may_pass(&error) && self.try_again(lane) => {}
            End::Failed(error) => {
                let id = self.shared.lanes[lane].id;
                note.records.push(failure(work.item, Some(id), self.shared.run, &error));
                note.news.push(News::Problem { lanes: vec![lane], key: work.key.clone(), error });
            }
        }
        self.note(note).await;
    }

    /// Keeps the ledger true: what surely did not arrive gives its room back, and a pool that the service calls full
    /// is full.
    fn balance(&self, lane: usize, end: End) -> End {
        let ledger = &self.shared.ledgers[lane];
        match end {
            End::Failed(error) if error.kind() == Kind::NoRoom && error.reach() == Scope::Item => {
                if ledger.close(self.work().class) {
                    return End::Held(codes::POOL_FULL);
                }
                End::Failed(error)
            }
            End::Failed(error) if !may_have_arrived(&error) => {
                ledger.give_back(self.work().item);
                End::Failed(error)
            }
            End::GivenBack => {
                ledger.give_back(self.work().item);
                End::GivenBack
            }
            end => end,
        }
    }

    fn try_again(&self, lane: usize) -> bool {
        let mut tries = self.shared.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let count = tries.entry((self.work().item, lane)).or_default();
        *count += 1;
        *count < STREAM_TRIES
    }

    fn stop_lane(&self, lane: usize, error: &Error) {
        if self.shared.holdings.take_down(lane, error) {
            let destination = &self.shared.lanes[lane].name;
            let (code, message) = (error.id(), error.to_string());
            let stopped = Event::Stopped { destination, code, message: &message };
            self.shared.tools.monitor.event(&stopped);
        }
    }

    async fn note(&self, note: Note) {
        // The recorder goes away only when the whole transfer is being dropped.
        let _ = self.notes.send(note).await;
    }
}

/// Whether something that failed so may stand at the destination all the same.
fn may_have_arrived(error: &Error) -> bool {
    use Kind::{Cancelled, Internal, Io, Protocol, Timeout, Unavailable};
    matches!(error.kind(), Cancelled | Internal | Io | Protocol | Timeout | Unavailable)
}
