//! Storing what is sound.

use futures::future::join_all;
use safelight_core::digest::{Algorithm, Algorithms, Digests, Hasher};
use safelight_core::entry::{Scope, Version};
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::{Proof, PutMode, PutRequest};
use safelight_core::time::Timestamp;

use super::bench::{Bench, Miss, Verdict, ensure, gather, has_kind, told};
use crate::content;

const MIB: usize = 1024 * 1024;

super::cases!("put":
    keeps_whole_bodies_of_many_sizes,
    keeps_streamed_bodies_of_many_sizes,
    keeps_streamed_bodies_larger_than_a_part,
    receipts_tell_the_truth,
    takes_digests_that_are_known_ahead,
    keeps_equal_content_under_two_keys,
    create_refuses_what_exists,
    of_creates_at_once_one_wins,
    replace_takes_the_exact_version,
    replace_refuses_another_version,
    what_is_replaced_stays_in_the_trash,
    replace_refuses_what_is_missing,
    keeps_the_modification_time,
    stores_many_at_once,
    refuses_what_is_too_large,
);

async fn keeps_whole_bodies_of_many_sizes(bench: &Bench) -> Verdict {
    for size in [0, 1, 511, 4096, 65_537, MIB + 1] {
        if bench.fits(size) {
            let bytes = content::bytes(size as u64, size);
            let (key, _) = bench.store(&format!("sizes/{size}.jpg"), &bytes).await?;
            bench.must_hold(&key, &bytes).await?;
        }
    }
    Ok(())
}

async fn keeps_streamed_bodies_of_many_sizes(bench: &Bench) -> Verdict {
    bench.must_write()?;
    for (size, chunk) in [(0, 1), (1, 1), (1000, 7), (65_537, 4096), (MIB + 1, 300_000)] {
        if bench.fits(size) {
            keeps_streamed(bench, size, chunk).await?;
        }
    }
    Ok(())
}

async fn keeps_streamed_bodies_larger_than_a_part(bench: &Bench) -> Verdict {
    bench.must_write()?;
    for size in [9 * MIB, 17 * MIB + 3] {
        bench.must(bench.fits(size), "it takes no items of this size")?;
        keeps_streamed(bench, size, MIB).await?;
    }
    Ok(())
}

async fn keeps_streamed(bench: &Bench, size: usize, chunk: usize) -> Verdict {
    let bytes = content::bytes(size as u64, size);
    let key = Key::new(format!("streamed/{size}.mov"))?;
    let receipt = bench.put_streamed(bench.request(&key, size), &bytes, chunk).await?;
    let differs = receipt.digests.compare(&all_digests(&bytes)).err();
    ensure!(differs.is_none(), "the receipt of {key} has a wrong {differs:?}");
    bench.must_hold(&key, &bytes).await
}

fn all_digests(bytes: &[u8]) -> Digests {
    let all = [Algorithm::Md5, Algorithm::Crc32c, Algorithm::DropboxHash];
    Hasher::of(bytes, all.into_iter().fold(Algorithms::default(), Algorithms::with))
}

async fn receipts_tell_the_truth(bench: &Bench) -> Verdict {
    let bytes = content::bytes(3, 10_000);
    let (key, receipt) = bench.store("2024/07/a.jpg", &bytes).await?;
    let truth = all_digests(&bytes);
    let differs = receipt.digests.compare(&truth).err();
    ensure!(differs.is_none(), "the receipt has a wrong {differs:?}");
    let shown = match receipt.proof {
        Proof::ServerHash(Algorithm::Sha256) | Proof::ReadBack => receipt.digests.sha256.is_some(),
        Proof::ServerHash(Algorithm::Md5) => receipt.digests.md5.is_some(),
        Proof::ServerHash(Algorithm::Crc32c) => receipt.digests.crc32c.is_some(),
        Proof::ServerHash(Algorithm::DropboxHash) => receipt.digests.dropbox.is_some(),
        Proof::SizeOnly | Proof::Claimed => true,
    };
    ensure!(shown, "{:?} is claimed without the digest", receipt.proof);
    bench.must_hold(&key, &bytes).await?;
    let stated = bench.provider().stat(&key).await?;
    let stated = stated.ok_or_else(|| Miss::Failed(format!("{key} is not there")))?;
    ensure!(stated.key == key, "stat of {key} answers about {}", stated.key);
    let differs = stated.digests.compare(&truth).err();
    ensure!(differs.is_none(), "stat reports a wrong {differs:?}");
    let (told, found) = (&receipt.version, &stated.version);
    ensure!(told == found, "the receipt says version {told:?}, stat says {found:?}");
    let (told, found) = (receipt.modified, stated.modified);
    ensure!(told.is_none() || told == found, "the receipt says time {told:?}, stat {found:?}");
    ensure!(receipt.remote_id == stated.remote_id, "receipt and stat differ in the remote id");
    Ok(())
}

