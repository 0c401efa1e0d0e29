//! The HTTP transport as a value that is handed in, so that tests and sandboxes need no tricks and every
//! provider shares one pool of connections.
//!
//! Contract of a transport: no redirects are followed, nothing is decompressed, no retries are made, and an
//! answer that stops arriving is an error. Status codes are not errors here.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::error::{Error, Kind, Result};

/// The body of a request or of an answer.
pub enum HttpBody {
    /// All in memory.
    Whole(Bytes),
    /// Chunk by chunk.
    Stream {
        /// The length in bytes, if known.
        length: Option<u64>,
        /// The chunks.
        chunks: BoxStream<'static, Result<Bytes>>,
    },
}

impl HttpBody {
    /// No bytes at all.
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// Reads everything, but never more than `limit` bytes.
    ///
    /// # Errors
    /// [`Kind::Protocol`] if there is more; whatever ended the stream.
    pub async fn collect(self, limit: usize) -> Result<Bytes> {
        match self {
            Self::Whole(bytes) => Ok(bytes),
            Self::Stream { mut chunks, .. } => {
                let mut all = Vec::new();
                while let Some(chunk) = chunks.try_next().await? {
                    if all.len() + chunk.len() > limit {
                        return Err(Error::new(
                            Kind::Protocol,
                            "the answer is longer than expected",
                        ));
                    }
                    all.extend_from_slice(&chunk);
                }
                Ok(all.into())
            }
        }
    }

    /// As a stream, whatever it is.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        match self {
            Self::Whole(bytes) => futures::stream::once(async { Ok(bytes) }).boxed(),
            Self::Stream { chunks, .. } => chunks,
        }
    }
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Stream { length, .. } => write!(f, "Stream({length:?} bytes)"),
        }
    }
}

/// How long a service may think about a request before it says anything: put among the extensions of a request
/// whose answer takes long to make, where the transport's usual limit is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

/// Sends requests.
#[async_trait]
pub trait HttpTransport: Send + Sync {
    /// Sends one request and answers as soon as the head of the answer is there.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] if no answer came, [`Kind::Timeout`].
    async fn send(&self, request: http::Request<HttpBody>) -> Result<http::Response<HttpBody>>;
}
