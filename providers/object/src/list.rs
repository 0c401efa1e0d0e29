//! Listings: page by page, decoded, and distrusted.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use opendal::Lister;
use safelight_core::codes;
use safelight_core::entry::{Entry, Listed, Page, Scope};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;

use crate::call::{Call, Manner};
use crate::deadline::within;
use crate::errors::translate;
use crate::keys::Found;
use crate::literal::{self, Literal};
use crate::store::ObjectStore;

const PAGE: usize = 1000;
const DOING: &str = "listing";

/// A listing on its way.
struct Walk {
    store: Arc<ObjectStore>,
    scope: Scope,
    /// OpenDAL's part of it, once begun.
    begun: Option<(Lister, Arc<Call>)>,
    /// Where the next page begins, if names are listed exactly.
    from: Option<String>,
    /// What is not called as we would have called it, where that is told too.
    literal: Option<Literal>,
    ended: bool,
}

/// Everything in the scope. No order is promised: the service sorts its own paths, and escaping may make that
/// another order than that of the keys. None of these services has a trash that could be listed.
pub(crate) fn pages(store: Arc<ObjectStore>, scope: Scope) -> BoxStream<'static, Result<Page>> {
    let (literal, ended) = (scope.attached.then(literal::gathering), scope.trashed);
    let walk = Walk { store, scope, begun: None, from: None, literal, ended };
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
        let mut page = if self.literal.is_some() && self.store.signed.is_some() {
            self.exact_page().await?
        } else {
            self.usual_page().await?
        };
        if let Some(literal) = self.literal.take_if(|_| self.ended) {
            let told = literal::told(&self.store, literal).await?;
            page.entries.extend(told.into_iter().filter(|listed| match listed {
                Listed::File(entry) => self.wanted(&entry.key),
                _ => true,
            }));
        }
        Ok(page)
    }

    /// By OpenDAL, which makes names tidy.
    async fn usual_page(&mut self) -> Result<Page> {
        let mut page = Page::default();
        if self.begun.is_none() {
            page.entries.extend(self.begin().await?);
        }
        while !self.ended && page.entries.len() < PAGE {
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

    /// By the names that the service itself has.
    async fn exact_page(&mut self) -> Result<Page> {
        let store = Arc::clone(&self.store);
        let Some(signed) = &store.signed else { return Ok(Page::default()) };
        let (seen, next) = store.list_exactly(signed, self.from.as_deref()).await?;
        self.ended = next.is_none();
        self.from = next;
        let mut page = Page::default();
        for one in seen {
            // The empty object that stands for a folder.
            if one.size == 0 && one.path.ends_with('/') {
                continue;
            }
            let entry = |key| Entry { version: one.version.clone(), ..Entry::new(key, one.size) };
            page.entries.extend(self.told(&one.path, entry)?);
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
        if !found.is_file() {
            return Ok(Some(None));
        }
        let store = Arc::clone(&self.store);
        self.told(&path, |key| store.listed(key, &found)).map(Some)
    }

    /// What is told of an object, now.
    fn told(&mut self, path: &str, entry: impl Fn(Key) -> Entry) -> Result<Option<Listed>> {
        if let Some(literal) = &mut self.literal
            && let Some(shown) = self.store.names.foreign(path)?
        {
            literal::take_up(literal, path, shown, entry);
            return Ok(None);
        }
        let listed = match self.store.names.decode(path)? {
            Found::Folder => return Ok(None),
            Found::Key(key) => Listed::File(entry(key)),
            Found::Foreign(key) => Listed::Passed { key, code: codes::NAME_REFUSED },
        };
        if let Some(literal) = &mut self.literal {
            literal.know(&listed);
        }
        let unwanted = matches!(&listed, Listed::File(entry) if !self.wanted(&entry.key));
        Ok((!unwanted).then_some(listed))
    }

    fn wanted(&self, key: &Key) -> bool {
        (self.scope.reserved || !key.is_reserved())
            && self.scope.below.as_ref().is_none_or(|below| key.is_within(below))
    }
}
