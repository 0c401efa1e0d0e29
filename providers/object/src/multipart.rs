//! The two S3 requests that OpenDAL lacks: listing unfinished uploads, and aborting one that another process
//! has begun.

use bytes::Bytes;
use http::{HeaderMap, Method};
use opendal::Operator;
use opendal::raw::percent_encode_path;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::HttpTransport;
use safelight_core::time::Timestamp;
use serde::Deserialize;

use crate::errors::{Refusal, classify};
use crate::signed::{Signed, address, question};
use crate::store::to_the_second;
use crate::transport::{ANSWER_BYTES, code};

const LISTING: &str = "listing unfinished uploads";

/// An upload in parts that was begun, and neither completed nor aborted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// The path of the object that it would become.
    pub(crate) path: String,
    /// The service's word for this upload.
    pub(crate) id: String,
    /// When it was begun, by the service's clock; `None` if that cannot be understood.
    pub(crate) initiated: Option<Timestamp>,
}

/// Where the next page of a list begins: behind this path and upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marker {
    path: String,
    id: String,
}

impl Signed {
    /// One page of the unfinished uploads of objects whose path starts with `prefix`, and where the next page
    /// begins.
    ///
    /// # Errors
    /// Whatever the service answers; [`Kind::Protocol`] if that is no such list.
    pub(crate) async fn uploads(
        &self,
        operator: &Operator,
        http: &dyn HttpTransport,
        prefix: &str,
        after: &Marker,
    ) -> Result<(Vec<Unfinished>, Option<Marker>)> {
        let mut query = format!("uploads&prefix={}", percent_encode_path(prefix));
        if *after != Marker::default() {
            let (path, id) = (percent_encode_path(&after.path), percent_encode_path(&after.id));
            query = format!("{query}&key-marker={path}&upload-id-marker={id}");
        }
        let uri = question(operator, &query, LISTING).await?;
        let document = self.send(http, Method::GET, &uri, LISTING).await?;
        let (uploads, next) = parse(&document)?;
        Ok((uploads, next.filter(|next| next != after)))
    }

    /// Aborts an upload: what was sent of it is gone, and it can no longer be completed.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if there is no such upload (any more), whatever else the service answers.
    pub(crate) async fn abort(
        &self,
        operator: &Operator,
        http: &dyn HttpTransport,
        upload: &Unfinished,
    ) -> Result<()> {
        let doing = "aborting an old unfinished upload";
        let object = address(operator, &upload.path, doing).await?;
        let uri = format!("{object}?uploadId={}", percent_encode_path(&upload.id));
        self.send(http, Method::DELETE, &uri, doing).await.map(drop)
    }

    async fn send(
        &self,
        http: &dyn HttpTransport,
        method: Method,
        uri: &str,
        doing: &str,
    ) -> Result<Bytes> {
        let request = self.request(method, uri, HeaderMap::new(), doing).await?;
        let (head, body) = http.send(request).await?.into_parts();
        let document = body.collect(ANSWER_BYTES).await?;
        if head.status.is_success() {
            Ok(document)
        } else {
            let code = code(&document);
            Err(classify(&Refusal { status: head.status, code, retry_after: None }, doing))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
    #[serde(default)]
    upload: Vec<Upload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    #[serde(rename = "UploadId")]
    id: String,
    initiated: String,
}

fn parse(document: &[u8]) -> Result<(Vec<Unfinished>, Option<Marker>)> {
    let wrong = || Error::new(Kind::Protocol, format!("{LISTING}: the answer makes no sense"));
    let text = std::str::from_utf8(document).map_err(|_| wrong())?;
    let listing: Listing = quick_xml::de::from_str(text).map_err(|_| wrong())?;
    let uploads = listing.upload.into_iter().map(|upload| Unfinished {
        path: upload.key,
        id: upload.id,
        initiated: time(&upload.initiated),
    });
    let next = Marker { path: listing.next_key_marker, id: listing.next_upload_id_marker };
    let goes_on = listing.is_truncated && next != Marker::default();
    Ok((uploads.collect(), goes_on.then_some(next)))
}

fn time(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok().map(to_the_second)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use safelight_core::time::SystemClock;
    use safelight_http::ReqwestTransport;
    use safelight_sandbox::S3Sandbox;

    use super::*;
    use crate::services::{known, operator};

    #[test]
    fn a_list_is_read_with_its_escapes_and_dates() {
        let document = br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Bucket>photos</Bucket><KeyMarker/><UploadIdMarker></UploadIdMarker>
            <NextKeyMarker>lib/b.mov</NextKeyMarker><NextUploadIdMarker>two</NextUploadIdMarker>
            <MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>
            <Upload><Key>lib/a &amp; b.mov</Key><UploadId>one</UploadId>
            <Initiator><ID>x</ID><DisplayName>y</DisplayName></Initiator>
            <StorageClass>STANDARD</StorageClass><Initiated>2024-06-01T12:00:01.000Z</Initiated></Upload>
            <Upload><Key>lib/b.mov</Key><UploadId>two</UploadId><Initiated>lately</Initiated></Upload>
            </ListMultipartUploadsResult>"#;
        let (uploads, next) = parse(document).unwrap();
        let upload = |path: &str, id: &str, initiated| Unfinished {
            path: path.to_owned(),
            id: id.to_owned(),
            initiated,
        };
        let begun = Timestamp::from_parts(1_717_243_201, 0);
        let found = [upload("lib/a & b.mov", "one", Some(begun)), upload("lib/b.mov", "two", None)];
        assert_eq!(uploads, found);
        assert_eq!(next, Some(Marker { path: "lib/b.mov".to_owned(), id: "two".to_owned() }));
    }

    #[test]
    fn an_empty_list_is_the_last_page_and_noise_is_an_error() {
        let empty = b"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
            <NextKeyMarker></NextKeyMarker></ListMultipartUploadsResult>";
        assert_eq!(parse(empty).unwrap(), (Vec::new(), None));
        for noise in [&b"\xff"[..], b"", b"<a><b></a>"] {
            assert_eq!(parse(noise).unwrap_err().kind(), Kind::Protocol);
        }
    }

    /// That server (s3s-fs) compares signatures before anything else.
    #[tokio::test]
    async fn a_server_that_others_wrote_accepts_the_signatures() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = S3Sandbox::start(folder.path(), "photos").await.unwrap();
        let http = ReqwestTransport::new(Arc::new(SystemClock::start())).unwrap();
        let secret = sandbox.secret_access_key().expose();
        let upload = Unfinished {
            path: "lib/a & b+c/é (1).mov".to_owned(),
            id: "67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned(),
            initiated: None,
        };
        for (secret, accepted) in [(secret, true), ("another", false)] {
            let options = [
                ("bucket", "photos"),
                ("region", "us-east-1"),
                ("endpoint", &sandbox.endpoint()),
                ("access_key_id", sandbox.access_key_id()),
                ("secret_access_key", secret),
            ];
            let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let signed = Signed::new(&options).unwrap();
            let operator = operator(known("s3").unwrap(), options.to_vec()).unwrap();
            let list = signed.uploads(&operator, &http, "lib/a b+", &Marker::default()).await;
            let abort = signed.abort(&operator, &http, &upload).await;
            // It has no such list, and no such upload, so both fail either way.
            for error in [list.unwrap_err(), abort.unwrap_err()] {
                assert_eq!(error.kind() != Kind::SignIn, accepted, "{error}");
            }
        }
    }
}
