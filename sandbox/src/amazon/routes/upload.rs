//! Uploads: the current route checks what it gets, the older one takes whatever comes.

use http::{StatusCode, header};

use super::super::answers::{Failure, error, reply, upload_error};
use super::super::behaviour::Behaviour;
use super::super::body;
use super::super::credentials::random_word;
use super::super::dates;
use super::super::service::{Asked, Call, Service};
use super::super::state::{NewFile, Received, Refusal, Store};
use crate::form::Fields;
use crate::loopback::Answer;

/// `POST v2/upload`
pub(super) async fn current(
    service: &Service,
    call: &Call,
    request: Asked,
) -> Result<Answer, Failure> {
    let behaviour = service.behaviour();
    let file = new_file(&call.query, &behaviour);
    let (file, received) = checked(service, call, request, file).await?;
    let made = StatusCode::CREATED;
    let add = move |store: &mut Store, received: &Received| store.add_file(&file, received);
    keep(service, received, made, add, Refusal::into_upload_error).await
}

/// `PUT v2/upload/{id}`
pub(super) async fn replace(
    service: &Service,
    call: &Call,
    request: Asked,
    id: String,
) -> Result<Answer, Failure> {
    let ((), received) = checked(service, call, request, Ok(())).await?;
    let replace = move |store: &mut Store, received: &Received| {
        store.replace_file(&id, received).map(|()| id)
    };
    keep(service, received, StatusCode::OK, replace, Refusal::into_upload_error).await
}

/// `POST cdproxy/nodes`
pub(super) async fn older(
    service: &Service,
    call: &Call,
    request: Asked,
) -> Result<Answer, Failure> {
    let behaviour = service.behaviour();
    let suppress = call.query.get("suppress") == Some("deduplication");
    let file = NewFile {
        name: call.query.get("name").unwrap_or_default().to_owned(),
        parent: call.query.get("parentNodeId").map(str::to_owned),
        keep_duplicates: suppress && behaviour.may_suppress_deduplication,
        ..NewFile::default()
    };
    let received = receive(service, request).await?;
    let add = move |store: &mut Store, received: &Received| store.add_file(&file, received);
    keep(service, received, StatusCode::CREATED, add, Refusal::into_error).await
}

/// The bytes of a call to the current route, if both they and what was asked for (`wish`) are in order.
async fn checked<T>(
    service: &Service,
    call: &Call,
    request: Asked,
    wish: Result<T, Failure>,
) -> Result<(T, Received), Failure> {
    let asked = wish.and_then(|wish| Claims::read(call).map(|claims| (wish, claims)));
    let (wish, claims) = match asked {
        Ok(asked) => asked,
        Err(failure) => {
            service.ignore(request).await?;
            return Err(failure);
        }
    };
    let received = receive(service, request).await?;
    if let Err(failure) = claims.check(&received) {
        tokio::fs::remove_file(received.path).await?;
        return Err(failure);
    }
    Ok((wish, received))
}

async fn receive(service: &Service, request: Asked) -> Result<Received, Failure> {
    let path = service.peek().incoming().join(random_word(12)?);
    Ok(body::file(request, path, &service.gate).await?)
}

/// Lets `act` take the bytes into the account; answers with the node, with a refusal in the route's words, or as a
/// ghost does.
async fn keep(
    service: &Service,
    received: Received,
    status: StatusCode,
    act: impl FnOnce(&mut Store, &Received) -> Result<String, Refusal> + Send + 'static,
    say: impl FnOnce(Refusal, &Behaviour) -> Failure,
) -> Result<Answer, Failure> {
    let (behaviour, scratch) = (service.behaviour(), received.path.clone());
    let stored = service.with(move |store| act(store, &received).map(|id| store.told(&id))).await?;
    match stored {
        Ok(mut told) => {
            told["properties"] = serde_json::json!({});
            match service.ghost(&behaviour) {
                Some(status) => Err(error(status, "INTERNAL_SERVER_ERROR", "Internal failure")),
                None => Ok(reply(status.as_u16(), &told)),
            }
        }
        Err(refusal) => {
            tokio::fs::remove_file(scratch).await?;
            Err(say(refusal, &behaviour))
        }
    }
}

/// What a client says about the bytes it sends.
struct Claims {
    size: u64,
    md5: String,
}

impl Claims {
    fn read(call: &Call) -> Result<Self, Failure> {
        let wrong = |code, message: &str| upload_error(400, code, message, &[]);
        let size = call
            .query
            .get("fileSize")
            .ok_or_else(|| wrong("MissingFileSize", "fileSize is missing"))?;
        let size = size.parse().map_err(|_| wrong("InvalidFileSize", "fileSize is no number"))?;
        let md5 = call.headers.get("x-amzn-file-md5").and_then(|value| value.to_str().ok());
        let md5 = md5.ok_or_else(|| wrong("MissingFileMd5", "x-amzn-file-md5 is missing"))?;
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if md5.len() != 32 || !md5.chars().all(hex) {
            return Err(wrong("InvalidContentMd5Error", "x-amzn-file-md5 is no MD5"));
        }
        if call.headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(wrong("InvalidRequest", "Content-Length is missing"));
        }
        Ok(Self { size, md5: md5.to_owned() })
    }

    fn check(&self, received: &Received) -> Result<(), Failure> {
        let wrong = |code, message: &str| Err(upload_error(400, code, message, &[]));
        if received.size == 0 && self.size > 0 {
            wrong("MissingFileContent", "There are no bytes")
        } else if received.size > self.size {
            wrong("FileSizeLargerThanExpected", "There are more bytes than fileSize")
        } else if received.size < self.size {
            wrong("FileSizeSmallerThanExpected", "There are fewer bytes than fileSize")
        } else if received.md5 != self.md5 {
            wrong("Md5MismatchError", "The bytes have another MD5")
        } else {
            Ok(())
        }
    }
}

fn new_file(query: &Fields, behaviour: &Behaviour) -> Result<NewFile, Failure> {
    let name = query.get("name");
    let name =
        name.ok_or_else(|| upload_error(400, "MissingContentName", "name is missing", &[]))?;
    let suppress = query.get("suppress").unwrap_or("NONE");
    if !["NONE", "DEDUPLICATION", "PROCESSING", "TRANSCODING", "ALL"].contains(&suppress) {
        return Err(upload_error(400, "InvalidRequest", "Invalid suppress", &[]));
    }
    let suppressed = matches!(suppress, "DEDUPLICATION" | "ALL");
    Ok(NewFile {
        name: name.to_owned(),
        parent: query.get("parentNodeId").map(str::to_owned),
        rename: query.get("conflictResolution") == Some("RENAME"),
        keep_duplicates: suppressed && behaviour.may_suppress_deduplication,
        date: date(query, "contentDate")?,
        fallback_date: date(query, "fallbackContentDate")?,
        favorite: query.is_true("isFavorite"),
        hidden: query.is_true("isHidden"),
        ..NewFile::default()
    })
}

fn date(query: &Fields, field: &str) -> Result<Option<i64>, Failure> {
    let Some(text) = query.get(field) else { return Ok(None) };
    let wrong = |code| upload_error(400, code, &format!("Invalid {field}: {text}"), &[]);
    let millis = dates::read(text).ok_or_else(|| wrong("InvalidDateTimeFormat"))?;
    if text.ends_with('Z') { Ok(Some(millis)) } else { Err(wrong("DateTimeNotInUTC")) }
}
