//! What happens to a call before its route: counting, waiting, looking at the credentials.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, Request, Uri, header};
use safelight_core::time::Clock;

use super::answers::{self, Failure};
use super::behaviour::{Behaviour, Expiry};
use super::body;
use super::credentials::{Credentials, Standing};
use super::gate::{Gate, UnderWay};
use super::routes;
use super::state::{Refusal, Store, scramble};
use crate::form::{self, Fields};
use crate::loopback::{Answer, AnswerBody};

/// The whole stand-in.
#[derive(Debug)]
pub(super) struct Service {
    store: Arc<Mutex<Store>>,
    credentials: Arc<Mutex<Credentials>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gate: Gate,
    /// Signed links: what they lead to, and until when, in milliseconds.
    pub(super) links: Mutex<HashMap<String, (String, i64)>>,
    /// Where signed links lead, `http://127.0.0.1:PORT`; known once that server runs.
    pub(super) signed_origin: Mutex<String>,
    uploads: AtomicU64,
}

/// Which of the hosts of the service was asked; here they are paths of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Metadata,
    Token,
    Content,
    Thumbnails,
}

/// A request as it came.
pub(super) type Asked = Request<AnswerBody>;

/// One call that is signed in, its body apart.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) host: Host,
    pub(super) method: Method,
    /// The path behind the host's prefix, percent signs taken out of each part.
    pub(super) path: Vec<String>,
    pub(super) query: Fields,
    pub(super) headers: HeaderMap,
    /// Kept by whoever goes on sending after the answer was made.
    pub(super) under_way: Arc<UnderWay>,
}

const HOSTS: [(&str, Host); 4] = [
    ("/drive/v1/", Host::Metadata),
    ("/photos/auth/token", Host::Token),
    ("/content/", Host::Content),
    ("/thumbnails/", Host::Thumbnails),
];

impl Service {
    pub(super) fn new(store: Store, credentials: Credentials) -> Self {
        let (clock, gate) = (store.clock.clone(), Gate::default());
        gate.refill(clock.elapsed(), store.behaviour.rate_limit);
        Self {
            store: Arc::new(Mutex::new(store)),
            credentials: Arc::new(Mutex::new(credentials)),
            clock,
            gate,
            links: Mutex::default(),
            signed_origin: Mutex::default(),
            uploads: AtomicU64::new(0),
        }
    }

    /// The store, for a moment; files are not touched here.
    pub(super) fn peek(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn credentials(&self) -> MutexGuard<'_, Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        self.peek().behaviour.clone()
    }

    /// Now, in milliseconds.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_nanos() / 1_000_000
    }

    /// Lets `act` work on the store, and writes down what it did.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let store = self.store.clone();
        let work = move || {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            store.tidy()?;
            let result = act(&mut store);
            store.flush().map(|()| result)
        };
        let done = tokio::task::spawn_blocking(work).await;
        Ok(done.map_err(std::io::Error::other)??)
    }

    /// The same for what can be refused, in the words of the metadata host.
    pub(super) async fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Store) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Failure> {
        self.with(act).await?.map_err(|refusal| refusal.into_error(&self.behaviour()))
    }

    /// Writes down how the session stands.
    pub(super) async fn save_session(&self) -> std::io::Result<()> {
        let credentials = self.credentials.clone();
        let save = move || credentials.lock().unwrap_or_else(PoisonError::into_inner).save();
        tokio::task::spawn_blocking(save).await.map_err(std::io::Error::other)?
    }

    /// Whether the upload that was just stored is to look as if it had failed, and with which status.
    pub(super) fn ghost(&self, behaviour: &Behaviour) -> Option<u16> {
        let number = self.uploads.fetch_add(1, Ordering::Relaxed);
        let chance = scramble(behaviour.seed ^ (number << 1 | 1));
        let ghost = chance % 1000 < behaviour.ghosts_per_thousand;
        self.gate.count(|counters| {
            counters.stored += 1;
            counters.ghosts += u64::from(ghost);
        });
        ghost.then(|| [500, 502, 503, 504][usize::try_from(chance >> 32 & 3).unwrap_or(0)])
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Asked) -> Answer {
        self.handle(request).await.unwrap_or_else(|Failure(answer)| *answer)
    }

    async fn handle(&self, request: Asked) -> Result<Answer, Failure> {
        let under_way = Arc::new(self.gate.begin());
        let Some((host, path)) = place(request.uri()) else {
            self.ignore(request).await?;
            return Err(answers::unknown());
        };
        let query = Fields::read(request.uri().query().unwrap_or(""));
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let route = routes::name(host, &method, &path);
        self.gate.count(|counters| {
            *counters.calls.entry(route).or_default() += 1;
            match host {
                Host::Metadata | Host::Token => counters.metadata += 1,
                Host::Content => counters.content += 1,
                Host::Thumbnails => counters.thumbnails += 1,
            }
        });
        let behaviour = self.behaviour();
        let refused = self.gate.enter(self.clock.elapsed(), behaviour.rate_limit).err();
        self.clock.sleep(behaviour.latency).await;
        if let Some(refusal) = refused {
            self.ignore(request).await?;
            return Err(answers::too_many(refusal));
        }
        if let Some(out) = self.signed_out(host, &method, &headers, &behaviour).await? {
            self.gate.count(|counters| counters.without_session += 1);
            self.ignore(request).await?;
            return Ok(out);
        }
        let call = Call { host, method, path, query, headers, under_way };
        routes::dispatch(self, &call, request).await
    }

    /// The answer to a call that comes from nobody who is signed in.
    async fn signed_out(
        &self,
        host: Host,
        method: &Method,
        headers: &HeaderMap,
        behaviour: &Behaviour,
    ) -> Result<Option<Answer>, Failure> {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        if !agent.is_some_and(|agent| agent.starts_with("Mozilla/")) {
            return Ok(Some(answers::typed(403, "text/html", "")));
        }
        let (takes_tokens, reads) = (host == Host::Content, method == Method::GET);
        let now = self.now();
        let standing = self.credentials().look(headers, takes_tokens, reads, now, behaviour);
        let Standing::Out(how) = standing else { return Ok(None) };
        self.save_session().await?;
        Ok(Some(match (how, host) {
            (Expiry::Forbidden, _) => answers::typed(403, "text/html", ""),
            (Expiry::SignInPage, _) => answers::sign_in_page(),
            (Expiry::Unauthorized, Host::Content) => answers::no_auth_content(),
            (Expiry::Unauthorized, _) => answers::no_auth_metadata(),
        }))
    }

    /// Reads a body that nobody wants.
    pub(super) async fn ignore(&self, request: Asked) -> Result<(), Failure> {
        Ok(body::ignore(request, &self.gate).await?)
    }
}

/// Which host, and the parts of the path behind it.
fn place(uri: &Uri) -> Option<(Host, Vec<String>)> {
    let (host, rest) = HOSTS
        .iter()
        .find_map(|(prefix, host)| uri.path().strip_prefix(prefix).map(|rest| (*host, rest)))?;
    // A plus sign in a path is a plus sign.
    let parts = rest.split('/').map(|part| form::decode(&part.replace('+', "%2B")));
    Some((host, parts.collect()))
}
