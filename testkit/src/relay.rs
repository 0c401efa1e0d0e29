//! A body that is looked at, slowed or spoilt on its way into a provider.

use std::pin::pin;

use bytes::Bytes;
use futures::future::{BoxFuture, Either, select};
use safelight_core::body::Body;
use safelight_core::error::Result;
use safelight_core::provider::{Provider, PutRequest, Receipt};

/// What becomes of a piece on its way.
pub(crate) enum Pass {
    /// These bytes go on.
    On(Bytes),
    /// The body breaks off here.
    Cut,
}

/// Stores `body` piece by piece; `each` sees every piece with its place and says what goes on. The digests
/// that `body` tells at its end go on unchanged. Chunks are halved, so that even a body that is whole in
/// memory has a middle.
pub(crate) async fn put_through(
    provider: &dyn Provider,
    request: PutRequest,
    mut body: Body,
    mut each: impl FnMut(u64, Bytes) -> BoxFuture<'static, Pass> + Send,
) -> Result<Receipt> {
    let (sender, onward) = Body::stream(body.length(), 1);
    let feed = async move {
        let mut at = 0;
        loop {
            let chunk = match body.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => {
                    // A provider that is gone has no use for the error.
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            };
            let middle = chunk.len() / 2;
            for piece in [chunk.slice(..middle), chunk.slice(middle..)] {
                let length = piece.len() as u64;
                let Pass::On(piece) = each(at, piece).await else { return };
                at += length;
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
            }
        }
        if let Ok(digests) = body.digests().await {
            sender.finish(digests);
        }
    };
    match select(pin!(provider.put(request, onward)), pin!(feed)).await {
        Either::Left((result, _)) => result,
        Either::Right(((), put)) => put.await,
    }
}
