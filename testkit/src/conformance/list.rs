//! Listings: complete, truthful, in order, within their scope.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use safelight_core::entry::{Entry, Scope};
use safelight_core::key::{Key, RESERVED};

use super::bench::{Bench, Miss, Verdict, ensure};
use crate::content;

super::cases!("list":
    shows_every_item_once_as_stat_does,
    goes_past_the_first_page,
    is_in_key_order_if_declared,
    keeps_to_what_is_below_a_key,
    keeps_the_reserved_folder_to_itself,
    tells_the_services_trash_from_what_is_there,
    advice_hides_nothing_else,
    has_no_room_for_leftovers,
);

const PATHS: [&str; 9] = [
    "2024-a.jpg",
    "2024.jpg",
    "2024/07/a.jpg",
    "2024/07/b.jpg",
    "2024/a.jpg",
    "2024/z/deep/er/c.jpg",
    "20240/a.jpg",
    "2025/a.jpg",
    "a.jpg",
];

async fn fill(bench: &Bench) -> Verdict<Vec<Key>> {
    let mut keys = Vec::new();
    for (seed, path) in PATHS.iter().enumerate() {
        keys.push(bench.store(path, &content::bytes(seed as u64, 10 + seed)).await?.0);
    }
    Ok(keys)
}

fn below(key: &str) -> Verdict<Scope> {
    Ok(Scope { below: Some(Key::new(key)?), ..Scope::default() })
}

async fn shows_every_item_once_as_stat_does(bench: &Bench) -> Verdict {
    let keys = fill(bench).await?;
    for listed in bench.must_list(Scope::default(), &keys).await? {
        let stated = bench.provider().stat(&listed.key).await?;
        let stated = stated.ok_or_else(|| Miss::Failed(format!("{} has no stat", listed.key)))?;
        ensure!(listed.size == stated.size, "{}: sizes differ", listed.key);
        ensure!(agree(&listed, &stated), "listing and stat differ: {listed:?}, {stated:?}");
    }
    Ok(())
}

/// A listing may know less than `stat`, but nothing else.
fn agree(listed: &Entry, stated: &Entry) -> bool {
    fn known<T: PartialEq>(listed: Option<&T>, stated: Option<&T>) -> bool {
        listed.is_none() || listed == stated
    }
    known(listed.version.as_ref(), stated.version.as_ref())
        && known(listed.modified.as_ref(), stated.modified.as_ref())
        && known(listed.file_id.as_ref(), stated.file_id.as_ref())
        && known(listed.remote_id.as_ref(), stated.remote_id.as_ref())
        && listed.digests.compare(&stated.digests).is_ok()
}

async fn goes_past_the_first_page(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let paths = (0..1100_u32).map(|n| (n, format!("pages/{}/{n}.jpg", n % 3)));
    let stored = stream::iter(paths)
        .map(async |(n, path)| bench.store(&path, &content::bytes(n.into(), 3)).await)
        .buffer_unordered(32);
    let stored: Vec<Verdict<_>> = stored.collect().await;
    let keys: Verdict<Vec<Key>> = stored.into_iter().map(|done| Ok(done?.0)).collect();
    bench.must_list(Scope::default(), &keys?).await?;
    Ok(())
}

async fn is_in_key_order_if_declared(bench: &Bench) -> Verdict {
    bench.must(bench.declared().sorted_listing, "it does not declare an order")?;
    let mut keys = fill(bench).await?;
    keys.sort();
    let listed = bench.must_list(Scope::default(), &keys).await?;
    for (listed, expected) in listed.iter().zip(&keys) {
        ensure!(listed.key == *expected, "{} stands where {expected} should", listed.key);
    }
    Ok(())
}

async fn keeps_to_what_is_below_a_key(bench: &Bench) -> Verdict {
    let keys = fill(bench).await?;
    for folder in ["2024", "2024/07", "2024/z", "2025", "a.jpg", "nothing", "202"] {
        let scope = below(folder)?;
        let folder = Key::new(folder)?;
        let expected: Vec<_> = keys.iter().filter(|key| key.is_within(&folder)).cloned().collect();
        bench.must_list(scope, &expected).await?;
    }
    Ok(())
}

async fn keeps_the_reserved_folder_to_itself(bench: &Bench) -> Verdict {
    let (photo, _) = bench.store("2024/a.jpg", &content::bytes(50, 10)).await?;
    let hidden = format!("{RESERVED}/trash/2024/a.jpg");
    let bytes = content::bytes(51, 20);
    let (hidden, _) = bench.store(&hidden, &bytes).await?;
    bench.must_hold(&hidden, &bytes).await?;
    bench.must_list(Scope::default(), std::slice::from_ref(&photo)).await?;
    let all = bench.list(Scope { reserved: true, ..Scope::default() }).await?;
    for key in [&photo, &hidden] {
        ensure!(all.iter().any(|entry| entry.key == *key), "{key} is not listed when asked for");
    }
    let trash = Scope { reserved: true, ..below(&format!("{RESERVED}/trash"))? };
    bench.must_list(trash, &[hidden]).await?;
    Ok(())
}

async fn tells_the_services_trash_from_what_is_there(bench: &Bench) -> Verdict {
    fill(bench).await?;
    bench.must_list(Scope { trashed: true, ..Scope::default() }, &[]).await?;
    Ok(())
}

async fn advice_hides_nothing_else(bench: &Bench) -> Verdict {
    let keys = fill(bench).await?;
    let skipped = Key::new("2024/07")?;
    let unwanted = skipped.clone();
    let descend: safelight_core::entry::Descend = Arc::new(move |folder| *folder != unwanted);
    let entries = bench.list(Scope { descend: Some(descend), ..Scope::default() }).await?;
    for key in keys.iter().filter(|key| !key.is_within(&skipped)) {
        ensure!(entries.iter().any(|entry| entry.key == *key), "{key} is hidden by advice");
    }
    Ok(())
}

/// While an item is on its way, no listing shows it or anything temporary.
async fn has_no_room_for_leftovers(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let key = Key::new("2024/a.jpg")?;
    let bytes = content::bytes(52, 9000);
    let (sender, body) = safelight_core::body::Body::stream(9000, 1);
    let feed = async {
        for chunk in super::bench::cut(&bytes, 3000) {
            sender.send(Ok(chunk)).await?;
            let seen = bench.list(Scope::default()).await?;
            ensure!(seen.is_empty(), "an unfinished put shows {seen:?}");
        }
        sender.finish(bench.digests(&bytes));
        Ok(())
    };
    let put = bench.provider().put(bench.request(&key, 9000), body);
    let (receipt, done): (_, Verdict) = futures::future::join(put, feed).await;
    done?;
    receipt?;
    bench.must_list(Scope::default(), &[key]).await?;
    Ok(())
}
