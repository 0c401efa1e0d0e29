//! What a provider remembers about its destination from run to run: how far a large upload came, what a service
//! was found to refuse.
//!
//! Invariant: nothing depends on it. A notebook may be empty, lost or out of date at any time; then work is done
//! again, and nothing goes wrong. It holds no secrets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;

use crate::catalog::Catalog;
use crate::error::Result;

/// Pages of text under names that the provider chooses.
#[async_trait]
pub trait Notebook: Send + Sync {
    /// What stands on a page; `None` if it was never written, erased or lost.
    async fn read(&self, page: &str) -> Result<Option<String>>;

    /// Replaces a page as a whole; `None` erases it.
    async fn write(&self, page: &str, text: Option<String>) -> Result<()>;
}

/// A notebook that lasts as long as the program: for a look, a test, or where there is no catalog.
#[derive(Debug, Default)]
pub struct Loose(Mutex<BTreeMap<String, String>>);

#[async_trait]
impl Notebook for Loose {
    async fn read(&self, page: &str) -> Result<Option<String>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(page).cloned())
    }

    async fn write(&self, page: &str, text: Option<String>) -> Result<()> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match text {
            Some(text) => pages.insert(page.to_owned(), text),
            None => pages.remove(page),
        };
        Ok(())
    }
}

/// A destination's notebook in the catalog. It does not keep the catalog open: once that is closed, its pages
/// read as empty and are written to nobody.
pub struct Bound {
    catalog: Weak<dyn Catalog>,
    destination: String,
}

impl Bound {
    /// The notebook of the destination of this name.
    pub fn new(catalog: &Arc<dyn Catalog>, destination: impl Into<String>) -> Self {
        Self { catalog: Arc::downgrade(catalog), destination: destination.into() }
    }
}

#[async_trait]
impl Notebook for Bound {
    async fn read(&self, page: &str) -> Result<Option<String>> {
        match self.catalog.upgrade() {
            Some(catalog) => catalog.page(&self.destination, page).await,
            None => Ok(None),
        }
    }

    async fn write(&self, page: &str, text: Option<String>) -> Result<()> {
        match self.catalog.upgrade() {
            Some(catalog) => catalog.keep_page(&self.destination, page, text).await,
            None => Ok(()),
        }
    }
}
