//! Carrying a large item: chunk by chunk to the lanes that have a place for it.
//!
//! Invariant: every lane of the parcel is released and its leg settled, whether it took the item, failed, or
//! was left behind because it could not keep up.

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use tokio::sync::SemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::{End, Errand};
use crate::body::Body;
use crate::catalog::{Content, Freshness};
use crate::codes;
use crate::error::{Kind, Result};
use crate::mirror::deliver::Prepared;
use crate::mirror::pump::{Outlet, pump};
use crate::mirror::record::Arrival;
use crate::provider::Receipt;

/// Chunks that may wait for one lane.
const WINDOW: usize = 8;

/// What a lane answered to a stream: nothing if it did not begin, else what was prepared and the put's answer.
/// An error came from outside of the put, or is final.
type StreamedAnswer = Result<Option<(Prepared, Result<Receipt>)>>;

impl Errand<'_> {
    /// Carries an item that passes through chunk by chunk.
    pub(super) async fn streamed(mut self) {
        let known = self.work().stat;
        if self.is_unknown(&known)
            && let Ok(traits) = self.shared.source.look_at(&self.shared.look, self.work()).await
        {
            self.found(traits);
        }
        let lanes = if self.must_know_first() {
            let Some(reader) = self.reader().await else { return self.give_all_back().await };
            let digested = self.shared.source.digest(self.work()).await;
            drop(reader);
            let (content, stat) = match digested {
                Ok(known) => known,
                Err(error) => return self.unreadable(&error).await,
            };
            let Some(lanes) = self.understood(&content, stat).await else { return };
            self.move_what_can(lanes, &content).await
        } else {
            self.parcel.lanes.clone()
        };
        let lanes = self.admitted(lanes).await;
        if !lanes.is_empty() {
            self.stream_to(&lanes).await;
        }
    }

    /// Those lanes that have room for it; the others are settled.
    async fn admitted(&self, lanes: Vec<usize>) -> Vec<usize> {
        let mut admitted = Vec::new();
        for lane in lanes {
            let end = match self.leg(lane).map(|leg| self.admit(lane, leg, self.work().stat.size)) {
                Some(Ok(())) => {
                    admitted.push(lane);
                    continue;
                }
                Some(Err(code)) => End::Held(code),
                None => End::GivenBack,
            };
            self.shared.holdings.release(lane, self.parcel.bytes);
            self.end(lane, end).await;
        }
        admitted
    }

    /// Whether the digest may spare sending: the content may be what is stored already, or what a gone item had.
    fn must_know_first(&self) -> bool {
        let work = self.work();
        let same_size = work.content.is_some_and(|known| known.size == work.stat.size);
        (work.freshness != Freshness::Fresh && same_size)
            || self.shared.gone_sizes.contains(&work.stat.size)
    }

    async fn move_what_can(&self, lanes: Vec<usize>, content: &Content) -> Vec<usize> {
        let mut left = Vec::new();
        for lane in lanes {
            let end = match self.leg(lane) {
                None => End::GivenBack,
                Some(leg) => match self.moved(lane, leg, content).await {
                    Ok(Some(delivered)) => End::Delivered(Box::new(delivered), Arrival::Moved),
                    Ok(None) => {
                        left.push(lane);
                        continue;
                    }
                    Err(error) => End::Failed(error),
                },
            };
            self.shared.holdings.release(lane, self.parcel.bytes);
            self.end(lane, end).await;
        }
        left
    }

    async fn stream_to(&self, lanes: &[usize]) {
        let seats = self.seats(lanes).await;
        if seats.is_empty() {
            return;
        }
        let length = self.work().stat.size;
        let (mut outlets, mut legs, mut lanes) = (Vec::new(), Vec::new(), Vec::new());
        for (lane, place) in seats {
            let (sender, body) = Body::stream(length, WINDOW);
            let detached = CancellationToken::new();
            outlets.push(Outlet::new(lane, sender, detached.clone()));
            legs.push(self.seated_leg(lane, place, body, detached));
            lanes.push(lane);
        }
        let pumping = pump(self.shared, self.work(), outlets);
        let (pumped, answers) = tokio::join!(pumping, join_all(legs));
        // Lanes that were left behind are settled already.
        let answers: Vec<_> = answers
            .into_iter()
            .zip(&lanes)
            .filter_map(|(answer, lane)| Some((*lane, answer?)))
            .collect();
        let lanes: Vec<_> = answers.iter().map(|(lane, _)| *lane).collect();
        match pumped {
            Ok((content, stat)) => {
                self.read(&content, stat, Vec::new()).await;
                self.settle_streamed(answers, &content).await;
            }
            // Nobody took the bytes to their end: each lane has its own reason.
            Err(error) if error.kind() == Kind::Cancelled => self.settle_unread(answers).await,
            Err(error) if error.id() == codes::SUSPECTED_DAMAGE => self.suspect(&lanes).await,
            Err(error) => self.unreadable_at(&lanes, &error).await,
        }
    }

    /// Waits for a place in one of the lanes, and for the others as long as their patience lasts. Lanes
    /// without a place are settled; they take the item later.
    async fn seats(&self, lanes: &[usize]) -> Vec<(usize, SemaphorePermit<'_>)> {
        let mut waiting: FuturesUnordered<_> =
            lanes.iter().map(|lane| async move { (*lane, self.place(*lane).await) }).collect();
        let mut left = lanes.to_vec();
        let mut seats: Vec<(usize, SemaphorePermit<'_>)> = Vec::new();
        let clock = &self.shared.tools.clock;
        while !left.is_empty() {
            let patience = left.iter().map(|lane| self.shared.holdings.patience(*lane)).max();
            let before = clock.elapsed();
            let seat = tokio::select! {
                biased;
                seat = waiting.next() => seat,
                () = clock.sleep(patience.unwrap_or_default()), if !seats.is_empty() => None,
            };
            if !seats.is_empty() {
                let span = clock.elapsed().saturating_sub(before);
                for lane in &left {
                    self.shared.holdings.waited_for(*lane, span);
                }
            }
            let Some((lane, place)) = seat else { break };
            if let Some(place) = place {
                left.retain(|one| *one != lane);
                seats.push((lane, place));
            }
        }
        drop(waiting);
        for lane in left {
            self.give_back(lane).await;
        }
        // In the order of the config, so that equal runs are equal.
        seats.sort_by_key(|(lane, _)| *lane);
        seats
    }

    /// `None` if the lane was left behind; then it is settled.
    async fn seated_leg(
        &self,
        lane: usize,
        _place: SemaphorePermit<'_>,
        body: Body,
        detached: CancellationToken,
    ) -> Option<StreamedAnswer> {
        // A lane that was left behind may still be busy for long; the others are not to wait for it.
        let answer = tokio::select! {
            biased;
            () = detached.cancelled() => None,
            answer = self.streamed_leg(lane, body) => Some(answer),
        };
        match answer {
            Some(_) => self.shared.holdings.release(lane, self.parcel.bytes),
            None => self.give_back(lane).await,
        }
        answer
    }

    async fn settle_streamed(&self, answers: Vec<(usize, StreamedAnswer)>, content: &Content) {
        for (lane, answer) in answers {
            let end = match (answer, self.leg(lane)) {
                (Err(error), _) => End::Failed(error),
                (Ok(Some((prepared, answer))), Some(leg)) => {
                    let delivery = self.delivery(lane);
                    match delivery.settle(self.work(), leg, content, prepared, answer).await {
                        Ok(delivered) => {
                            let how = if delivered.without_sending {
                                Arrival::Recognised
                            } else {
                                Arrival::Sent
                            };
                            End::Delivered(Box::new(delivered), how)
                        }
                        Err(error) => End::Failed(error),
                    }
                }
                _ => End::GivenBack,
            };
            self.end(lane, end).await;
        }
    }

    /// Settles legs whose lanes stopped taking bytes. Where something stands already, the item has to be read
    /// on its own to know whether it is the same.
    async fn settle_unread(&self, answers: Vec<(usize, StreamedAnswer)>) {
        let occupied = answers.iter().any(|(_, answer)| matches!(answer, Ok(Some((_, Err(_))))));
        if !occupied {
            for (lane, answer) in answers {
                let end = answer.err().map_or(End::GivenBack, End::Failed);
                self.end(lane, end).await;
            }
            return;
        }
        match self.shared.source.digest(self.work()).await {
            Ok((content, stat)) => {
                self.read(&content, stat, Vec::new()).await;
                self.settle_streamed(answers, &content).await;
            }
            Err(error) => {
                let lanes: Vec<_> = answers.into_iter().map(|(lane, _)| lane).collect();
                self.unreadable_at(&lanes, &error).await;
            }
        }
    }

    /// `None` if the lane is not to begin any more.
    async fn streamed_leg(&self, lane: usize, body: Body) -> StreamedAnswer {
        let Some(leg) = self.leg(lane) else { return Ok(None) };
        let delivery = self.delivery(lane);
        let prepared = delivery.prepare(self.work(), leg).await?;
        let work = self.work();
        let known = if work.freshness == Freshness::Fresh { work.content } else { None };
        let digests = known.map(|content| content.digests).unwrap_or_default();
        let answer = delivery.put(work, &prepared, digests, work.stat.modified, body).await;
        match answer {
            // Only "something is there" needs the content to be understood; the rest is final here.
            Err(error) if !matches!(error.kind(), Kind::Exists | Kind::Changed) => Err(error),
            answer => Ok(Some((prepared, answer))),
        }
    }
}
