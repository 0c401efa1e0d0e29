//! What `s3s-fs` lacks to behave as S3 does, put around it.
//!
//! * Of several conditional writes of one key at once, one wins: that server looks first and writes then, so
//!   they are let in one after the other.
//! * A "folder" is no object: that server fails when it is asked for one.
//! * Names in listings are not encoded: that server says so where it was asked to, and does not do it.
//! * Listings carry etags (`etags.rs`).

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use s3s::service::S3Service;
use safelight_core::escape::unescape;
use safelight_core::key::Key;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::etags::Etags;
use crate::loopback::{Answer, whole};

const LOCKS: u64 = 64;

/// The server with its manners corrected.
#[derive(Clone)]
pub(crate) struct Strict {
    service: S3Service,
    folder: Arc<PathBuf>,
    locks: Arc<Vec<Mutex<()>>>,
    etags: Arc<Etags>,
}

impl Strict {
    pub(crate) fn new(service: S3Service, folder: &Path) -> Self {
        let locks = (0..LOCKS).map(|_| Mutex::default()).collect();
        Self {
            service,
            folder: Arc::new(folder.to_owned()),
            locks: Arc::new(locks),
            etags: Arc::default(),
        }
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = unescape(request.uri().path().trim_start_matches('/'));
        let lists = request.method() == Method::GET;
        let bucket = String::from_utf8(path.clone()).ok();
        let bucket = bucket.map(|path| path.trim_end_matches('/').to_owned());
        let bucket = bucket.filter(|bucket| !bucket.is_empty() && !bucket.contains('/'));
        let looks = matches!(*request.method(), Method::HEAD | Method::GET);
        let headers = request.headers();
        let conditional = [header::IF_MATCH, header::IF_NONE_MATCH]
            .iter()
            .any(|condition| headers.contains_key(condition));
        let _alone = match self.lock(&path) {
            Some(lock) if conditional && !looks => Some(lock.lock().await),
            _ => None,
        };
        let answer = match self.service.call(request.map(s3s::Body::from)).await {
            Ok(answer) => answer.map(|body| body.map_err(Into::into).boxed_unsync()),
            Err(_) => bare(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let fails = answer.status() == StatusCode::INTERNAL_SERVER_ERROR;
        if looks && fails && self.is_folder(&path).await {
            return bare(StatusCode::NOT_FOUND);
        }
        match bucket.filter(|_| lists && answer.status() == StatusCode::OK) {
            Some(bucket) => self.listing(bucket, answer).await,
            None => answer,
        }
    }

    /// A listing that does not claim to be encoded, and has etags.
    async fn listing(&self, bucket: String, answer: Answer) -> Answer {
        const CLAIM: &str = "<EncodingType>url</EncodingType>";
        let (mut head, body) = answer.into_parts();
        let Ok(document) = body.collect().await else {
            return bare(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let document = String::from_utf8_lossy(&document.to_bytes()).replace(CLAIM, "");
        let (folder, etags) = (Arc::clone(&self.folder), Arc::clone(&self.etags));
        let told = spawn_blocking(move || etags.add(&document, &folder, &bucket)).await;
        let Ok(told) = told else { return bare(StatusCode::INTERNAL_SERVER_ERROR) };
        head.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(head, whole(told))
    }

    fn lock(&self, path: &[u8]) -> Option<&Mutex<()>> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(path) % LOCKS;
        self.locks.get(usize::try_from(hash).ok()?)
    }

    async fn is_folder(&self, path: &[u8]) -> bool {
        let Ok(key) = Key::new(path) else { return false };
        let Some(path) = key.as_str() else { return false };
        tokio::fs::metadata(self.folder.join(path)).await.is_ok_and(|found| found.is_dir())
    }
}

fn bare(status: StatusCode) -> Answer {
    let mut answer = Response::new(whole(""));
    *answer.status_mut() = status;
    answer
}
