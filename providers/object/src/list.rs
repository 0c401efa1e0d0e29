//! Listings: page by page, decoded, and distrusted.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use opendal::Lister;
use safelight_core::codes;
use safelight_core::entry::{Listed, Page, Scope};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;

use crate::call::{Call, Manner};
use crate::deadline::within;
use crate::errors::translate;
use crate::keys::Found;
use crate::store::ObjectStore;

const PAGE: usize = 1000;
const DOING: &str = "listing";

/// A listing on its way.
struct Walk {
    store: Arc<ObjectStore>,
    scope: Scope,
    /// OpenDAL's part of it, once begun.
    begun: Option<(Lister, Arc<Call>)>,
    ended: bool,
}

/// Everything in the scope. No order is promised: the service sorts its own paths, and escaping may make that
/// another order than that of the keys.
pub(crate) fn pages(store: Arc<ObjectStore>, scope: Scope) -> BoxStream<'static, Result<Page>> {
    let walk = Walk { store, scope, begun: None, ended: false };
    stream::unfold(walk, |mut walk| async move {
        if walk.ended {
            return None;
        }
        let page = walk.page().await;
        walk.ended |= page.is_err();
        Some((page, walk))
    })
    .boxed()
}

impl Walk {
    async fn page(&mut self) -> Result<Page> {
        let mut page = Page::default();
        if self.begun.is_none() {
            page.entries.extend(self.begin().await?);
        }
        while page.entries.len() < PAGE {
            match self.next().await? {
                None => {
                    self.ended = true;
                    break;
                }
                Some(listed) => page.entries.extend(listed),
            }
        }
        Ok(page)
    }

    /// Starts below the scope. Where a listing is of a folder, what stands at the scope's own key is looked
    /// at apart.
    async fn begin(&mut self) -> Result<Option<Listed>> {
        let (operator, call) = self.store.call(Manner::default());
        let folder = match &self.scope.below {
            None => self.store.names.root().to_owned(),
            Some(key) if self.store.service.flat => self.store.names.encode(key)?,
            Some(key) => {
                let path = self.store.names.encode(key)?;
                let found = self.store.look(key, &path).await?;
                if let Some(found) = found {
                    // A file system has nothing below a file.
                    self.ended = true;
                    let wanted = self.wanted(key);
                    return Ok(wanted.then(|| Listed::File(self.store.listed(key.clone(), &found))));
                }
                format!("{path}/")
            }
        };
        let lister = operator.lister_with(&folder).recursive(true).await;
        let lister = lister.map_err(|error| translate(&call, &error, DOING))?;
        self.begun = Some((lister, call));
        Ok(None)
    }

    /// The next finding; the inner `None` is one that is of no interest.
    async fn next(&mut self) -> Result<Option<Option<Listed>>> {
        let Some((lister, call)) = &mut self.begun else { return Ok(None) };
        // OpenDAL panics on some answers that no honest service gives.
        let next = AssertUnwindSafe(lister.next()).catch_unwind().map(|next| match next {
            Ok(next) => next.transpose().map_err(|error| translate(call, &error, DOING)),
            Err(_) => Err(Error::new(Kind::Protocol, "the listing cannot be understood")),
        });
        let Some(entry) = within(&*self.store.context.clock, 0, DOING, next).await? else {
            return Ok(None);
        };
        let (path, found) = entry.into_parts();
        let finding = match self.store.names.decode(&path) {
            _ if !found.is_file() => None,
            Ok(Found::Folder) => None,
            Ok(Found::Key(key)) if !self.wanted(&key) => None,
            Ok(Found::Key(key)) => Some(Listed::File(self.store.listed(key, &found))),
            Ok(Found::Foreign(key)) => Some(Listed::Passed { key, code: codes::NAME_REFUSED }),
            Err(error) => return Err(error),
        };
        Ok(Some(finding))
    }

    fn wanted(&self, key: &Key) -> bool {
        (self.scope.reserved || !key.is_reserved())
            && self.scope.below.as_ref().is_none_or(|below| key.is_within(below))
    }
}
