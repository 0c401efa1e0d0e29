//! The bytes of one item on their way, and the proof that they are the announced ones.
//!
//! Small items are gathered, so that their MD5 is known before they are sent and they can be sent again. Large ones
//! are streamed once.
//!
//! Invariant: the last bytes of a stream go out only after the reading side vouched for all of them; so the service
//! never has the whole of something wrong.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::body::Body;
use safelight_core::digest::{Algorithm, Algorithms, Digests, Hasher};
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::http::HttpBody;
use safelight_core::provider::PutRequest;

use crate::api::Sent;
use crate::node::Md5;

/// Largest item that is gathered; what is larger does not come whole either.
const GATHER: u64 = 8 * 1024 * 1024;

pub(crate) struct Goods {
    pub(crate) length: u64,
    /// What is known of the bytes before they are sent.
    known: Digests,
    load: Load,
    /// How the stream ended.
    ended: Arc<Mutex<Option<Result<Digests>>>>,
}

enum Load {
    Whole(Bytes),
    Stream(Box<Body>),
    Spent,
}

impl Goods {
    /// Takes what is to be stored.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if the bytes are not the announced ones; what the reading side reports.
    pub(crate) async fn take(request: &PutRequest, mut body: Body, doing: &str) -> Result<Self> {
        let (length, ended) = (request.length, Arc::default());
        if body.as_whole().is_none() && length > GATHER {
            let load = Load::Stream(Box::new(body));
            return Ok(Self { length, known: request.digests, load, ended });
        }
        let bytes = gather(&mut body).await?;
        let told = body.digests().await?;
        let copy = bytes.clone();
        let hashing = tokio::task::spawn_blocking(move || Hasher::of(&copy, algorithms()));
        let came = hashing
            .await
            .map_err(|_| Error::new(Kind::Internal, format!("{doing}: hashing died")))?;
        let known = vouched(came, &told, &request.digests, doing)?;
        Ok(Self { length, known, load: Load::Whole(bytes), ended })
    }

    /// The MD5, if it is known by now.
    pub(crate) fn md5(&self) -> Option<Md5> {
        self.digests().md5
    }

    /// All digests that are known by now.
    pub(crate) fn digests(&self) -> Digests {
        match &*self.ended() {
            Some(Ok(digests)) => *digests,
            _ => self.known,
        }
    }

    /// Why the stream ended early, if it did.
    pub(crate) fn failure(&self) -> Option<Error> {
        match &*self.ended() {
            Some(Err(error)) => Some(error.duplicate()),
            _ => None,
        }
    }

    /// Whether the bytes can be sent (again).
    pub(crate) fn at_hand(&self) -> bool {
        !matches!(self.load, Load::Spent)
    }

    /// The bytes as they are sent; of a stream, once.
    pub(crate) fn send(&mut self, doing: &str) -> Result<Sent> {
        match std::mem::replace(&mut self.load, Load::Spent) {
            Load::Whole(bytes) => {
                self.load = Load::Whole(bytes.clone());
                Ok(Sent::Whole(bytes))
            }
            Load::Stream(body) => {
                let stream = Outgoing {
                    body,
                    held: None,
                    hasher: Some(Hasher::new(algorithms())),
                    known: self.known,
                    ended: Arc::clone(&self.ended),
                    doing: doing.to_owned(),
                };
                let (length, chunks) = (Some(self.length), stream.chunks());
                Ok(Sent::Stream(Some(HttpBody::Stream { length, chunks })))
            }
            // Whoever reads the item sends it anew.
            Load::Spent => {
                let context = format!("{doing}: it has to be read once more");
                Err(Error::new(Kind::Unavailable, context).scope(Scope::Item))
            }
        }
    }

    fn ended(&self) -> std::sync::MutexGuard<'_, Option<Result<Digests>>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn algorithms() -> Algorithms {
    Algorithms::default().with(Algorithm::Md5)
}

/// Everything that is known of bytes, once all accounts of them agree.
fn vouched(came: Digests, told: &Digests, asked: &Digests, doing: &str) -> Result<Digests> {
    let differ = |_| {
        let context = format!("{doing}: the bytes are not the announced ones");
        Error::new(Kind::Corrupt, context)
    };
    came.compare(told).map_err(differ)?;
    came.compare(asked).map_err(differ)?;
    told.compare(asked).map_err(differ)?;
    Ok(came.merged(*told).merged(*asked))
}

async fn gather(body: &mut Body) -> Result<Bytes> {
    let mut pieces = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        pieces.push(chunk);
    }
    match <[Bytes; 1]>::try_from(pieces) {
        Ok([piece]) => Ok(piece),
        Err(pieces) => {
            let mut all = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
            for piece in &pieces {
                all.extend_from_slice(piece);
            }
            Ok(all.freeze())
        }
    }
}

/// A stream with its last piece held back.
struct Outgoing {
    body: Box<Body>,
    held: Option<Bytes>,
    /// Gone once the body came to its end.
    hasher: Option<Hasher>,
    known: Digests,
    ended: Arc<Mutex<Option<Result<Digests>>>>,
    doing: String,
}

impl Outgoing {
    fn chunks(self) -> BoxStream<'static, Result<Bytes>> {
        stream::unfold(Some(self), |state| async move {
            let mut outgoing = state?;
            match outgoing.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(outgoing))),
                Ok(None) => None,
                Err(error) => {
                    outgoing.end(Err(error.duplicate()));
                    Some((Err(error), None))
                }
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(mut hasher) = self.hasher.take() else { return Ok(None) };
        while let Some(chunk) = self.body.chunk().await? {
            hasher.update(&chunk);
            if let Some(before) = self.held.replace(chunk) {
                self.hasher = Some(hasher);
                return Ok(Some(before));
            }
        }
        let told = self.body.digests().await?;
        let digests = vouched(hasher.finish(), &told, &self.known, &self.doing)?;
        self.end(Ok(digests));
        Ok(self.held.take())
    }

    fn end(&self, outcome: Result<Digests>) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}
