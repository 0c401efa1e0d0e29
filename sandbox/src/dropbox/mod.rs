//! Dropbox: a stand-in with a memory, written from what is known about its HTTP API.
//!
//! All four hosts of the service are one address here; their paths do not collide. One user is signed in from
//! the start. Each file's current bytes are a plain file below `files/` in the folder of the stand-in: what is
//! removed there counts as deleted, what is changed there is served as it is.

mod args;
mod behaviour;
mod body;
mod errors;
mod gate;
mod hash;
mod json;
mod names;
mod oauth;
mod routes;
mod service;
mod state;
mod users;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;
use safelight_core::time::Clock;

use crate::direct::Direct;
use crate::loopback::Loopback;
use crate::traffic::Traffic;
use routes::all_scopes;
use service::Service;
use state::{Grant, Store};

pub use behaviour::{Behaviour, Quota, RateLimit, TeamSpace, WhenLocked};
pub use gate::Counters;

/// The app that may ask for access.
const APP_KEY: &str = "safelightsandbox";
/// The sign-in that every stand-in begins with. It opens nothing but a folder on this machine.
const REFRESH_TOKEN: &str = "sandbox-refresh-token";

/// A running Dropbox with one user, good for the life of this value.
#[derive(Debug)]
pub struct DropboxSandbox {
    loopback: Loopback,
    traffic: Traffic,
    service: Arc<Service>,
    refresh_token: Secret,
}

impl DropboxSandbox {
    /// Starts a service over `folder`, which is made if it is not there. What an earlier one left there is served
    /// again: files, revisions, open upload sessions, cursors, sign-ins.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn start(folder: &Path, clock: Arc<dyn Clock>, behaviour: Behaviour) -> Result<Self> {
        let (place, context) = (folder.to_owned(), format!("the sandbox in {}", folder.display()));
        let opening = tokio::task::spawn_blocking(move || {
            let mut store = Store::open(&place, clock, behaviour)?;
            if store.grant(REFRESH_TOKEN).is_none() {
                let scopes = all_scopes();
                let grant = Grant { app_key: APP_KEY.into(), scopes, dead_before: 0, made: 0 };
                store.sign_in(REFRESH_TOKEN, grant);
            }
            store.make_home()?;
            store.flush()?;
            Ok::<_, std::io::Error>(store)
        });
        let opened = opening
            .await
            .map_err(|error| Error::new(Kind::Internal, context.clone()).source(error))?;
        let service = Arc::new(Service::new(opened.map_err(|error| Error::io(error, context))?));
        let traffic = Traffic::default();
        let serving = service.clone();
        let loopback = Loopback::serve(traffic.clone(), move |request| {
            let service = serving.clone();
            async move { service.answer(request).await }
        })
        .await?;
        Ok(Self { loopback, traffic, service, refresh_token: Secret::new(REFRESH_TOKEN) })
    }

    /// The address of all four hosts, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.loopback.url()
    }

    /// The key of the app that may ask for access.
    pub fn app_key(&self) -> &'static str {
        APP_KEY
    }

    /// A sign-in that is good from the start.
    pub fn refresh_token(&self) -> &Secret {
        &self.refresh_token
    }

    /// A new access token of that sign-in, good for ten years or until it is revoked; empty if the sign-in is gone.
    pub fn access_token(&self) -> Secret {
        let life = Duration::from_hours(10 * 365 * 24);
        let token = self.service.peek().access_token(REFRESH_TOKEN, life);
        Secret::new(token.unwrap_or_default())
    }

    /// A way to it without a socket.
    pub fn direct(&self) -> Direct {
        let service = self.service.clone();
        Direct::new(self.traffic.clone(), move |request| {
            let service = service.clone();
            async move { service.answer(request).await }
        })
    }

    /// Counts its requests, and spoils them.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Behaves otherwise from now on. A rate limit begins with a full measure.
    ///
    /// # Errors
    /// Those of the file system, if the home folder of a team space cannot be made.
    pub async fn behave(&self, change: impl FnOnce(&mut Behaviour)) -> Result<()> {
        let mut behaviour = Behaviour::clone(&self.service.behaviour());
        change(&mut behaviour);
        let made = self.service.behave(behaviour).await;
        made.map_err(|error| Error::new(Kind::Io, "the sandbox").source(format!("{error:?}")))
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        self.service.gate().counters.clone()
    }

    /// How many calls of this route came, as in `files/upload_session/append_batch`; the endpoint for tokens is
    /// `oauth2/token`.
    pub fn calls(&self, route: &str) -> u64 {
        self.service.gate().counters.calls.get(route).copied().unwrap_or(0)
    }

    /// Counts anew from zero, here and in the traffic.
    pub fn forget(&self) {
        self.service.gate().counters = Counters::default();
        self.traffic.forget();
    }

    /// Refuses every call from now on for this long, as after too many.
    pub fn refuse_for(&self, wait: Duration) {
        self.service.gate().close(self.service.clock.elapsed(), wait);
    }

    /// Every cursor that was given out answers `reset`.
    pub fn reset_cursors(&self) {
        self.service.peek().reset_cursors();
    }

    /// Every access token that was given out answers `expired_access_token`.
    pub fn expire_access_tokens(&self) {
        self.service.peek().expire_all();
    }

    /// The user unlinks the app: every token is worthless.
    pub fn unlink(&self) {
        self.service.peek().sign_out_all();
    }

    /// Takes scopes away from every sign-in until only these are left.
    pub fn limit_scopes(&self, scopes: &[&str]) {
        self.service.peek().limit_scopes(scopes);
    }

    /// Ends it after the requests that have begun.
    pub async fn stop(self) {
        self.loopback.stop().await;
        // What was turned by hand since the last call is to be remembered too; it was nobody's request.
        let _ = self.service.with(|_| ()).await;
    }
}

fn random_word() -> std::result::Result<String, String> {
    let mut random = [0; 24];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    Ok(hex::encode(random))
}
