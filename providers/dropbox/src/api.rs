//! One call of the API: paced, signed in, its failure understood.
//!
//! Invariant: every call passes [`Pace`]. A call that was refused because of its rate or of an old token was
//! not done, so it is made again here; everything else goes up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderValue, Method, Request, Response, header};
use safelight_core::error::{Error, Kind, Retry};
use safelight_core::http::{HttpBody, HttpTransport, Patience};
use safelight_core::secret::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::hosts::Hosts;
use crate::pace::Pace;
use crate::tokens::Tokens;
use crate::trouble::{Trouble, request_id};
use crate::wire::header_safe;

/// Longest JSON that is read: a page of 2,000 entries with long paths is about 2 MB.
const JSON_LIMIT: usize = 32 * 1024 * 1024;
/// Longest answer that tells of a failure.
const FAILURE_LIMIT: usize = 256 * 1024;
/// How often a call is made again after the service refused it because of its rate.
const REFUSALS: u32 = 2;
/// How long Dropbox may think before it answers.
const THINKING: Duration = Duration::from_mins(3);
/// The pause when the service names none.
const UNNAMED_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Api {
    pub(crate) http: Arc<dyn HttpTransport>,
    pub(crate) hosts: Hosts,
    pub(crate) tokens: Tokens,
    pub(crate) pace: Pace,
    /// The header that moves the root to a team's space.
    pub(crate) path_root: Option<HeaderValue>,
}

/// What is sent along.
enum Sent<'a> {
    /// The argument itself.
    Argument(Bytes),
    /// Bytes, with the argument in a header.
    Bytes { argument: String, pieces: &'a [Bytes] },
    /// Nothing but the argument in a header.
    Header { argument: String, range: Option<String> },
}

impl Api {
    /// Calls a route whose argument and result are JSON.
    pub(crate) async fn rpc<R: DeserializeOwned>(
        &self,
        route: &str,
        argument: &impl Serialize,
        doing: &str,
    ) -> Result<R, Trouble> {
        let argument = serde_json::to_vec(argument).map_err(|error| unwritable(error, doing))?;
        let url = format!("{}/2/{route}", self.hosts.api);
        let answer = self.call(&url, &Sent::Argument(argument.into()), doing).await?;
        read_json(answer, doing).await
    }

    /// Calls a route that takes bytes.
    pub(crate) async fn upload<R: DeserializeOwned>(
        &self,
        route: &str,
        argument: &impl Serialize,
        pieces: &[Bytes],
        doing: &str,
    ) -> Result<R, Trouble> {
        let argument = header_safe(argument).map_err(|error| unwritable(error, doing))?;
        let url = format!("{}/2/{route}", self.hosts.content);
        let answer = self.call(&url, &Sent::Bytes { argument, pieces }, doing).await?;
        read_json(answer, doing).await
    }

    /// Calls a route that answers with bytes. The caller reads result header and body.
    pub(crate) async fn download(
        &self,
        route: &str,
        argument: &impl Serialize,
        range: Option<String>,
        doing: &str,
    ) -> Result<Response<HttpBody>, Trouble> {
        let argument = header_safe(argument).map_err(|error| unwritable(error, doing))?;
        let url = format!("{}/2/{route}", self.hosts.content);
        self.call(&url, &Sent::Header { argument, range }, doing).await
    }

