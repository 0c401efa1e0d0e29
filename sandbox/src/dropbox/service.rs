//! What happens to a call before and after its route: counting, waiting, signing in, reading the argument.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use safelight_core::time::Clock;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::args::tag_of;
use super::behaviour::Behaviour;
use super::body::{Arrived, Asked, arrive};
use super::errors::{Failure, text};
use super::gate::Gate;
use super::json::{flat, nested, tag};
use super::oauth::{self, Codes};
use super::routes::{self, Jobs, Style};
use super::state::{Root, Standing, Store};
use super::wire::{argument, bad, check_shape};
use super::{WhenLocked, args, users};
use crate::form::Fields;
use crate::loopback::Answer;

/// The whole stand-in.
#[derive(Debug)]
pub(super) struct Service {
    store: Arc<Mutex<Store>>,
    behaviour: Mutex<Arc<Behaviour>>,
    pub(super) clock: Arc<dyn Clock>,
    gate: Mutex<Gate>,
    locks: Mutex<BTreeMap<String, Arc<AsyncMutex<()>>>>,
    pub(super) codes: Mutex<Codes>,
    pub(super) jobs: Mutex<Jobs>,
    /// The number of the latest change, for those who wait for it.
    pub(super) changed: watch::Sender<u64>,
    requests: AtomicU64,
}

/// One call that is signed in and complete.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) route: String,
    pub(super) argument: Value,
    pub(super) headers: HeaderMap,
    /// The bytes that came with it, for routes that take bytes.
    pub(super) body: Bytes,
    /// There were more bytes than a call may carry.
    pub(super) too_long: bool,
    pub(super) root: Root,
    /// The sign-in it came with; none where none is asked for.
    pub(super) grant: Option<String>,
}

impl Call {
    /// The argument in its type.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        args::read(self.argument.clone()).map_err(|why| self.bad(&why))
    }

    /// A 400 about the argument.
    pub(super) fn bad(&self, why: &str) -> Failure {
        bad(&self.route, &format!("request body: {why}"))
    }
}

/// Somebody else holds the namespace.
#[derive(Debug)]
pub(super) struct Busy;

impl From<Busy> for Failure {
    fn from(_: Busy) -> Self {
        Self::TooMany("too_many_write_operations", 1)
    }
}

