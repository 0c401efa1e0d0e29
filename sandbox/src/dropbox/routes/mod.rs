//! The routes: which there are, what style they have, which scope they ask for.

mod batches;
mod editing;
mod jobs;
mod listing;
mod reading;
mod relocation;
mod sessions;

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::Value;

use super::errors::{Failure, reply};
use super::service::{Call, Service};
use super::users;
use crate::loopback::Answer;

pub(super) use jobs::Jobs;

/// How a route takes its argument and gives its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// JSON in, JSON out.
    Rpc,
    /// The same, and nobody signs in.
    NoSignIn,
    /// The argument in a header, bytes in the body.
    Upload,
    /// The argument in a header, the result in a header, bytes in the answer.
    Download,
}

const ACCOUNT_READ: &str = "account_info.read";
const LIST: &str = "files.metadata.read";
const READ: &str = "files.content.read";
const WRITE: &str = "files.content.write";

/// Every scope that a route asks for.
pub(super) fn all_scopes() -> BTreeSet<String> {
    [ACCOUNT_READ, LIST, READ, WRITE].map(str::to_owned).into()
}

/// The style and the scope of a route; `None` if there is no such route.
pub(super) fn rule(route: &str) -> Option<(Style, Option<&'static str>)> {
    Some(match route {
        "auth/token/revoke" => (Style::Rpc, None),
        "users/get_space_usage" | "users/get_current_account" => (Style::Rpc, Some(ACCOUNT_READ)),
        "files/list_folder"
        | "files/list_folder/continue"
        | "files/list_folder/get_latest_cursor"
        | "files/list_revisions"
        | "files/get_metadata" => (Style::Rpc, Some(LIST)),
        "files/list_folder/longpoll" => (Style::NoSignIn, None),
        "files/download" => (Style::Download, Some(READ)),
        "files/upload"
        | "files/upload_session/start"
        | "files/upload_session/append_v2"
        | "files/upload_session/append_batch"
        | "files/upload_session/finish" => (Style::Upload, Some(WRITE)),
        "files/upload_session/start_batch"
        | "files/upload_session/finish_batch"
        | "files/upload_session/finish_batch/check"
        | "files/upload_session/finish_batch_v2"
        | "files/delete_v2"
        | "files/delete_batch"
        | "files/delete_batch/check"
        | "files/move_v2"
        | "files/move_batch_v2"
        | "files/move_batch/check_v2"
        | "files/copy_v2"
        | "files/copy_batch_v2"
        | "files/copy_batch/check_v2"
        | "files/create_folder_v2"
        | "files/restore" => (Style::Rpc, Some(WRITE)),
        _ => return None,
    })
}

/// Lets the route of `call` answer it.
pub(super) async fn dispatch(service: &Service, call: Call) -> Result<Answer, Failure> {
    let result = match call.route.clone().as_str() {
        "files/download" => return reading::download(service, call).await,
        "auth/token/revoke" => revoke(service, &call).await,
        "users/get_space_usage" => {
            no_argument(&call)?;
            service.with(|store| users::space(store)).await
        }
        "users/get_current_account" => {
            no_argument(&call)?;
            Ok(users::account(&service.behaviour()))
        }
        "files/list_folder" => listing::list(service, call).await,
        "files/list_folder/continue" => listing::go_on(service, call).await,
        "files/list_folder/get_latest_cursor" => listing::latest(service, call).await,
        "files/list_folder/longpoll" => listing::longpoll(service, call).await,
        "files/list_revisions" => reading::revisions(service, call).await,
        "files/get_metadata" => reading::metadata(service, call).await,
        "files/upload" => sessions::upload(service, call).await,
        "files/upload_session/start" => sessions::start(service, call).await,
        "files/upload_session/append_v2" => sessions::append(service, call).await,
        "files/upload_session/finish" => sessions::finish(service, call).await,
        "files/upload_session/start_batch" => batches::start(service, call).await,
        "files/upload_session/append_batch" => batches::append(service, call).await,
        "files/upload_session/finish_batch" => {
            let done = batches::finish(service, call).await?;
            jobs::launch(service, done)
        }
        "files/upload_session/finish_batch_v2" => batches::finish(service, call).await,
        "files/delete_v2" => editing::delete(service, call).await,
        "files/delete_batch" => {
            let done = editing::delete_batch(service, call).await?;
            jobs::launch(service, done)
        }
        "files/move_v2" | "files/copy_v2" => relocation::one(service, call).await,
        "files/move_batch_v2" | "files/copy_batch_v2" => relocation::batch(service, call).await,
        "files/create_folder_v2" => editing::create_folder(service, call).await,
        "files/restore" => editing::restore(service, call).await,
        // All others that are known ask for a job.
        _ => jobs::check(service, &call),
    };
    result.map(|result| reply(StatusCode::OK, &result))
}

fn no_argument(call: &Call) -> Result<(), Failure> {
    if call.argument.is_null() { Ok(()) } else { Err(call.bad("expected null, got value")) }
}

async fn revoke(service: &Service, call: &Call) -> Result<Value, Failure> {
    no_argument(call)?;
    let grant = call.grant.clone().unwrap_or_default();
    service.with(move |store| store.sign_out(&grant)).await?;
    Ok(Value::Null)
}
