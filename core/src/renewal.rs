//! Credentials that a person replaces while a run goes on.

use std::sync::Arc;

use async_trait::async_trait;

use crate::provider::Provider;

/// Looks whether somebody has signed in to a destination again.
#[async_trait]
pub trait Renewal: Send + Sync {
    /// The destination, opened with credentials that are others than when it was opened last; `None` while they are the
    /// same, and where nothing can be opened with them. Changes nothing at the destination; may be dropped at any time.
    async fn renewed(&self) -> Option<Arc<dyn Provider>>;
}
