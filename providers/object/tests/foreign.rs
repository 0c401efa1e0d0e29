//! What others called as we never would: told where everything is to be taken out, and read by its own name.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use common::{context, key, put, s3, scripted, webdav};
use futures::TryStreamExt;
use safelight_core::entry::{Entry, Listed, Scope, Version};
use safelight_core::error::{Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::Provider;
use safelight_core::time::SystemClock;
use safelight_sandbox::{Fault, Rule, S3Sandbox};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

fn attached() -> Scope {
    Scope { attached: true, ..Scope::default() }
}

async fn list(provider: &dyn Provider, scope: Scope) -> Vec<Listed> {
    let pages: Vec<_> = provider.list(scope).try_collect().await.unwrap();
    pages.into_iter().flat_map(|page| page.entries).collect()
}

async fn files(provider: &dyn Provider, scope: Scope) -> BTreeMap<Key, Entry> {
    let file = |listed| match listed {
        Listed::File(entry) => (entry.key.clone(), entry),
        other => panic!("{other:?}"),
    };
    let listed = list(provider, scope).await;
    let (count, files) = (listed.len(), listed.into_iter().map(file).collect::<BTreeMap<_, _>>());
    assert_eq!(files.len(), count, "two under one key");
    files
}

async fn read(provider: &dyn Provider, entry: &Entry) -> Result<Vec<u8>> {
    let opened = provider.read(&entry.key, None, entry.version.as_ref()).await?;
    assert_eq!((&opened.entry.key, opened.entry.size), (&entry.key, entry.size));
    assert!(entry.version.is_none() || opened.entry.version == entry.version);
    Ok(opened.bytes.try_collect::<Vec<_>>().await?.concat())
}

/// As another program would, past the server.
fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Names in a folder that a file system can hold, and the keys that show them.
const THEIRS: [(&str, &str); 7] = [
    ("%41.jpg", "%41 ("),
    (" in front.jpg", " in front.jpg"),
    ("behind ", "behind "),
    ("back\\slash.jpg", "back\\slash.jpg"),
    ("x/two\nlines.jpg", "x/two\nlines.jpg"),
    ("x/50%25 + é.jpg", "x/50%25 + é.jpg"),
    (".SafeLight/trash/a.jpg", "_.SafeLight/trash/a.jpg"),
];

/// Stores what is ours beside what is theirs, and takes all of it out.
async fn everything_comes_out(provider: &dyn Provider, root: &Path) {
    // Stands there as `%2541.jpg`, so that the key of the other's is taken.
    for (name, bytes) in [("%41.jpg", &b"ours"[..]), ("x/a.jpg", b"plain"), (" b\n.jpg", b"odd")] {
        put(provider, name, bytes).await.unwrap();
    }
    put(provider, ".safelight/marker", b"{}").await.unwrap();
    let ordinary = files(provider, Scope::default()).await;
    for (name, _) in THEIRS {
        write(root, name, name.as_bytes());
    }
    write(root, "x/empty%41", b"");
    // Nobody's but ours, whatever it is called.
    write(root, ".safelight/tmp/b", b"ours");

    let now = list(provider, Scope::default()).await;
    let known = now.iter().filter_map(|listed| match listed {
        Listed::File(entry) => Some(entry.key.clone()),
        _ => None,
    });
    assert_eq!(known.collect::<Vec<_>>().len(), ordinary.len(), "{now:?}");

    let all = files(provider, attached()).await;
    assert_eq!(all, files(provider, attached()).await, "another listing, other keys");
    for (key, entry) in &ordinary {
        assert_eq!(all.get(key), Some(entry));
    }
    assert_eq!(all.len(), ordinary.len() + THEIRS.len() + 1);
    for (name, shown) in THEIRS {
        let mut shows = all.values().filter(|entry| entry.key.as_str().unwrap().starts_with(shown));
        let entry = shows.next().unwrap_or_else(|| panic!("{name:?} in {:?}", all.keys()));
        assert!(shows.next().is_none());
        assert!(entry.remote_id.as_ref().unwrap().ends_with(name));
        assert_eq!(read(provider, entry).await.unwrap(), name.as_bytes(), "{name:?}");
        let pin = entry.version.as_ref();
        for (range, part) in [(1..4, &name.as_bytes()[1..4]), (5..5, b""), (100..200, b"")] {
            let opened = provider.read(&entry.key, Some(range.clone()), pin).await.unwrap();
            assert_eq!((opened.entry.size, &opened.entry.version), (entry.size, &entry.version));
            let bytes = opened.bytes.try_collect::<Vec<_>>().await.unwrap().concat();
            assert_eq!(bytes, part, "{name:?} {range:?}");
        }
    }
    assert_eq!(read(provider, &all[&key("%41.jpg")]).await.unwrap(), b"ours");
    assert_eq!(read(provider, &all[&key("x/empty%41")]).await.unwrap(), b"");
    // Nothing is in a trash that these services do not have.
    assert!(list(provider, Scope { trashed: true, ..attached() }).await.is_empty());

    let behind = &all[&key("behind ")];
    write(root, "behind ", b"otherwise");
    let changed = read(provider, behind).await.unwrap_err();
    assert_eq!(changed.kind(), Kind::Changed);
    std::fs::remove_file(root.join("behind ")).unwrap();
    assert_eq!(read(provider, behind).await.unwrap_err().kind(), Kind::NotFound);
    assert!(!files(provider, attached()).await.contains_key(&behind.key));
}

#[tokio::test]
async fn all_of_a_bucket_can_be_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = S3Sandbox::start(folder.path(), "photos").await.unwrap();
    let provider = s3(&sandbox).await;
    everything_comes_out(&*provider, &folder.path().join("photos/lib")).await;
    // A listing that fails is none.
    sandbox.traffic().inject(Rule::next(Fault::status(500)).containing("list-type=2"));
    let listed = provider.list(attached()).try_collect::<Vec<_>>().await;
    assert_eq!(listed.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn all_of_a_webdav_folder_can_be_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = common::dav(folder.path()).await;
    let provider = webdav(&server.url(), context(Arc::new(SystemClock::start()))).await;
    everything_comes_out(&*provider, &folder.path().join("backup/lib")).await;
}

/// Names that no file system can hold: what the listing says, with `url` as its encoding; the key that shows it; and the
/// path that is asked for.
const HOSTILE: [(&str, &str, &str); 10] = [
    ("/abs.jpg", "_/abs.jpg", "/photos//abs.jpg"),
    ("a//b.jpg", "a/_/b (", "/photos/a//b.jpg"),
    ("a/b/", "a/b/_", "/photos/a/b/"),
    ("../up.jpg", "__/up.jpg", "/photos/..%2Fup.jpg"),
    ("a/../../b.jpg", "a/__/__/b.jpg", "/photos/a%2F..%2F../b.jpg"),
    ("a.jpg+", "a.jpg ", "/photos/a.jpg%20"),
    ("A.jpg+", "A.jpg ", "/photos/A.jpg%20"),
    ("c%01%00.jpg", "c\u{1}_.jpg", "/photos/c%01%00.jpg"),
    ("%2541.jpg", "%41.jpg", "/photos/%2541.jpg"),
    (".safelight", "_.safelight", "/photos/.safelight"),
];

/// A bucket of hostile names in two pages; each of its objects holds the path under which it was asked for.
fn bucket(request: &Request) -> ResponseTemplate {
    let etag = |answer: ResponseTemplate| answer.insert_header("etag", "\"e\"");
    let query: BTreeMap<_, _> = request.url.query_pairs().into_owned().collect();
    if !query.contains_key("list-type") {
        let conditions = request.headers.get("if-match").map(http::HeaderValue::as_bytes);
        // What is only looked at is in no version yet.
        let expected = (request.method == http::Method::GET).then_some(&b"\"e\""[..]);
        assert_eq!(conditions, expected, "{}", request.url);
        return etag(ResponseTemplate::new(200).set_body_string(request.url.path()));
    }
    let object = |key: &str, size: usize| {
        format!(
            "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>&quot;e&quot;</ETag></Contents>"
        )
    };
    let second = query.contains_key("continuation-token");
    let mut objects: String = if second {
        let long = "x".repeat(1100);
        let ours = [".safelight/marker", "a.jpg", "A.jpg", "a/_/b.jpg"].map(|key| object(key, 1));
        // Its version has to be asked for.
        let long = object(&long, "/photos/".len() + long.len());
        let long = long.replace("<ETag>&quot;e&quot;</ETag>", "");
        ours.concat() + &long + &object("folder/", 0)
    } else {
        HOSTILE.iter().map(|(listed, _, sent)| object(listed, sent.len())).collect()
    };
    if second && query["continuation-token"] == "with the impossible" {
        objects += &object("..", 1);
    }
    let page = format!(
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>\
         <NextContinuationToken>with the impossible</NextContinuationToken>{objects}\
         </ListBucketResult>",
        !second
    );
    ResponseTemplate::new(200).set_body_raw(page, "application/xml")
}

#[tokio::test]
async fn hostile_names_are_told_and_asked_for_exactly() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(bucket).mount(&server).await;
    let provider = scripted(&server.uri(), context(Arc::new(SystemClock::start()))).await;
    let listed = list(&*provider, attached()).await;
    let unseen: Vec<_> = listed.iter().filter(|one| matches!(one, Listed::Unseen { .. })).collect();
    assert!(
        matches!(&unseen[..], [Listed::Unseen { key: Some(at), .. }] if *at == key("__")),
        "{unseen:?}"
    );
    let files: BTreeMap<_, _> = listed
        .iter()
        .filter_map(|one| match one {
            Listed::File(entry) => Some((entry.key.as_str().unwrap(), entry)),
            _ => None,
        })
        .collect();
    assert_eq!(files.len(), HOSTILE.len() + 4, "{:?}", files.keys());
    let mut shown: Vec<_> = HOSTILE.iter().map(|(_, shown, sent)| (*shown, *sent)).collect();
    let long = "x".repeat(1100);
    let long_sent = format!("/photos/{long}");
    shown.push((&long, &long_sent));
    for (shown, sent) in shown {
        let exact = files.get(shown).copied();
        let tagged =
            || files.values().copied().find(|entry| entry.key.as_str().unwrap().starts_with(shown));
        let entry = exact.or_else(tagged).unwrap_or_else(|| panic!("{shown:?}"));
        assert_eq!(read(&*provider, entry).await.unwrap(), sent.as_bytes(), "{shown:?}");
    }
    for ours in ["a.jpg", "A.jpg", "a/_/b.jpg"] {
        assert_eq!(files[ours].version, Some(Version::new("e")));
    }
}
