//! The bytes of one object of a [`MemoryProvider`], chunk by chunk.

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, unfold};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use tokio::task::yield_now;

use super::MemoryProvider;
use super::count::add;
use super::store::{Object, Quirk};

/// One object being read. It was seen once; every chunk makes sure that it is still the same.
pub(super) struct Reading {
    pub(super) of: MemoryProvider,
    pub(super) key: Key,
    pub(super) object: Object,
    /// Nothing changes there.
    pub(super) from_trash: bool,
    pub(super) at: u64,
    pub(super) end: u64,
}

impl Reading {
    pub(super) fn stream(self) -> BoxStream<'static, Result<Bytes>> {
        let chunks = unfold(Some(self), |reading| async move {
            let mut reading = reading?;
            yield_now().await;
            match reading.next() {
                Ok(None) => None,
                Ok(Some(bytes)) => Some((Ok(bytes), Some(reading))),
                Err(error) => Some((Err(error), None)),
            }
        });
        chunks.boxed()
    }

    fn next(&mut self) -> Result<Option<Bytes>> {
        let now = self.of.present()?.object(&self.key).map(|object| object.stamp);
        let restless = self.object.quirk == Some(Quirk::ChangesWhileRead) && self.at == self.end;
        if (now != Some(self.object.stamp) || restless) && !self.from_trash {
            return Err(Error::new(Kind::Changed, format!("reading {}", self.key)));
        }
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let bytes = self.object.content.part(self.at, left.min(self.of.shared.options.chunk));
        if bytes.is_empty() {
            return Ok(None);
        }
        self.at += bytes.len() as u64;
        add(&self.of.shared.counters.bytes_read, bytes.len());
        Ok(Some(bytes))
    }
}
