//! Reading folders ahead of the walk, so that several requests are at the disk at once.
//!
//! Invariant: what was read and not yet used stays below a fixed number of findings, give or take one folder
//! per thread. All threads end before [`run`] returns.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::io::Errno;
use safelight_core::key::Key;

use super::folder::{Folder, Reader};

/// Threads besides the one that walks.
const HELPERS: usize = 2;
/// Findings that may lie ready.
const READY: usize = 20_000;

/// A folder that will be needed.
#[derive(Debug)]
pub(super) struct Slot {
    /// Which; `None` for the root.
    pub(super) key: Option<Key>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Waiting,
    Taken,
    Done(Result<Folder, Errno>),
}

impl Slot {
    pub(super) fn new(key: Option<Key>) -> Self {
        Self { key, state: Mutex::new(State::Waiting) }
    }

    /// Takes what is there and leaves `Taken`.
    fn take(&self) -> State {
        std::mem::replace(&mut *locked(&self.state), State::Taken)
    }

    fn is_waiting(&self) -> bool {
        matches!(*locked(&self.state), State::Waiting)
    }

    fn done(&self, answer: Result<Folder, Errno>) {
        *locked(&self.state) = State::Done(answer);
    }
}

#[derive(Default)]
struct Board {
    /// Folders that will be needed; the next one is the last.
    open: Vec<Arc<Slot>>,
    /// Findings that were read and not yet used.
    ready: usize,
    closed: bool,
}

/// The look-ahead of one listing.
pub(super) struct Ahead<'a> {
    reader: &'a Reader<'a>,
    board: Mutex<Board>,
    changed: Condvar,
}

/// Runs `walk` with helpers that read ahead of it.
pub(super) fn run<T>(reader: &Reader<'_>, walk: impl FnOnce(&Ahead<'_>) -> T) -> T {
    let ahead = Ahead { reader, board: Mutex::default(), changed: Condvar::new() };
    thread::scope(|scope| {
        // Also when the walk panics the helpers must end, or the scope would wait for ever.
        let _closing = Closing(&ahead);
        for _ in 0..HELPERS {
            // Without a helper the walk reads everything itself.
            let _ = thread::Builder::new().spawn_scoped(scope, || ahead.help());
        }
        walk(&ahead)
    })
}

struct Closing<'a, 'b>(&'a Ahead<'b>);

impl Drop for Closing<'_, '_> {
    fn drop(&mut self) {
        locked(&self.0.board).closed = true;
        self.0.changed.notify_all();
    }
}

impl Ahead<'_> {
    /// Announces folders that will be needed, in this order, before all that were announced earlier.
    pub(super) fn offer(&self, slots: impl DoubleEndedIterator<Item = Arc<Slot>>) {
        let mut board = locked(&self.board);
        board.open.extend(slots.rev());
        if !board.open.is_empty() {
            self.changed.notify_all();
        }
    }

    /// The content of a folder: read ahead, or now. May be asked once.
    pub(super) fn read(&self, slot: &Slot) -> Result<Folder, Errno> {
        let mut board = locked(&self.board);
        loop {
            match slot.take() {
                State::Waiting => {
                    while board.open.last().is_some_and(|next| !next.is_waiting()) {
                        board.open.pop();
                    }
                    drop(board);
                    return self.reader.read(slot.key.as_ref());
                }
                State::Done(answer) => {
                    board.ready -= weight(&answer);
                    self.changed.notify_all();
                    return answer;
                }
                State::Taken => {
                    board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn help(&self) {
        let mut board = locked(&self.board);
        while !board.closed {
            let next = if board.ready < READY { board.open.pop() } else { None };
            let Some(slot) = next else {
                board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if !slot.is_waiting() {
                continue;
            }
            slot.take();
            drop(board);
            let answer = self.reader.read(slot.key.as_ref());
            board = locked(&self.board);
            board.ready += weight(&answer);
            slot.done(answer);
            self.changed.notify_all();
        }
    }
}

/// How much of the look-ahead a folder uses up; an empty one still holds memory.
fn weight(answer: &Result<Folder, Errno>) -> usize {
    answer.as_ref().map_or(1, |folder| folder.len() + 1)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
