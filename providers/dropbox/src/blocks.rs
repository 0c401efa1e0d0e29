//! Storing large items: blocks of 12 MiB, several on their way at once, in any order.
//!
//! Invariants: no more bytes are in memory than the destination's share allows. The block that closes the session
//! goes last, after the source vouched for all bytes and every other block arrived.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::{BoxFuture, Either, select};
use futures::stream::FuturesUnordered;
use safelight_core::body::Body;
use safelight_core::error::{Error, Kind, Result, Retry, Scope};
use safelight_core::provider::{PutRequest, Receipt};
use serde_json::json;
use tokio::sync::{SemaphorePermit, oneshot};

use crate::append::Append;
use crate::courier::blocks_of;
use crate::finish::{Finish, Target};
use crate::hash;
use crate::put::died;
use crate::resume::Progress;
use crate::store::Store;
use crate::trouble::Trouble;
use crate::wire::Session;

/// Bytes of one block; a multiple of what one digest covers. With ten calls a second, smaller ones would hold back a
/// fast line.
const BLOCK: usize = 12 * 1024 * 1024;
/// Blocks of one item that are under way at once.
const AT_ONCE: usize = 5;
/// How much may have to be sent again after a crash.
const NOTE_EVERY: Duration = Duration::from_secs(5);

/// The next bytes of an item, ready to be sent.
struct Block<'a> {
    index: u64,
    pieces: Vec<Bytes>,
    digests: Vec<hash::Digest>,
    room: SemaphorePermit<'a>,
}

/// One item on its way.
struct Upload<'a> {
    store: &'a Store,
    doing: &'a str,
    path: String,
    progress: Progress,
    /// An earlier run sent blocks whose arrival was not noted.
    resumed: bool,
    under_way: FuturesUnordered<BoxFuture<'a, Result<(u64, hash::Digest), Trouble>>>,
    noted: Duration,
}

impl Store {
    pub(crate) async fn in_blocks(
        &self,
        request: &PutRequest,
        body: Body,
        doing: &str,
    ) -> Result<Receipt> {
        if let Some(receipt) = self.there_already(request, doing).await? {
            return Ok(receipt);
        }
        let mut upload = self.begin(request, doing).await?;
        let sent = upload.send(request, body).await;
        let target = match sent {
            Ok(target) => target,
            Err(trouble) => return Err(upload.interrupted(trouble).await),
        };
        let (answer, answered) = oneshot::channel();
        let session = upload.progress.session.clone();
        self.desk.finish(Finish { session, target, answer });
        let receipt = answered.await.map_err(|_| died())?;
        // A session is used up whatever became of it, unless the account is merely busy.
        if receipt.as_ref().map_or_else(|error| error.retry_advice() != Retry::Never, |_| true) {
            let _ = Progress::erase(&*self.notebook, &upload.path).await;
        }
        receipt
    }

    async fn begin<'a>(&'a self, request: &PutRequest, doing: &'a str) -> Result<Upload<'a>> {
        let path = self.names.spot(&request.key)?.path;
        let clock = self.api.pace.clock();
        let noted = Progress::find(&*self.notebook, &path, request, clock.now()).await?;
        let (progress, resumed) = if let Some(progress) = noted {
            (progress, true)
        } else {
            let nothing = hex::encode(hash::content(&[]));
            let argument =
                json!({"close": false, "session_type": "concurrent", "content_hash": nothing});
            let route = "files/upload_session/start";
            let session: Session = self.api.upload(route, &argument, &[], doing).await?;
            (Progress::new(session.session_id, request, clock.now()), false)
        };
        let under_way = FuturesUnordered::new();
        let noted = clock.elapsed();
        Ok(Upload { store: self, doing, path, progress, resumed, under_way, noted })
    }
}

impl<'a> Upload<'a> {
    /// Sends the whole body and closes the session.
    async fn send(&mut self, request: &PutRequest, mut body: Body) -> Result<Target, Trouble> {
        let (mut digests, mut rest) = (Vec::new(), Bytes::new());
        let mut last = None;
        for index in 0.. {
            let store = self.store;
            let room = self.meanwhile(async { Ok(store.room(BLOCK as u64).await?) }).await?;
            let mut pieces = self.meanwhile(fill(&mut body, &mut rest)).await?;
            let hashed = self.meanwhile(async { Ok(blocks_of(pieces.clone()).await?) }).await?;
            digests.extend_from_slice(&hashed);
            let length = pieces.iter().map(Bytes::len).sum::<usize>();
            let ends = length < BLOCK;
            // What is no whole block of Dropbox's may only go with the call that closes the session.
            let whole = length / hash::BLOCK;
            let odd = split(&mut pieces, whole * hash::BLOCK);
            if whole > 0 {
                let digests = hashed[..whole].to_vec();
                self.dispatch(Block { index, pieces, digests, room }).await?;
            }
            if ends {
                let offset = index * BLOCK as u64 + (whole * hash::BLOCK) as u64;
                last = Some((offset, odd, hash::content(&hashed[whole..])));
                break;
            }
        }
        let told = self.meanwhile(async { Ok(body.digests().await?) }).await?;
        let target = self.store.target(request, &digests, told, self.doing)?;
        while let Some(done) = self.under_way.next().await {
            self.arrived(done?).await;
        }
        if let Some((offset, odd, hash)) = last {
            let append = Append { offset, hash, close: true, doubtful: self.resumed };
            self.store.append(&self.progress.session, append, &odd, self.doing).await?;
        }
        Ok(target)
    }

