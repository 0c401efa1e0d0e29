//! The common commit: many items made durable together.
//!
//! Whoever comes first leads: it takes all orders that wait, and while it works the next ones gather. Steps
//! of a batch: bytes durable, read back, named, names durable.
//!
//! Invariants: an item gets its name only after its bytes are durable and, if asked, were read back equal. No
//! order is answered `Ok` before its name is durable. A failed sync condemns exactly the items it was for;
//! it is never repeated.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use safelight_core::digest::Digests;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::{Proof, PutMode, Receipt};
use safelight_core::time::Timestamp;
use tokio::sync::oneshot;

use crate::crew::in_parallel;
use crate::fault::{Act, fault};
use crate::root::{look_in, split};
use crate::sync;
use crate::temp::{Temp, compare};
use crate::tree::Tree;
use crate::write::replaced_by_another;

/// From this many items on, one sync of the whole file system is cheaper than one for each.
const MANY: usize = 16;
/// Items that one thread reads back in about the time that it takes to wake another.
const FEW_TO_READ: usize = 4;
/// Most items in one batch, so that none waits for too many others and descriptors do not run out.
const LARGEST_BATCH: usize = 64;

/// An item that is written and waits to be committed.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) temp: Temp,
    pub(crate) key: Key,
    pub(crate) length: u64,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) mode: PutMode,
    pub(crate) digests: Digests,
    pub(crate) read_back: bool,
}

/// The orders of one destination.
#[derive(Debug)]
pub(crate) struct Commits {
    tree: Arc<Tree>,
    /// Held for reading while names are given, for writing while empty folders are removed.
    shape: Arc<RwLock<()>>,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    led: bool,
}

#[derive(Debug)]
struct Waiting {
    order: Order,
    answer: oneshot::Sender<Result<Receipt>>,
}

impl Commits {
    /// No orders yet.
    pub(crate) fn new(tree: Arc<Tree>, shape: Arc<RwLock<()>>) -> Self {
        Self { tree, shape, queue: Mutex::default() }
    }

    /// Commits one order, together with whatever else waits. If this future is dropped before its batch
    /// began, nothing is committed.
    pub(crate) async fn commit(self: &Arc<Self>, order: Order) -> Result<Receipt> {
        let (answer, answered) = oneshot::channel();
        let leads = {
            let mut queue = self.lock();
            queue.waiting.push(Waiting { order, answer });
            !std::mem::replace(&mut queue.led, true)
        };
        if leads {
            let commits = Arc::clone(self);
            // Ends with the last order; every order's owner waits for its answer below.
            tokio::task::spawn_blocking(move || commits.lead());
        }
        let died = |_| Error::new(Kind::Internal, "a commit died");
        answered.await.map_err(died)?
    }

    fn lead(&self) {
        // Should a batch panic, the next order must find somebody to lead.
        let leading = Leading(self);
        while let Some(batch) = self.next_batch() {
            // Nobody waits any more for an order whose future was dropped: it is given up here.
            self.run(batch.into_iter().filter(|waiting| !waiting.answer.is_closed()).collect());
        }
        std::mem::forget(leading);
    }

    /// What waits, or `None` and the lead is given up.
    fn next_batch(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.lock();
        if queue.waiting.is_empty() {
            queue.led = false;
            return None;
        }
        let count = queue.waiting.len().min(LARGEST_BATCH);
        Some(queue.waiting.drain(..count).collect())
    }

