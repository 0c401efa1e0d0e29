//! OpenDAL's HTTP on top of the transport that core hands in: through the gate, written down in the
//! operation's [`Call`], and never trusting the size of an answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use md5::{Digest, Md5};
use opendal::raw::Operation;
use opendal::{Buffer, ErrorKind};
use safelight_core::error::{Error, Kind};
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::time::{Clock, Timestamp};

use crate::call::Call;
use crate::errors::Refusal;
use crate::gate::Gate;
use crate::store::to_the_second;

const CHECKSUM: &str = "x-amz-checksum-crc32c";
const COPY_SOURCE: &str = "x-amz-copy-source";
/// Longest error document that is looked at.
pub(crate) const REFUSAL_BYTES: usize = 64 * 1024;
/// Longest answer that is not an object: a page of 1000 keys of 4 KiB fits in.
pub(crate) const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The transport of one operation.
pub(crate) struct Wire {
    pub(crate) http: Arc<dyn HttpTransport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) call: Arc<Call>,
    /// What every page of a listing holds near its beginning.
    pub(crate) page: &'static str,
    /// The service says of every body that it stores what it received, by checksum or by etag.
    pub(crate) vouches: bool,
}

impl opendal::HttpTransport for Wire {
    async fn fetch(
        &self,
        request: Request<Buffer>,
    ) -> opendal::Result<Response<opendal::HttpBody>> {
        match self.exchange(request).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                self.call.broke(&error);
                Err(opendal::Error::new(ErrorKind::Unexpected, "the request failed"))
            }
        }
    }
}

impl Wire {
    async fn exchange(
        &self,
        request: Request<Buffer>,
    ) -> Result<Response<opendal::HttpBody>, Error> {
        self.gate.pass().await?;
        let (mut parts, body) = request.into_parts();
        let operation = parts.extensions.get::<Operation>().copied().unwrap_or_default();
        if operation == Operation::List && !self.call.goes_on(&parts.uri) {
            let context = "the listing answers with the same page again and again";
            return Err(Error::new(Kind::Protocol, context));
        }
        if self.call.manner.keep_target && parts.headers.contains_key("overwrite") {
            parts.headers.insert("overwrite", HeaderValue::from_static("F"));
        }
        let checksum = parts.headers.get(CHECKSUM).cloned();
        let stores = parts.method == Method::PUT && !parts.headers.contains_key(COPY_SOURCE);
        let uri = parts.uri.clone();
        let answer = self.http.send(Request::from_parts(parts, outgoing(body.clone()))).await?;
        let (mut head, answer) = answer.into_parts();
        // OpenDAL looks here for the address that was asked.
        head.extensions.insert(uri);
        if !head.status.is_success() {
            let document = answer.collect(REFUSAL_BYTES).await.unwrap_or_default();
            self.call.refused(refusal(&self.gate, &*self.clock, &head, &document));
            return Ok(Response::from_parts(head, whole(document)));
        }
        self.call.succeeded(head.status);
        if stores && self.vouches {
            self.compare(checksum.as_ref(), &head.headers, body).await;
        }
        let body = if operation == Operation::Read {
            self.object(answer)
        } else {
            let document = answer.collect(ANSWER_BYTES).await?;
            if operation == Operation::List && !holds(&document, self.page) {
                return Err(Error::new(Kind::Protocol, "the answer is no listing"));
            }
            whole(document)
        };
        Ok(Response::from_parts(head, body))
    }

    /// Compares what the service says about a body with what was sent, with or without a checksum.
    async fn compare(&self, sent: Option<&HeaderValue>, answer: &HeaderMap, body: Buffer) {
        let echo = answer.get(CHECKSUM).zip(sent);
        let vouched = match echo {
            Some(_) => false,
            None => etag_is_md5(answer, body).await,
        };
        self.call.check(|checks| {
            checks.sent += 1;
            checks.md5 += u32::from(vouched);
            if let Some((echo, sent)) = echo {
                checks.crc32c += u32::from(echo == sent);
                checks.differs |= echo != sent;
            }
        });
    }

