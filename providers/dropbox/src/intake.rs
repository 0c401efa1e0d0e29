//! Where small items wait until a bundle of them is worth a call.
//!
//! Invariant: what waits here has its caller waiting for it, so there is never more of it than callers.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::select;
use safelight_core::error::Result;
use safelight_core::provider::Receipt;
use safelight_core::time::Clock;
use tokio::sync::{Notify, oneshot};

use crate::desk::Inbound;
use crate::finish::Target;
use crate::sessions::Pool;

/// Most items in one bundle.
const MOST: usize = 100;
/// Most bytes in one bundle: a try that fails is cheap to repeat, and several bundles go at once.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Longest header of a bundle. What Dropbox takes is not known; 16 KiB are taken by every server.
const HEADER: usize = 16_000;
/// What an entry takes in the header besides the id of its session.
const ENTRY: usize = 76;
/// When nothing came for so long, there is no use in waiting for more.
const QUIET: Duration = Duration::from_millis(40);
/// No item waits longer than this.
const LONGEST: Duration = Duration::from_millis(500);

/// An item that is to be sent.
pub(crate) struct Order {
    pub(crate) bytes: Bytes,
    pub(crate) target: Target,
    pub(crate) inbound: Inbound,
    pub(crate) answer: oneshot::Sender<Result<Receipt>>,
}

/// Items that go together.
pub(crate) struct Bundle {
    pub(crate) orders: Vec<Order>,
    /// It is as large as it may be: there will be more.
    pub(crate) full: bool,
}

pub(crate) struct Intake {
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
    wake: Notify,
    pub(crate) sessions: Pool,
    /// Whether the service knows how to take bundles.
    bundles: AtomicBool,
    /// How long the ids of sessions are.
    id_length: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    orders: VecDeque<Order>,
    first: Duration,
    last: Duration,
}

impl Intake {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            waiting: Mutex::default(),
            wake: Notify::new(),
            sessions: Pool::default(),
            bundles: true.into(),
            id_length: 90.into(),
        }
    }

    pub(crate) fn add(&self, order: Order) {
        let now = self.clock.elapsed();
        {
            let mut waiting = self.waiting();
            if waiting.orders.is_empty() {
                waiting.first = now;
            }
            waiting.last = now;
            waiting.orders.push_back(order);
        }
        self.wake.notify_one();
    }

    /// The next bundle, as soon as there is a reason not to wait for more. May be dropped without loss.
    pub(crate) async fn next(&self) -> Bundle {
        loop {
            let now = self.clock.elapsed();
            let due = {
                let mut waiting = self.waiting();
                let (count, full) = self.bundle(&waiting.orders);
                let due = (waiting.last + QUIET).min(waiting.first + LONGEST);
                if count > 0 && (full || due <= now) {
                    let orders = waiting.orders.drain(..count).collect();
                    waiting.first = now;
                    return Bundle { orders, full };
                }
                (count > 0).then_some(due)
            };
            match due {
                Some(due) => {
                    let woken = pin!(self.wake.notified());
                    select(self.clock.sleep(due.saturating_sub(now)), woken).await;
                }
                None => self.wake.notified().await,
            }
        }
    }

    /// How many of the first orders go together, and whether no more would fit.
    fn bundle(&self, orders: &VecDeque<Order>) -> (usize, bool) {
        let id = self.id_length.load(Ordering::Relaxed);
        let most = (HEADER / (ENTRY + id)).clamp(1, MOST);
        let mut bytes = 0;
        for (count, order) in orders.iter().enumerate() {
            bytes += order.bytes.len();
            if count == most || (count > 0 && bytes > MOST_BYTES) {
                return (count, true);
            }
        }
        (orders.len(), orders.len() == most)
    }

    pub(crate) fn takes_bundles(&self) -> bool {
        self.bundles.load(Ordering::Relaxed)
    }

    /// For the rest of the run every item goes by itself.
    pub(crate) fn no_bundles(&self) {
        self.bundles.store(false, Ordering::Relaxed);
    }

    pub(crate) fn note_id(&self, id: &str) {
        self.id_length.store(id.len(), Ordering::Relaxed);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
