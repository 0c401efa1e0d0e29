//! Listings in the order of keys, whatever order the provider lists in.
//!
//! A disk lists in order, and is passed on page by page. A service that lists as it likes is listed to the end
//! first, which takes memory for every object (some 300 bytes each).

use futures::stream::{self, BoxStream, StreamExt as _};

use crate::entry::{Listed, Page, Scope};
use crate::error::Result;
use crate::key::Key;
use crate::provider::Provider;

/// Findings per page of a listing that was put in order here.
const PAGE: usize = 4096;

/// The listing of `provider` in the order of keys.
pub fn in_order(provider: &dyn Provider, scope: Scope) -> BoxStream<'static, Result<Page>> {
    let pages = provider.list(scope);
    if provider.capabilities().sorted_listing {
        return pages;
    }
    let sorted = async move {
        match whole(pages).await {
            Ok(found) => stream::iter(found).map(Ok).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        }
    };
    stream::once(sorted).flatten().boxed()
}

async fn whole(mut pages: BoxStream<'static, Result<Page>>) -> Result<Vec<Page>> {
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        all.extend(page?.entries);
    }
    all.sort_by(|one, other| place(one).cmp(&place(other)));
    let mut found = Vec::new();
    let mut entries = all.into_iter().peekable();
    while entries.peek().is_some() {
        found.push(Page { entries: entries.by_ref().take(PAGE).collect() });
    }
    Ok(found)
}

/// What was not seen comes before what might stand below it.
fn place(listed: &Listed) -> Option<&Key> {
    match listed {
        Listed::File(entry) => Some(&entry.key),
        Listed::Passed { key, .. } | Listed::Mount { key, .. } => Some(key),
        Listed::Unseen { key, .. } => key.as_ref(),
    }
}