    /// Does `work` while blocks go out.
    async fn meanwhile<T>(
        &mut self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let mut work = pin!(work);
        loop {
            if self.under_way.is_empty() {
                return work.await;
            }
            match select(work.as_mut(), self.under_way.next()).await {
                Either::Left((done, _)) => return done,
                Either::Right((Some(done), _)) => self.arrived(done?).await,
                Either::Right((None, _)) => {}
            }
        }
    }

    /// Sends a block on its way, unless an earlier run did.
    async fn dispatch(&mut self, block: Block<'a>) -> Result<(), Trouble> {
        let hash = hash::content(&block.digests);
        match self.progress.has(block.index, &hash) {
            Some(true) => return Ok(()),
            Some(false) => {
                let context =
                    format!("{}: the upload that was begun is of other bytes", self.doing);
                return Err(Error::new(Kind::Corrupt, context).into());
            }
            None => {}
        }
        while self.under_way.len() >= AT_ONCE {
            if let Some(done) = self.under_way.next().await {
                self.arrived(done?).await;
            }
        }
        let (store, doing, session) = (self.store, self.doing, self.progress.session.clone());
        let offset = block.index * BLOCK as u64;
        let append = Append { offset, hash, close: false, doubtful: self.resumed };
        self.under_way.push(Box::pin(async move {
            store.append(&session, append, &block.pieces, doing).await?;
            drop(block.room);
            Ok((block.index, hash))
        }));
        Ok(())
    }

    async fn arrived(&mut self, (index, hash): (u64, hash::Digest)) {
        self.progress.note(index, &hash);
        let now = self.store.api.pace.clock().elapsed();
        if now.saturating_sub(self.noted) >= NOTE_EVERY {
            self.noted = now;
            // Without the note more has to be sent again, if it comes to that.
            let _ = self.progress.save(&*self.store.notebook, &self.path).await;
        }
    }

    /// Notes how far it came, unless that is of no more use.
    async fn interrupted(&mut self, trouble: Trouble) -> Error {
        let notebook = &*self.store.notebook;
        let other_bytes = trouble.error.kind() == Kind::Corrupt;
        if trouble.has("not_found") || trouble.has("closed") || other_bytes {
            let _ = Progress::erase(notebook, &self.path).await;
            if other_bytes {
                return trouble.error;
            }
            let context = format!("{}: the upload that was begun is gone", self.doing);
            return Error::new(Kind::Unavailable, context).retry(Retry::Now).scope(Scope::Item);
        }
        // What arrived in the same moment counts too.
        while let Some(Some(Ok((index, hash)))) =
            futures::FutureExt::now_or_never(self.under_way.next())
        {
            self.progress.note(index, &hash);
        }
        let _ = self.progress.save(notebook, &self.path).await;
        trouble.error
    }
}

/// Cuts `pieces` after so many bytes and answers what is behind the cut.
fn split(pieces: &mut Vec<Bytes>, at: usize) -> Vec<Bytes> {
    let (mut behind, mut left) = (Vec::new(), at);
    for piece in pieces.iter_mut() {
        let tail = piece.split_off(left.min(piece.len()));
        left -= piece.len();
        if !tail.is_empty() {
            behind.push(tail);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    behind
}

/// Pieces of one block; what is left of the last chunk stays in `rest`. Empty at the end.
async fn fill(body: &mut Body, rest: &mut Bytes) -> Result<Vec<Bytes>, Trouble> {
    let (mut pieces, mut missing) = (Vec::new(), BLOCK);
    while missing > 0 {
        if rest.is_empty() {
            match body.chunk().await? {
                Some(chunk) => *rest = chunk,
                None => break,
            }
        }
        let piece = rest.split_to(rest.len().min(missing));
        missing -= piece.len();
        if !piece.is_empty() {
            pieces.push(piece);
        }
    }
    Ok(pieces)
}
