//! One call of the service: paced, with the cookies, its failure understood.
//!
//! Invariants: every call passes [`Pace`]; cookies go to the hosts of the settings and nowhere else; a session that
//! is over ends all calls at once. What only asks is asked again a few times, what was refused because of its rate
//! was not done and is sent again; everything else goes up.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use safelight_core::error::{Error, Kind};
use safelight_core::http::{HttpBody, HttpTransport};
use serde_json::Value;

use crate::cookies::Cookies;
use crate::filter::query;
use crate::hosts::Hosts;
use crate::node::{Listing, Md5, Node};
use crate::pace::{Pace, Slot};
use crate::trouble::{Content, Trouble, content};

/// Longest JSON that is read: 200 nodes of about 4 KB each.
const JSON_LIMIT: usize = 16 * 1024 * 1024;
/// Longest answer that tells of a failure.
const FAILURE_LIMIT: usize = 256 * 1024;
/// How often something is asked for.
const TRIES: u32 = 3;
/// How often a call is made again after the service refused it because of its rate.
const PATIENCE: u32 = 3;
/// The service answers browsers.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

pub(crate) struct Api {
    pub(crate) http: Arc<dyn HttpTransport>,
    pub(crate) hosts: Hosts,
    pub(crate) cookies: Cookies,
    pub(crate) pace: Arc<Pace>,
}

/// What is sent along.
pub(crate) enum Sent {
    Nothing,
    Json(Bytes),
    /// The bytes of a file.
    Whole(Bytes),
    /// The bytes of a file that can be sent once.
    Stream(Option<HttpBody>),
}

/// One call.
struct Call<'a> {
    method: Method,
    url: String,
    sent: Sent,
    md5: Option<Md5>,
    range: Option<&'a str>,
    /// It goes to the metadata host.
    metered: bool,
    /// It changes nothing, so that it may be made again.
    asks: bool,
}

/// An answer of success, and the right to have it under way.
pub(crate) type Answer = (Response<HttpBody>, Slot);

impl Api {
    /// Asks the metadata host.
    pub(crate) async fn ask(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        doing: &str,
    ) -> Result<Value, Trouble> {
        let usual = [("resourceVersion", "V2"), ("ContentType", "JSON")];
        let pairs: Vec<_> = pairs.iter().chain(&usual).copied().collect();
        let call = Call { asks: true, ..self.metadata(Method::GET, path, &pairs) };
        read_json(self.call(call, doing).await?, doing).await
    }

