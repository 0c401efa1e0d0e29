//! The transport itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use http::{Method, Request, Response, header};
use reqwest::{Client, ClientBuilder, Url};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::{HttpBody, HttpTransport, Patience};
use safelight_core::time::Clock;

use crate::failure;
use crate::outgoing::outgoing;
use crate::watch::{Progress, guarded, until_idle};

/// When an exchange counts as broken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To reach the other side, TLS included.
    pub connect: Duration,
    /// Without a single byte in either direction.
    pub idle: Duration,
    /// Over how much waiting the rate of an answer is measured.
    pub window: Duration,
    /// Fewer bytes than this in one window end the answer.
    pub window_bytes: u64,
}

impl Default for Limits {
    /// 15 s to connect, 60 s of silence, 1 KiB/s measured over a minute: far below any usable line.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            idle: Duration::from_mins(1),
            window: Duration::from_mins(1),
            window_bytes: 60 * 1024,
        }
    }
}

/// As many as any destination uses at once: a connection that is closed between two files costs the next one a greeting,
/// and with TLS three.
const IDLE_CONNECTIONS: usize = 256;

/// Sends requests with one shared pool of connections.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: Client,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

impl ReqwestTransport {
    /// A transport with the usual limits. Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY` ...).
    ///
    /// # Errors
    /// [`Kind::Internal`] if the client cannot be built.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self> {
        Self::with_limits(clock, Limits::default())
    }

    /// A transport with limits of one's own.
    ///
    /// # Errors
    /// As [`ReqwestTransport::new`].
    pub fn with_limits(clock: Arc<dyn Clock>, limits: Limits) -> Result<Self> {
        // A program that already chose a provider keeps it; then there is nothing to do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A machine without root certificates can still talk to its own loopback; every https connection is
        // refused there, because nothing vouches for the other side.
        let client = builder(limits)
            .build()
            .or_else(|_| builder(limits).tls_certs_only([]).build())
            .map_err(|error| {
                Error::new(Kind::Internal, "building the HTTP client").source(error)
            })?;
        Ok(Self { client, clock, limits })
    }
}

fn builder(limits: Limits) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("safelight/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(limits.connect)
        .pool_idle_timeout(Duration::from_secs(90))
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(&self, request: Request<HttpBody>) -> Result<Response<HttpBody>> {
        let (mut parts, body) = request.into_parts();
        let host = parts.uri.host().unwrap_or("?").to_owned();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|_| Error::new(Kind::Internal, format!("a bad address at {host}")))?;
        let asked = parts.extensions.get::<Patience>().map_or(Duration::ZERO, |asked| asked.0);
        let idle = self.limits.idle.max(asked);
        let headless = parts.method == Method::HEAD;
        let progress = Progress::new(self.clock.clone());
        let body = outgoing(body, &mut parts.headers, &progress);
        let mut sending = self.client.request(parts.method, url).headers(parts.headers);
        if let Some(body) = body {
            sending = sending.body(body);
        }
        let answer = until_idle(sending.send(), &progress, idle)
            .await
            .ok_or_else(|| failure::silent(&host))?
            .map_err(|error| failure::of(&error, &host))?;
        let (head, body) = Response::<reqwest::Body>::from(answer).into_parts();
        let length = head.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = if headless {
            HttpBody::empty()
        } else {
            let chunks = reqwest::Response::from(Response::new(body)).bytes_stream();
            let chunks = guarded(chunks.boxed(), self.clock.clone(), self.limits, host);
            HttpBody::Stream { length, chunks }
        };
        Ok(Response::from_parts(head, body))
    }
}
