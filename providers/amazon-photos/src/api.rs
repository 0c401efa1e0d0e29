//! One call of the service: paced, with the cookies, its failure understood.
//!
//! Invariants: every call passes [`Pace`]; cookies go to the hosts of the settings and nowhere else; a session that
//! is over ends all calls at once. What only asks is asked again a few times, what was refused because of its rate
//! was not done and is sent again; everything else goes up.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use safelight_core::error::{Error, Kind};
use safelight_core::http::{HttpBody, HttpTransport};
use serde_json::Value;

use crate::answer::{Answer, JSON_LIMIT, at, judged, read_json};
use crate::cookies::Cookies;
use crate::filter::query;
use crate::hosts::Hosts;
use crate::node::{Listing, Md5, Node};
use crate::pace::Pace;
use crate::trouble::Trouble;

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

/// Which page of a listing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) offset: u64,
    pub(crate) limit: u64,
    /// The oldest first; otherwise as the service orders it.
    pub(crate) by_date: bool,
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
    /// The answer may lead elsewhere.
    redirects: bool,
}

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
        let mut tries = 0;
        loop {
            let call = Call { asks: true, ..self.metadata(Method::GET, path, &pairs) };
            tries += 1;
            match read_json(self.call(call, doing).await?, doing).await {
                // The answer began well and broke off.
                Err(trouble) if trouble.status.is_none() && trouble.may_pass() && tries < TRIES => {
                    tracing::debug!("broken off: {}", trouble.error);
                    self.pace.back_off(tries).await?;
                }
                answer => return answer,
            }
        }
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
        let window = Window { offset, limit, by_date: true };
        self.page("nodes", Some(filter), window, doing).await
    }

    /// One page of any listing.
    pub(crate) async fn page(
        &self,
        path: &str,
        filter: Option<&str>,
        window: Window,
        doing: &str,
    ) -> Result<Listing, Trouble> {
        let (offset, limit) = (window.offset.to_string(), window.limit.to_string());
        let mut pairs = vec![("asset", "ALL"), ("tempLink", "false")];
        pairs.extend(filter.map(|filter| ("filters", filter)));
        if window.by_date {
            // What is new comes last, so that it does not shift what was not yet read.
            pairs.push(("sort", "['createdDate ASC']"));
        }
        pairs.extend([("limit", limit.as_str()), ("offset", &offset)]);
        let told = self.ask(path, &pairs, doing).await?;
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
        let call =
            Call { method, url, sent, md5, range, metered: false, asks: false, redirects: false };
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
        let usual = self.metadata(Method::GET, &path, &pairs);
        let call = Call { asks: true, redirects: true, range, ..usual };
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
        Call {
            method,
            url,
            sent,
            md5: None,
            range: None,
            metered: true,
            asks: false,
            redirects: false,
        }
    }

    async fn call(&self, mut call: Call<'_>, doing: &str) -> Result<Answer, Trouble> {
        let (mut tries, mut refusals) = (0, 0);
        loop {
            let slot = self.pace.enter(call.metered).await?;
            let request = self.request(&mut call, doing)?;
            let trouble = match self.http.send(request).await {
                Ok(answer) => match judged(answer, call.redirects, doing).await {
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
                // Who says when to come again has done nothing.
                let undone = call.asks || trouble.status == Some(429) || trouble.wait.is_some();
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