    fn run(&self, batch: Vec<Waiting>) {
        let (orders, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.order, waiting.answer)).unzip();
        let (mut orders, proofs) = self.make_durable(orders);
        let shape = self.shape.read().unwrap_or_else(PoisonError::into_inner);
        let mut folders = Folders::default();
        let placed: Vec<_> = orders
            .iter_mut()
            .zip(proofs)
            .map(|(order, proof)| {
                let proof = proof?;
                let modified = order.temp.stamp()?.modified;
                let used = self.place(order, &mut folders)?;
                // Some programs behind FUSE take a new name for a change of the file.
                if order.temp.stamp()?.modified != modified {
                    order.temp.set_modified(modified)?;
                }
                Ok((proof, used))
            })
            .collect();
        folders.sync(&self.tree);
        drop(shape);
        for ((order, placed), answer) in orders.into_iter().zip(placed).zip(answers) {
            let receipt = placed.and_then(|(proof, used)| {
                folders.verdict(&self.tree, &used, &order)?;
                self.receipt(&order, proof)
            });
            // The unfinished file of a failed order is removed before its owner hears of it.
            drop(order);
            // An owner that left meanwhile has its item whole.
            let _ = answer.send(receipt);
        }
    }

    /// Makes the bytes of all orders durable and reads them back.
    fn make_durable(&self, orders: Vec<Order>) -> (Vec<Order>, Vec<Result<Proof>>) {
        let dated: Vec<_> = orders.iter().map(|order| self.date(order)).collect();
        let together = (orders.len() > MANY && self.tree.rules.syncs_as_a_whole)
            .then(|| sync::whole(self.tree.root.handle()))
            .flatten();
        let least = if together.is_some() { FEW_TO_READ } else { 1 };
        let proved = in_parallel(orders, least, move |order| {
            match together {
                None => order.temp.sync()?,
                Some(answer) => {
                    answer.map_err(|errno| fault(errno, Act::Write, "making files durable"))?;
                }
            }
            prove(order)
        });
        let dated = dated.into_iter().zip(proved);
        dated.map(|(dated, (order, proof))| (order, dated.and(proof))).unzip()
    }

    /// Sets the modification time. Where only size and time tell versions apart, a file that would look like the
    /// one it replaces gets a time one step later; the receipt says so.
    fn date(&self, order: &Order) -> Result<()> {
        if let Some(time) = order.modified {
            order.temp.set_modified(time)?;
        }
        let PutMode::Replace(version) = &order.mode else { return Ok(()) };
        let stamp = order.temp.stamp()?;
        if self.tree.tag(&stamp) != *version {
            return Ok(());
        }
        let step = Duration::from_nanos(self.tree.rules.granularity_ns);
        order.temp.set_modified(stamp.modified.plus(step))
    }

    /// Gives the order's file its name. Answers which folders must be durable for that.
    fn place(&self, order: &mut Order, folders: &mut Folders) -> Result<Vec<usize>> {
        let stored = self.tree.stored(&order.key);
        let (above, name) = split(&stored);
        let failed = |errno| fault(errno, Act::Write, format!("storing {}", order.key));
        let used = folders.open(&self.tree, above).map_err(failed)?;
        let folder = folders.handle(&used);
        match &order.mode {
            PutMode::Create => order.temp.place_new(folder, name).map_err(|errno| match errno {
                Errno::EXIST => Error::new(Kind::Exists, format!("{} is already there", order.key)),
                errno => fault(errno, Act::Write, format!("storing {}", order.key)),
            })?,
            PutMode::Replace(version) => {
                let found = look_in(folder, name).map_err(failed)?;
                if !found.is_some_and(|facts| self.tree.tag(&facts.stamp) == *version) {
                    return Err(replaced_by_another(&order.key));
                }
                order
                    .temp
                    .place_over(folder, name)
                    .map_err(|errno| fault(errno, Act::Write, format!("storing {}", order.key)))?;
            }
        }
        Ok(used)
    }

    fn receipt(&self, order: &Order, proof: Proof) -> Result<Receipt> {
        let stamp = order.temp.stamp()?;
        Ok(Receipt {
            version: Some(self.tree.tag(&stamp)),
            remote_id: None,
            modified: Some(stamp.modified),
            digests: order.digests,
            proof,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives up the lead, and with it all orders, when a batch panics.
struct Leading<'a>(&'a Commits);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.led = false;
        queue.waiting.clear();
    }
}

/// Compares the stored file with what was sent.
fn prove(order: &Order) -> Result<Proof> {
    let length = order.temp.stamp()?.size;
    let (length, proof) = if order.read_back && order.digests.sha256.is_some() {
        let (length, found) = order.temp.read_back()?;
        compare(&found, &order.digests, &format!("reading {} back", order.key))?;
        (length, Proof::ReadBack)
    } else {
        (length, Proof::SizeOnly)
    };
    if length != order.length {
        let context = format!("{}: {length} of {} bytes are stored", order.key, order.length);
        return Err(Error::new(Kind::Corrupt, context));
    }
    Ok(proof)
}

/// The folders that a batch touches, each opened and synced once.
#[derive(Default)]
struct Folders {
    handles: Vec<Arc<OwnedFd>>,
    /// By stored path: the folder's number, then those of the folders in which a new one was made for it.
    known: HashMap<Vec<u8>, Vec<usize>>,
    failed: HashMap<usize, Errno>,
}

impl Folders {
    fn open(&mut self, tree: &Tree, path: &[u8]) -> Result<Vec<usize>, Errno> {
        if let Some(used) = self.known.get(path) {
            return Ok(used.clone());
        }
        let (folder, grown) = tree.root.make_folder(path)?;
        let first = self.handles.len();
        self.handles.push(Arc::new(folder));
        self.handles.extend(grown.into_iter().map(Arc::new));
        let used: Vec<_> = (first..self.handles.len()).collect();
        self.known.insert(path.to_vec(), used.clone());
        Ok(used)
    }

    /// The folder that the item itself goes to.
    fn handle(&self, used: &[usize]) -> &OwnedFd {
        &self.handles[used[0]]
    }

    fn sync(&mut self, tree: &Tree) {
        let together = (self.handles.len() > MANY && tree.rules.syncs_as_a_whole)
            .then(|| sync::whole(tree.root.handle()))
            .flatten();
        let answers = if let Some(answer) = together {
            vec![answer; self.handles.len()]
        } else {
            let synced = in_parallel(self.handles.clone(), 1, |folder| sync::folder(folder));
            synced.into_iter().map(|(_, answer)| answer).collect()
        };
        let failures = answers.into_iter().enumerate();
        self.failed = failures.filter_map(|(at, answer)| Some((at, answer.err()?))).collect();
    }

    /// Whether the name of `order` is durable. If it is not, a new item loses its name again; one that
    /// replaced another keeps it, because the old one is gone.
    fn verdict(&self, tree: &Tree, used: &[usize], order: &Order) -> Result<()> {
        let Some(errno) = used.iter().find_map(|at| self.failed.get(at)) else {
            return Ok(());
        };
        if order.mode == PutMode::Create {
            let stored = tree.stored(&order.key);
            let _ = unlinkat(self.handle(used), split(&stored).1, AtFlags::empty());
        }
        Err(fault(*errno, Act::Write, format!("making the name of {} durable", order.key)))
    }
}

#[cfg(test)]
mod tests;
