//! A blocking producer behind a bounded stream.
//!
//! Invariant: the stream ends cleanly only if the producer said that it was done; a producer that died ends
//! it with an error. When the stream is dropped, the producer's next [`Outlet::give`] fails and it stops.

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::error::{Error, Kind, Result};
use tokio::sync::mpsc;

/// The producer's end.
pub(crate) struct Outlet<T>(mpsc::Sender<Result<Option<T>>>);

impl<T> Outlet<T> {
    /// Hands one piece over; waits while the window is full.
    pub(crate) fn give(&self, piece: T) -> Result<()> {
        let gone = |_| Error::new(Kind::Cancelled, "nobody listens any more");
        self.0.blocking_send(Ok(Some(piece))).map_err(gone)
    }
}

/// Runs `produce` on a blocking thread once the stream is first asked; at most `window` pieces wait.
pub(crate) fn feed<T, F>(window: usize, produce: F) -> BoxStream<'static, Result<T>>
where
    T: Send + 'static,
    F: FnOnce(&Outlet<T>) -> Result<()> + Send + 'static,
{
    let start = async move {
        let (sender, receiver) = mpsc::channel(window);
        tokio::task::spawn_blocking(move || {
            let outlet = Outlet(sender);
            let end = produce(&outlet).map(|()| None);
            // If nobody listens, nobody misses the end.
            let _ = outlet.0.blocking_send(end);
        });
        stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Ok(Some(piece))) => Some((Ok(piece), Some(receiver))),
                Some(Ok(None)) => None,
                Some(Err(error)) => Some((Err(error), None)),
                None => Some((Err(Error::new(Kind::Internal, "a reader died")), None)),
            }
        })
    };
    stream::once(start).flatten().boxed()
}

/// Runs `work` on a blocking thread.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Error::new(Kind::Internal, "blocking work died").source(error))?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_producer_that_dies_is_no_clean_end() {
        let mut stream = feed::<u8, _>(1, |outlet| {
            outlet.give(1)?;
            panic!("test");
        });
        assert_eq!(stream.next().await.unwrap().unwrap(), 1);
        assert_eq!(stream.next().await.unwrap().unwrap_err().kind(), Kind::Internal);
        assert!(stream.next().await.is_none());
    }
}
