//! Into the trash, out of it, and away for good.

use http::StatusCode;
use serde_json::Value;

use super::super::answers::{Failure, bad, typed};
use super::super::service::{Asked, Service};
use super::{ids, json};
use crate::loopback::Answer;

pub(super) async fn edit(service: &Service, request: Asked) -> Result<Answer, Failure> {
    let body = json(request).await?;
    let nodes = ids(&body, "value")?;
    let rename = body.get("conflictResolution").and_then(Value::as_str) == Some("RENAME");
    match body.get("op").and_then(Value::as_str) {
        Some("add") => service.act(move |store| store.trash(&nodes)).await?,
        Some("remove") => service.act(move |store| store.restore(&nodes, rename)).await?,
        _ => return Err(bad("Invalid op")),
    }
    Ok(done())
}

pub(super) async fn purge(service: &Service, request: Asked) -> Result<Answer, Failure> {
    let body = json(request).await?;
    let nodes = ids(&body, "nodeIds")?;
    let recurse = body.get("recurse").and_then(Value::as_str) == Some("true");
    service.act(move |store| store.purge_all(&nodes, recurse)).await?;
    Ok(done())
}

/// Nobody has seen what these calls answer, so there is nothing to read.
fn done() -> Answer {
    typed(StatusCode::OK.as_u16(), "application/json", "")
}
