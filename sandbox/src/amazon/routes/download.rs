//! Downloads: by a link that needs no credentials, and straight from the content host.

use std::io::SeekFrom;
use std::sync::{Arc, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::super::answers::{Failure, bad, no_node, typed};
use super::super::credentials::random_word;
use super::super::gate::UnderWay;
use super::super::service::{Asked, Call, Service};
use super::super::state::OWNER;
use crate::loopback::Answer;

/// A picture of one dot: what every thumbnail looks like here.
const DOT: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01D\0;";
/// Where signed links lead to.
const SIGNED: &str = "/signed/";
/// The most that is read at once.
const CHUNK: u64 = 1 << 16;

/// A link to the bytes of a node that needs no credentials.
pub(super) fn link(service: &Service, id: &str) -> Result<String, Failure> {
    let word = random_word(24)?;
    let life = i64::try_from(service.behaviour().link_life.as_millis()).unwrap_or(i64::MAX);
    let until = service.now().saturating_add(life);
    let mut links = service.links.lock().unwrap_or_else(PoisonError::into_inner);
    links.insert(word.clone(), (id.to_owned(), until));
    let origin = service.signed_origin.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(format!("{origin}{SIGNED}{word}"))
}

/// `GET nodes/{id}/contentRedirection`
pub(super) async fn redirect(service: &Service, call: &Call, id: &str) -> Result<Answer, Failure> {
    if call.query.get("ownerId") != Some(OWNER) {
        return Err(bad("ownerId is missing or wrong"));
    }
    open(service, id).await?;
    let suffix = call.query.get("querySuffix").unwrap_or("");
    let target = link(service, id)? + suffix;
    let mut answer = typed(302, "text/plain", "");
    let target = HeaderValue::from_str(&target).map_err(|_| bad("Invalid querySuffix"))?;
    answer.headers_mut().insert(header::LOCATION, target);
    Ok(answer)
}

/// `GET cdproxy/nodes/{id}/content`
pub(super) async fn content(service: &Service, call: &Call, id: &str) -> Result<Answer, Failure> {
    let opened = open(service, id).await?;
    if call.query.get("viewBox").is_some() {
        return Ok(typed(200, "image/gif", DOT));
    }
    serve(opened, &call.headers, call.under_way.clone()).await
}

/// `GET v1/thumbnail/{id}`
pub(super) async fn thumbnail(service: &Service, call: &Call, id: &str) -> Result<Answer, Failure> {
    if call.query.get("ownerId") != Some(OWNER) {
        return Err(bad("ownerId is missing or wrong"));
    }
    open(service, id).await?;
    Ok(typed(200, "image/gif", DOT))
}

/// Whether this is an address of the other origin.
pub(in crate::amazon) fn is_signed(uri: &Uri) -> bool {
    uri.path().starts_with(SIGNED)
}

/// What the other origin answers: it knows signed links and nothing else.
pub(in crate::amazon) async fn signed(service: &Service, request: Asked) -> Answer {
    follow(service, request).await.unwrap_or_else(|Failure(answer)| *answer)
}

async fn follow(service: &Service, request: Asked) -> Result<Answer, Failure> {
    let under_way = Arc::new(service.gate.begin());
    service.gate.count(|counters| counters.signed += 1);
    service.clock.sleep(service.behaviour().latency).await;
    let secrets = ["cookie", "authorization", "x-amzn-sessionid", "x-amz-access-token"];
    if secrets.iter().any(|name| request.headers().contains_key(*name)) {
        service.gate.count(|counters| counters.credentials_on_signed_links += 1);
        return Err(xml(400, "InvalidArgument", "Only one auth mechanism allowed"));
    }
    let word = request.uri().path().strip_prefix(SIGNED).unwrap_or("");
    let found = {
        let links = service.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(word).cloned()
    };
    let denied = |why| xml(403, "AccessDenied", why);
    let (id, until) = found.ok_or_else(|| denied("Access Denied"))?;
    if service.now() >= until {
        return Err(denied("Request has expired"));
    }
    if *request.method() != Method::GET {
        return Err(denied("Access Denied"));
    }
    let opened = open(service, &id).await.map_err(|_| xml(404, "NoSuchKey", "Not found"))?;
    let disposition = disposition(&opened.name);
    let mut answer = serve(opened, request.headers(), under_way).await?;
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(answer)
}

struct Opened {
    file: File,
    length: u64,
    name: String,
    kind: String,
}

async fn open(service: &Service, id: &str) -> Result<Opened, Failure> {
    let wanted = id.to_owned();
    let found = service
        .act(move |store| {
            let node = store.node(&wanted)?.clone();
            let kind = node.content.as_ref().map(|content| content.mime.clone());
            Ok(kind.map(|kind| (store.path(&node), node.name, kind)))
        })
        .await?;
    let Some((path, name, kind)) = found else {
        return Err(bad(&format!("Node {id} has no content")));
    };
    let file = File::open(path).await.map_err(|_| no_node(id))?;
    let length = file.metadata().await?.len();
    Ok(Opened { file, length, name, kind })
}

/// The bytes, or the part of them that was asked for.
async fn serve(
    opened: Opened,
    headers: &HeaderMap,
    under_way: Arc<UnderWay>,
) -> Result<Answer, Failure> {
    let Opened { mut file, length, kind, .. } = opened;
    let text = |text: &str| HeaderValue::from_str(text).map_err(|_| bad("Invalid header"));
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let part = range.map_or(Part::Whole, |range| part(range, length));
    let (from, to) = match part {
        Part::Whole => (0, length),
        Part::Bytes(from, to) => (from, to),
        Part::Beyond => {
            let mut answer = typed(416, "text/plain", "");
            let all = text(&format!("bytes */{length}"))?;
            answer.headers_mut().insert(header::CONTENT_RANGE, all);
            return Err(answer.into());
        }
    };
    file.seek(SeekFrom::Start(from)).await?;
    let body = StreamBody::new(chunks(file, to - from, under_way)).boxed_unsync();
    let mut answer = Response::new(body);
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_LENGTH, (to - from).into());
    fields.insert(header::CONTENT_TYPE, text(&kind)?);
    fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if part != Part::Whole {
        let range = format!("bytes {from}-{}/{length}", to.saturating_sub(1));
        fields.insert(header::CONTENT_RANGE, text(&range)?);
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(answer)
}

/// Which part of a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// From and to; the latter does not belong to it.
    Bytes(u64, u64),
    Beyond,
}

