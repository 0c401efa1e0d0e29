//! Transfer: reads each item once for all lanes that are ready and hands them the same bytes.
//!
//! Invariant: memory stays within the budget whatever the sizes and speeds; every leg that is taken up is
//! settled exactly once, by a record or by being given back for a later pass or run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::carry::{Parcel, carry};
use super::inspect::Look;
use super::lane::{Attached, Holdings, Lane};
use super::ledger::Ledger;
use super::record::{Note, Totals, recorder};
use super::rejoin::{Renewed, is_refused, renewed};
use super::source::{Source, WHOLE_LIMIT};
use crate::catalog::{DestinationId, ItemId, RunId, Work, WorkQuery};
use crate::codes::{self, Code};
use crate::digest::Algorithms;
use crate::error::{Error, Kind, Result, Scope};
use crate::job::{Destination, MirrorJob, MirrorOptions, Stop, Tools};

const PAGE: usize = 512;
const NOTES: usize = 1024;
/// Memory is counted in units of this many bytes.
const UNIT: u64 = 4 * 1024;
/// What it takes to carry an item, besides its bytes: its task, its records, the state of its puts.
const CARRIAGE: u64 = 32 * 1024;
/// What a streamed item may keep in memory: the chunks on their way and the parts that lanes collect.
const STREAM_MEMORY: u64 = 48 * 1024 * 1024;

/// What the tasks of a transfer share.
pub struct Shared {
    /// The run.
    pub run: RunId,
    /// Clock, catalog, monitor, stop.
    pub tools: Tools,
    /// All lanes.
    pub lanes: Vec<Arc<Lane>>,
    /// The room in the pools of each lane.
    pub ledgers: Vec<Arc<Ledger>>,
    /// How items are looked into on their way.
    pub look: Look,
    /// What each lane holds.
    pub holdings: Holdings,
    /// The library.
    pub source: Source,
    /// How many replaced versions stay.
    pub keep_versions: u32,
    /// Sizes of items that are gone and may have been moved.
    pub gone_sizes: HashSet<u64>,
    /// Gone copies that some item already took.
    pub claimed: Mutex<HashSet<(ItemId, DestinationId)>>,
    /// How often legs with streamed bodies were tried.
    pub tries: Mutex<HashMap<(ItemId, usize), u32>>,
    /// Bytes that went out.
    pub sent: AtomicU64,
    /// Bytes of items that some lane needed, each item counted once.
    pub needed: AtomicU64,
}

/// What a transfer did.
pub struct Transferred {
    /// What was recorded.
    pub totals: Totals,
    /// Why each lane that went down did.
    pub down: Vec<Option<Error>>,
    /// Bytes read from the library.
    pub bytes_read: u64,
    /// Bytes of distinct items that had to be read.
    pub bytes_needed: u64,
    /// Bytes sent to destinations.
    pub bytes_sent: u64,
    /// Why it ended before everything was done.
    pub cut: Option<Code>,
    /// Who came back meanwhile; then there may be more to do.
    pub renewed: Option<Renewed>,
}

