//! The one task that makes the calls which need the lock of the account, one after the other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;

use crate::desk::Batch;
use crate::store::Store;

/// Works until it is aborted, which its owner does when the destination is closed.
pub(crate) async fn clerk(store: Arc<Store>) {
    loop {
        let batch = store.desk.next().await;
        let work = async {
            match batch {
                Batch::Finishes(finishes) => store.finish_all(finishes).await,
                Batch::Discards(discards) => store.discard_all(discards).await,
                Batch::Moves(moves) => store.transfer_all(moves, true).await,
                Batch::Copies(copies) => store.transfer_all(copies, false).await,
            }
        };
        // Should a batch panic, its callers are told, and the next ones must find somebody at work.
        let _ = AssertUnwindSafe(work).catch_unwind().await;
        store.desk.done();
    }
}
