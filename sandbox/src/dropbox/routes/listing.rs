//! Listings, their continuation, and waiting for news.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dropbox::args::ReadPath;
use crate::dropbox::errors::{Failure, Trouble};
use crate::dropbox::service::{Call, Service};
use crate::dropbox::state::{ListFolder, Position, Root, Store};

/// The length of a page when none is asked for.
const USUAL: usize = 500;
/// The longest page that may be asked for.
const LONGEST: usize = 2000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)]
struct Arg {
    path: ReadPath,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    include_deleted: bool,
    limit: Option<usize>,
    #[serde(default, rename = "include_media_info")]
    _media_info: bool,
    #[serde(default, rename = "include_has_explicit_shared_members")]
    _members: bool,
    #[serde(default, rename = "include_mounted_folders")]
    _mounted: bool,
    #[serde(default, rename = "include_non_downloadable_files")]
    _non_downloadable: bool,
    #[serde(default, rename = "include_restorable_info")]
    _restorable: bool,
    #[serde(rename = "shared_link")]
    _shared_link: Option<Value>,
    #[serde(rename = "include_property_groups")]
    _property_groups: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Continue {
    cursor: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Longpoll {
    cursor: String,
    #[serde(default = "usual_timeout")]
    timeout: u64,
}

fn usual_timeout() -> u64 {
    30
}

fn failure(trouble: Trouble) -> Failure {
    trouble.failure("path", "path")
}

fn wanted(call: &Call) -> Result<Arg, Failure> {
    let arg: Arg = call.read()?;
    if arg.limit.is_some_and(|limit| !(1..=LONGEST).contains(&limit)) {
        return Err(call.bad(&format!("limit: not within 1 to {LONGEST}")));
    }
    Ok(arg)
}

fn listing(store: &Store, root: &Root, arg: &Arg) -> Result<ListFolder, Trouble> {
    let key = store.key(root, &arg.path.0)?;
    Ok(ListFolder {
        is_root: key == root.prefix,
        key,
        recursive: arg.recursive,
        deleted: arg.include_deleted,
        limit: arg.limit.unwrap_or(USUAL),
    })
}

fn page(store: &mut Store, root: &Root, mut at: Position) -> Result<Value, Trouble> {
    let (entries, has_more) = store.page(root, &mut at)?;
    Ok(json!({"entries": entries, "cursor": at.cursor(), "has_more": has_more}))
}

fn position(call: &Call, cursor: &str) -> Result<Position, Failure> {
    Position::read(cursor).ok_or_else(|| call.bad("Invalid \"cursor\" parameter"))
}

/// `files/list_folder`.
pub(super) async fn list(service: &Service, call: Call) -> Result<Value, Failure> {
    let (arg, root) = (wanted(&call)?, call.root);
    let work = move |store: &mut Store| {
        let listing = listing(store, &root, &arg)?;
        let at = store.list(listing)?;
        page(store, &root, at)
    };
    service.with(work).await?.map_err(failure)
}

/// `files/list_folder/continue`.
pub(super) async fn go_on(service: &Service, call: Call) -> Result<Value, Failure> {
    let Continue { cursor } = call.read()?;
    let at = position(&call, &cursor)?;
    let root = call.root;
    service.with(move |store| page(store, &root, at)).await?.map_err(failure)
}

/// `files/list_folder/get_latest_cursor`.
pub(super) async fn latest(service: &Service, call: Call) -> Result<Value, Failure> {
    let (arg, root) = (wanted(&call)?, call.root);
    let work = move |store: &mut Store| {
        let listing = listing(store, &root, &arg)?;
        store.list_latest(listing)
    };
    let at = service.with(work).await?.map_err(failure)?;
    Ok(json!({ "cursor": at.cursor() }))
}

/// `files/list_folder/longpoll`: answers when there is news, or when the time is up.
pub(super) async fn longpoll(service: &Service, call: Call) -> Result<Value, Failure> {
    let Longpoll { cursor, timeout } = call.read()?;
    if !(30..=480).contains(&timeout) {
        return Err(call.bad("timeout: not within 30 to 480"));
    }
    let at = position(&call, &cursor)?;
    let mut changed = service.changed.subscribe();
    let mut time_is_up = service.clock.sleep(Duration::from_secs(timeout));
    let news = loop {
        changed.borrow_and_update();
        let looked_at = at.clone();
        let found = service.with(move |store| store.has_news(&looked_at)).await?;
        if found.map_err(failure)? {
            break true;
        }
        let change = pin!(changed.changed());
        if let Either::Right(_) = select(change, &mut time_is_up).await {
            break false;
        }
    };
    let mut answer = json!({ "changes": news });
    if let Some(backoff) = service.behaviour().backoff {
        answer["backoff"] = backoff.into();
    }
    Ok(answer)
}
