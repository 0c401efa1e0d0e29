//! Faults in the bytes themselves.

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::StreamExt;
use futures::stream::unfold;
use safelight_core::body::Body;
use safelight_core::error::Result;
use safelight_core::provider::{Opened, Provider, PutRequest, Receipt};

use super::{Fault, Faults};
use crate::relay::{Pass, put_through};

impl Faults {
    /// Stores the item, with the fault on the way in if it is one of bytes.
    pub(super) async fn spoil_put(
        &self,
        fault: Option<Fault>,
        provider: &dyn Provider,
        request: PutRequest,
        body: Body,
    ) -> Result<Receipt> {
        let Some(fault @ (Fault::ShortBody | Fault::FlippedBit | Fault::DieHalfway)) = fault else {
            return provider.put(request, body).await;
        };
        let (faults, middle) = (self.clone(), body.length() / 2);
        let mut spoilt = false;
        let each = move |at: u64, piece: Bytes| {
            let half_way = at >= middle;
            let first = !spoilt && !piece.is_empty();
            spoilt |= first;
            let faults = faults.clone();
            async move {
                match fault {
                    Fault::ShortBody if half_way => return Pass::Cut,
                    Fault::DieHalfway if half_way => faults.die().await,
                    Fault::FlippedBit if first => return Pass::On(flipped(&piece)),
                    _ => {}
                }
                Pass::On(piece)
            }
            .boxed()
        };
        put_through(provider, request, body, each).await
    }

    /// An opened object, with the fault on the way out if it is one of bytes.
    pub(super) fn spoil_read(&self, fault: Option<Fault>, opened: Opened) -> Opened {
        let Opened { entry, bytes } = opened;
        let spoilt = match fault {
            Some(Fault::FlippedBit) => {
                let mut done = false;
                bytes
                    .map(move |chunk| {
                        let first = !std::mem::replace(&mut done, true);
                        chunk.map(|bytes| if first { flipped(&bytes) } else { bytes })
                    })
                    .boxed()
            }
            Some(fault @ (Fault::ShortBody | Fault::DieHalfway)) => {
                let faults = self.clone();
                unfold((bytes, entry.size / 2), move |(mut bytes, left)| {
                    let faults = faults.clone();
                    async move {
                        if left == 0 {
                            if fault == Fault::DieHalfway {
                                faults.die().await;
                            }
                            return None;
                        }
                        let chunk = bytes.next().await?;
                        let most = usize::try_from(left).unwrap_or(usize::MAX);
                        let chunk = chunk.map(|chunk| chunk.slice(..chunk.len().min(most)));
                        let taken = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                        Some((chunk, (bytes, left - taken)))
                    }
                })
                .boxed()
            }
            _ => bytes,
        };
        Opened { entry, bytes: spoilt }
    }
}

fn flipped(bytes: &Bytes) -> Bytes {
    let mut bytes = BytesMut::from(&bytes[..]);
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    bytes.freeze()
}