    /// One node, or `None` if there is none of this id.
    pub(crate) async fn node(&self, id: &str, doing: &str) -> Result<Option<Node>, Trouble> {
        let pairs = [("asset", "ALL"), ("tempLink", "false")];
        match self.ask(&format!("nodes/{id}"), &pairs, doing).await {
            Ok(told) => Ok(Node::read(&told)),
            Err(trouble) if trouble.error.kind() == Kind::NotFound => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// One page of the nodes that fit a filter, oldest first.
    pub(crate) async fn nodes(
        &self,
        filter: &str,
        offset: u64,
        limit: u64,
        doing: &str,
    ) -> Result<Listing, Trouble> {
        let (offset, limit) = (offset.to_string(), limit.to_string());
        let pairs = [
            ("asset", "ALL"),
            ("tempLink", "false"),
            ("filters", filter),
            // What is new comes last, so that it does not shift what was not yet read.
            ("sort", "['createdDate ASC']"),
            ("limit", &limit),
            ("offset", &offset),
        ];
        let told = self.ask("nodes", &pairs, doing).await?;
        let nonsense = || Error::new(Kind::Protocol, format!("{doing}: a page makes no sense"));
        Ok(Listing::read(&told).ok_or_else(nonsense)?)
    }

    /// Tells the metadata host to do something. Nobody knows what some of these answer, so that may be nothing.
    pub(crate) async fn tell(
        &self,
        method: Method,
        path: &str,
        argument: &Value,
        doing: &str,
    ) -> Result<Option<Node>, Trouble> {
        let sent = Sent::Json(argument.to_string().into());
        let call = Call { sent, ..self.metadata(method, path, &[]) };
        let (answer, _slot) = self.call(call, doing).await?;
        // It is done, whatever is said about it.
        let body = answer.into_body().collect(JSON_LIMIT).await.unwrap_or_default();
        Ok(serde_json::from_slice::<Value>(&body).ok().and_then(|told| Node::read(&told)))
    }

    /// Sends the bytes of a file to the content host.
    pub(crate) async fn upload(
        &self,
        path_and_query: &str,
        md5: Option<Md5>,
        sent: Sent,
        doing: &str,
    ) -> Result<Node, Trouble> {
        let url = format!("{}/{path_and_query}", self.hosts.content);
        let (method, range) = (Method::POST, None);
        let call = Call { method, url, sent, md5, range, metered: false, asks: false };
        let told = read_json(self.call(call, doing).await?, doing).await?;
        let nonsense = || Error::new(Kind::Protocol, format!("{doing}: no node was told of"));
        Ok(Node::read(&told).ok_or_else(nonsense)?)
    }

    /// Asks where the bytes of a node are. The answer is a redirect, or the bytes themselves.
    pub(crate) async fn redirection(
        &self,
        id: &str,
        owner: &str,
        range: Option<&str>,
        doing: &str,
    ) -> Result<Answer, Trouble> {
        let path = format!("nodes/{id}/contentRedirection");
        let pairs = [("querySuffix", "?download=true"), ("ownerId", owner)];
        let call = Call { asks: true, range, ..self.metadata(Method::GET, &path, &pairs) };
        self.call(call, doing).await
    }

    /// Fetches from where the service led to, with nothing that says who asks.
    pub(crate) async fn fetch(
        &self,
        url: &str,
        range: Option<&str>,
        doing: &str,
    ) -> Result<Answer, Trouble> {
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(url)
            .header(header::USER_AGENT, AGENT)
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let wrong = |_| Error::new(Kind::Protocol, format!("{doing}: a bad link"));
        let request = request.body(HttpBody::empty()).map_err(wrong)?;
        let slot = self.pace.enter(false).await?;
        let answer = self.http.send(request).await.map_err(|error| at(&error, doing))?;
        Ok((answer, slot))
    }

    fn metadata(&self, method: Method, path: &str, pairs: &[(&str, &str)]) -> Call<'static> {
        let mut url = format!("{}/{path}", self.hosts.metadata);
        if !pairs.is_empty() {
            url = format!("{url}?{}", query(pairs));
        }
        let sent = Sent::Nothing;
        Call { method, url, sent, md5: None, range: None, metered: true, asks: false }
    }

    async fn call(&self, mut call: Call<'_>, doing: &str) -> Result<Answer, Trouble> {
        let (mut tries, mut refusals) = (0, 0);
        loop {
            let slot = self.pace.enter(call.metered).await?;
            let request = self.request(&mut call, doing)?;
            let trouble = match self.http.send(request).await {
                Ok(answer) => match judged(answer, call.asks, doing).await {
                    Ok(answer) => {
                        self.pace.accepted();
                        return Ok((answer, slot));
                    }
                    Err(trouble) => trouble,
                },
                Err(error) => at(&error, doing),
            };
            drop(slot);
            tracing::debug!(status = trouble.status, "refused: {}", trouble.error);
            if trouble.error.kind() == Kind::SignIn {
                self.pace.end(&trouble.error);
                return Err(trouble);
            }
            if trouble.refused() {
                self.pace.refused(trouble.wait);
                // Of a 429 it is known that nothing was done.
                let undone = call.asks || trouble.status == Some(429);
                refusals += 1;
                if undone && call.sent.again() && refusals <= PATIENCE {
                    continue;
                }
                return Err(trouble);
            }
            tries += 1;
            if !call.asks || !trouble.may_pass() || tries == TRIES {
                return Err(trouble);
            }
            self.pace.back_off(tries).await?;
        }
    }

    fn request(&self, call: &mut Call<'_>, doing: &str) -> Result<Request<HttpBody>, Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(&call.url)
            .header(header::USER_AGENT, AGENT)
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::COOKIE, &self.cookies.header)
            .header("x-amzn-sessionid", &self.cookies.session);
        if let Some(range) = call.range {
            request = request.header(header::RANGE, range);
        }
        if let Some(md5) = call.md5 {
            request = request.header("x-amzn-file-md5", hex::encode(md5));
        }
        let kind = match &call.sent {
            Sent::Nothing => None,
            Sent::Json(_) => Some("application/json"),
            // So browsers and apps call it.
            Sent::Whole(_) | Sent::Stream(_) => Some("application/x-www-form-urlencoded"),
        };
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let body = match &mut call.sent {
            Sent::Nothing => HttpBody::empty(),
            Sent::Json(bytes) | Sent::Whole(bytes) => HttpBody::Whole(bytes.clone()),
            Sent::Stream(body) => body
                .take()
                .ok_or_else(|| Error::new(Kind::Internal, format!("{doing}: sent twice")))?,
        };
        let wrong = |_| Error::new(Kind::Internal, format!("{doing}: a bad request"));
        request.body(body).map_err(wrong)
    }
}

impl Sent {
    fn again(&self) -> bool {
        !matches!(self, Self::Stream(_))
    }
}

/// The answer, if it is one of success: no page for people, and a redirect only where one may be.
async fn judged(
    answer: Response<HttpBody>,
    may_redirect: bool,
    doing: &str,
) -> Result<Response<HttpBody>, Trouble> {
    let status = answer.status();
    if status.is_success() && content(answer.headers()) == Content::Page && !named_file(&answer) {
        return Err(Trouble::page(status, doing));
    }
    let led = || answer.headers().get(header::LOCATION)?.to_str().ok();
    // Sign-in pages stand below `/ap/`.
    let leads = status.is_redirection() && led().is_some_and(|to| !to.contains("/ap/"));
    if status.is_success() || (may_redirect && leads) {
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    // A failure that is not told to its end is one all the same.
    let body = body.collect(FAILURE_LIMIT).await.unwrap_or_default();
    Err(Trouble::of_answer(head.status, &head.headers, &body, doing))
}

/// Whether the answer is a file to be kept, whatever its content.
fn named_file(answer: &Response<HttpBody>) -> bool {
    let kept = answer.headers().get(header::CONTENT_DISPOSITION);
    kept.is_some_and(|kept| kept.as_bytes().starts_with(b"attachment"))
}

async fn read_json((answer, _slot): Answer, doing: &str) -> Result<Value, Trouble> {
    let (head, body) = answer.into_parts();
    if !head.status.is_success() {
        // A redirect where an answer was asked for.
        return Err(Trouble::page(head.status, doing));
    }
    if content(&head.headers) != Content::Json {
        return Err(Trouble::nonsense(head.status, doing));
    }
    let body = body.collect(JSON_LIMIT).await.map_err(|error| at(&error, doing))?;
    serde_json::from_slice(&body).map_err(|_| Trouble::nonsense(head.status, doing))
}

/// The same error, told of what was being done.
pub(crate) fn at(error: &Error, doing: &str) -> Trouble {
    let told = Error::new(error.kind(), format!("{doing}: {error}"))
        .retry(error.retry_advice())
        .scope(error.reach())
        .code(error.id());
    told.into()
}
