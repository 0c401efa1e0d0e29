//! The bytes of one item on their way into a destination.
//!
//! A body is pulled by the provider. Small items are whole in memory and shared by reference; large ones
//! arrive as a bounded stream of chunks.
//!
//! Invariant: a body yields exactly [`Body::length`] bytes and then `None`, or an error. Its digests cover
//! exactly the bytes it yielded.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::digest::Digests;
use crate::error::{Error, Kind, Result};
use crate::wrap::Meter;

/// The bytes of one item.
#[derive(Debug)]
pub struct Body {
    length: u64,
    yielded: u64,
    source: Source,
    meter: Option<Arc<Meter>>,
}

#[derive(Debug)]
enum Source {
    Whole { bytes: Bytes, digests: Digests },
    Stream { chunks: mpsc::Receiver<Result<Bytes>>, digests: Option<oneshot::Receiver<Digests>> },
}

/// The other end of a streamed [`Body`].
#[derive(Debug)]
pub struct BodySender {
    chunks: mpsc::Sender<Result<Bytes>>,
    digests: oneshot::Sender<Digests>,
}

impl Body {
    /// A body that is all in memory.
    pub fn whole(bytes: Bytes, digests: Digests) -> Self {
        Self {
            length: bytes.len() as u64,
            yielded: 0,
            source: Source::Whole { bytes, digests },
            meter: None,
        }
    }

    /// A body of `length` bytes that arrive chunk by chunk, at most `window` of them waiting.
    pub fn stream(length: u64, window: usize) -> (BodySender, Self) {
        let (chunks, incoming) = mpsc::channel(window.max(1));
        let (digests, later) = oneshot::channel();
        let source = Source::Stream { chunks: incoming, digests: Some(later) };
        (BodySender { chunks, digests }, Self { length, yielded: 0, source, meter: None })
    }

    /// How many bytes it has in all.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digests, if they are known before the first byte is sent.
    pub fn digests_ahead(&self) -> Option<Digests> {
        match &self.source {
            Source::Whole { digests, .. } => Some(*digests),
            Source::Stream { .. } => None,
        }
    }

    /// Everything at once, if it is all in memory.
    pub fn as_whole(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Whole { bytes, .. } => Some(bytes),
            Source::Stream { .. } => None,
        }
    }

    /// A second body with the same bytes, if they are all in memory.
    pub fn try_clone(&self) -> Option<Self> {
        match &self.source {
            Source::Whole { bytes, digests } => Some(Self::whole(bytes.clone(), *digests)),
            Source::Stream { .. } => None,
        }
    }

    /// The same body, whose bytes wait for `meter`: here if they are all in memory, else chunk by chunk.
    pub async fn metered(mut self, meter: Arc<Meter>) -> Self {
        if self.as_whole().is_some() {
            meter.take(self.length).await;
        } else {
            self.meter = Some(meter);
        }
        self
    }

    /// The next bytes; `None` after the last.
    ///
    /// # Errors
    /// What the reading side reports; [`Kind::Changed`] if fewer or more bytes come than announced. After an
    /// error nothing may become visible at the destination.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let next = match &mut self.source {
            Source::Whole { bytes, .. } if self.yielded == 0 && !bytes.is_empty() => {
                Some(bytes.clone())
            }
            Source::Whole { .. } => None,
            Source::Stream { chunks, .. } => chunks.recv().await.transpose()?,
        };
        if let (Some(meter), Some(bytes)) = (&self.meter, &next) {
            meter.take(bytes.len() as u64).await;
        }
        self.yielded += next.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let wrong_end = next.is_none() && self.yielded != self.length;
        if wrong_end || self.yielded > self.length {
            let context = format!("expected {} bytes, got {}", self.length, self.yielded);
            return Err(Error::new(Kind::Changed, context));
        }
        Ok(next)
    }

    /// The digests of all bytes, after [`Body::chunk`] answered `None`.
    ///
    /// # Errors
    /// [`Kind::Changed`] if the reading side found at its end that the item had changed, or went away.
    pub async fn digests(&mut self) -> Result<Digests> {
        match &mut self.source {
            Source::Whole { digests, .. } => Ok(*digests),
            Source::Stream { digests, .. } => {
                let gone = || Error::new(Kind::Changed, "the item was not read to its end");
                digests.take().ok_or_else(gone)?.await.map_err(|_| gone())
            }
        }
    }
}

impl BodySender {
    /// Hands the next chunk over; waits while the window is full.
    ///
    /// # Errors
    /// [`Kind::Cancelled`] if the receiving side is gone.
    pub async fn send(&self, chunk: Result<Bytes>) -> Result<()> {
        let gone = |_| Error::new(Kind::Cancelled, "the destination stopped taking bytes");
        self.chunks.send(chunk).await.map_err(gone)
    }

    /// How many more chunks fit without waiting.
    pub fn room(&self) -> usize {
        self.chunks.capacity()
    }

    /// Whether the receiving side has taken everything and waits for more.
    pub fn is_drained(&self) -> bool {
        self.chunks.capacity() == self.chunks.max_capacity()
    }

    /// Ends the body and says what its digests are. Dropping the sender instead ends it with an error.
    pub fn finish(self, digests: Digests) {
        // A receiver that is gone has no use for digests.
        let _ = self.digests.send(digests);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_short_body_is_an_error_and_not_an_end() {
        let (sender, mut body) = Body::stream(10, 2);
        sender.send(Ok(Bytes::from_static(b"12345"))).await.unwrap();
        drop(sender);
        assert_eq!(body.chunk().await.unwrap().unwrap().len(), 5);
        assert_eq!(body.chunk().await.unwrap_err().kind(), Kind::Changed);
    }

    #[tokio::test]
    async fn a_long_body_is_an_error() {
        let (sender, mut body) = Body::stream(3, 2);
        sender.send(Ok(Bytes::from_static(b"12345"))).await.unwrap();
        assert_eq!(body.chunk().await.unwrap_err().kind(), Kind::Changed);
    }

    #[tokio::test]
    async fn an_empty_body_ends_at_once() {
        let mut body = Body::whole(Bytes::new(), Digests::default());
        assert!(body.chunk().await.unwrap().is_none());
        assert!(body.digests().await.is_ok());
    }
}