impl Service {
    pub(super) fn new(store: Store) -> Self {
        let clock = store.clock.clone();
        let mut gate = Gate::default();
        gate.refill(clock.elapsed(), store.behaviour.rate_limit);
        Self {
            changed: watch::Sender::new(store.latest()),
            behaviour: Mutex::new(store.behaviour.clone()),
            store: Arc::new(Mutex::new(store)),
            clock,
            gate: Mutex::new(gate),
            locks: Mutex::default(),
            codes: Mutex::default(),
            jobs: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    pub(super) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, for a moment. Not for answering calls: it may be at work on files.
    pub(super) fn peek(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn behaviour(&self) -> Arc<Behaviour> {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Behaves so from now on. A rate limit begins with a full measure.
    pub(super) async fn behave(&self, behaviour: Behaviour) -> Result<(), Failure> {
        let behaviour = Arc::new(behaviour);
        self.gate().refill(self.clock.elapsed(), behaviour.rate_limit);
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour.clone();
        let work = |store: &mut Store| {
            store.behaviour = behaviour;
            store.make_home()
        };
        Ok(self.with(work).await??)
    }

    async fn wait(&self, span: Duration) {
        // Even the shortest timer takes a millisecond.
        if !span.is_zero() {
            self.clock.sleep(span).await;
        }
    }

    /// Lets `act` work on the store, and writes down what it did.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let store = self.store.clone();
        let work = move || {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let result = act(&mut store);
            store.flush().map(|()| (result, store.latest()))
        };
        let done = tokio::task::spawn_blocking(work).await;
        let (result, latest) = done.map_err(|error| Failure::Broken(error.to_string()))??;
        self.changed.send_if_modified(|known| std::mem::replace(known, latest) != latest);
        Ok(result)
    }

    /// The same for a commit: one at a time in a namespace.
    pub(super) async fn commit<T: Send + 'static>(
        &self,
        root: &Root,
        act: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<Result<T, Busy>, Failure> {
        let behaviour = self.behaviour();
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            locks.entry(root.namespace.clone()).or_default().clone()
        };
        let _alone = if let Ok(alone) = lock.clone().try_lock_owned() {
            alone
        } else {
            self.gate().counters.overlaps += 1;
            if behaviour.when_locked == WhenLocked::Refuse {
                return Ok(Err(Busy));
            }
            lock.lock_owned().await
        };
        self.wait(behaviour.commit_time).await;
        self.with(act).await.map(Ok)
    }

    /// Answers one request.
    pub(super) async fn answer<B: Asked>(&self, request: Request<B>) -> Answer {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut answer = match self.handle(request).await {
            Ok(answer) => answer,
            Err(failure) => failure.answer(number),
        };
        if let Ok(id) = HeaderValue::from_str(&format!("{number:032x}")) {
            answer.headers_mut().insert("x-dropbox-request-id", id);
        }
        answer
    }

    async fn handle<B: Asked>(&self, request: Request<B>) -> Result<Answer, Failure> {
        let path = request.uri().path().to_owned();
        if let Some(route) = path.strip_prefix("/2/") {
            return self.call(route, request).await;
        }
        self.gate().enter(path.trim_start_matches('/'), self.clock.elapsed(), None);
        self.wait(self.behaviour().latency).await;
        match path.as_str() {
            "/oauth2/authorize" => oauth::authorize(self, request.uri()),
            "/oauth2/token" => {
                let headers = request.headers().clone();
                let arrived = self.arrive(request, None).await?;
                oauth::token(self, &headers, &String::from_utf8_lossy(&arrived.bytes)).await
            }
            _ => Ok(text(StatusCode::NOT_FOUND, "Not found".into())),
        }
    }

    async fn arrive<B: Asked>(
        &self,
        request: Request<B>,
        rate: Option<u64>,
    ) -> Result<Arrived, Failure> {
        let route = request.uri().path().to_owned();
        // The client has hung up, and what it asked for was never said in full: nobody hears this.
        arrive(request, &*self.clock, rate).await.map_err(|_| bad(&route, "the body broke off"))
    }

    async fn call<B: Asked>(&self, route: &str, request: Request<B>) -> Result<Answer, Failure> {
        let behaviour = self.behaviour();
        let wait = self.gate().enter(route, self.clock.elapsed(), behaviour.rate_limit);
        self.wait(behaviour.latency).await;
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers().clone();
        let arrived = self.arrive(request, behaviour.upload_rate).await?;
        if let Some(wait) = wait {
            return Err(Failure::TooMany("too_many_requests", wait));
        }
        let known = routes::rule(route)
            .filter(|_| behaviour.append_batch || route != "files/upload_session/append_batch");
        let Some((style, scope)) = known else {
            return Err(Failure::Bad(format!("Unknown API function: \"{route}\"")));
        };
        let query = Fields::read(uri.query().unwrap_or(""));
        let grant = match style {
            Style::NoSignIn if headers.contains_key(header::AUTHORIZATION) => {
                return Err(bad(route, "This API function does not take authentication."));
            }
            Style::NoSignIn => None,
            _ => Some(self.signed_in(route, &headers, scope).await?),
        };
        let root = self.root(&headers)?;
        check_shape(route, style, &method, &headers)?;
        let argument = match style {
            Style::Rpc | Style::NoSignIn => serde_json::from_slice(&arrived.bytes)
                .map_err(|_| bad(route, "request body: could not decode input as JSON"))?,
            Style::Upload | Style::Download => {
                argument(route, &headers, &query, behaviour.longest_header)?
            }
        };
        let call = Call {
            route: route.to_owned(),
            argument,
            headers,
            body: arrived.bytes,
            too_long: arrived.too_long,
            root,
            grant,
        };
        routes::dispatch(self, call).await
    }

    async fn signed_in(
        &self,
        route: &str,
        headers: &HeaderMap,
        scope: Option<&str>,
    ) -> Result<String, Failure> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(given) = given else {
            return Err(bad(route, "Must provide HTTP Authorization header."));
        };
        let token = given.strip_prefix("Bearer ").unwrap_or_default().to_owned();
        let (grant, name) = match self.with(move |store| store.standing(&token)).await? {
            Standing::Invalid => return Err(Failure::SignIn(tag("invalid_access_token"))),
            Standing::Expired => return Err(Failure::SignIn(tag("expired_access_token"))),
            Standing::Good(grant, name) => (grant, name),
        };
        match scope.filter(|scope| !grant.scopes.contains(*scope)) {
            Some(scope) => {
                let fields = json!({ "required_scope": scope });
                Err(Failure::SignIn(flat("missing_scope", fields)))
            }
            None => Ok(name),
        }
    }

    /// The folder that the client sees as its root.
    fn root(&self, headers: &HeaderMap) -> Result<Root, Failure> {
        let behaviour = self.behaviour();
        let (whole, home) = users::roots(&behaviour);
        let Some(header) = headers.get("dropbox-api-path-root") else { return Ok(home) };
        let wrong = || Failure::Bad("Invalid \"Dropbox-API-Path-Root\" header.".into());
        let wanted: Value = serde_json::from_slice(header.as_bytes()).map_err(|_| wrong())?;
        let name = tag_of(&wanted).ok_or_else(wrong)?;
        let id = wanted.get(name).and_then(Value::as_str);
        match (name, id) {
            ("home", None) => Ok(home),
            ("root", Some(id)) if id == whole.namespace => Ok(whole),
            ("root", Some(_)) => {
                let info = users::root_info(&behaviour);
                Err(Failure::PathRoot(nested("invalid_root", info)))
            }
            ("namespace_id", Some(id)) if id == whole.namespace => Ok(whole),
            ("namespace_id", Some(id)) if id == home.namespace => Ok(home),
            ("namespace_id", Some(_)) => Err(Failure::PathRoot(tag("no_permission"))),
            _ => Err(wrong()),
        }
    }
}
