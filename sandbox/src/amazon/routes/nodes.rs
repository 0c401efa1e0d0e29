//! One node: reading, making, renaming.

use serde_json::Value;

use super::super::answers::{Failure, bad, reply};
use super::super::service::{Asked, Call, Service};
use super::super::state::Edit;
use super::{download, json};
use crate::loopback::Answer;

pub(super) async fn get(service: &Service, call: &Call, id: &str) -> Result<Answer, Failure> {
    let wanted = id.to_owned();
    let mut told = service
        .act(move |store| {
            store.node(&wanted)?;
            Ok(store.told(&wanted))
        })
        .await?;
    if call.query.is_true("tempLink") && told.get("contentProperties").is_some() {
        told["tempLink"] = download::link(service, id)?.into();
    }
    Ok(reply(200, &told))
}

pub(super) async fn create(service: &Service, request: Asked) -> Result<Answer, Failure> {
    let body = json(request).await?;
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let name = text("name").ok_or_else(|| bad("name is missing"))?.to_owned();
    let told = match text("kind") {
        Some("FOLDER") => {
            let parent = body.get("parents").and_then(|parents| parents.get(0)?.as_str());
            let parent = parent.ok_or_else(|| bad("parents is missing"))?.to_owned();
            service
                .act(move |store| store.add_folder(&parent, &name).map(|id| store.told(&id)))
                .await
        }
        Some("VISUAL_COLLECTION") => {
            let description = text("description").map(str::to_owned);
            service
                .act(move |store| store.add_album(&name, description).map(|id| store.told(&id)))
                .await
        }
        _ => Err(bad("Invalid kind")),
    };
    Ok(reply(201, &told?))
}

pub(super) async fn edit(service: &Service, request: Asked, id: String) -> Result<Answer, Failure> {
    let body = json(request).await?;
    let text = |field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
    let setting = |field: &str| body.get("settings")?.get(field)?.as_bool();
    let edit = Edit {
        name: text("name"),
        description: text("description"),
        favorite: setting("favorite"),
        hidden: setting("hidden"),
    };
    let told = service.act(move |store| store.edit(&id, edit).map(|()| store.told(&id)));
    Ok(reply(200, &told.await?))
}
