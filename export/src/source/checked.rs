//! What came, compared with what the service says: fetched again if it differs, kept and flagged if it differs twice in the
//! same way, and not asked for any more once the service is gone.

use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::entry::Entry;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;

use super::fetch::{End, Fetch};
use super::{Marks, Shared};
use crate::settle::spoken;

/// How often an item is fetched that comes out wrong.
const ROUNDS: u32 = 3;
/// After so many failures in a row the service counts as gone.
const FAILURES: u32 = 16;

impl Shared {
    pub(super) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        self.shown.binary_search_by(|shown| shown.entry.key.cmp(key)).ok()
    }

    /// Learns how a fetch went. A service that lets nobody in, or fails again and again, is not asked any more: thousands
    /// of items would each take their tries.
    pub(super) fn learn(&self, error: Option<&Error>) {
        let mut marks = self.marks();
        let Some(error) = error else {
            marks.failures = 0;
            return;
        };
        marks.failures += match error.kind() {
            Kind::SignIn => FAILURES,
            Kind::Unavailable | Kind::Timeout | Kind::RateLimited => 1,
            _ => 0,
        };
        if marks.failures >= FAILURES && marks.down.is_none() {
            marks.down = Some(error.duplicate());
            self.stop.gently.cancel();
        }
    }

    pub(super) fn ask(&self) -> Result<()> {
        self.marks().down.as_ref().map_or(Ok(()), |error| Err(error.duplicate()))
    }

    /// Whether these bytes, which are not those of the service's digest, came before; then there is nothing better.
    fn came_before(&self, at: usize, came: &Digests) -> bool {
        let Entry { key, file_id, .. } = &self.shown[at].entry;
        let sha256 = came.sha256.unwrap_or_default();
        let mut marks = self.marks();
        if marks.wrong.insert(key.clone(), sha256) != Some(sha256) {
            return false;
        }
        marks.flags.add(file_id.unwrap_or_default(), sha256);
        if !marks.flagged.contains(key) {
            marks.flagged.push(key.clone());
        }
        true
    }

    /// All of an item, checked.
    pub(super) async fn whole(self: &Arc<Self>, at: usize) -> Result<Bytes> {
        let Entry { size, digests, .. } = &self.shown[at].entry;
        let mut rounds = 1;
        loop {
            // Digested for what the service says of it, and no more: the engine takes its own of the same bytes.
            let mut fetch = Fetch::new(Arc::clone(self), at, Hasher::to_compare(digests));
            let mut bytes = BytesMut::with_capacity(usize::try_from(*size).unwrap_or_default());
            let ended = loop {
                match fetch.next().await {
                    Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                    Ok(None) => break Ok(fetch.end()),
                    Err(error) => break Err(error),
                }
            };
            match ended {
                Ok(End::Right) => return Ok(bytes.freeze()),
                Ok(End::Wrong(_)) if self.came_before(at, &sha256(&bytes)) => {
                    return Ok(bytes.freeze());
                }
                Ok(End::Wrong(_)) if rounds < ROUNDS => {}
                Ok(End::Wrong(_)) => return Err(self.wrong(at)),
                Err(error) if error.kind() == Kind::Corrupt && rounds < ROUNDS => {}
                Err(error) => return Err(error),
            }
            rounds += 1;
        }
    }

    /// One item, chunk by chunk, of which it has to be known what came should it be wrong.
    fn passing(self: &Arc<Self>, at: usize) -> Fetch {
        let hasher = Hasher::new(spoken(&self.shown[at].entry.digests));
        Fetch::new(Arc::clone(self), at, hasher)
    }

    /// After an item that was handed on came out wrong: fetches it once more to see whether it does so again.
    async fn again(self: &Arc<Self>, at: usize, first: &Digests) -> Result<()> {
        if self.came_before(at, first) {
            return Ok(());
        }
        let mut fetch = self.passing(at);
        while fetch.next().await?.is_some() {}
        match fetch.end() {
            End::Wrong(second) if self.came_before(at, &second) => Ok(()),
            _ => Err(self.wrong(at)),
        }
    }

    fn wrong(&self, at: usize) -> Error {
        let context =
            format!("reading {}: other bytes came than the service holds", self.shown[at].original);
        Error::new(Kind::Corrupt, context)
    }
}

fn sha256(bytes: &[u8]) -> Digests {
    Hasher::of(bytes, Algorithms::default())
}

/// Chunk by chunk; the end comes only after the whole was checked.
pub(super) fn streamed(shared: &Arc<Shared>, at: usize) -> BoxStream<'static, Result<Bytes>> {
    stream::unfold(Some(shared.passing(at)), |state| async move {
        let mut fetch = state?;
        match fetch.next().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(fetch))),
            Ok(None) => match fetch.end() {
                End::Right => {
                    fetch.shared.learn(None);
                    None
                }
                End::Wrong(came) => {
                    let error = fetch.shared.again(fetch.at, &came).await.err()?;
                    Some((Err(error), None))
                }
            },
            Err(error) => {
                fetch.shared.learn(Some(&error));
                Some((Err(error), None))
            }
        }
    })
    .boxed()
}
