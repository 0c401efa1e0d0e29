//! Work that is answered with an id first.
//!
//! The work is done when the id is given out; only its result is held back.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::dropbox::errors::Failure;
use crate::dropbox::json::{flat, tag};
use crate::dropbox::random_word;
use crate::dropbox::service::{Call, Service};

/// Results that wait to be asked for, and how often they are still held back.
pub(in crate::dropbox) type Jobs = BTreeMap<String, (Value, u32)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    async_job_id: String,
}

/// Holds `result` back; the answer is the id to ask for it.
pub(super) fn launch(service: &Service, result: Value) -> Result<Value, Failure> {
    let id = random_word().map_err(Failure::Broken)?;
    let checks = service.behaviour().checks_in_progress;
    let mut jobs = service.jobs.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.insert(id.clone(), (result, checks));
    Ok(flat("async_job_id", json!({ "async_job_id": id })))
}

/// The result, or that it is not there yet.
pub(super) fn check(service: &Service, call: &Call) -> Result<Value, Failure> {
    let Poll { async_job_id } = call.read()?;
    let mut jobs = service.jobs.lock().unwrap_or_else(PoisonError::into_inner);
    match jobs.get_mut(&async_job_id) {
        None => Err(Failure::Route(tag("invalid_async_job_id"))),
        Some((result, 0)) => Ok(flat("complete", result.clone())),
        Some((_, checks)) => {
            *checks -= 1;
            Ok(tag("in_progress"))
        }
    }
}
