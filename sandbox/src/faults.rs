//! Ways in which an answer can go wrong.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::{BoxFuture, pending};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Body, Frame};
use safelight_core::time::Clock;

use crate::loopback::{Answer, AnswerBody, whole};

/// What shall become of a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, this many seconds in `Retry-After`, and this body; the service never sees the request.
    Status {
        /// The status code; one that HTTP does not know becomes 500.
        status: u16,
        /// For the header `Retry-After`.
        retry_after: Option<u64>,
        /// The body; one that begins with `{` is called JSON.
        body: &'static str,
    },
    /// The service acts, but its answer breaks off after this many bytes of the body.
    CutBody(usize),
    /// The service acts, but the lowest bit of this byte of its answer is wrong; unless the answer is shorter.
    FlipBody(usize),
    /// The lowest bit of this byte of the request is wrong when the service sees it. Only the Dropbox stand-in.
    FlipSent(usize),
    /// The connection breaks before the service sees the request.
    Reset,
    /// The service acts, but the connection breaks before its answer.
    LoseAnswer,
    /// No answer, ever; the service never sees the request.
    Stall,
    /// The service acts, but gives no answer, ever.
    Withhold,
    /// The service acts after this much time of this clock.
    Delay(Duration, Arc<dyn Clock>),
}

impl Fault {
    /// A bare status without body.
    pub fn status(status: u16) -> Self {
        Self::Status { status, retry_after: None, body: "" }
    }
}

/// A mark on a request: its body is to be spoiled at this byte by whoever reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlipSent(pub(crate) usize);

/// Breaks the connection.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken on purpose")
    }
}

impl std::error::Error for Broken {}

type Handle<'a, B> = dyn Fn(Request<B>) -> BoxFuture<'static, Answer> + Send + Sync + 'a;

/// Lets `handle` answer, spoiled as `fault` says.
pub(crate) async fn apply<B: Body>(
    fault: Option<Fault>,
    mut request: Request<B>,
    handle: &Handle<'_, B>,
) -> Result<Answer, Broken> {
    match fault {
        None => Ok(handle(request).await),
        Some(Fault::Status { status, retry_after, body }) => {
            // A client that is still sending must not be cut off, else it may miss the answer.
            let _ = request.into_body().collect().await;
            Ok(refusal(status, retry_after, body))
        }
        Some(Fault::CutBody(bytes)) => Ok(handle(request).await.map(|body| cut(body, bytes))),
        Some(Fault::FlipBody(at)) => Ok(handle(request).await.map(|body| flip(body, at))),
        Some(Fault::FlipSent(at)) => {
            request.extensions_mut().insert(FlipSent(at));
            Ok(handle(request).await)
        }
        Some(Fault::Reset) => Err(Broken),
        Some(Fault::LoseAnswer) => {
            handle(request).await;
            Err(Broken)
        }
        Some(Fault::Stall) => pending().await,
        Some(Fault::Withhold) => {
            handle(request).await;
            pending().await
        }
        Some(Fault::Delay(span, clock)) => {
            clock.sleep(span).await;
            Ok(handle(request).await)
        }
    }
}

fn refusal(status: u16, retry_after: Option<u64>, body: &'static str) -> Answer {
    let mut answer = Response::new(whole(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if body.starts_with('{') {
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

fn cut(body: AnswerBody, bytes: usize) -> AnswerBody {
    let frames = BodyStream::new(body).scan(Some(bytes), |left, frame| {
        let next = left.take().map(|room| match frame.map(Frame::into_data) {
            Ok(Ok(data)) if data.len() <= room => {
                *left = Some(room - data.len());
                Ok(Frame::data(data))
            }
            _ => Err(Broken.into()),
        });
        async move { next }
    });
    StreamBody::new(frames).boxed_unsync()
}

fn flip(body: AnswerBody, at: usize) -> AnswerBody {
    let frames = BodyStream::new(body).scan(at, |left, frame| {
        let frame = frame.map(|frame| {
            frame.map_data(|data| {
                let mut data = Vec::from(data);
                if let Some(byte) = data.get_mut(*left) {
                    *byte ^= 1;
                }
                *left = left.checked_sub(data.len()).unwrap_or(usize::MAX);
                data.into()
            })
        });
        async move { Some(frame) }
    });
    StreamBody::new(frames).boxed_unsync()
}
