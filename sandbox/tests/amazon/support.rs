//! A member with a browser, a service, and a clock that the test moves.

use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderMap, Request};
use md5::{Digest, Md5};
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_http::ReqwestTransport;
use safelight_sandbox::AmazonSandbox;
use safelight_sandbox::amazon::Behaviour;
use safelight_testkit::clock::SimClock;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64)";
pub const OWNER: &str = "A1SANDBOXOWNER";

/// A photo with these words in it.
pub fn photo(words: &str) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0", words.as_bytes()].concat()
}

/// A photo that was taken then, as in `2019:09:06 16:30:09`.
pub fn photo_taken(date: &str, words: &str) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe1\0\xffExif\0\0II*\0\x08\0\0\0".to_vec();
    bytes.extend(b"\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0");
    bytes.extend(b"\x01\0\x03\x90\x02\0\x14\0\0\0\x2c\0\0\0\0\0\0\0");
    bytes.extend(date.as_bytes());
    bytes.extend([&[0], words.as_bytes()].concat());
    bytes
}

/// A video of so many bytes.
pub fn video(length: usize, filling: u8) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x14ftypqt  \0\0\0\0qt  ".to_vec();
    bytes.resize(length, filling);
    bytes
}

pub fn md5(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// Percent signs wherever a character is not plain.
pub fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let byte = |byte: u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The ids of a listing.
    pub fn ids(&self) -> Vec<String> {
        let data = self.json()["data"].as_array().unwrap_or_else(|| panic!("{self:?}")).clone();
        data.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn names(&self) -> Vec<String> {
        let data = self.json()["data"].as_array().unwrap_or_else(|| panic!("{self:?}")).clone();
        data.iter().map(|node| node["name"].as_str().unwrap_or("").to_owned()).collect()
    }

    pub fn count(&self) -> u64 {
        self.json()["count"].as_u64().unwrap_or_else(|| panic!("{self:?}"))
    }
}

pub struct Web {
    pub sandbox: AmazonSandbox,
    pub clock: Arc<SimClock>,
    pub folder: TempDir,
    pub transport: ReqwestTransport,
    pub headers: Vec<(String, String)>,
}

impl Web {
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Behaviour)) -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(SimClock::start()));
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        let sandbox = AmazonSandbox::start(folder.path(), clock.clone(), behaviour).await.unwrap();
        let transport = ReqwestTransport::new(clock.clone()).unwrap();
        let mut web = Self { sandbox, clock, folder, transport, headers: Vec::new() };
        web.sign_in();
        web
    }

    /// Ends the service and starts it again over the same folder.
    pub async fn restart(self) -> Self {
        let Self { sandbox, clock, folder, transport, headers } = self;
        sandbox.stop().await;
        let sandbox =
            AmazonSandbox::start(folder.path(), clock.clone(), Behaviour::default()).await.unwrap();
        Self { sandbox, clock, folder, transport, headers }
    }

    /// The cookies of the member by name.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let text = self.sandbox.cookies();
        let lines = text.expose().lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let fields: Vec<_> = line.split('\t').collect();
                (fields[5].to_owned(), fields[6].to_owned())
            })
            .collect()
    }

    /// From now on sends the cookies that are good now.
    pub fn sign_in(&mut self) {
        let cookies = self.cookies();
        let line: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.headers = vec![
            ("user-agent".into(), BROWSER.into()),
            ("x-amzn-sessionid".into(), cookies[0].1.clone()),
            ("cookie".into(), line.join("; ")),
        ];
    }

    pub async fn send(&self, request: http::request::Builder, body: Vec<u8>) -> Reply {
        self.try_send(request, body).await.unwrap()
    }

    pub async fn try_send(
        &self,
        mut request: http::request::Builder,
        body: Vec<u8>,
    ) -> Option<Reply> {
        for (name, value) in &self.headers {
            if !request.headers_ref().unwrap().contains_key(name) {
                request = request.header(name, value);
            }
        }
        self.bare(request, body).await
    }

    /// Without any credentials.
    pub async fn bare(&self, request: http::request::Builder, body: Vec<u8>) -> Option<Reply> {
        let answer = self.transport.send(request.body(HttpBody::Whole(body.into())).unwrap()).await;
        let (head, body) = answer.ok()?.into_parts();
        let bytes = body.collect(64 << 20).await.ok()?.to_vec();
        Some(Reply { status: head.status.as_u16(), headers: head.headers, bytes })
    }

    /// A call to the metadata host.
    pub async fn get(&self, path: &str) -> Reply {
        let url = format!("{}/{path}", self.sandbox.metadata_url());
        self.send(Request::get(url), Vec::new()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        let url = format!("{}/{path}", self.sandbox.metadata_url());
        self.send(Request::post(url), body.to_string().into()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        let url = format!("{}/{path}", self.sandbox.metadata_url());
        self.send(Request::patch(url), body.to_string().into()).await
    }

    /// A listing with a filter; `more` begins with `&` or is empty.
    pub async fn list(&self, route: &str, filter: &str, more: &str) -> Reply {
        self.get(&format!("{route}?filters={}{more}", encode(filter))).await
    }

    /// The root folder.
    pub async fn root(&self) -> String {
        self.list("nodes", "isRoot:true", "").await.ids().remove(0)
    }

    pub async fn make_folder(&self, parent: &str, name: &str) -> Reply {
        self.post("nodes", json!({"kind": "FOLDER", "name": name, "parents": [parent]})).await
    }

    /// An upload by the current route; `more` begins with `&` or is empty.
    pub async fn upload(&self, parent: &str, name: &str, bytes: &[u8], more: &str) -> Reply {
        let request = self.upload_request(parent, name, bytes.len(), more);
        let request = request.header("x-amzn-file-md5", md5(bytes));
        self.send(request, bytes.to_vec()).await
    }

    pub fn upload_request(
        &self,
        parent: &str,
        name: &str,
        size: usize,
        more: &str,
    ) -> http::request::Builder {
        let (content, name) = (self.sandbox.content_url(), encode(name));
        Request::post(format!(
            "{content}/v2/upload?name={name}&fileSize={size}&parentNodeId={parent}{more}"
        ))
    }

    /// An upload by the older route.
    pub async fn upload_older(&self, parent: &str, name: &str, bytes: &[u8]) -> Reply {
        let (content, name) = (self.sandbox.content_url(), encode(name));
        let url = format!("{content}/cdproxy/nodes?name={name}&kind=FILE&parentNodeId={parent}");
        self.send(Request::post(url), bytes.to_vec()).await
    }

    pub fn plain(&self, path: &str) -> PathBuf {
        self.folder.path().join("files").join(path)
    }
}
