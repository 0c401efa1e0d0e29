//! Amazon Photos: a stand-in with a memory, written from what is known about the web app's calls.
//!
//! The hosts of the service are paths of one address here; signed links lead to a second one, as they lead to
//! another host there. One member is signed in from the start. The current bytes of every live file are a plain
//! file below `files/` in the folder of the stand-in: what is removed there is gone, what is changed there is served
//! as it is. Where it is not known how the service behaves, the stand-in does what is harder for a client.

mod answers;
mod behaviour;
mod body;
mod brought;
mod credentials;
mod dates;
mod filter;
mod gate;
mod names;
mod routes;
mod service;
mod sniff;
mod state;
mod taken;

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;
use safelight_core::time::Clock;

use crate::direct::Direct;
use crate::loopback::{Loopback, boxed};
use crate::traffic::Traffic;
use credentials::Credentials;
use service::Service;
use state::Store;

pub use behaviour::{Behaviour, Expiry, Plan, RateLimit};
pub use brought::Brought;
pub use gate::Counters;

/// A running Amazon Photos with one member, good for the life of this value.
#[derive(Debug)]
pub struct AmazonSandbox {
    hosts: Loopback,
    signed: Loopback,
    traffic: Traffic,
    service: Arc<Service>,
}

impl AmazonSandbox {
    /// Starts a service over `folder`, which is made if it is not there. What an earlier one left there is served
    /// again: nodes, trash, and the session.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn start(folder: &Path, clock: Arc<dyn Clock>, behaviour: Behaviour) -> Result<Self> {
        let place = folder.to_owned();
        let opening = tokio::task::spawn_blocking(move || {
            let mut store = Store::open(&place, clock, behaviour)?;
            store.tidy()?;
            store.flush()?;
            let credentials = Credentials::open(&place.join(".state"), store.now())?;
            Ok::<_, io::Error>(Service::new(store, credentials))
        });
        let context = format!("the sandbox in {}", folder.display());
        let opened = opening
            .await
            .map_err(|error| Error::new(Kind::Internal, context.clone()).source(error))?;
        let service = Arc::new(opened.map_err(|error| Error::io(error, context))?);
        let traffic = Traffic::default();
        let serving = service.clone();
        let hosts = Loopback::serve(traffic.clone(), move |request| {
            let service = serving.clone();
            async move { service.answer(request.map(boxed)).await }
        })
        .await?;
        let serving = service.clone();
        let signed = Loopback::serve(traffic.clone(), move |request| {
            let service = serving.clone();
            async move { routes::signed(&service, request.map(boxed)).await }
        })
        .await?;
        *service.signed_origin.lock().unwrap_or_else(PoisonError::into_inner) = signed.url();
        Ok(Self { hosts, signed, traffic, service })
    }

    /// The root of the metadata host's calls, as `https://www.amazon.com/drive/v1`.
    pub fn metadata_url(&self) -> String {
        format!("{}/drive/v1", self.hosts.url())
    }

    /// The root of the content host, as `https://content-na.drive.amazonaws.com`.
    pub fn content_url(&self) -> String {
        format!("{}/content", self.hosts.url())
    }

    /// The root of the thumbnail host, as `https://thumbnails-photos.amazon.com`.
    pub fn thumbnails_url(&self) -> String {
        format!("{}/thumbnails", self.hosts.url())
    }

    /// Where access tokens are to be had, as `https://www.amazon.com/photos/auth/token`.
    pub fn token_url(&self) -> String {
        format!("{}/photos/auth/token", self.hosts.url())
    }

    /// The origin of signed links. No credential has any business there.
    pub fn signed_url(&self) -> String {
        self.signed.url()
    }

    /// The cookies of the member, as a browser's extension writes them into `cookies.txt`.
    pub fn cookies(&self) -> Secret {
        let country = self.service.behaviour().country;
        let cookies = self.service.credentials().cookies(&country);
        let line = |(name, value)| {
            format!(".amazon.{country}\tTRUE\t/\tTRUE\t2147483647\t{name}\t{value}\n")
        };
        let lines: String = cookies.into_iter().map(line).collect();
        Secret::new(format!("# Netscape HTTP Cookie File\n{lines}"))
    }

    /// A way to it without a socket, to both of its addresses.
    pub fn direct(&self) -> Direct {
        let service = self.service.clone();
        Direct::new(self.traffic.clone(), move |request| {
            let service = service.clone();
            async move {
                if routes::is_signed(request.uri()) {
                    routes::signed(&service, request).await
                } else {
                    service.answer(request).await
                }
            }
        })
    }

    /// Counts its requests, those for signed links too, and spoils them.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        self.service.gate.counters()
    }

    /// How many calls of this method and route came, as in `GET nodes/{id}/children`.
    pub fn calls(&self, route: &str) -> u64 {
        self.counters().calls.get(route).copied().unwrap_or(0)
    }

    /// Counts anew from zero, here and in the traffic.
    pub fn forget(&self) {
        self.service.gate.forget();
        self.traffic.forget();
    }

    /// Behaves otherwise from now on. A rate limit begins with a full measure.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut store = self.service.peek();
        change(&mut store.behaviour);
        self.service.gate.refill(self.service.clock.elapsed(), store.behaviour.rate_limit);
    }

    /// Refuses every call from now on for this long, with 429 or 503 and `Retry-After`.
    pub fn refuse_for(&self, wait: Duration, status: u16) {
        self.service.gate.close(self.service.clock.elapsed(), wait, status);
    }

    /// After this many more calls of the member the session is over, for good.
    pub fn expire_after(&self, calls: u64, how: Expiry) {
        self.service.credentials().end_after(calls, how);
    }

    /// Signs the member in anew: other [`cookies`](Self::cookies). The earlier ones are worthless.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn renew(&self) -> Result<()> {
        let failed = |error| Error::io(error, "the sandbox's session");
        let now = self.service.now();
        self.service.credentials().renew(now).map_err(failed)?;
        self.service.save_session().await.map_err(failed)
    }

    /// Ends it after the requests that have begun.
    pub async fn stop(self) {
        self.hosts.stop().await;
        self.signed.stop().await;
    }
}