async fn takes_digests_that_are_known_ahead(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let bytes = content::bytes(4, 5000);
    for path in ["ahead/a.jpg", "ahead/b.jpg"] {
        let key = Key::new(path)?;
        let digests = bench.digests(&bytes);
        let request = PutRequest { digests, ..bench.request(&key, bytes.len()) };
        bench.provider().put(request, bench.whole(&bytes)).await?;
        bench.must_hold(&key, &bytes).await?;
    }
    Ok(())
}

async fn keeps_equal_content_under_two_keys(bench: &Bench) -> Verdict {
    let bytes = content::bytes(5, 2000);
    let (first, _) = bench.store("twins/a.jpg", &bytes).await?;
    let (second, _) = bench.store("twins/b.jpg", &bytes).await?;
    bench.must_hold(&first, &bytes).await?;
    bench.must_hold(&second, &bytes).await?;
    bench.must_list(Scope::default(), &[first, second]).await?;
    Ok(())
}

async fn create_refuses_what_exists(bench: &Bench) -> Verdict {
    let (old, new) = (content::bytes(6, 1000), content::bytes(7, 1200));
    let (key, receipt) = bench.store("2024/a.jpg", &old).await?;
    let again = bench.put(&key, &new, PutMode::Create).await;
    ensure!(has_kind(&again, &[Kind::Exists]), "creating it twice: {}", told(&again));
    let streamed = bench.put_streamed(bench.request(&key, new.len()), &new, 100).await;
    ensure!(has_kind(&streamed, &[Kind::Exists]), "streaming onto it: {}", told(&streamed));
    bench.must_hold(&key, &old).await?;
    let version = bench.provider().stat(&key).await?.and_then(|entry| entry.version);
    ensure!(version == receipt.version, "the refused put changed the version");
    Ok(())
}

async fn of_creates_at_once_one_wins(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let key = Key::new("race.jpg")?;
    let rivals: Vec<_> = (0..8).map(|n| content::bytes(100 + n, 3000)).collect();
    let puts = rivals.iter().map(|bytes| bench.put(&key, bytes, PutMode::Create));
    let results = join_all(puts).await;
    let winners: Vec<_> =
        results.iter().zip(&rivals).filter(|(result, _)| result.is_ok()).collect();
    ensure!(winners.len() == 1, "{} of 8 creates of one key succeeded", winners.len());
    for result in results.iter().filter(|result| result.is_err()) {
        ensure!(has_kind(result, &[Kind::Exists]), "a loser: {}", told(result));
    }
    bench.must_hold(&key, winners[0].1).await
}

async fn replace_takes_the_exact_version(bench: &Bench) -> Verdict {
    let versions: Vec<_> = (0..3).map(|n| content::bytes(200 + n, 1000)).collect();
    let (key, _) = bench.store("2024/a.jpg", &versions[0]).await?;
    for bytes in &versions[1..] {
        let before = bench.version(&key).await?;
        let receipt = bench.put(&key, bytes, PutMode::Replace(before.clone())).await?;
        bench.must_hold(&key, bytes).await?;
        let after = bench.version(&key).await?;
        ensure!(after != before, "new content of the same size has the old version");
        ensure!(receipt.version.as_ref() == Some(&after), "the receipt names another version");
    }
    bench.must_list(Scope::default(), &[key]).await?;
    Ok(())
}

async fn replace_refuses_another_version(bench: &Bench) -> Verdict {
    let [a, b, c] = [8, 9, 10].map(|seed| content::bytes(seed, 1000));
    let (key, _) = bench.store("2024/a.jpg", &a).await?;
    let first = bench.version(&key).await?;
    bench.put(&key, &b, PutMode::Replace(first.clone())).await?;
    for stale in [first, Version::new("no such version")] {
        let late = bench.put(&key, &c, PutMode::Replace(stale)).await;
        ensure!(has_kind(&late, &[Kind::Changed]), "replacing a stale version: {}", told(&late));
        bench.must_hold(&key, &b).await?;
    }
    Ok(())
}

