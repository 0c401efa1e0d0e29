//! What is in an album.

use serde_json::Value;

use super::super::answers::{Failure, bad, reply};
use super::super::service::{Asked, Service};
use super::{ids, json};
use crate::loopback::Answer;

pub(super) async fn members(
    service: &Service,
    request: Asked,
    id: String,
) -> Result<Answer, Failure> {
    let body = json(request).await?;
    let add = match body.get("op").and_then(Value::as_str) {
        Some("add") => true,
        Some("remove") => false,
        _ => return Err(bad("Invalid op")),
    };
    let members = ids(&body, "value")?;
    let told =
        service.act(move |store| store.edit_album(&id, add, &members).map(|()| store.told(&id)));
    Ok(reply(200, &told.await?))
}
