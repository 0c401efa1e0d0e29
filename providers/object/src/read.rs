//! Reading: one version or an error, and every byte that was announced.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use opendal::BytesRange;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::Opened;

use crate::call::{Call, Manner};
use crate::called::Called;
use crate::deadline::{allowed, within};
use crate::errors::translate;
use crate::store::{ObjectStore, condition};
use crate::untidy::{self, Buffers};

impl ObjectStore {
    pub(crate) async fn open(
        self: Arc<Self>,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let Some(called) = pin.and_then(Called::read) else {
            let path = self.names.encode(key)?;
            return self.open_at(path, key, range, pin).await;
        };
        if let Some(signed) = &self.signed {
            return self.open_exactly(signed, key, &called, range).await;
        }
        let (path, pin) = (called.path.clone(), called.version.clone());
        let Opened { entry, bytes } = self.open_at(path, key, range, pin.as_ref()).await?;
        Ok(Opened { entry: called.entry(entry), bytes })
    }

    async fn open_at(
        self: Arc<Self>,
        path: String,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let doing = format!("reading {key}");
        if range.as_ref().is_some_and(Range::is_empty) {
            return self.open_nothing(key, &path, pin).await;
        }
        let (operator, call) = self.call(Manner::default());
        let if_match = pin.and_then(condition).filter(|_| self.ways.pinned_read);
        let asked = range.clone().map_or(BytesRange::from(..), BytesRange::from);
        let opening = untidy::read(&operator, &path, asked, if_match);
        let told = async { opening.await.map_err(|error| translate(&call, &error, &doing)) };
        let opened = within(&*self.context.clock, 0, &doing, told).await;
        let (found, bytes) = match opened {
            // Perhaps only the range lies beyond the end.
            Err(error) if call.status().is_some_and(|status| status.as_u16() == 416) => {
                let found = self.look(key, &path).await?;
                let size = found.map_or(u64::MAX, |found| found.content_length());
                if range.is_some_and(|range| range.start >= size) {
                    return self.open_nothing(key, &path, pin).await;
                }
                return Err(error);
            }
            // A folder that was asked for as if it were an object: every server says it in its own way.
            Err(error) if !self.service.flat && matches!(self.look(key, &path).await, Ok(None)) => {
                return Err(Error::new(Kind::NotFound, error.context()));
            }
            opened => opened?,
        };
        let entry = self.entry(key.clone(), &found);
        still(&entry, pin)?;
        let range = range.unwrap_or(0..entry.size);
        let expected = range.end.min(entry.size).saturating_sub(range.start);
        let transfer = Transfer {
            key: key.clone(),
            path,
            doing,
            bytes,
            call,
            expected,
            received: 0,
            left: allowed(expected),
            version: entry.version.clone(),
            store: self,
        };
        Ok(Opened { entry, bytes: transfer.stream() })
    }

    async fn open_nothing(&self, key: &Key, path: &str, pin: Option<&Version>) -> Result<Opened> {
        let missing = || Error::new(Kind::NotFound, format!("reading {key}: nothing is there"));
        let found = self.look(key, path).await?.ok_or_else(missing)?;
        let entry = self.entry(key.clone(), &found);
        still(&entry, pin)?;
        Ok(Opened { entry, bytes: stream::empty().boxed() })
    }
}

/// Not every service looks at the condition of a read, so the answer is compared too.
fn still(entry: &Entry, pin: Option<&Version>) -> Result<()> {
    if pin.is_some() && entry.version.as_ref() != pin {
        let context = format!("reading {}: another version is there", entry.key);
        return Err(Error::new(Kind::Changed, context));
    }
    Ok(())
}

/// An object on its way here.
struct Transfer {
    store: Arc<ObjectStore>,
    key: Key,
    path: String,
    doing: String,
    bytes: Buffers,
    call: Arc<Call>,
    expected: u64,
    received: u64,
    /// The waiting that is still allowed; the time that the reader takes between two chunks is its own.
    left: Duration,
    version: Option<Version>,
}

impl Transfer {
    fn stream(self) -> BoxStream<'static, Result<Bytes>> {
        let buffers = stream::unfold(Some(self), |state| async move {
            let mut transfer = state?;
            match transfer.next().await {
                Ok(None) => None,
                Ok(Some(buffer)) => Some((Ok(buffer), Some(transfer))),
                Err(error) => Some((Err(error), None)),
            }
        });
        buffers.map_ok(|buffer| stream::iter(buffer).map(Ok)).try_flatten().boxed()
    }

    async fn next(&mut self) -> Result<Option<opendal::Buffer>> {
        let clock = self.store.context.clock.clone();
        let began = clock.elapsed();
        let next = match select(self.bytes.next(), clock.sleep(self.left)).await {
            Either::Left((next, _)) => next,
            Either::Right(_) => {
                let context = format!("{}: it took too long", self.doing);
                return Err(Error::new(Kind::Timeout, context));
            }
        };
        self.left = self.left.saturating_sub(clock.elapsed().saturating_sub(began));
        match next {
            Some(Ok(buffer)) => {
                self.received += buffer.len() as u64;
                if self.received > self.expected {
                    Err(self.wrong_length())
                } else {
                    Ok(Some(buffer))
                }
            }
            Some(Err(error)) => Err(translate(&self.call, &error, &self.doing)),
            None if self.received != self.expected => Err(self.wrong_length()),
            None => self.unchanged().await.map(|()| None),
        }
    }

    fn wrong_length(&self) -> Error {
        let (got, expected) = (self.received, self.expected);
        Error::new(Kind::Corrupt, format!("{}: {got} of {expected} bytes came", self.doing))
    }

    /// A service without etags may have mixed two versions: look again.
    async fn unchanged(&mut self) -> Result<()> {
        if self.store.service.etags {
            return Ok(());
        }
        let now = self.store.look(&self.key, &self.path).await?;
        if now.and_then(|now| self.store.version(&now)) == self.version {
            return Ok(());
        }
        Err(Error::new(Kind::Changed, format!("{}: it changed meanwhile", self.doing)))
    }
}
