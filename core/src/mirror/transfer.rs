//! Transfer: reads each item once for all lanes that are ready and hands them the same bytes.
//!
//! Invariant: every leg that is taken up is settled exactly once, by a record or by being given back for a later pass or
//! run.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::mpsc;

use super::dispatch::Dispatcher;
use super::inspect::Look;
use super::lane::{Holdings, Lane};
use super::ledger::Ledger;
use super::record::{Totals, recorder};
use super::rejoin::{Renewed, is_refused, renewed};
use super::source::Source;
use crate::catalog::{DestinationId, ItemId, RunId};
use crate::codes::Code;
use crate::digest::Algorithms;
use crate::error::{Error, Kind, Result};
use crate::job::{Destination, MirrorJob, MirrorOptions, Stop, Tools};

const NOTES: usize = 1024;

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
/// With scope [`Run`](crate::error::Scope::Run): the catalog failed, or the run was stopped at once. What was recorded before
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
