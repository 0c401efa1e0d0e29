//! Dispatch: walks through what is to do, and starts to carry what lanes and memory have room for.
//!
//! Invariant: items that are under way stay within the budget of memory, whatever their sizes and speeds. Providers may keep
//! more of a streamed item than is counted here; what they keep at most is their own limit.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::carry::{Parcel, carry};
use super::lane::Attached;
use super::record::Note;
use super::rejoin::Renewed;
use super::source::WHOLE_LIMIT;
use super::transfer::Shared;
use crate::catalog::{Work, WorkQuery};
use crate::codes::{self, Code};
use crate::error::{Error, Kind, Result, Scope};
use crate::job::{MirrorJob, MirrorOptions};

const PAGE: usize = 512;
/// Memory is counted in units of this many bytes.
const UNIT: u64 = 4 * 1024;
/// What it takes to carry an item, besides its bytes: its task, its records, the state of its puts.
const CARRIAGE: u64 = 32 * 1024;
/// What a streamed item may keep in memory: the chunks on their way and the parts that lanes collect.
const STREAM_MEMORY: u64 = 48 * 1024 * 1024;

/// Walks through the work again and again until nothing is left that can be done now.
pub struct Dispatcher<'a> {
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
    /// For the lanes of `shared`; `asked` is how a person ends it, `back` where it is noted that somebody came back.
    pub fn new(
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
    pub async fn run(mut self) -> Result<Option<Code>> {
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
