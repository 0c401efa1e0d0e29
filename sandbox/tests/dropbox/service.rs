//! A stand-in to talk to, and the ways to talk.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, Request};
use safelight_core::error::Result;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_http::ReqwestTransport;
use safelight_sandbox::DropboxSandbox;
use safelight_sandbox::dropbox::Behaviour;
use safelight_testkit::clock::SimClock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub const MIB: usize = 1024 * 1024;

/// A stand-in with an access token at hand.
pub struct Service {
    folder: TempDir,
    pub clock: Arc<SimClock>,
    pub sandbox: DropboxSandbox,
    pub http: ReqwestTransport,
    pub token: String,
}

/// An answer that has arrived whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The result of a call that worked.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// A call that its route refused so.
    #[track_caller]
    pub fn refused(&self, tags: &str) -> Value {
        assert_eq!(self.status, 409, "{}", self.text());
        let json = self.json();
        let summary = json["error_summary"].as_str().unwrap();
        assert!(summary.starts_with(&format!("{tags}/")), "{summary}");
        json["error"].clone()
    }

    /// A call that was wrong in itself.
    #[track_caller]
    pub fn bad(&self, part: &str) {
        assert_eq!(self.status, 400, "{}", self.text());
        assert!(self.header("content-type").starts_with("text/plain"));
        assert!(self.text().contains(part), "{}", self.text());
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Behaviour)) -> Self {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        let folder = tempfile::tempdir().unwrap();
        Self::over(folder, Arc::new(SimClock::start()), behaviour).await
    }

    async fn over(folder: TempDir, clock: Arc<SimClock>, behaviour: Behaviour) -> Self {
        let sandbox = DropboxSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
        let http = ReqwestTransport::new(clock.clone()).unwrap();
        let token = sandbox.access_token().expose().to_owned();
        Self { folder, clock, sandbox, http, token }
    }

    /// Ends it and starts another one over the same folder, with the same access token.
    pub async fn restart(self) -> Self {
        self.sandbox.stop().await;
        let again = Self::over(self.folder, self.clock, Behaviour::default()).await;
        Self { token: self.token, ..again }
    }

    /// Where the plain file of `path` is.
    pub fn plain(&self, path: &str) -> PathBuf {
        self.folder.path().join("files").join(path)
    }

    pub fn request(&self, route: &str) -> Builder {
        let url = format!("{}/2/{route}", self.sandbox.url());
        Request::post(url).header("Authorization", format!("Bearer {}", self.token))
    }

    pub async fn try_send(&self, request: Builder, body: impl Into<Bytes>) -> Result<Reply> {
        let request = request.body(HttpBody::Whole(body.into())).unwrap();
        let answer = self.http.send(request).await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.into_body().collect(300 * MIB).await?;
        Ok(Reply { status, headers, body })
    }

    pub async fn send(&self, request: Builder, body: impl Into<Bytes>) -> Reply {
        self.try_send(request, body).await.unwrap()
    }

    /// A call of a route that takes JSON.
    pub async fn rpc(&self, route: &str, argument: Value) -> Reply {
        let request = self.request(route).header("Content-Type", "application/json");
        self.send(request, argument.to_string()).await
    }

    /// A call of a route that takes bytes.
    pub async fn bytes(&self, route: &str, argument: Value, body: impl Into<Bytes>) -> Reply {
        let request = self
            .request(route)
            .header("Content-Type", "application/octet-stream")
            .header("Dropbox-API-Arg", escaped(&argument));
        self.send(request, body).await
    }

    /// A call of a route that gives bytes.
    pub async fn download(&self, argument: Value) -> Reply {
        let request = self.request("files/download").header("Dropbox-API-Arg", escaped(&argument));
        self.send(request, "").await
    }

    /// Uploads a file and answers its metadata.
    pub async fn put(&self, path: &str, content: &'static str) -> Value {
        let argument = json!({"path": path, "mode": "overwrite"});
        self.bytes("files/upload", argument, content).await.ok()
    }

    /// A new session with these bytes; its id.
    pub async fn session(&self, content: &'static str, close: bool) -> String {
        let argument = json!({ "close": close });
        let started = self.bytes("files/upload_session/start", argument, content).await.ok();
        started["session_id"].as_str().unwrap().to_owned()
    }

    /// A new concurrent session; its id.
    pub async fn concurrent(&self) -> String {
        let argument = json!({"session_type": "concurrent"});
        let started = self.bytes("files/upload_session/start", argument, "").await.ok();
        started["session_id"].as_str().unwrap().to_owned()
    }

    /// Everything in the account: path, tag.
    pub async fn paths(&self) -> Vec<String> {
        let listed =
            self.rpc("files/list_folder", json!({"path": "", "recursive": true})).await.ok();
        assert_eq!(listed["has_more"], false);
        displays(&listed)
    }
}

/// `path_display` of every entry, with the tag of what is no file.
pub fn displays(listed: &Value) -> Vec<String> {
    let entries = listed["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let path = entry["path_display"].as_str().unwrap();
            match entry[".tag"].as_str().unwrap() {
                "file" => path.to_owned(),
                tag => format!("{path} {tag}"),
            }
        })
        .collect()
}

/// JSON as a header can carry it.
pub fn escaped(value: &Value) -> String {
    let text = value.to_string();
    let units = text.encode_utf16().map(|unit| match u8::try_from(unit) {
        Ok(byte @ 0x20..=0x7e) => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    });
    units.collect()
}

/// Dropbox's hash of some bytes.
pub fn content_hash(bytes: &[u8]) -> String {
    let blocks = bytes.chunks(4 * MIB);
    let digests: Vec<u8> = blocks.flat_map(Sha256::digest).collect();
    hex::encode(Sha256::digest(digests))
}
