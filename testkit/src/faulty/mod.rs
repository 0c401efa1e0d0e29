//! A wrapper that makes any provider fail by a [`Script`].
//!
//! Two loops stand on it: "fail the n-th call for n = 1, 2, 3 … until no call is left", and "the process dies
//! at step n":
//!
//! ```
//! # use safelight_testkit::faulty::{Fault, Script};
//! # use safelight_core::error::Kind;
//! # async fn run(_: &Script) {}
//! # async fn mirror_fails_anywhere() {
//! for n in 1.. {
//!     let script = Script::new().at(n, Fault::Error(Kind::Unavailable));
//!     run(&script).await; // with every provider wrapped
//!     if script.fired() == 0 {
//!         break;
//!     }
//!     // Here: what the run claims is true, and a second run without faults heals.
//! }
//! # }
//! ```

mod bytes;
mod script;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::future::pending;
use futures::stream::{BoxStream, StreamExt, unfold};
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::extras::Extras;
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
};
use safelight_core::time::Clock;

pub use self::script::{Call, Fault, Script};

/// Any provider, with faults.
pub struct FaultyProvider {
    inner: Arc<dyn Provider>,
    faults: Faults,
    /// What was stored through this wrapper since its previous listing.
    recent: Mutex<HashSet<Key>>,
}

/// The script and the clock it waits by; shared with the streams that outlive a call.
#[derive(Clone)]
struct Faults {
    script: Arc<Script>,
    clock: Arc<dyn Clock>,
}

impl FaultyProvider {
    /// Wraps `inner`. Several wrappers with one script count their calls together.
    pub fn new(inner: Arc<dyn Provider>, script: Arc<Script>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, faults: Faults { script, clock }, recent: Mutex::default() }
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, HashSet<Key>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults {
    /// Meets what the script has for this call. What cannot be done beforehand is given back.
    async fn before(&self, call: Call) -> Result<Option<Fault>> {
        self.alive().await;
        let fault = self.script.next(call);
        match fault {
            Some(Fault::Error(kind)) => return Err(scripted(kind, call)),
            Some(Fault::Delay(span)) => self.clock.sleep(span).await,
            Some(Fault::Stall) => pending().await,
            Some(Fault::DieBefore) => self.die().await,
            Some(Fault::DieHalfway) if !matches!(call, Call::Put | Call::Read) => self.die().await,
            _ => {}
        }
        Ok(fault)
    }

    /// Lets the answer through, or not.
    async fn after<T>(&self, call: Call, fault: Option<Fault>, answer: Result<T>) -> Result<T> {
        match fault {
            Some(Fault::LostAnswer(kind)) => return Err(scripted(kind, call)),
            Some(Fault::DieAfter) => self.die().await,
            _ => {}
        }
        self.alive().await;
        answer
    }

    /// Never ends once the process has died.
    async fn alive(&self) {
        if self.script.is_dead() {
            pending::<()>().await;
        }
    }

    async fn die(&self) {
        self.script.die();
        pending::<()>().await;
    }
}

fn scripted(kind: Kind, call: Call) -> Error {
    Error::new(kind, format!("{call:?} fails by the script"))
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Provider for FaultyProvider {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn reads_at_once(&self) -> usize {
        self.inner.reads_at_once()
    }

    async fn check(&self) -> Result<Health> {
        let fault = self.faults.before(Call::Check).await?;
        let answer = self.inner.check().await;
        self.faults.after(Call::Check, fault, answer).await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        let fault = self.faults.before(Call::Quota).await?;
        let answer = self.inner.quota().await;
        self.faults.after(Call::Quota, fault, answer).await
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        let recent = std::mem::take(&mut *self.recent());
        let listing =
            Listing { pages: self.inner.list(scope), faults: self.faults.clone(), recent };
        let pages = unfold(Some(listing), |listing| async move {
            let mut listing = listing?;
            let page = listing.next().await?;
            let ended = page.is_err();
            Some((page, (!ended).then_some(listing)))
        });
        pages.boxed()
    }

    async fn extras(&self) -> Result<Extras> {
        let fault = self.faults.before(Call::Extras).await?;
        let answer = self.inner.extras().await;
        self.faults.after(Call::Extras, fault, answer).await
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        let fault = self.faults.before(Call::Stat).await?;
        let answer = self.inner.stat(key).await;
        self.faults.after(Call::Stat, fault, answer).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let fault = self.faults.before(Call::Read).await?;
        let answer = self.inner.read(key, range, pin).await;
        let opened = self.faults.after(Call::Read, fault, answer).await?;
        Ok(self.faults.spoil_read(fault, opened))
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        let fault = self.faults.before(Call::Put).await?;
        if !self.faults.script.take_room(request.length) {
            return Err(scripted(Kind::NoRoom, Call::Put));
        }
        let key = request.key.clone();
        let answer = self.faults.spoil_put(fault, &*self.inner, request, body).await;
        if answer.is_ok() {
            self.recent().insert(key);
        }
        self.faults.after(Call::Put, fault, answer).await
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        let fault = self.faults.before(Call::Remove).await?;
        let answer = self.inner.remove(permit).await;
        self.faults.after(Call::Remove, fault, answer).await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        let fault = self.faults.before(Call::Relocate).await?;
        let answer = self.inner.relocate(from, to, how, pin).await;
        if answer.is_ok() {
            self.recent().insert(to.clone());
        }
        self.faults.after(Call::Relocate, fault, answer).await
    }
}

/// A listing whose every page may meet a fault.
struct Listing {
    pages: BoxStream<'static, Result<Page>>,
    faults: Faults,
    recent: HashSet<Key>,
}

impl Listing {
    async fn next(&mut self) -> Option<Result<Page>> {
        let fault = match self.faults.before(Call::Page).await {
            Ok(fault) => fault,
            Err(error) => return Some(Err(error)),
        };
        let page = self.pages.next().await?;
        let page = self.faults.after(Call::Page, fault, page).await;
        Some(page.map(|mut page| {
            if fault == Some(Fault::StaleListing) {
                let recent = &self.recent;
                page.entries.retain(|listed| match listed {
                    Listed::File(entry) => !recent.contains(&entry.key),
                    Listed::Passed { .. } | Listed::Unseen { .. } | Listed::Mount { .. } => true,
                });
            }
            page
        }))
    }
}
