//! The calls that are known.

mod account;
mod albums;
mod download;
mod listing;
mod nodes;
mod trash;
mod upload;

use http::Method;
use serde_json::Value;

use super::answers::{Failure, bad, unknown};
use super::body;
use super::service::{Asked, Call, Host, Service};
use crate::loopback::Answer;

pub(super) use download::{is_signed, signed};

/// The name of a call in the counters: ids are left out.
pub(super) fn name(host: Host, method: &Method, path: &[String]) -> String {
    let is_id = |part: &str| {
        part.len() == 22 && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let parts: Vec<_> = path.iter().map(|part| if is_id(part) { "{id}" } else { part }).collect();
    match host {
        Host::Token => format!("{method} token"),
        _ => format!("{method} {}", parts.join("/")),
    }
}

/// Answers a call.
pub(super) async fn dispatch(
    service: &Service,
    call: &Call,
    request: Asked,
) -> Result<Answer, Failure> {
    let path: Vec<_> = call.path.iter().map(String::as_str).collect();
    match (call.host, call.method.as_str(), &path[..]) {
        (Host::Metadata, "GET", ["nodes"]) => listing::nodes(service, call).await,
        (Host::Metadata, "GET", ["search"]) => listing::search(service, call).await,
        (Host::Metadata, "GET", ["search", "aggregation"]) => {
            listing::aggregation(service, call).await
        }
        (Host::Metadata, "GET", ["trash"]) => listing::trash(service, call).await,
        (Host::Metadata, "GET", ["nodes", id]) => nodes::get(service, call, id).await,
        (Host::Metadata, "GET", ["nodes", id, "children"]) => {
            listing::children(service, call, id).await
        }
        (Host::Metadata, "GET", ["nodes", id, "contentRedirection"]) => {
            download::redirect(service, call, id).await
        }
        (Host::Metadata, "POST", ["nodes"]) => nodes::create(service, request).await,
        (Host::Metadata, "PATCH", ["nodes", id]) => {
            let id = (*id).to_owned();
            nodes::edit(service, request, id).await
        }
        (Host::Metadata, "PATCH", ["nodes", id, "children"]) => {
            let id = (*id).to_owned();
            albums::members(service, request, id).await
        }
        (Host::Metadata, "PATCH", ["trash"]) => trash::edit(service, request).await,
        (Host::Metadata, "POST", ["bulk", "nodes", "purge"]) => {
            trash::purge(service, request).await
        }
        (Host::Metadata, "GET", ["account", what]) => account::get(service, call, what).await,
        (Host::Token, "GET", _) => account::token(service),
        (Host::Content, "POST", ["v2", "upload"]) => upload::current(service, call, request).await,
        (Host::Content, "PUT", ["v2", "upload", id]) => {
            let id = (*id).to_owned();
            upload::replace(service, call, request, id).await
        }
        (Host::Content, "POST", ["cdproxy", "nodes"]) => {
            upload::older(service, call, request).await
        }
        (Host::Content, "GET", ["cdproxy", "nodes", id, "content"]) => {
            download::content(service, call, id).await
        }
        (Host::Thumbnails, "GET", ["v1", "thumbnail", id]) => {
            download::thumbnail(service, call, id).await
        }
        _ => {
            service.ignore(request).await?;
            Err(unknown())
        }
    }
}

/// The JSON that came with a call.
async fn json(request: Asked) -> Result<Value, Failure> {
    let bytes = body::json(request).await?;
    serde_json::from_slice(&bytes).map_err(|_| bad("The body is no JSON"))
}

/// A list of at most fifty ids.
fn ids(body: &Value, field: &str) -> Result<Vec<String>, Failure> {
    let list = body.get(field).and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| bad(&format!("{field} is missing")))?;
    if list.len() > 50 {
        return Err(bad(&format!("{field} holds more than 50 ids")));
    }
    let text = |id: &Value| id.as_str().map(str::to_owned);
    list.iter().map(text).collect::<Option<_>>().ok_or_else(|| bad("ids are text"))
}
