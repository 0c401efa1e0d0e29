//! The marker: a small file in a destination's reserved folder that says whose destination it is.
//!
//! Invariant: nothing else is ever written to a destination before its marker was read and found to be ours, or
//! written because the destination was empty and never used. So an empty mount point is never mistaken for an
//! empty disk, nor one disk for another.

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::body::Body;
use crate::catalog::{Catalog, DestinationRecord};
use crate::class::MediaClass;
use crate::codes;
use crate::digest::{Algorithms, Hasher};
use crate::entry::{Listed, Scope};
use crate::error::{Error, Kind, Result};
use crate::key::{Key, RESERVED};
use crate::provider::{Provider, PutMode, PutRequest, Root};

const LIMIT: usize = 4096;
/// The page of the destination's notebook on which a marker is noted before it is written.
const NOTE: &str = "core/marker";

/// What stands in a marker file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Marker {
    v: u32,
    /// The destination's id.
    pub id: String,
    /// A word to the person who finds the file.
    about: String,
}

/// Whose a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// Its marker is the recorded one.
    Ours,
    /// Never used before and empty: it may be claimed.
    Unclaimed,
}

/// Where the marker stands.
///
/// # Errors
/// None in practice; [`Kind::Internal`] if the name were no key.
pub fn key() -> Result<Key> {
    Key::new(format!("{RESERVED}/marker"))
        .map_err(|error| Error::new(Kind::Internal, "marker key").source(error))
}

/// Reads the marker of a destination.
pub async fn read(provider: &dyn Provider) -> Result<Option<Marker>> {
    let opened = match provider.read(&key()?, None, None).await {
        Ok(opened) => opened,
        Err(error) if error.kind() == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    let mut stream = opened.bytes;
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LIMIT {
            break;
        }
    }
    let unreadable = |error| {
        Error::new(Kind::NotOurs, "the marker file makes no sense")
            .code(codes::WRONG_PLACE)
            .source(error)
    };
    serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
}

/// Checks whose destination this is, changing nothing.
///
/// # Errors
/// [`Kind::Absent`] if it was used before and its root is gone; [`Kind::NotOurs`] if the marker is not the
/// recorded one, or if it was never used and is not empty.
pub async fn check(
    provider: &dyn Provider,
    root: Root,
    record: &DestinationRecord,
) -> Result<Ownership> {
    let name = &record.name;
    if root == Root::New {
        return match &record.marker {
            None => Ok(Ownership::Unclaimed),
            Some(_) => Err(Error::new(Kind::Absent, format!("{name}: its folder is not there"))),
        };
    }
    match (read(provider).await?, &record.marker) {
        (Some(found), Some(ours)) if found.id == *ours => Ok(Ownership::Ours),
        (_, Some(_)) => Err(Error::new(Kind::NotOurs, format!("{name}: the marker is not ours"))
            .code(codes::WRONG_PLACE)),
        (Some(_), None) => Err(Error::new(
            Kind::NotOurs,
            format!("{name}: it carries the marker of another catalog"),
        )),
        (None, None) if is_empty(provider).await? => Ok(Ownership::Unclaimed),
        (None, None) => Err(Error::new(Kind::NotOurs, format!("{name}: there are files already"))),
    }
}

async fn is_empty(provider: &dyn Provider) -> Result<bool> {
    let mut pages = provider.list(Scope::default());
    while let Some(page) = pages.next().await {
        let taken = |entry: &Listed| matches!(entry, Listed::File(_) | Listed::Passed { .. });
        if page?.entries.iter().any(taken) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes sure that a destination is ours: it is, or it may be claimed and is claimed now. Answers the marker's id.
///
/// The id is noted in the catalog before the marker is written, so that a process that dies in between knows its own
/// marker again. The destination's root is made if it was [`Root::New`].
///
/// # Errors
/// As [`check`]; [`Kind::Exists`] if somebody else claimed it meanwhile; the catalog's.
pub async fn own(
    provider: &dyn Provider,
    catalog: &dyn Catalog,
    root: Root,
    record: &DestinationRecord,
) -> Result<String> {
    if let Some(ours) = &record.marker {
        check(provider, root, record).await?;
        return Ok(ours.clone());
    }
    let noted = catalog.page(&record.name, NOTE).await?;
    if let Some(noted) = noted
        && root == Root::Ready
        && read(provider).await?.is_some_and(|found| found.id == noted)
    {
        return Ok(noted);
    }
    check(provider, root, record).await?;
    claim(provider, catalog, &record.name).await
}

/// Writes a new marker, noted before, and answers its id.
///
/// # Errors
/// [`Kind::Exists`] if somebody else claimed it meanwhile; the catalog's.
pub async fn claim(provider: &dyn Provider, catalog: &dyn Catalog, name: &str) -> Result<String> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|error| {
        Error::new(Kind::Internal, "no random numbers").source(error.to_string())
    })?;
    let id = hex::encode(random);
    catalog.keep_page(name, NOTE, Some(id.clone())).await?;
    write(provider, &id).await?;
    Ok(id)
}

async fn write(provider: &dyn Provider, id: &str) -> Result<()> {
    let marker = Marker {
        v: 1,
        id: id.to_owned(),
        about: "This folder is kept by Safelight, a photo backup. Without this file it will not write here."
            .to_owned(),
    };
    let bytes = Bytes::from(
        serde_json::to_vec_pretty(&marker)
            .map_err(|error| Error::new(Kind::Internal, "marker").source(error))?,
    );
    let algorithms = provider.capabilities().digests;
    let digests = Hasher::of(&bytes, algorithms.union(Algorithms::default()));
    let request = PutRequest {
        key: key()?,
        length: bytes.len() as u64,
        class: MediaClass::Other,
        modified: None,
        mode: PutMode::Create,
        digests,
    };
    provider.put(request, Body::whole(bytes, digests)).await?;
    Ok(())
}
