//! The line to Amazon Photos on which things go wrong, and on which it is seen what is downloaded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{Request, Response};
use safelight_core::error::Result;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_sandbox::{AmazonSandbox, Direct, Fault, Rule, Traffic};
use tokio::sync::Notify;

use crate::world::Death;

/// Numbers that look like chance and are the same in every run.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// How often the bytes of each node were asked for; shared by all lines of a test.
#[derive(Clone, Default)]
pub struct Fetched(Arc<Mutex<BTreeMap<String, u64>>>);

impl Fetched {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn all(&self) -> BTreeMap<String, u64> {
        self.lock().clone()
    }
}

pub struct Line {
    direct: Direct,
    traffic: Traffic,
    /// Of a thousand requests that many fail, one way or another.
    failing: u64,
    chance: Mutex<Chance>,
    left: AtomicU64,
    death: Death,
    dead: Notify,
    fetched: Fetched,
}

impl Line {
    /// One on which nothing happens.
    pub fn sound(amazon: &AmazonSandbox, fetched: &Fetched) -> Self {
        Self {
            direct: amazon.direct(),
            traffic: amazon.traffic().clone(),
            failing: 0,
            chance: Mutex::new(Chance::new(7)),
            left: AtomicU64::new(u64::MAX),
            death: Death::Before,
            dead: Notify::new(),
            fetched: fetched.clone(),
        }
    }

    pub fn failing(self, per_thousand: u64) -> Self {
        Self { failing: per_thousand, ..self }
    }

    /// The process dies at this request.
    pub fn dying(self, request: u64, death: Death) -> Self {
        Self { left: AtomicU64::new(request), death, ..self }
    }

    pub async fn died(&self) {
        self.dead.notified().await;
    }

    fn fault(&self) -> Option<Fault> {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        (chance.below(1000) < self.failing).then(|| match chance.below(6) {
            0 => Fault::Reset,
            1 => Fault::LoseAnswer,
            2 => Fault::CutBody(10),
            3 => Fault::status(500),
            4 => Fault::Status { status: 503, retry_after: None, body: "<html>busy</html>" },
            _ => Fault::Status { status: 429, retry_after: Some(3), body: "{}" },
        })
    }
}

#[async_trait]
impl HttpTransport for Line {
    async fn send(&self, request: Request<HttpBody>) -> Result<Response<HttpBody>> {
        let mut path = request.uri().path().rsplit('/');
        if path.next() == Some("contentRedirection") {
            let id = path.next().unwrap_or_default().to_owned();
            *self.fetched.lock().entry(id).or_default() += 1;
        }
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            if self.death == Death::After {
                let _ = self.direct.send(request).await;
            }
            self.dead.notify_one();
            return std::future::pending().await;
        }
        if let Some(fault) = self.fault() {
            self.traffic.heal();
            self.traffic.inject(Rule::next(fault));
        }
        self.direct.send(request).await
    }
}
