//! Into the trash, and away for good: many at once, as many as a call takes.
//!
//! Whoever comes while a call is under way is taken along by the next one.

use std::sync::{Mutex, PoisonError};

use http::Method;
use safelight_core::error::{Error, Result};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::api::Api;
use crate::node::{Node, Status};
use crate::trouble::Trouble;

/// The most ids in one call.
const MOST: usize = 50;

/// Where nodes wait to be trashed or purged.
#[derive(Debug, Default)]
pub(crate) struct Bin {
    trash: Queue,
    purge: Queue,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Vec<Order>>,
    /// Held by whoever sends for all.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Order {
    id: String,
    answer: oneshot::Sender<Result<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Trash,
    Purge,
}

impl Bin {
    /// Moves a node to the trash.
    ///
    /// # Errors
    /// As every call; then it is still there.
    pub(crate) async fn trash(&self, api: &Api, id: &str) -> Result<()> {
        self.trash.run(api, Act::Trash, id).await
    }

    /// Removes a node that is in the trash for good.
    ///
    /// # Errors
    /// As every call; then it is still in the trash.
    pub(crate) async fn purge(&self, api: &Api, id: &str) -> Result<()> {
        self.purge.run(api, Act::Purge, id).await
    }
}

impl Queue {
    async fn run(&self, api: &Api, act: Act, id: &str) -> Result<()> {
        loop {
            let (answer, mut answered) = oneshot::channel();
            let order = Order { id: id.to_owned(), answer };
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(order);
            let _turn = self.turn.lock().await;
            loop {
                match answered.try_recv() {
                    Ok(result) => return result,
                    // Whoever sent for all gave up half-way.
                    Err(TryRecvError::Closed) => break,
                    Err(TryRecvError::Empty) => {}
                }
                let batch: Vec<_> = {
                    let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    // Who has left does not want it any more.
                    waiting.retain(|order| !order.answer.is_closed());
                    let count = waiting.len().min(MOST);
                    waiting.drain(..count).collect()
                };
                act.on_all(api, batch).await;
            }
        }
    }
}

impl Act {
    async fn on_all(self, api: &Api, batch: Vec<Order>) {
        let ids: Vec<_> = batch.iter().map(|order| order.id.as_str()).collect();
        let outcome = self.call(api, &ids).await;
        for order in batch {
            let one = match &outcome {
                Ok(()) => Ok(()),
                Err(trouble) if trouble.unknown() => self.after_all(api, &order.id, trouble).await,
                // One of them is the reason; each for itself.
                Err(trouble) if ids_matter(trouble) => match self.call(api, &[&order.id]).await {
                    Ok(()) => Ok(()),
                    Err(trouble) => self.after_all(api, &order.id, &trouble).await,
                },
                Err(trouble) => Err(trouble.error.duplicate()),
            };
            // Who left does not want to know.
            let _ = order.answer.send(one);
        }
    }

    /// What these calls answer nobody knows, so success is what their status says.
    async fn call(self, api: &Api, ids: &[&str]) -> Result<(), Trouble> {
        let (method, path, argument, doing): (_, _, Value, _) = match self {
            Self::Trash => {
                let argument = json!({
                    "op": "add", "value": ids, "recurse": "true", "filters": "",
                    "conflictResolution": "RENAME", "resourceVersion": "V2",
                    "ContentType": "JSON",
                });
                (Method::PATCH, "trash", argument, "moving to the trash")
            }
            Self::Purge => {
                let argument = json!({
                    "nodeIds": ids, "recurse": "false", "resourceVersion": "V2",
                    "ContentType": "JSON",
                });
                (Method::POST, "bulk/nodes/purge", argument, "removing for good")
            }
        };
        api.tell(method, path, &argument, doing).await.map(|_| ())
    }

    /// Whether it happened although the answer does not say so.
    async fn after_all(self, api: &Api, id: &str, trouble: &Trouble) -> Result<()> {
        let error: Error = trouble.error.duplicate();
        let status = match api.node(id, "looking whether it is gone").await {
            Ok(node) => node.as_ref().map_or(Status::Gone, |node: &Node| node.status),
            Err(_) => return Err(error),
        };
        match (self, status) {
            (_, Status::Gone) | (Self::Trash, Status::Trash) => Ok(()),
            _ => Err(error),
        }
    }
}

fn ids_matter(trouble: &Trouble) -> bool {
    matches!(trouble.status, Some(400 | 404 | 409))
}
