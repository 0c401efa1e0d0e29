//! Fetching one item: with patience, going on where a connection broke off, and with an eye on what comes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::{Either, select};
use futures::stream::BoxStream;
use safelight_core::digest::{Digests, Hasher};
use safelight_core::error::{Error, Kind, Result, Retry, Scope};

use super::{Shared, Shown};

/// How often a broken connection is taken up without a byte in between.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// How a fetch that came to its end came out.
pub(super) enum End {
    /// It is what the service tells of, as far as it tells.
    Right,
    /// Its size is right and its digest is not. What is known of what came.
    Wrong(Digests),
}

pub(super) struct Fetch {
    pub(super) shared: Arc<Shared>,
    pub(super) at: usize,
    bytes: Option<BoxStream<'static, Result<Bytes>>>,
    hasher: Option<Hasher>,
    received: u64,
    /// The provider itself found that the whole is not what it should be.
    refused: bool,
    tries: u32,
    waited: Duration,
    window: (Duration, u64),
}

impl Fetch {
    /// Fetches the item at that place; what comes goes through `hasher`.
    pub(super) fn new(shared: Arc<Shared>, at: usize, hasher: Hasher) -> Self {
        Self {
            shared,
            at,
            bytes: None,
            hasher: Some(hasher),
            received: 0,
            refused: false,
            tries: 0,
            waited: Duration::ZERO,
            window: (Duration::ZERO, 0),
        }
    }

    fn shown(&self) -> &Shown {
        &self.shared.shown[self.at]
    }

    fn size(&self) -> u64 {
        self.shown().entry.size
    }

    /// The next bytes; `None` once exactly the listed number came.
    ///
    /// # Errors
    /// What cannot be mended by going on: [`Kind::Corrupt`] if more comes than is listed.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let error = match self.step().await {
                Ok(Some(chunk)) if chunk.is_empty() => continue,
                Ok(Some(chunk)) => return self.took(chunk).map(Some),
                Ok(None) if self.received == self.size() => return Ok(None),
                Ok(None) => {
                    let (came, of) = (self.received, self.size());
                    self.trouble(Kind::Unavailable, &format!("{came} of {of} bytes came"))
                }
                // The provider compared the whole by itself.
                Err(error) if error.kind() == Kind::Corrupt && self.received == self.size() => {
                    self.refused = true;
                    return Ok(None);
                }
                Err(error) => error,
            };
            self.bytes = None;
            self.mend(error).await?;
        }
    }

    /// How it came out, after the end.
    pub(super) fn end(&mut self) -> End {
        let Some(hasher) = self.hasher.take() else { return End::Right };
        let digests = hasher.finish();
        let differs = self.shown().entry.digests.compare(&digests).is_err();
        if differs || self.refused { End::Wrong(digests) } else { End::Right }
    }

    async fn step(&mut self) -> Result<Option<Bytes>> {
        let idle = self.shared.patience.idle;
        let Some(bytes) = &mut self.bytes else {
            self.open().await?;
            return Ok(Some(Bytes::new()));
        };
        let began = self.shared.clock.elapsed();
        let answer = match select(bytes.next(), self.shared.clock.sleep(idle)).await {
            Either::Left((chunk, _)) => chunk.transpose(),
            Either::Right(_) => Err(self.trouble(Kind::Timeout, "nothing more came")),
        };
        let span = self.shared.clock.elapsed().saturating_sub(began);
        self.waited += span;
        self.window.0 += span;
        let patience = self.shared.patience;
        let total = patience.total + Duration::from_secs(self.size() / patience.total_rate.max(1));
        if self.waited > total {
            // Not to be tried again in this run.
            return Err(self
                .trouble(Kind::Timeout, "it does not come to an end")
                .retry(Retry::Never));
        }
        if self.window.0 >= patience.window {
            let slow = self.window.1 < patience.window_bytes;
            self.window = (Duration::ZERO, 0);
            if slow && self.received < self.size() {
                return Err(self.trouble(Kind::Timeout, "it comes too slowly"));
            }
        }
        answer
    }

    async fn open(&mut self) -> Result<()> {
        let Shown { entry, original } = &self.shared.shown[self.at];
        let rest = (self.received > 0).then_some(self.received..entry.size);
        let opening = self.shared.service.read(original, rest, entry.version.as_ref());
        let patience = self.shared.clock.sleep(self.shared.patience.answer);
        self.bytes = match select(opening, patience).await {
            Either::Left((opened, _)) => Some(opened?.bytes),
            Either::Right(_) => return Err(self.trouble(Kind::Timeout, "no answer came")),
        };
        Ok(())
    }

    fn took(&mut self, chunk: Bytes) -> Result<Bytes> {
        self.received += chunk.len() as u64;
        self.window.1 += chunk.len() as u64;
        if self.received > self.size() {
            let context = format!("more than the listed {} bytes came", self.size());
            return Err(self.trouble(Kind::Corrupt, &context));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&chunk);
        }
        self.tries = 0;
        Ok(chunk)
    }

    /// Waits before going on where it broke off, or gives up.
    async fn mend(&mut self, error: Error) -> Result<()> {
        self.tries += 1;
        let stuck = self.received > 0 && !self.shared.service.capabilities().ranges;
        let local = error.reach() == Scope::Run || error.kind() == Kind::Corrupt;
        if stuck || local || self.tries >= TRIES {
            return Err(error);
        }
        let wait = match error.retry_advice() {
            Retry::Never | Retry::NeedsPerson => return Err(error),
            Retry::Now => Duration::ZERO,
            Retry::After(wait) => wait,
            Retry::BackOff => FIRST_WAIT * 4_u32.pow(self.tries - 1),
        };
        if wait > LONGEST_WAIT {
            return Err(error);
        }
        tracing::debug!(%error, ?wait, "going on");
        self.shared.clock.sleep(wait).await;
        // Others may have found out meanwhile that nobody answers.
        self.shared.ask()
    }

    fn trouble(&self, kind: Kind, what: &str) -> Error {
        let context = format!("reading {}: {what}", self.shown().original);
        Error::new(kind, context).scope(Scope::Item)
    }
}
