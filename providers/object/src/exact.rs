//! S3 by exact names, for what is listed to be taken out: OpenDAL drops slashes and blanks at the edges of a name, takes
//! whatever ends in a slash for a folder, and cannot read what XML cannot hold.

use std::borrow::Cow;
use std::ops::Range;

use futures::StreamExt as _;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use opendal::raw::{percent_decode_path, percent_encode_path};
use safelight_core::arriving::{Arriving, is_part};
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::HttpBody;
use safelight_core::key::Key;
use safelight_core::provider::Opened;
use safelight_core::time::Timestamp;
use serde::Deserialize;

use crate::called::Called;
use crate::deadline::within;
use crate::errors::{again, classify};
use crate::signed::{Signed, question};
use crate::store::{ObjectStore, bare, condition, parse_time, to_the_second};
use crate::transport::{ANSWER_BYTES, REFUSAL_BYTES, holds, refusal};

const LISTING: &str = "listing";
const KEPT_MTIME: &str = "x-amz-meta-mtime";

/// One object of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) version: Option<Version>,
}

impl ObjectStore {
    /// One page of everything below the root, and where the next one begins.
    ///
    /// # Errors
    /// Whatever the service answers; [`Kind::Protocol`] if that is no listing, or goes in circles.
    pub(crate) async fn list_exactly(
        &self,
        signed: &Signed,
        from: Option<&str>,
    ) -> Result<(Vec<Seen>, Option<String>)> {
        let prefix = percent_encode_path(self.names.prefix());
        let mut query = format!("list-type=2&encoding-type=url&prefix={prefix}");
        if let Some(from) = from {
            query = format!("{query}&continuation-token={}", percent_encode_path(from));
        }
        let uri = question(&self.operator, &query, LISTING).await?;
        let asking = async {
            let request = signed.request(Method::GET, &uri, HeaderMap::new(), LISTING).await?;
            let answer = self.ask(request, LISTING).await?;
            answer.into_body().collect(ANSWER_BYTES).await
        };
        let document = within(&*self.context.clock, 0, LISTING, asking).await?;
        if !holds(&document, self.service.page) {
            return Err(nonsense(LISTING));
        }
        let (seen, next) = parse(&document)?;
        if next.is_some() && next.as_deref() == from {
            let context = "the listing answers with the same page again and again";
            return Err(Error::new(Kind::Protocol, context));
        }
        Ok((seen, next))
    }

    /// Opens what the service itself calls so.
    ///
    /// # Errors
    /// As [`ObjectStore::open`].
    pub(crate) async fn open_exactly(
        &self,
        signed: &Signed,
        key: &Key,
        called: &Called,
        range: Option<Range<u64>>,
    ) -> Result<Opened> {
        let doing = format!("reading {key}");
        if range.as_ref().is_some_and(Range::is_empty) {
            return self.open_exactly_nothing(signed, key, called, &doing).await;
        }
        let answer = self.fetch(signed, Method::GET, called, range.as_ref(), &doing).await?;
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            let nothing = self.open_exactly_nothing(signed, key, called, &doing).await?;
            let beyond = range.is_some_and(|range| range.start >= nothing.entry.size);
            return if beyond { Ok(nothing) } else { Err(nonsense(&doing)) };
        }
        let size = size(&answer).ok_or_else(|| nonsense(&doing))?;
        let entry = found(key, called, &answer, size, &doing)?;
        let part = range.map(|range| range.start..range.end.min(size));
        is_part(&answer, part.as_ref(), size, &doing)?;
        let arriving = Arriving {
            expected: part.as_ref().map_or(size, |part| part.end - part.start),
            digests: Digests::default(),
            chunks: answer.into_body().into_stream(),
            doing,
            guard: (),
        };
        Ok(Opened { entry, bytes: arriving.checked() })
    }

    /// The version of what the service itself calls so, if it has such a thing.
    ///
    /// # Errors
    /// As [`ObjectStore::open`].
    pub(crate) async fn version_exactly(
        &self,
        signed: &Signed,
        key: &Key,
        path: &str,
    ) -> Result<Option<Version>> {
        let doing = format!("looking at {key}");
        let called = Called { path: path.to_owned(), version: None };
        let answer = self.fetch(signed, Method::HEAD, &called, None, &doing).await?;
        Ok(version(&answer))
    }

    async fn open_exactly_nothing(
        &self,
        signed: &Signed,
        key: &Key,
        called: &Called,
        doing: &str,
    ) -> Result<Opened> {
        let answer = self.fetch(signed, Method::HEAD, called, None, doing).await?;
        let size = size(&answer).ok_or_else(|| nonsense(doing))?;
        let entry = found(key, called, &answer, size, doing)?;
        Ok(Opened { entry, bytes: stream::empty().boxed() })
    }

    async fn fetch(
        &self,
        signed: &Signed,
        method: Method,
        called: &Called,
        range: Option<&Range<u64>>,
        doing: &str,
    ) -> Result<Response<HttpBody>> {
        let mut headers = HeaderMap::new();
        let mut say = |name: HeaderName, text: String| {
            HeaderValue::try_from(text).map(|value| headers.insert(name, value))
        };
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        let same = called.version.as_ref().and_then(condition);
        let said = [(header::RANGE, range), (header::IF_MATCH, same)];
        for (name, text) in said.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            say(name, text).map_err(|_| nonsense(doing))?;
        }
        let asking = async {
            let path = &called.path;
            let request = signed.exactly(&self.operator, method, path, headers, doing).await?;
            self.ask(request, doing).await
        };
        within(&*self.context.clock, 0, doing, asking).await
    }

    /// An answer that is a success, or says that the range lies beyond the end.
    async fn ask(&self, request: Request<HttpBody>, doing: &str) -> Result<Response<HttpBody>> {
        self.gate.pass().await?;
        let answer = self.context.http.send(request).await.map_err(|error| again(&error, doing))?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let document = body.collect(REFUSAL_BYTES).await.unwrap_or_default();
        Err(classify(&refusal(&self.gate, &*self.context.clock, &head, &document), doing))
    }
}

