//! The pump: one read of a large item, chunk by chunk, to several lanes.
//!
//! Invariant: the last chunk is handed over only after the source vouched for the whole, so that no lane can
//! commit something that changed while it was read.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use tokio_util::sync::CancellationToken;

use super::source::{Judgement, as_library_error, judge, stat_of};
use super::transfer::Shared;
use crate::body::BodySender;
use crate::catalog::{Content, Stat, Work};
use crate::codes;
use crate::error::{Error, Kind, Result};
use crate::monitor::Event;

/// How often it is looked whether a lane that is waited for keeps others idle.
const TICK: Duration = Duration::from_millis(10);

/// One lane that takes chunks.
pub struct Outlet {
    lane: usize,
    sender: BodySender,
    detached: CancellationToken,
}

impl Outlet {
    /// A lane and the body it is fed through; `detached` tells it that it gets no more.
    pub fn new(lane: usize, sender: BodySender, detached: CancellationToken) -> Self {
        Self { lane, sender, detached }
    }
}

/// Reads an item once and hands it to all outlets; answers what was read and the stat that belongs to it.
/// Outlets that keep the others idle for too long are detached and told so.
///
/// # Errors
/// The library's; [`Kind::Cancelled`] if no outlet takes bytes any more; code
/// [`codes::SUSPECTED_DAMAGE`] if the content is not the recorded one. All outlets end with an error then.
pub async fn pump(shared: &Shared, work: &Work, outlets: Vec<Outlet>) -> Result<(Content, Stat)> {
    let mut pump = Pump { shared, outlets };
    match pump.run(work).await {
        Ok((content, stat)) => {
            for outlet in pump.outlets {
                outlet.sender.finish(content.digests);
            }
            Ok((content, stat))
        }
        Err(error) => {
            for outlet in pump.outlets {
                // Whoever is gone needs no telling.
                let _ = outlet.sender.send(Err(error.duplicate())).await;
            }
            Err(error)
        }
    }
}

struct Pump<'a> {
    shared: &'a Shared,
    outlets: Vec<Outlet>,
}

impl Pump<'_> {
    async fn run(&mut self, work: &Work) -> Result<(Content, Stat)> {
        let mut opened = self.shared.source.open(work).await?;
        let stat = stat_of(&opened.entry);
        if stat.size != work.stat.size {
            return Err(as_library_error(Error::new(Kind::Changed, "its size changed")));
        }
        let mut hasher = self.shared.source.hasher();
        let mut held_back: Option<Bytes> = None;
        while let Some(chunk) = opened.bytes.try_next().await.map_err(as_library_error)? {
            self.shared.source.count(chunk.len());
            hasher.update(&chunk);
            if let Some(before) = held_back.replace(chunk) {
                self.hand_over(before).await?;
            }
        }
        let content = Content { size: hasher.length(), digests: hasher.finish() };
        if judge(work, &stat, &content.digests) == Judgement::Suspect {
            let error = Error::new(Kind::Changed, "held back").code(codes::SUSPECTED_DAMAGE);
            return Err(error);
        }
        if let Some(last) = held_back {
            self.hand_over(last).await?;
        }
        Ok((content, stat))
    }

    async fn hand_over(&mut self, chunk: Bytes) -> Result<()> {
        let mut at = 0;
        while at < self.outlets.len() {
            let alone = self.outlets.len() == 1;
            let outlet = &self.outlets[at];
            let lane = outlet.lane;
            match self.send(outlet, chunk.clone(), alone).await {
                Sent::Yes => {
                    let destination = &self.shared.lanes[lane].name;
                    let bytes = chunk.len() as u64;
                    self.shared.sent.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
                    self.shared.tools.monitor.event(&Event::Sent { destination, bytes });
                    at += 1;
                }
                Sent::Gone => {
                    self.outlets.remove(at);
                }
                Sent::TooSlow => {
                    self.outlets.remove(at).detached.cancel();
                }
            }
        }
        if self.outlets.is_empty() {
            return Err(Error::new(Kind::Cancelled, "no destination takes the bytes any more"));
        }
        Ok(())
    }

    async fn send(&self, outlet: &Outlet, chunk: Bytes, alone: bool) -> Sent {
        let said = |result: Result<()>| if result.is_ok() { Sent::Yes } else { Sent::Gone };
        if alone || outlet.sender.room() > 0 {
            return said(outlet.sender.send(Ok(chunk)).await);
        }
        loop {
            tokio::select! {
                biased;
                sent = outlet.sender.send(Ok(chunk.clone())) => return said(sent),
                () = self.shared.tools.clock.sleep(TICK) => {}
            }
            // Waiting costs nothing as long as the others have something to write.
            if self.outlets.iter().any(|other| other.sender.is_drained()) {
                self.shared.holdings.waited_for(outlet.lane, TICK);
                if self.shared.holdings.patience(outlet.lane).is_zero() {
                    return Sent::TooSlow;
                }
            }
        }
    }
}

enum Sent {
    Yes,
    Gone,
    TooSlow,
}
