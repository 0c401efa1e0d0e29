//! Request bodies: cut into slices so that progress can be seen while they are sent.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::{HeaderMap, HeaderValue, header};
use safelight_core::error::Result;
use safelight_core::http::HttpBody;

use crate::watch::Progress;

/// At the default idle limit this is a minimum upload rate of about 1 KiB/s.
const SLICE: usize = 64 * 1024;

/// The body for the client, with its length in the headers where it is known; nothing for an empty body
/// whose length is already told.
pub(crate) fn outgoing(
    body: HttpBody,
    headers: &mut HeaderMap,
    progress: &Arc<Progress>,
) -> Option<reqwest::Body> {
    match body {
        HttpBody::Whole(bytes) if bytes.is_empty() => None,
        HttpBody::Whole(bytes) => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            Some(watched(slices(bytes), progress.clone()))
        }
        HttpBody::Stream { length, chunks } => {
            if let Some(length) = length {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            let chunks = chunks.flat_map(|chunk| match chunk {
                Ok(bytes) => slices(bytes),
                Err(error) => stream::iter([Err(error)]).boxed(),
            });
            Some(watched(chunks.boxed(), progress.clone()))
        }
    }
}

fn slices(bytes: Bytes) -> BoxStream<'static, Result<Bytes>> {
    let starts = (0..bytes.len()).step_by(SLICE);
    let slice = move |start| Ok(bytes.slice(start..bytes.len().min(start + SLICE)));
    stream::iter(starts.map(slice)).boxed()
}

fn watched(chunks: BoxStream<'static, Result<Bytes>>, progress: Arc<Progress>) -> reqwest::Body {
    reqwest::Body::wrap_stream(stream::unfold(chunks, move |mut chunks| {
        let progress = progress.clone();
        async move {
            progress.starve(true);
            let chunk = chunks.next().await;
            progress.starve(false);
            chunk.map(|chunk| (chunk, chunks))
        }
    }))
}