/// Sends everything that is to do. Ends early, with what has begun, when a destination comes back that does not take
/// part: one that is in `refused` from the start, or went down because our sign-in was not taken any more.
///
/// # Errors
/// With scope [`Scope::Run`]: the catalog failed, or the run was stopped at once. What was recorded before
/// stays.
pub async fn transfer(
    job: &MirrorJob,
    options: &MirrorOptions,
    tools: &Tools,
    run: RunId,
    lanes: Vec<(Arc<Lane>, Arc<Ledger>)>,
    look: Look,
    refused: &[String],
) -> Result<Transferred> {
    let (lanes, ledgers): (Vec<_>, Vec<_>) = lanes.into_iter().unzip();
    let algorithms = lanes
        .iter()
        .fold(Algorithms::default(), |all, lane| all.union(lane.provider.capabilities().digests));
    let sizes: Vec<_> = lanes.iter().map(|lane| (lane.busy, lane.width)).collect();
    // The time that is up, or somebody who comes back, ends it as gently as a person does: what waits for its turn is
    // given back.
    let ending = tools.stop.gently.child_token();
    let stop = Stop { gently: ending.clone(), now: tools.stop.now.clone() };
    let shared = Arc::new(Shared {
        run,
        tools: Tools { stop, ..tools.clone() },
        holdings: Holdings::new(Arc::clone(&tools.clock), &sizes, job.memory_bytes),
        source: Source::new(Arc::clone(&job.library), Arc::clone(&tools.clock), algorithms),
        keep_versions: job.changes.keep_versions,
        gone_sizes: tools.catalog.gone_sizes().await?,
        claimed: Mutex::default(),
        tries: Mutex::default(),
        sent: AtomicU64::new(0),
        needed: AtomicU64::new(0),
        lanes,
        ledgers,
        look,
    });
    let (notes, incoming) = mpsc::channel(NOTES);
    let recording = recorder(incoming, tools, &shared.lanes, &shared.holdings, run);
    let asked = tools.stop.gently.clone();
    let back = OnceLock::new();
    let dispatching = Dispatcher::new(&shared, job, options, asked, &back, notes).run();
    let both = async { tokio::try_join!(recording, dispatching) };
    let time_up = async {
        if let Some(span) = options.max_duration {
            tools.clock.sleep(span).await;
            ending.cancel();
        }
        std::future::pending::<Infallible>().await
    };
    let is_out =
        |one: &Destination| match shared.lanes.iter().position(|lane| lane.name == one.name) {
            Some(lane) => shared.holdings.down(lane).as_ref().is_some_and(is_refused),
            None => refused.contains(&one.name),
        };
    let coming_back = async {
        let renewed = renewed(job, &*tools.clock, is_out).await;
        let _ = back.set(renewed);
        ending.cancel();
        std::future::pending::<Infallible>().await
    };
    let (totals, cut) = tokio::select! {
        biased;
        never = time_up => match never {},
        never = coming_back => match never {},
        () = tools.stop.now.cancelled() => {
            return Err(Error::new(Kind::Cancelled, "the transfer was stopped at once"));
        }
        both = both => both?,
    };
    Ok(Transferred {
        totals,
        down: (0..shared.lanes.len()).map(|lane| shared.holdings.down(lane)).collect(),
        bytes_read: shared.source.bytes_read(),
        bytes_needed: shared.needed.load(Ordering::Relaxed),
        bytes_sent: shared.sent.load(Ordering::Relaxed),
        cut,
        renewed: back.into_inner(),
    })
}

/// Walks through the work again and again until nothing is left that can be done now.
struct Dispatcher<'a> {
    shared: Arc<Shared>,
    options: &'a MirrorOptions,
    notes: mpsc::Sender<Note>,
    memory: Arc<Semaphore>,
    memory_units: u64,
    tasks: JoinSet<()>,
    planned_bytes: u64,
    /// Somebody asks the run to end.
    asked: CancellationToken,
    /// Somebody who came back; the next round is planned with him.
    back: &'a OnceLock<Renewed>,
    ended: bool,
    cut: Option<Code>,
    /// Lanes that may have work, as far as the last pass showed.
    working: Vec<usize>,
}

impl<'a> Dispatcher<'a> {
    fn new(
        shared: &Arc<Shared>,
        job: &MirrorJob,
        options: &'a MirrorOptions,
        asked: CancellationToken,
        back: &'a OnceLock<Renewed>,
        notes: mpsc::Sender<Note>,
    ) -> Self {
        let memory_units = (job.memory_bytes / UNIT).max(1);
        Self {
            shared: Arc::clone(shared),
            options,
            notes,
            memory: Arc::new(Semaphore::new(
                usize::try_from(memory_units).unwrap_or(usize::MAX >> 3),
            )),
            memory_units,
            tasks: JoinSet::new(),
            planned_bytes: 0,
            asked,
            back,
            ended: false,
            cut: None,
            working: (0..shared.lanes.len()).collect(),
        }
    }

    /// Answers why it ended early, if it did. When it returns, no task is running and all notes are recorded.
    async fn run(mut self) -> Result<Option<Code>> {
        let mut first = true;
        loop {
            let dispatched = self.pass(first).await?;
            first = false;
            if !self.ended && dispatched > 0 {
                continue;
            }
            self.drain().await?;
            // What was given back meanwhile gets another pass.
            if self.ended || self.pass(false).await? == 0 {
                return Ok(self.cut);
            }
        }
    }

