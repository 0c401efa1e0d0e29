//! Moves and copies, one by one and in batches.

use serde::Deserialize;
use serde_json::{Value, json};

use super::batches::check_count;
use super::jobs;
use crate::dropbox::args::WritePath;
use crate::dropbox::errors::Failure;
use crate::dropbox::json::{flat, nested, tag};
use crate::dropbox::service::{Call, Service};
use crate::dropbox::state::{Relocation, Store};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    from_path: WritePath,
    to_path: WritePath,
    #[serde(default)]
    autorename: bool,
    #[serde(default, rename = "allow_shared_folder")]
    _shared: bool,
    #[serde(default, rename = "allow_ownership_transfer")]
    _ownership: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    entries: Vec<Entry>,
    #[serde(default)]
    autorename: bool,
    /// Only moves know this field.
    allow_ownership_transfer: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    from_path: WritePath,
    to_path: WritePath,
}

fn how(call: &Call) -> Relocation {
    if call.route.starts_with("files/move") { Relocation::Move } else { Relocation::Copy }
}

/// `files/move_v2` and `files/copy_v2`.
pub(super) async fn one(service: &Service, call: Call) -> Result<Value, Failure> {
    let (arg, how): (One, _) = (call.read()?, how(&call));
    let root = call.root.clone();
    let work = move |store: &mut Store| {
        store.relocate(&root, (&arg.from_path.0, &arg.to_path.0), arg.autorename, how)
    };
    let done = service.commit(&call.root, work).await??;
    let metadata = done.map_err(|trouble| trouble.failure("from_lookup", "to"))?;
    Ok(json!({ "metadata": metadata }))
}

/// `files/move_batch_v2` and `files/copy_batch_v2`: the result at once, or a job.
pub(super) async fn batch(service: &Service, call: Call) -> Result<Value, Failure> {
    let (arg, how): (Batch, _) = (call.read()?, how(&call));
    if how == Relocation::Copy && arg.allow_ownership_transfer.is_some() {
        return Err(call.bad("unknown field 'allow_ownership_transfer'"));
    }
    check_count(&call, arg.entries.len())?;
    let (root, count) = (call.root.clone(), arg.entries.len());
    let work = move |store: &mut Store| {
        let done = arg.entries.iter().map(|entry| {
            let paths = (entry.from_path.0.as_str(), entry.to_path.0.as_str());
            match store.relocate(&root, paths, arg.autorename, how) {
                Ok(metadata) => Ok(nested("success", metadata)),
                Err(trouble) => {
                    let error = nested("relocation_error", trouble.json("from_lookup", "to")?);
                    Ok(nested("failure", error))
                }
            }
        });
        done.collect::<Result<Vec<_>, Failure>>()
    };
    let entries = match service.commit(&call.root, work).await? {
        Ok(entries) => entries?,
        Err(_) => vec![nested("failure", tag("too_many_write_operations")); count],
    };
    let result = json!({ "entries": entries });
    if service.behaviour().relocation_jobs {
        return jobs::launch(service, result);
    }
    Ok(flat("complete", result))
}
