//! Futures that are dropped half-way: nothing or the whole, never a part.

use bytes::Bytes;
use safelight_core::entry::Scope;
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::{PutMode, PutRequest, Relocate};

use super::bench::{Bench, Verdict, cut, drive, ensure, has_kind, told, unlike};
use crate::content;

super::cases!("dropped":
    a_dropped_put_leaves_nothing_or_the_whole,
    a_dropped_large_put_leaves_nothing_or_the_whole,
    a_dropped_replacement_leaves_the_old_or_the_new,
    the_old_version_is_whole_while_it_is_replaced,
    a_dropped_relocation_loses_nothing,
);

/// After how many waits a put is dropped at most. Enough for the puts of all known providers to end by
/// themselves.
const MOST_WAITS: usize = 48;

async fn a_dropped_put_leaves_nothing_or_the_whole(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let bytes = content::bytes(30, 5000);
    for waits in 0..MOST_WAITS {
        let key = Key::new(format!("dropped/{waits}.jpg"))?;
        let put = bench.put_streamed(bench.request(&key, bytes.len()), &bytes, 1000);
        if let Some(result) = drive(put, waits).await {
            result?;
            return bench.must_hold(&key, &bytes).await;
        }
        must_be_one_of(bench, &key, &[&bytes], true).await?;
        let again = bench.put(&key, &bytes, PutMode::Create).await;
        let sound = again.is_ok() || has_kind(&again, &[Kind::Exists]);
        ensure!(sound, "storing it after a drop at wait {waits}: {}", told(&again));
        bench.must_hold(&key, &bytes).await?;
    }
    Ok(())
}

async fn a_dropped_large_put_leaves_nothing_or_the_whole(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let bytes = content::bytes(31, 11 * 1024 * 1024);
    bench.must(bench.fits(bytes.len()), "it takes no items of this size")?;
    for waits in [3, 9, 15, 21, 27, 33] {
        let key = Key::new(format!("dropped/{waits}.mov"))?;
        let request = bench.request(&key, bytes.len());
        let put = bench.put_streamed(request, &bytes, 1024 * 1024);
        if let Some(result) = drive(put, waits).await {
            result?;
            return bench.must_hold(&key, &bytes).await;
        }
        must_be_one_of(bench, &key, &[&bytes], true).await?;
    }
    Ok(())
}

async fn a_dropped_replacement_leaves_the_old_or_the_new(bench: &Bench) -> Verdict {
    bench.must(bench.declared().atomic_replace, "it does not declare to replace in one step")?;
    let (old, new) = (content::bytes(32, 3000), content::bytes(33, 5000));
    for waits in 0..MOST_WAITS {
        let (key, _) = bench.store(&format!("replaced/{waits}.jpg"), &old).await?;
        let mode = PutMode::Replace(bench.version(&key).await?);
        let request = PutRequest { mode, ..bench.request(&key, new.len()) };
        let put = bench.put_streamed(request, &new, 1000);
        if let Some(result) = drive(put, waits).await {
            result?;
            return bench.must_hold(&key, &new).await;
        }
        must_be_one_of(bench, &key, &[&old, &new], false).await?;
    }
    Ok(())
}

/// Whole in one of these forms, or absent where that is allowed; and nothing else is listed. A commit that
/// had begun may still be under way, so this looks more than once.
async fn must_be_one_of(bench: &Bench, key: &Key, forms: &[&Bytes], may_lack: bool) -> Verdict {
    for _ in 0..3 {
        match bench.read(key).await {
            Ok(read) => {
                let whole = forms.iter().any(|form| **form == read);
                ensure!(whole, "{key} after a drop: {}", unlike(&read, forms[0]));
            }
            Err(error) if may_lack && error.kind() == Kind::NotFound => {}
            Err(error) if error.kind() == Kind::Changed => {}
            Err(error) => return Err(error.into()),
        }
        let folder = key.parent();
        for entry in bench.list(Scope { below: folder.clone(), ..Scope::default() }).await? {
            let ours = entry.key.parent() == folder && entry.key.name().contains(&b'.');
            let size = entry.size;
            ensure!(
                ours && forms.iter().any(|form| form.len() as u64 == size),
                "{} with {size} bytes is listed after a drop",
                entry.key
            );
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn the_old_version_is_whole_while_it_is_replaced(bench: &Bench) -> Verdict {
    bench.must(bench.declared().atomic_replace, "it does not declare to replace in one step")?;
    let (old, new) = (content::bytes(34, 3000), content::bytes(35, 6000));
    let (key, _) = bench.store("2024/a.jpg", &old).await?;
    let mode = PutMode::Replace(bench.version(&key).await?);
    let request = PutRequest { mode, ..bench.request(&key, new.len()) };
    let (sender, body) = safelight_core::body::Body::stream(new.len() as u64, 1);
    let feed = async {
        for chunk in cut(&new, 1500) {
            bench.must_hold(&key, &old).await?;
            sender.send(Ok(chunk)).await?;
        }
        // All bytes are sent, but without digests it cannot be committed.
        bench.must_hold(&key, &old).await?;
        sender.finish(bench.digests(&new));
        Ok(())
    };
    let (receipt, seen): (_, Verdict) =
        futures::future::join(bench.provider().put(request, body), feed).await;
    seen?;
    receipt?;
    bench.must_hold(&key, &new).await
}

async fn a_dropped_relocation_loses_nothing(bench: &Bench) -> Verdict {
    bench.must(bench.declared().moves, "it does not declare to move")?;
    let bytes = content::bytes(36, 2000);
    for waits in 0..MOST_WAITS {
        let (from, _) = bench.store(&format!("moved/{waits}.jpg"), &bytes).await?;
        let to = Key::new(format!("moved/{waits}-there.jpg"))?;
        let relocate = bench.provider().relocate(&from, &to, Relocate::Move, None);
        if let Some(result) = drive(relocate, waits).await {
            result?;
            return bench.must_hold(&to, &bytes).await;
        }
        let here = bench.provider().stat(&from).await?.is_some();
        let there = bench.provider().stat(&to).await?.is_some();
        ensure!(here || there, "a move that was dropped at wait {waits} lost the item");
        must_be_one_of(bench, &from, &[&bytes], true).await?;
        must_be_one_of(bench, &to, &[&bytes], true).await?;
    }
    Ok(())
}
