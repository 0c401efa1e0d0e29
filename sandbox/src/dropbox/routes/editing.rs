//! Deletes, new folders, and bringing back what was there.

use serde::Deserialize;
use serde_json::{Value, json};

use super::batches::check_count;
use crate::dropbox::args::{Rev, WritePath};
use crate::dropbox::errors::{Failure, Trouble};
use crate::dropbox::json::{flat, nested, tag, untagged};
use crate::dropbox::service::{Call, Service};
use crate::dropbox::state::Store;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    path: WritePath,
    parent_rev: Option<Rev>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteBatch {
    entries: Vec<Delete>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateFolder {
    path: WritePath,
    #[serde(default)]
    autorename: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    path: WritePath,
    rev: Rev,
}

/// `files/delete_v2`.
pub(super) async fn delete(service: &Service, call: Call) -> Result<Value, Failure> {
    let Delete { path, parent_rev } = call.read()?;
    let root = call.root.clone();
    let work = move |store: &mut Store| store.delete(&root, &path.0, parent_rev.as_ref());
    let done = service.commit(&call.root, work).await??;
    let metadata = done.map_err(|trouble| trouble.failure("path_lookup", "path_write"))?;
    Ok(json!({ "metadata": metadata }))
}

/// What `files/delete_batch` holds back.
pub(super) async fn delete_batch(service: &Service, call: Call) -> Result<Value, Failure> {
    let DeleteBatch { entries } = call.read()?;
    check_count(&call, entries.len())?;
    let (root, count) = (call.root.clone(), entries.len());
    let work = move |store: &mut Store| {
        let deleted = entries.iter().map(|entry| {
            match store.delete(&root, &entry.path.0, entry.parent_rev.as_ref()) {
                Ok(metadata) => Ok(flat("success", json!({ "metadata": metadata }))),
                Err(trouble) => Ok(nested("failure", trouble.json("path_lookup", "path_write")?)),
            }
        });
        deleted.collect::<Result<Vec<_>, Failure>>()
    };
    let entries = match service.commit(&call.root, work).await? {
        Ok(entries) => entries?,
        Err(_) => vec![nested("failure", tag("too_many_write_operations")); count],
    };
    Ok(json!({ "entries": entries }))
}

/// `files/create_folder_v2`.
pub(super) async fn create_folder(service: &Service, call: Call) -> Result<Value, Failure> {
    let CreateFolder { path, autorename } = call.read()?;
    let root = call.root.clone();
    let work = move |store: &mut Store| {
        let key = store.create_folder(&root, &path.0, autorename)?;
        Ok(store.metadata(&root, &key))
    };
    let done: Result<Value, Trouble> = service.commit(&call.root, work).await??;
    let metadata = done.map_err(|trouble| trouble.failure("path", "path"))?;
    Ok(json!({ "metadata": untagged(metadata) }))
}

/// `files/restore`.
pub(super) async fn restore(service: &Service, call: Call) -> Result<Value, Failure> {
    let Restore { path, rev } = call.read()?;
    let root = call.root.clone();
    let work = move |store: &mut Store| {
        let key = store.restore(&root, &path.0, &rev)?;
        Ok(store.metadata(&root, &key))
    };
    let done: Result<Value, Trouble> = service.commit(&call.root, work).await??;
    done.map(untagged).map_err(|trouble| trouble.failure("path_lookup", "path_write"))
}
