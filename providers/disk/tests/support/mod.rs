//! What the tests of this crate share.
#![allow(dead_code, reason = "each test file uses its own part")]

mod mounted;

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use safelight_core::body::Body;
use safelight_core::class::MediaClass;
use safelight_core::digest::{Algorithms, Digests, Hasher};
use safelight_core::entry::{Listed, Scope};
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::provider::{Provider as _, PutMode, PutRequest, Receipt};
use safelight_core::time::{SystemClock, Timestamp};
use safelight_disk::{Disk, Options, Reserve};

#[allow(unused_imports, reason = "each test file uses its own part")]
pub(crate) use mounted::{Kind as Image, Mounted, can, run};

pub(crate) fn key(path: impl AsRef<[u8]>) -> Key {
    Key::new(path).unwrap()
}

pub(crate) fn options() -> Options {
    Options { reserve: Reserve::Bytes(0), ..Options::default() }
}

pub(crate) fn destination(path: &Path) -> Disk {
    destination_with(path, options())
}

pub(crate) fn destination_with(path: &Path, options: Options) -> Disk {
    Disk::destination("disk", path, options, Arc::new(SystemClock::start()))
}

pub(crate) fn digests(bytes: &[u8]) -> Digests {
    Hasher::of(bytes, Algorithms::default())
}

pub(crate) fn request(path: impl AsRef<[u8]>, length: usize, mode: PutMode) -> PutRequest {
    PutRequest {
        key: key(path),
        length: length as u64,
        class: MediaClass::Photo,
        modified: Some(Timestamp::from_parts(1_700_000_000, 123_456_789)),
        mode,
        digests: Digests::default(),
    }
}

pub(crate) fn whole(bytes: &[u8]) -> Body {
    Body::whole(Bytes::copy_from_slice(bytes), digests(bytes))
}

pub(crate) async fn put(disk: &Disk, path: impl AsRef<[u8]>, bytes: &[u8]) -> Result<Receipt> {
    disk.put(request(path, bytes.len(), PutMode::Create), whole(bytes)).await
}

pub(crate) async fn list(disk: &Disk, scope: Scope) -> Result<Vec<Listed>> {
    let pages: Vec<_> = disk.list(scope).collect().await;
    let pages: Result<Vec<_>> = pages.into_iter().collect();
    Ok(pages?.into_iter().flat_map(|page| page.entries).collect())
}

pub(crate) async fn content(disk: &Disk, path: impl AsRef<[u8]>) -> Result<Vec<u8>> {
    let mut opened = disk.read(&key(path), None, None).await?;
    let mut content = Vec::new();
    while let Some(bytes) = opened.bytes.next().await {
        content.extend_from_slice(&bytes?);
    }
    Ok(content)
}

/// The key of a finding.
pub(crate) fn place(listed: &Listed) -> &Key {
    match listed {
        Listed::File(entry) => &entry.key,
        Listed::Passed { key, .. } | Listed::Mount { key, .. } => key,
        Listed::Unseen { key, .. } => key.as_ref().unwrap(),
    }
}

/// Everything below `folder` as relative paths, folders with a `/` behind them.
pub(crate) fn everything(folder: &Path) -> Vec<String> {
    fn go(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let name = format!("{prefix}{}", String::from_utf8_lossy(entry.file_name().as_bytes()));
            if entry.file_type().unwrap().is_dir() {
                found.push(format!("{name}/"));
                go(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    go(folder, "", &mut found);
    found.sort();
    found
}

/// Files that are visible outside of the reserved folder.
pub(crate) fn visible(folder: &Path) -> Vec<String> {
    everything(folder)
        .into_iter()
        .filter(|path| !path.ends_with('/') && !path.starts_with(".safelight/"))
        .collect()
}

/// Unfinished files.
pub(crate) fn leftovers(folder: &Path) -> Vec<String> {
    let unfinished = |path: &String| {
        let file = path.strip_prefix(".safelight/tmp/").filter(|name| !name.is_empty());
        file.is_some_and(|name| !name.contains(".lock"))
    };
    everything(folder).into_iter().filter(unfinished).collect()
}
