//! Bodies that lie or break off: always an error, never anything left behind.

use bytes::Bytes;
use safelight_core::body::Body;
use safelight_core::digest::Digests;
use safelight_core::entry::Scope;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::{PutMode, PutRequest, Receipt};

use super::bench::{Bench, Verdict, cut, ensure, told};
use crate::content;

super::cases!("broken":
    a_short_body_leaves_nothing,
    a_long_body_leaves_nothing,
    a_failing_body_leaves_nothing,
    a_source_that_dies_at_the_end_leaves_nothing,
    a_length_other_than_announced_leaves_nothing,
    a_digest_other_than_announced_leaves_nothing,
    bytes_unlike_their_digest_are_never_proven,
    a_large_body_that_fails_leaves_nothing,
    a_broken_replacement_keeps_the_old_version,
);

/// The ways in which a body of `bytes` can go wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Short,
    Long,
    Fails,
    Dies,
}

async fn put_broken(
    bench: &Bench,
    request: PutRequest,
    bytes: &Bytes,
    fault: Fault,
) -> Result<Receipt> {
    let mut chunks: Vec<Result<Bytes>> =
        cut(bytes, (bytes.len() / 5).max(1)).into_iter().map(Ok).collect();
    let mut digests: Option<Digests> = Some(bench.digests(bytes));
    match fault {
        Fault::Short => drop(chunks.pop()),
        Fault::Long => chunks.push(Ok(Bytes::from_static(b"too much"))),
        Fault::Fails => {
            let last = chunks.len() - 1;
            chunks[last] = Err(Error::new(Kind::Io, "the source failed"));
        }
        Fault::Dies => digests = None,
    }
    bench.put_chunks(request, bytes.len(), chunks, digests).await
}

async fn must_leave_nothing(bench: &Bench, fault: Fault) -> Verdict {
    bench.must_write()?;
    for size in [5, 1000, 200_000] {
        let bytes = content::bytes(20, size);
        let key = Key::new(format!("broken/{size}.jpg"))?;
        let put = put_broken(bench, bench.request(&key, size), &bytes, fault).await;
        ensure!(put.is_err(), "{fault:?} with {size} bytes: {}", told(&put));
        bench.must_be_free(&key).await?;
    }
    bench.must_list(Scope::default(), &[]).await?;
    let (key, bytes) = (Key::new("broken/5.jpg")?, content::bytes(20, 5));
    bench.put(&key, &bytes, PutMode::Create).await?;
    bench.must_hold(&key, &bytes).await
}

async fn a_short_body_leaves_nothing(bench: &Bench) -> Verdict {
    must_leave_nothing(bench, Fault::Short).await
}

async fn a_long_body_leaves_nothing(bench: &Bench) -> Verdict {
    must_leave_nothing(bench, Fault::Long).await
}

async fn a_failing_body_leaves_nothing(bench: &Bench) -> Verdict {
    must_leave_nothing(bench, Fault::Fails).await
}

async fn a_source_that_dies_at_the_end_leaves_nothing(bench: &Bench) -> Verdict {
    must_leave_nothing(bench, Fault::Dies).await
}

async fn a_length_other_than_announced_leaves_nothing(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let bytes = content::bytes(21, 1000);
    let key = Key::new("length.jpg")?;
    for announced in [0, 999, 1001] {
        let put = bench.provider().put(bench.request(&key, announced), bench.whole(&bytes)).await;
        ensure!(put.is_err(), "{announced} bytes announced, 1000 sent: {}", told(&put));
        bench.must_be_free(&key).await?;
    }
    Ok(())
}

async fn a_digest_other_than_announced_leaves_nothing(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let (bytes, other) = (content::bytes(22, 1000), content::bytes(23, 1000));
    let key = Key::new("digest.jpg")?;
    let request = || PutRequest { digests: bench.digests(&other), ..bench.request(&key, 1000) };
    let whole = bench.provider().put(request(), bench.whole(&bytes)).await;
    ensure!(whole.is_err(), "a whole body unlike the announced digest: {}", told(&whole));
    bench.must_be_free(&key).await?;
    let streamed = bench.put_streamed(request(), &bytes, 100).await;
    ensure!(streamed.is_err(), "a stream unlike the announced digest: {}", told(&streamed));
    bench.must_be_free(&key).await
}

/// Bytes that were damaged on the way, after their digest was taken. A provider need not notice, but then it
/// must not claim a proof.
async fn bytes_unlike_their_digest_are_never_proven(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let bytes = content::bytes(24, 1000);
    let digests = bench.digests(&content::bytes(25, 1000));
    for (path, whole) in [("whole.jpg", true), ("streamed.jpg", false)] {
        let key = Key::new(path)?;
        let request = bench.request(&key, bytes.len());
        let put = if whole {
            bench.provider().put(request, Body::whole(bytes.clone(), digests)).await
        } else {
            let chunks = cut(&bytes, 100).into_iter().map(Ok).collect();
            bench.put_chunks(request, bytes.len(), chunks, Some(digests)).await
        };
        match put {
            Err(_) => bench.must_be_free(&key).await?,
            Ok(receipt) => {
                let proof = receipt.proof;
                ensure!(!proof.counts(), "{proof:?} is claimed for damaged bytes");
            }
        }
    }
    Ok(())
}

async fn a_large_body_that_fails_leaves_nothing(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let size = 12 * 1024 * 1024;
    bench.must(bench.fits(size), "it takes no items of this size")?;
    let bytes = content::bytes(26, size);
    for fault in [Fault::Short, Fault::Fails, Fault::Dies] {
        let key = Key::new("large.mov")?;
        let put = put_broken(bench, bench.request(&key, size), &bytes, fault).await;
        ensure!(put.is_err(), "{fault:?}: {}", told(&put));
        bench.must_be_free(&key).await?;
    }
    bench.must_list(Scope::default(), &[]).await?;
    Ok(())
}

async fn a_broken_replacement_keeps_the_old_version(bench: &Bench) -> Verdict {
    let (old, new) = (content::bytes(27, 3000), content::bytes(28, 4000));
    let (key, _) = bench.store("2024/a.jpg", &old).await?;
    let version = bench.version(&key).await?;
    for fault in [Fault::Short, Fault::Long, Fault::Fails, Fault::Dies] {
        let mode = PutMode::Replace(version.clone());
        let request = PutRequest { mode, ..bench.request(&key, new.len()) };
        let put = put_broken(bench, request, &new, fault).await;
        ensure!(put.is_err(), "{fault:?}: {}", told(&put));
        bench.must_hold(&key, &old).await?;
        let now = bench.version(&key).await?;
        ensure!(now == version, "{fault:?}: the version changed");
    }
    bench.must_list(Scope::default(), &[key]).await?;
    Ok(())
}