    /// One walk through the work, in the order of items; answers how many items were taken up.
    async fn pass(&mut self, first: bool) -> Result<u64> {
        let mut dispatched = 0;
        let mut after = None;
        let mut left_over = BTreeSet::new();
        loop {
            let up = |lane: &usize| self.shared.holdings.down(*lane).is_none();
            let up = (0..self.shared.lanes.len()).filter(up);
            let destinations: Vec<_> = up.map(|lane| self.shared.lanes[lane].id).collect();
            if destinations.is_empty() {
                return Ok(dispatched);
            }
            let query = WorkQuery {
                destinations,
                after,
                not_tried_in: Some(self.shared.run),
                with_held: false,
                limit: PAGE,
            };
            self.shared.holdings.fetching_work();
            let works = self.shared.tools.catalog.work(query).await?;
            let Some(last) = works.last() else { break };
            after = Some(last.item);
            for work in works {
                self.reap()?;
                if self.should_end() {
                    return Ok(dispatched);
                }
                let wanted = self.wanted(&work);
                if wanted.is_empty() {
                    continue;
                }
                let taken = self.take_up(work, &wanted, first).await;
                dispatched += u64::from(!taken.is_empty());
                left_over.extend(wanted.into_iter().filter(|lane| !taken.contains(lane)));
            }
        }
        self.working = left_over.into_iter().collect();
        Ok(dispatched)
    }

    /// The lanes that want this item and do not have it on its way.
    fn wanted(&self, work: &Work) -> Vec<usize> {
        if !self.options.selects(&work.key) {
            return Vec::new();
        }
        let lane_of = |leg: &crate::catalog::Leg| {
            self.shared.lanes.iter().position(|lane| lane.id == leg.destination)
        };
        work.legs
            .iter()
            .filter_map(lane_of)
            .filter(|lane| !self.shared.holdings.is_taken_up(work.item, *lane))
            .collect()
    }

    /// Reserves lanes and memory for an item and starts to carry it; answers the lanes that take it.
    async fn take_up(&mut self, work: Work, wanted: &[usize], first: bool) -> Vec<usize> {
        let streamed = work.stat.size > WHOLE_LIMIT;
        let size = if streamed { work.stat.size.min(STREAM_MEMORY) } else { work.stat.size };
        let units = (size + CARRIAGE).div_ceil(UNIT).min(self.memory_units);
        let bytes = units * UNIT;
        let others: Vec<_> =
            self.working.iter().copied().filter(|lane| !wanted.contains(lane)).collect();
        let holdings = &self.shared.holdings;
        let stop = self.shared.tools.stop.gently.clone();
        let attached = tokio::select! {
            biased;
            () = stop.cancelled() => return Vec::new(),
            attached = holdings.attach(work.item, wanted, &others, bytes, streamed) => attached,
        };
        let Attached::To(chosen) = attached else { return Vec::new() };
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let memory = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            memory = Arc::clone(&self.memory).acquire_many_owned(units) => memory.ok(),
        };
        let Some(memory) = memory else {
            for lane in chosen {
                holdings.release(lane, bytes);
                holdings.settle(work.item, lane);
            }
            return Vec::new();
        };
        self.planned_bytes += work.stat.size * chosen.len() as u64;
        if first {
            self.shared.needed.fetch_add(work.stat.size, Ordering::Relaxed);
        }
        let parcel = Parcel { work, lanes: chosen.clone(), bytes, streamed };
        self.start(parcel, memory);
        chosen
    }

    fn start(&mut self, parcel: Parcel, memory: OwnedSemaphorePermit) {
        let (shared, notes) = (Arc::clone(&self.shared), self.notes.clone());
        self.tasks.spawn(async move {
            carry(&shared, &notes, parcel).await;
            drop(memory);
        });
    }

    fn should_end(&mut self) -> bool {
        let late = self.shared.tools.stop.gently.is_cancelled();
        let full = self.options.max_transfer.is_some_and(|most| self.planned_bytes >= most);
        if self.asked.is_cancelled() {
            self.cut = Some(codes::CANCELLED);
        } else if full || (late && self.back.get().is_none()) {
            self.cut = Some(codes::LIMIT_REACHED);
        }
        self.ended = late || self.cut.is_some();
        self.ended
    }

    fn reap(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.map_err(broken)?;
        }
        Ok(())
    }

    async fn drain(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(broken)?;
        }
        self.shared.holdings.all_settled().await;
        Ok(())
    }
}

fn broken(error: JoinError) -> Error {
    Error::new(Kind::Internal, "a task of the transfer broke").scope(Scope::Run).source(error)
}