/// What was found, if it is the version that was meant.
fn found(
    key: &Key,
    called: &Called,
    answer: &Response<HttpBody>,
    size: u64,
    doing: &str,
) -> Result<Entry> {
    let said = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    if called.version.is_some() && version(answer) != called.version {
        return Err(Error::new(Kind::Changed, format!("{doing}: another version is there")));
    }
    let modified = said(KEPT_MTIME).and_then(parse_time);
    let modified = modified.or_else(|| said("last-modified").and_then(date));
    Ok(called.clone().entry(Entry { modified, ..Entry::new(key.clone(), size) }))
}

fn version(answer: &Response<HttpBody>) -> Option<Version> {
    let etag = answer.headers().get(header::ETAG)?.to_str().ok()?;
    Some(Version::new(bare(etag)))
}

/// How large the whole object is.
fn size(answer: &Response<HttpBody>) -> Option<u64> {
    let said = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    if answer.status() == StatusCode::PARTIAL_CONTENT {
        return said(header::CONTENT_RANGE)?.rsplit_once('/')?.1.parse().ok();
    }
    said(header::CONTENT_LENGTH)?.parse().ok()
}

fn date(text: &str) -> Option<Timestamp> {
    opendal::raw::Timestamp::parse_rfc2822(text).ok().map(to_the_second)
}

fn nonsense(doing: &str) -> Error {
    Error::new(Kind::Protocol, format!("{doing}: the answer makes no sense"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    #[serde(default)]
    is_truncated: bool,
    next_continuation_token: Option<String>,
    encoding_type: Option<String>,
    #[serde(default)]
    contents: Vec<Contents>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    size: u64,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

fn parse(document: &[u8]) -> Result<(Vec<Seen>, Option<String>)> {
    let text = std::str::from_utf8(document).map_err(|_| nonsense(LISTING))?;
    let listing: Listing = quick_xml::de::from_str(text).map_err(|_| nonsense(LISTING))?;
    let encoded = listing.encoding_type.is_some_and(|kind| kind.eq_ignore_ascii_case("url"));
    let seen = listing.contents.into_iter().map(|object| Seen {
        path: if encoded { decoded(&object.key) } else { object.key },
        size: object.size,
        version: object.etag.map(|etag| Version::new(bare(&etag))),
    });
    let next = listing.next_continuation_token.filter(|next| !next.is_empty());
    if listing.is_truncated && next.is_none() {
        return Err(nonsense(LISTING));
    }
    Ok((seen.collect(), next.filter(|_| listing.is_truncated)))
}

/// A name in the form that forms are sent in: that is what services mean by `url`.
fn decoded(name: &str) -> String {
    let spaced = if name.contains('+') { Cow::Owned(name.replace('+', " ")) } else { name.into() };
    percent_decode_path(&spaced)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_come_out_of_a_listing_as_they_are() {
        let page = |encoding: &str, names: &[&str]| {
            let objects = names.iter().map(|name| {
                format!(
                    "<Contents><Key>{name}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>\
                     <ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>"
                )
            });
            let page = format!(
                "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated>{encoding}\
                 {}<NextContinuationToken>n</NextContinuationToken></ListBucketResult>",
                objects.collect::<String>()
            );
            let (seen, next) = parse(page.as_bytes()).unwrap();
            assert_eq!(next.as_deref(), Some("n"));
            assert!(seen.iter().all(|one| one.size == 7 && one.version == Some(Version::new("e"))));
            seen.into_iter().map(|one| one.path).collect::<Vec<_>>()
        };
        let url = "<EncodingType>url</EncodingType>";
        let names = ["+a%2Bb+", "a%01%0D%0A", "%2Fa//b/", "%2541", "../a&amp;b", "%C3%A9"];
        let meant = [" a+b ", "a\u{1}\r\n", "/a//b/", "%41", "../a&b", "é"];
        assert_eq!(page(url, &names), meant);
        let names = [" a+b ", "a&#13;&#10;", "/a//b/", "%2541", "a\tb"];
        assert_eq!(page("", &names), [" a+b ", "a\r\n", "/a//b/", "%2541", "a\tb"]);
    }

    #[test]
    fn a_page_that_does_not_say_where_it_goes_on_is_refused() {
        let page = b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert_eq!(parse(page).unwrap_err().kind(), Kind::Protocol);
        assert_eq!(parse(b"\xff").unwrap_err().kind(), Kind::Protocol);
    }
}