async fn what_is_replaced_stays_in_the_trash(bench: &Bench) -> Verdict {
    bench
        .must(bench.declared().replaced_to_trash, "it does not declare to keep what is replaced")?;
    let [old, new] = [14, 15].map(|seed| content::bytes(seed, 1000));
    let (key, _) = bench.store("2024/a.jpg", &old).await?;
    let version = bench.version(&key).await?;
    bench.put(&key, &new, PutMode::Replace(version)).await?;
    let trash = Scope { trashed: true, ..Scope::default() };
    let listed = bench.must_list(trash, std::slice::from_ref(&key)).await?;
    let pin = listed.first().and_then(|entry| entry.version.as_ref());
    let opened = bench.provider().read(&key, None, pin).await?;
    ensure!(pin.is_some() && gather(opened).await? == old, "the trash holds other bytes");
    bench.must_list(Scope::default(), std::slice::from_ref(&key)).await?;
    bench.must_hold(&key, &new).await
}

async fn replace_refuses_what_is_missing(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let key = Key::new("2024/a.jpg")?;
    let put = bench.put(&key, &content::bytes(11, 10), PutMode::Replace(Version::new("v"))).await;
    let refused = has_kind(&put, &[Kind::Changed, Kind::NotFound]);
    ensure!(refused, "replacing what is not there: {}", told(&put));
    bench.must_be_free(&key).await
}

async fn keeps_the_modification_time(bench: &Bench) -> Verdict {
    bench.must_write()?;
    bench.must(bench.declared().keeps_modified, "it does not declare to keep times")?;
    let step = bench.declared().time_granularity_ns;
    for (path, seconds) in [("old.jpg", 1_000_000_001), ("new.jpg", 1_563_098_472)] {
        let key = Key::new(path)?;
        let given = Timestamp::from_parts(seconds, 123_456_789);
        let bytes = content::bytes(12, 50);
        let request = PutRequest { modified: Some(given), ..bench.request(&key, bytes.len()) };
        bench.provider().put(request, bench.whole(&bytes)).await?;
        let kept = bench.provider().stat(&key).await?.and_then(|entry| entry.modified);
        let kept = kept.ok_or_else(|| Miss::Failed("no time was kept".to_owned()))?;
        let off = kept.as_nanos().abs_diff(given.as_nanos());
        ensure!(off < step, "a time is off by {off} ns with a declared step of {step} ns");
        for entry in bench.list(Scope { below: Some(key), ..Scope::default() }).await? {
            let listed = entry.modified;
            ensure!(listed.is_none() || listed == Some(kept), "the listing has {listed:?}");
        }
    }
    Ok(())
}

async fn stores_many_at_once(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let items: Vec<_> = (0..64_u32)
        .map(|n| (format!("many/{}/{n}.jpg", n % 5), content::bytes(n.into(), 100 + n as usize)))
        .collect();
    let stored = join_all(items.iter().map(|(path, bytes)| bench.store(path, bytes))).await;
    let mut keys = Vec::new();
    for (result, (_, bytes)) in stored.into_iter().zip(&items) {
        let (key, _) = result?;
        bench.must_hold(&key, bytes).await?;
        keys.push(key);
    }
    bench.must_list(Scope::default(), &keys).await?;
    Ok(())
}

async fn refuses_what_is_too_large(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let most = bench.declared().max_item_bytes.ok_or(Miss::NotApplicable("no limit declared"))?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    bench.must(most <= 32 * MIB, "the limit is too high to be tried")?;
    let bytes = content::bytes(13, most + 1);
    let key = Key::new("huge.mov")?;
    let put = bench.put_streamed(bench.request(&key, bytes.len()), &bytes, MIB).await;
    ensure!(has_kind(&put, &[Kind::TooLarge]), "over the limit: {}", told(&put));
    bench.must_be_free(&key).await?;
    let bytes = bytes.slice(..most);
    bench.put_streamed(bench.request(&key, most), &bytes, MIB).await?;
    bench.must_hold(&key, &bytes).await
}