    async fn call(
        &self,
        url: &str,
        sent: &Sent<'_>,
        doing: &str,
    ) -> Result<Response<HttpBody>, Trouble> {
        let (mut renewed, mut refusals) = (false, 0);
        loop {
            let token = self.tokens.get(&*self.http, &self.pace).await?;
            let request = self.request(url, sent, &token, doing)?;
            self.pace.enter().await?;
            let answer = self.http.send(request).await.map_err(|error| at(&error, doing))?;
            if answer.status().is_success() {
                self.pace.accepted();
                return Ok(answer);
            }
            let trouble = failed(answer, doing).await;
            tracing::debug!(
                status = trouble.status,
                tags = trouble.tags,
                "refused: {}",
                trouble.error
            );
            match trouble.status {
                Some(401)
                    if trouble.has("expired_access_token") && !renewed && self.tokens.renews() =>
                {
                    renewed = true;
                    self.tokens.expired(&token).await;
                }
                Some(401) => {
                    if !trouble.has("missing_scope") {
                        self.tokens.end(&trouble.error).await;
                    }
                    return Err(trouble);
                }
                Some(429) if !trouble.has("too_many_write_operations") => {
                    let wait = match trouble.error.retry_advice() {
                        Retry::After(wait) => wait,
                        _ => UNNAMED_PAUSE * 2_u32.pow(refusals),
                    };
                    self.pace.refused(wait);
                    refusals += 1;
                    if refusals > REFUSALS {
                        return Err(trouble);
                    }
                }
                _ => return Err(trouble),
            }
        }
    }

    fn request(
        &self,
        url: &str,
        sent: &Sent<'_>,
        token: &Secret,
        doing: &str,
    ) -> Result<Request<HttpBody>, Error> {
        let wrong = |_| Error::new(Kind::Internal, format!("{doing}: a bad request"));
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| Error::new(Kind::SignIn, "the access token has letters no token has"))?;
        bearer.set_sensitive(true);
        let mut request =
            Request::builder().method(Method::POST).uri(url).header(header::AUTHORIZATION, bearer);
        if let Some(root) = &self.path_root {
            request = request.header("dropbox-api-path-root", root);
        }
        let body = match sent {
            Sent::Argument(json) => {
                // Listings of large folders and commits of a thousand files are thought about for minutes.
                request = request
                    .extension(Patience(THINKING))
                    .header(header::CONTENT_TYPE, "application/json");
                HttpBody::Whole(json.clone())
            }
            Sent::Bytes { argument, pieces } => {
                request = request
                    .header("dropbox-api-arg", argument)
                    .header(header::CONTENT_TYPE, "application/octet-stream");
                whole(pieces)
            }
            Sent::Header { argument, range } => {
                if let Some(range) = range {
                    request = request.header(header::RANGE, range);
                }
                request = request
                    .header("dropbox-api-arg", argument)
                    .header(header::ACCEPT_ENCODING, "identity");
                HttpBody::empty()
            }
        };
        request.body(body).map_err(wrong)
    }
}

fn whole(pieces: &[Bytes]) -> HttpBody {
    match pieces {
        [] => HttpBody::empty(),
        [piece] => HttpBody::Whole(piece.clone()),
        pieces => HttpBody::Stream {
            length: Some(pieces.iter().map(|piece| piece.len() as u64).sum()),
            chunks: futures::stream::iter(pieces.to_vec()).map(Ok).boxed(),
        },
    }
}

async fn read_json<R: DeserializeOwned>(
    answer: Response<HttpBody>,
    doing: &str,
) -> Result<R, Trouble> {
    let (head, body) = answer.into_parts();
    let body = body.collect(JSON_LIMIT).await.map_err(|error| at(&error, doing))?;
    serde_json::from_slice(&body).map_err(|error| {
        let id = request_id(&head.headers).unwrap_or_default();
        let context = format!("{doing}: an answer that makes no sense (request {id})");
        let error = Error::new(Kind::Protocol, context).source(error);
        Trouble { status: Some(head.status.as_u16()), ..Trouble::from(error) }
    })
}

async fn failed(answer: Response<HttpBody>, doing: &str) -> Trouble {
    let (head, body) = answer.into_parts();
    // A failure that is not told to its end is one all the same.
    let body = body.collect(FAILURE_LIMIT).await.unwrap_or_default();
    Trouble::of_answer(head.status, &head.headers, &body, doing)
}

/// The same error, told of what was being done.
fn at(error: &Error, doing: &str) -> Trouble {
    let told = Error::new(error.kind(), format!("{doing}: {error}"))
        .retry(error.retry_advice())
        .scope(error.reach())
        .code(error.id());
    told.into()
}

fn unwritable(error: serde_json::Error, doing: &str) -> Trouble {
    Error::new(Kind::Internal, format!("{doing}: the argument")).source(error).into()
}
