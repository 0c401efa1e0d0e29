//! What was stored or trashed a moment ago: listings lag behind.
//!
//! Invariant: bounded; the oldest is forgotten first, and by then listings have caught up.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use safelight_core::key::Key;

/// So many of each are remembered: at full pace, those of more than a quarter of an hour.
const MOST: usize = 8192;

#[derive(Debug, Default)]
pub(crate) struct Fresh(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    stored: HashMap<Key, String>,
    order: VecDeque<Key>,
    trashed: HashSet<String>,
    trashed_order: VecDeque<String>,
    leaving: HashSet<String>,
}

/// A node on its way to the trash.
#[derive(Debug)]
pub(crate) struct Leaving<'a> {
    fresh: &'a Fresh,
    id: String,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.fresh.state().leaving.remove(&self.id);
    }
}

impl Fresh {
    /// The key stands under this node now.
    pub(crate) fn stored(&self, key: &Key, id: &str) {
        let mut state = self.state();
        state.trashed.remove(id);
        if state.stored.insert(key.clone(), id.to_owned()).is_none() {
            state.order.push_back(key.clone());
        }
        if state.order.len() > MOST
            && let Some(oldest) = state.order.pop_front()
        {
            state.stored.remove(&oldest);
        }
    }

    pub(crate) fn node(&self, key: &Key) -> Option<String> {
        self.state().stored.get(key).cloned()
    }

    /// Everything that was stored a moment ago.
    pub(crate) fn all(&self) -> Vec<(Key, String)> {
        self.state().stored.iter().map(|(key, id)| (key.clone(), id.clone())).collect()
    }

    /// The key stands under nothing that is known.
    pub(crate) fn forget(&self, key: &Key) {
        let mut state = self.state();
        if state.stored.remove(key).is_some() {
            state.order.retain(|other| other != key);
        }
    }

    /// The node is in the trash now, whatever listings say.
    pub(crate) fn trashed(&self, id: &str) {
        let mut state = self.state();
        if state.trashed.insert(id.to_owned()) {
            state.trashed_order.push_back(id.to_owned());
        }
        if state.trashed_order.len() > MOST
            && let Some(oldest) = state.trashed_order.pop_front()
        {
            state.trashed.remove(&oldest);
        }
    }

    /// The node came back.
    pub(crate) fn restored(&self, id: &str) {
        self.state().trashed.remove(id);
    }

    pub(crate) fn is_trashed(&self, id: &str) -> bool {
        self.state().trashed.contains(id)
    }

    /// Marks a node that goes to the trash, for as long as the answer lives; `None` if another does that already.
    pub(crate) fn leave(&self, id: &str) -> Option<Leaving<'_>> {
        let marked = self.state().leaving.insert(id.to_owned());
        marked.then(|| Leaving { fresh: self, id: id.to_owned() })
    }

    /// Whether nobody may rely on the node any more.
    pub(crate) fn is_leaving(&self, id: &str) -> bool {
        let state = self.state();
        state.leaving.contains(id) || state.trashed.contains(id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
