//! The one task that sends small items: several bundles at once, each many items in one request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, FuturesUnordered};
use futures::{FutureExt as _, StreamExt as _};
use safelight_core::error::{Error, Kind, Result, Retry};
use serde_json::{Value, json};

use crate::finish::Finish;
use crate::hash;
use crate::intake::{Bundle, Order};
use crate::store::Store;
use crate::trouble::Trouble;
use crate::wire::{Entries, Session};

/// Bundles that are under way at once.
const AT_ONCE: usize = 4;
/// Items that are under way at once where bundles are not taken.
const SINGLES: usize = 8;
const TRIES: u32 = 4;
const DOING: &str = "sending small files";

/// Works until it is aborted, which its owner does when the destination is closed.
pub(crate) async fn courier(store: Arc<Store>) {
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            bundle = store.intake.next(), if under_way.len() < AT_ONCE => {
                // Should a bundle panic, its callers are told, and the next ones must find somebody at work.
                under_way.push(AssertUnwindSafe(store.deliver(bundle)).catch_unwind());
            }
            Some(_) = under_way.next() => {}
        }
    }
}

impl Store {
    async fn deliver(&self, bundle: Bundle) {
        let Bundle { mut orders, full } = bundle;
        // Nobody waits any more for an item whose future was dropped: it is given up here.
        orders.retain(|order| !order.answer.is_closed());
        if orders.len() > 1 && self.intake.takes_bundles() {
            orders = self.deliver_bundle(orders, full).await;
        }
        let singles = orders.into_iter().map(|order| self.deliver_single(order));
        stream::iter(singles).buffer_unordered(SINGLES).collect::<()>().await;
    }

    /// Answers what has to go by itself.
    async fn deliver_bundle(&self, orders: Vec<Order>, full: bool) -> Vec<Order> {
        let sessions = match self.bundle_sessions(orders.len(), full).await {
            Ok(sessions) => sessions,
            Err(trouble) if trouble.unknown_route() => {
                self.intake.no_bundles();
                return orders;
            }
            Err(trouble) => return refuse(orders, trouble),
        };
        let pieces: Vec<Bytes> = orders.iter().map(|order| order.bytes.clone()).collect();
        let hash = match content_of(pieces.clone()).await {
            Ok(hash) => hash,
            Err(error) => return refuse(orders, error.into()),
        };
        let entries: Vec<_> = orders
            .iter()
            .zip(&sessions)
            .map(|(order, session)| {
                json!({
                    "cursor": {"session_id": session, "offset": 0},
                    "length": order.bytes.len(),
                    "close": true,
                })
            })
            .collect();
        let argument = json!({"entries": entries, "content_hash": hex::encode(hash)});
        let results = match self.append_bundle(&argument, &pieces).await {
            Ok(results) if results.len() == orders.len() => results,
            Ok(_) => {
                let error = Error::new(Kind::Protocol, format!("{DOING}: entries are missing"));
                return refuse(orders, error.into());
            }
            Err(trouble) if trouble.unknown_route() => {
                self.intake.no_bundles();
                return orders;
            }
            Err(trouble) if trouble.has("payload_too_large") => return orders,
            Err(trouble) => return refuse(orders, trouble),
        };
        let mut left = Vec::new();
        for ((order, session), result) in orders.into_iter().zip(sessions).zip(results) {
            match taken(&result, &order) {
                Ok(true) => self.hand_in(order, session),
                Ok(false) => left.push(order),
                Err(trouble) => drop(refuse(vec![order], *trouble)),
            }
        }
        left
    }

    async fn bundle_sessions(&self, count: usize, full: bool) -> Result<Vec<String>, Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.intake.sessions.take(&self.api, count, full).await {
                Ok(sessions) if sessions.len() == count => {
                    self.intake.note_id(&sessions[0]);
                    return Ok(sessions);
                }
                Ok(_) => {
                    let context = format!("{DOING}: sessions are missing");
                    return Err(Error::new(Kind::Protocol, context).retry(Retry::Never).into());
                }
                Err(trouble) if trouble.may_pass() && tries < TRIES => {
                    self.api.pace.back_off(tries, &trouble.error).await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    async fn append_bundle(
        &self,
        argument: &Value,
        pieces: &[Bytes],
    ) -> Result<Vec<Value>, Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            let route = "files/upload_session/append_batch";
            match self.api.upload::<Entries>(route, argument, pieces, DOING).await {
                Ok(answer) => return Ok(answer.entries),
                Err(trouble) if trouble.may_pass() && tries < TRIES => {
                    self.api.pace.back_off(tries, &trouble.error).await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// One item in one request. Its failure belongs to one caller, who may try again.
    async fn deliver_single(&self, order: Order) {
        let doing = format!("storing {}", order.target.key);
        let pieces = [order.bytes.clone()];
        match self.closed_session(&pieces, order.target.hash, &doing).await {
            Ok(session) => self.hand_in(order, session),
            Err(trouble) => {
                let _ = order.answer.send(Err(trouble.error));
            }
        }
    }

    /// Sends everything there is of an item and closes its session.
    pub(crate) async fn closed_session(
        &self,
        pieces: &[Bytes],
        hash: hash::Digest,
        doing: &str,
    ) -> Result<String, Trouble> {
        let argument = json!({"close": true, "content_hash": hex::encode(hash)});
        let route = "files/upload_session/start";
        Ok(self.api.upload::<Session>(route, &argument, pieces, doing).await?.session_id)
    }

    fn hand_in(&self, order: Order, session: String) {
        let Order { target, inbound, answer, .. } = order;
        self.desk.finish(Finish { session, target, answer });
        drop(inbound);
    }
}

/// Whether a session has the whole item; `false` asks for another session.
fn taken(result: &Value, order: &Order) -> Result<bool, Box<Trouble>> {
    if result.get(".tag").and_then(Value::as_str) == Some("success") {
        return Ok(true);
    }
    let doing = format!("storing {}", order.target.key);
    let trouble = Trouble::of_entry(result.get("failure").unwrap_or(&Value::Null), &doing);
    // A try whose answer was lost arrived. Whether it was this item, its content hash will show.
    if trouble.has("closed") || trouble.correct_offset == Some(order.target.size) {
        return Ok(true);
    }
    if trouble.has("not_found") { Ok(false) } else { Err(Box::new(trouble)) }
}

/// Tells all callers. What was tried often enough here is not to be tried again outside.
fn refuse(orders: Vec<Order>, trouble: Trouble) -> Vec<Order> {
    let error = match trouble.error.retry_advice() {
        Retry::After(_) | Retry::NeedsPerson => trouble.error,
        _ => trouble.error.retry(Retry::Never),
    };
    for order in orders {
        let _ = order.answer.send(Err(error.duplicate()));
    }
    Vec::new()
}

/// The content hash of many pieces, computed where it does not hold others up.
pub(crate) async fn content_of(pieces: Vec<Bytes>) -> Result<hash::Digest> {
    Ok(hash::content(&blocks_of(pieces).await?))
}

/// The digests of the blocks of many pieces, computed where it does not hold others up.
pub(crate) async fn blocks_of(pieces: Vec<Bytes>) -> Result<Vec<hash::Digest>> {
    let hashing = tokio::task::spawn_blocking(move || hash::blocks(&pieces));
    hashing.await.map_err(|_| Error::new(Kind::Internal, "hashing died"))
}