    /// An object, chunk by chunk. OpenDAL compares its length with the announced one, whatever its encoding.
    fn object(&self, body: HttpBody) -> opendal::HttpBody {
        let length = match &body {
            HttpBody::Whole(bytes) => Some(bytes.len() as u64),
            HttpBody::Stream { length, .. } => *length,
        };
        let call = self.call.clone();
        let chunks = body.into_stream().map(move |chunk| match chunk {
            Ok(bytes) => Ok(Buffer::from(bytes)),
            Err(error) => {
                call.broke(&error);
                Err(opendal::Error::new(ErrorKind::Unexpected, "the answer broke off"))
            }
        });
        opendal::HttpBody::new(Shared(Mutex::new(chunks.boxed())), length)
    }
}

fn outgoing(body: Buffer) -> HttpBody {
    let length = body.len() as u64;
    // A buffer is both an iterator and a stream; both share its chunks instead of copying them.
    let mut chunks: Vec<Bytes> = Iterator::collect(body);
    if chunks.len() > 1 {
        return HttpBody::Stream {
            length: Some(length),
            chunks: stream::iter(chunks).map(Ok).boxed(),
        };
    }
    chunks.pop().map_or_else(HttpBody::empty, HttpBody::Whole)
}

fn whole(bytes: Bytes) -> opendal::HttpBody {
    opendal::HttpBody::new(stream::iter([Ok(Buffer::from(bytes))]), None)
}

async fn etag_is_md5(answer: &HeaderMap, body: Buffer) -> bool {
    let etag = answer.get(header::ETAG).and_then(|etag| etag.to_str().ok());
    let Some(etag) = etag.map(|etag| etag.trim_matches('"').to_owned()) else { return false };
    // Of the other things that an etag may be, none has exactly this length and is the MD5 by chance.
    if etag.len() != 32 {
        return false;
    }
    let digest = tokio::task::spawn_blocking(move || {
        let mut md5 = Md5::new();
        for chunk in body {
            md5.update(&chunk);
        }
        hex::encode(md5.finalize())
    });
    digest.await.is_ok_and(|digest| digest.eq_ignore_ascii_case(&etag))
}

/// What an answer that is no success says. If it asks for a pause, everybody gets one.
pub(crate) fn refusal(
    gate: &Gate,
    clock: &dyn Clock,
    head: &http::response::Parts,
    document: &[u8],
) -> Refusal {
    let waits = matches!(head.status.as_u16(), 429 | 503);
    let retry_after = head.headers.get(header::RETRY_AFTER).filter(|_| waits);
    let retry_after = retry_after.and_then(|value| delay(value, clock.now()));
    if let Some(span) = retry_after {
        gate.pause(span);
    }
    Refusal { status: head.status, code: code(document), retry_after }
}

/// The error code of an S3, Azure or Google answer.
pub(crate) fn code(document: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(document).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && !code.is_empty()).then(|| code.to_owned())
}

/// Whether this has a listing's mark near its beginning.
pub(crate) fn holds(document: &[u8], mark: &str) -> bool {
    let beginning = &document[..document.len().min(1024)];
    beginning.windows(mark.len()).any(|window| window == mark.as_bytes())
}

/// `Retry-After`: seconds, or a date.
fn delay(value: &HeaderValue, now: Timestamp) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = opendal::raw::Timestamp::parse_rfc2822(text).ok()?;
    Some(to_the_second(date).since(now))
}

/// OpenDAL asks for streams that several threads may look at; the lock is never contended.
struct Shared(Mutex<BoxStream<'static, opendal::Result<Buffer>>>);

impl Stream for Shared {
    type Item = opendal::Result<Buffer>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunks = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        chunks.as_mut().poll_next(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_code_is_taken_from_an_error_document() {
        let cases: [(&str, Option<&str>); 5] = [
            ("<Error><Code>NoSuchKey</Code></Error>", Some("NoSuchKey")),
            ("<Error><Code>\u{1b}[31m</Code></Error>", None),
            ("<Code></Code>", None),
            ("<Code>unfinished", None),
            ("garbage", None),
        ];
        for (document, found) in cases {
            assert_eq!(code(document.as_bytes()).as_deref(), found, "{document}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_parts(1_445_412_470, 0);
        let cases = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(10)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("soon", None),
        ];
        for (text, seconds) in cases {
            let value = HeaderValue::from_static(text);
            assert_eq!(delay(&value, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
