//! The etags of objects, for the listings of a server that leaves them out although it knows them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest as _, Md5};
use quick_xml::escape::unescape;
use serde_json::Value;

const KEY: (&str, &str) = ("<Key>", "</Key>");

/// What was found out; large objects are not read for every listing.
#[derive(Debug, Default)]
pub(crate) struct Etags {
    computed: Mutex<HashMap<PathBuf, (u64, SystemTime, String)>>,
}

impl Etags {
    /// The listing of `bucket`, whose objects are below `folder`, with the etag behind each key. Blocks.
    pub(crate) fn add(&self, listing: &str, folder: &Path, bucket: &str) -> String {
        let mut told = String::with_capacity(listing.len() * 2);
        for part in listing.split_inclusive(KEY.1) {
            told.push_str(part);
            let key = part.strip_suffix(KEY.1).and_then(|part| part.rsplit_once(KEY.0));
            let key = key.and_then(|(_, key)| unescape(key).ok());
            if let Some(etag) = key.and_then(|key| self.etag(folder, bucket, &key)) {
                told.extend(["<ETag>&quot;", &etag, "&quot;</ETag>"]);
            }
        }
        told
    }

    /// What the server itself says when it is asked for the object.
    fn etag(&self, folder: &Path, bucket: &str, key: &str) -> Option<String> {
        let name = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let noted = format!(".bucket-{}.object-{}.internal.json", name(bucket), name(key));
        let noted = std::fs::read(folder.join(noted)).ok();
        let noted: Option<Value> = noted.and_then(|noted| serde_json::from_slice(&noted).ok());
        match noted.as_ref().and_then(|noted| noted["e_tag"].as_str()) {
            Some(etag) => Some(etag.to_owned()),
            None => self.computed(folder.join(bucket).join(key)),
        }
    }

    fn computed(&self, path: PathBuf) -> Option<String> {
        let found = std::fs::metadata(&path).ok()?;
        let (size, modified) = (found.len(), found.modified().ok()?);
        let computed = || self.computed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, at, etag)) = computed().get(&path)
            && (*then, *at) == (size, modified)
        {
            return Some(etag.clone());
        }
        let etag = hex::encode(Md5::digest(std::fs::read(&path).ok()?));
        computed().insert(path, (size, modified, etag.clone()));
        Some(etag)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_object_gets_the_etag_that_is_noted_or_that_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let photos = folder.path().join("photos");
        std::fs::create_dir(&photos).unwrap();
        std::fs::write(photos.join("a&b"), "abc").unwrap();
        std::fs::write(photos.join("c"), "of parts").unwrap();
        let noted = folder.path().join(".bucket-cGhvdG9z.object-Yw.internal.json");
        std::fs::write(noted, r#"{"e_tag": "123-2"}"#).unwrap();
        let listing = "<ListBucketResult><Contents><Key>a&amp;b</Key></Contents>\
            <Contents><Key>c</Key></Contents><Contents><Key>gone</Key></Contents></ListBucketResult>";
        let expected = "<ListBucketResult><Contents><Key>a&amp;b</Key>\
            <ETag>&quot;900150983cd24fb0d6963f7d28e17f72&quot;</ETag></Contents>\
            <Contents><Key>c</Key><ETag>&quot;123-2&quot;</ETag></Contents>\
            <Contents><Key>gone</Key></Contents></ListBucketResult>";
        let etags = Etags::default();
        assert_eq!(etags.add(listing, folder.path(), "photos"), expected);
        assert_eq!(etags.add(listing, folder.path(), "photos"), expected);
        std::fs::write(photos.join("a&b"), "other").unwrap();
        assert!(!etags.add(listing, folder.path(), "photos").contains("900150983c"));
    }
}
