//! A way into a stand-in without a socket: requests are handed over inside the process.
//!
//! For tests under a clock that is moved by hand or runs by itself: what goes through the operating system takes
//! real time, and such a clock would run away meanwhile. Faults and counts are those of the stand-in.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Body, Frame};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::{HttpBody, HttpTransport};

use crate::faults::apply;
use crate::loopback::{Answer, AnswerBody, whole};
use crate::traffic::Traffic;

type Handler = Arc<dyn Fn(Request<AnswerBody>) -> BoxFuture<'static, Answer> + Send + Sync>;

/// A transport that knows one stand-in and nobody else; the host of a request is not looked at.
pub struct Direct {
    traffic: Traffic,
    handler: Handler,
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

impl Direct {
    pub(crate) fn new<F>(
        traffic: Traffic,
        handler: impl Fn(Request<AnswerBody>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self { traffic, handler: Arc::new(move |request| Box::pin(handler(request))) }
    }
}

#[async_trait]
impl HttpTransport for Direct {
    async fn send(&self, request: Request<HttpBody>) -> Result<Response<HttpBody>> {
        let fault = self.traffic.note(request.method(), request.uri());
        let broken = || Error::new(Kind::Unavailable, "the stand-in broke the connection off");
        let request = request.map(asked);
        let answer = apply(fault, request, &*self.handler).await.map_err(|_| broken())?;
        let (mut head, body) = answer.into_parts();
        let length = body.size_hint().exact();
        if let Some(length) = length {
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let chunks = BodyStream::new(body).filter_map(move |frame| async move {
            match frame.map(Frame::into_data) {
                Ok(data) => data.ok().map(Ok),
                Err(_) => Some(Err(broken())),
            }
        });
        let chunks = chunks.boxed();
        Ok(Response::from_parts(head, HttpBody::Stream { length, chunks }))
    }
}

fn asked(body: HttpBody) -> AnswerBody {
    match body {
        HttpBody::Whole(bytes) => whole(bytes),
        HttpBody::Stream { chunks, .. } => {
            StreamBody::new(chunks.map_ok(Frame::data).map_err(Into::into)).boxed_unsync()
        }
    }
}
