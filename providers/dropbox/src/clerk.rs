//! The one task that makes the calls which need the lock of the account, one after the other.

use std::sync::Arc;

use crate::desk::Batch;
use crate::store::Store;

/// Works until it is aborted, which its owner does when the destination is closed.
pub(crate) async fn clerk(store: Arc<Store>) {
    loop {
        match store.desk.next().await {
            Batch::Finishes(finishes) => store.finish_all(finishes).await,
            Batch::Discards(discards) => store.discard_all(discards).await,
            Batch::Moves(moves) => store.transfer_all(moves, true).await,
            Batch::Copies(copies) => store.transfer_all(copies, false).await,
        }
        store.desk.done();
    }
}