/// Reads `bytes=a-b`, `bytes=a-` or `bytes=-n`; what is not understood means everything.
fn part(range: &str, length: u64) -> Part {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    let (from, to) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(from), Ok(last)) if last >= from => (from, last.saturating_add(1).min(length)),
        (Ok(from), Err(_)) if last.is_empty() => (from, length),
        (Err(_), Ok(count)) if first.is_empty() => (length.saturating_sub(count), length),
        _ => return Part::Whole,
    };
    if from < to { Part::Bytes(from, to) } else { Part::Beyond }
}

type Piece = Result<Frame<Bytes>, Box<dyn std::error::Error + Send + Sync>>;

/// The next `left` bytes; the call is under way until the last of them.
fn chunks(
    file: File,
    left: u64,
    under_way: Arc<UnderWay>,
) -> impl futures::Stream<Item = Piece> + Send {
    stream::try_unfold((file, left, under_way), async |(mut file, left, under_way)| {
        if left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(left.min(CHUNK)).unwrap_or(1);
        let mut piece = BytesMut::zeroed(size);
        // A file that got shorter meanwhile breaks the answer off.
        file.read_exact(&mut piece).await?;
        Ok(Some((Frame::data(piece.freeze()), (file, left - size as u64, under_way))))
    })
}

/// Not to be trusted as a name: letters beyond ASCII and quotation marks do not survive.
fn disposition(name: &str) -> HeaderValue {
    let plain = |c: char| if c.is_ascii_graphic() && c != '"' || c == ' ' { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

fn xml(status: u16, code: &str, message: &str) -> Failure {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    typed(status, "application/xml", body).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-0", Part::Bytes(0, 1)),
            ("bytes=5-", Part::Bytes(5, 10)),
            ("bytes=-3", Part::Bytes(7, 10)),
            ("bytes=5-99", Part::Bytes(5, 10)),
            ("bytes=10-", Part::Beyond),
            ("bytes=3-2", Part::Whole),
            ("lines=1-2", Part::Whole),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
    }
}
