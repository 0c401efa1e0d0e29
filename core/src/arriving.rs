//! Bytes on their way here from a service: as many as were announced, and the whole as the service describes it.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{Response, StatusCode, header};

use crate::digest::{Digests, Hasher};
use crate::error::{Error, Kind, Result, Scope};
use crate::http::HttpBody;

/// An object, or a part of one, that is being received.
pub struct Arriving<G> {
    /// The bytes as they come.
    pub chunks: BoxStream<'static, Result<Bytes>>,
    /// How many there have to be.
    pub expected: u64,
    /// What the service says of all bytes of the object; nothing, where only a part of it comes.
    pub digests: Digests,
    /// What is being done, for errors.
    pub doing: String,
    /// Dropped at the end: the right to have a call under way, or `()`.
    pub guard: G,
}

impl<G: Send + 'static> Arriving<G> {
    /// The same bytes, compared with what was announced. The stream ends with [`Kind::Unavailable`] if too few came, with
    /// [`Kind::Corrupt`] if too many or others.
    pub fn checked(self) -> BoxStream<'static, Result<Bytes>> {
        let hasher = Some(Hasher::to_compare(&self.digests));
        let checking = Checking { arriving: self, received: 0, hasher };
        stream::unfold(Some(checking), |state| async move {
            let mut checking = state?;
            match checking.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(checking))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

struct Checking<G> {
    arriving: Arriving<G>,
    received: u64,
    hasher: Option<Hasher>,
}

impl<G> Checking<G> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(chunk) = self.arriving.chunks.try_next().await? else { return self.end() };
        self.received += chunk.len() as u64;
        if self.received > self.arriving.expected {
            return Err(self.trouble(Kind::Corrupt, "more bytes came than there are"));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&chunk);
        }
        Ok(Some(chunk))
    }

    fn end(&mut self) -> Result<Option<Bytes>> {
        let (came, of) = (self.received, self.arriving.expected);
        if came < of {
            let error = self.trouble(Kind::Unavailable, &format!("{came} of {of} bytes came"));
            return Err(error.scope(Scope::Item));
        }
        let came = self.hasher.take().map(Hasher::finish).unwrap_or_default();
        if self.arriving.digests.compare(&came).is_err() {
            return Err(self.trouble(Kind::Corrupt, "other bytes came than are stored"));
        }
        Ok(None)
    }

    fn trouble(&self, kind: Kind, what: &str) -> Error {
        Error::new(kind, format!("{}: {what}", self.arriving.doing))
    }
}

/// That an answer is the part that was asked for; `None` is the whole.
///
/// # Errors
/// [`Kind::Protocol`] if it is another one.
pub fn is_part(
    answer: &Response<HttpBody>,
    part: Option<&Range<u64>>,
    size: u64,
    doing: &str,
) -> Result<()> {
    let status = answer.status();
    let told = answer.headers().get(header::CONTENT_RANGE).and_then(|told| told.to_str().ok());
    let right = match part {
        None => status == StatusCode::OK,
        Some(part) if status == StatusCode::OK => *part == (0..size),
        Some(part) => {
            let expected = format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1));
            status == StatusCode::PARTIAL_CONTENT && told == Some(expected.as_str())
        }
    };
    if right {
        return Ok(());
    }
    Err(Error::new(Kind::Protocol, format!("{doing}: another part came than was asked for")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::digest::{Algorithm, Algorithms};

    fn received(bytes: &'static [u8], expected: u64, digests: Digests) -> Result<Vec<Bytes>> {
        let chunks = bytes.chunks(3).map(|chunk| Ok(Bytes::from_static(chunk)));
        let chunks = stream::iter(chunks.collect::<Vec<_>>()).boxed();
        let arriving = Arriving { chunks, expected, digests, doing: "test".to_owned(), guard: () };
        arriving.checked().try_collect().now_or_never().unwrap()
    }

    #[test]
    fn only_what_was_announced_passes() {
        let none = Digests::default();
        let all = Algorithms::default().with(Algorithm::Md5).with(Algorithm::DropboxHash);
        let right = Hasher::of(b"photo", all);
        assert_eq!(received(b"photo", 5, right).unwrap().concat(), b"photo");
        assert_eq!(received(b"other", 5, none).unwrap().concat(), b"other");
        for (bytes, digests, kind) in [
            (&b"phot"[..], none, Kind::Unavailable),
            (b"photos", none, Kind::Corrupt),
            (b"other", right, Kind::Corrupt),
            (b"other", Digests { sha256: None, dropbox: None, ..right }, Kind::Corrupt),
            (b"other", Digests { sha256: None, md5: None, ..right }, Kind::Corrupt),
        ] {
            assert_eq!(received(bytes, 5, digests).unwrap_err().kind(), kind, "{bytes:?}");
        }
    }

    #[test]
    fn another_part_than_was_asked_for_is_refused() {
        let answer = |status: u16, range: Option<&str>| {
            let mut answer = Response::builder().status(status);
            if let Some(range) = range {
                answer = answer.header(header::CONTENT_RANGE, range);
            }
            answer.body(HttpBody::empty()).unwrap()
        };
        let judge = |answer: &Response<HttpBody>, part: Option<&Range<u64>>| {
            is_part(answer, part, 10, "test").is_ok()
        };
        let (part, all) = (2..6, 0..10);
        assert!(judge(&answer(200, None), None) && judge(&answer(200, None), Some(&all)));
        assert!(judge(&answer(206, Some("bytes 2-5/10")), Some(&part)));
        assert!(!judge(&answer(206, Some("bytes 2-5/10")), None));
        assert!(!judge(&answer(200, None), Some(&part)) && !judge(&answer(206, None), Some(&part)));
        assert!(!judge(&answer(206, Some("bytes 2-5/11")), Some(&part)));
    }
}
