//! Reading, whole and in part.

use safelight_core::entry::Version;
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::PutMode;

use super::bench::{Bench, Verdict, ensure, gather, has_kind, told, unlike};
use crate::content;

super::cases!("read":
    what_is_missing_is_not_found,
    a_folder_is_no_item,
    what_would_stand_below_an_item_is_missing,
    opening_tells_what_was_opened,
    ranges_give_that_part,
    a_pin_on_the_right_version_is_let_pass,
    a_pin_on_another_version_is_refused,
    an_open_stream_never_mixes_versions,
);

async fn what_is_missing_is_not_found(bench: &Bench) -> Verdict {
    bench.must_be_free(&Key::new("nothing.jpg")?).await?;
    bench.must_be_free(&Key::new("no/such/folder/nothing.jpg")?).await?;
    let missing = Key::new("nothing.jpg")?;
    let pinned = bench.provider().read(&missing, None, Some(&Version::new("v"))).await;
    let refused = has_kind(&pinned, &[Kind::NotFound, Kind::Changed]);
    ensure!(refused, "reading a version of nothing: {}", told(&pinned));
    Ok(())
}

async fn a_folder_is_no_item(bench: &Bench) -> Verdict {
    bench.store("2024/07/a.jpg", &content::bytes(40, 10)).await?;
    bench.must_be_free(&Key::new("2024/07")?).await?;
    bench.must_be_free(&Key::new("2024")?).await
}

async fn what_would_stand_below_an_item_is_missing(bench: &Bench) -> Verdict {
    bench.store("2024/a.jpg", &content::bytes(41, 10)).await?;
    bench.must_be_free(&Key::new("2024/a.jpg/b.jpg")?).await
}

async fn opening_tells_what_was_opened(bench: &Bench) -> Verdict {
    let bytes = content::bytes(42, 1234);
    let (key, _) = bench.store("2024/a.jpg", &bytes).await?;
    let stated = bench.provider().stat(&key).await?;
    let opened = bench.provider().read(&key, None, None).await?;
    let entry = &opened.entry;
    ensure!(entry.key == key, "reading {key} opens {}", entry.key);
    ensure!(entry.size == 1234, "1234 bytes are opened as {}", entry.size);
    let version = stated.and_then(|stated| stated.version);
    ensure!(entry.version == version, "stat says {version:?}, reading {:?}", entry.version);
    ensure!(gather(opened).await? == bytes, "other bytes come back");
    Ok(())
}

async fn ranges_give_that_part(bench: &Bench) -> Verdict {
    bench.must(bench.declared().ranges, "it does not declare ranges")?;
    let bytes = content::bytes(43, 200_000);
    let (key, _) = bench.store("2024/a.jpg", &bytes).await?;
    for range in [0..1, 0..200_000, 1..2, 65_000..140_000, 199_999..200_000] {
        let opened = bench.provider().read(&key, Some(range.clone()), None).await?;
        ensure!(opened.entry.size == 200_000, "a range hides the size of the whole");
        let read = gather(opened).await?;
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end))
        else {
            continue;
        };
        let expected = bytes.slice(start..end);
        ensure!(read == expected, "range {range:?}: {}", unlike(&read, &expected));
    }
    Ok(())
}

async fn a_pin_on_the_right_version_is_let_pass(bench: &Bench) -> Verdict {
    let bytes = content::bytes(44, 900);
    let (key, _) = bench.store("2024/a.jpg", &bytes).await?;
    let version = bench.version(&key).await?;
    let read = gather(bench.provider().read(&key, None, Some(&version)).await?).await?;
    ensure!(read == bytes, "other bytes come back");
    Ok(())
}

async fn a_pin_on_another_version_is_refused(bench: &Bench) -> Verdict {
    let (old, new) = (content::bytes(45, 900), content::bytes(46, 900));
    let (key, _) = bench.store("2024/a.jpg", &old).await?;
    let version = bench.version(&key).await?;
    bench.put(&key, &new, PutMode::Replace(version.clone())).await?;
    for stale in [version, Version::new("no such version")] {
        let read = match bench.provider().read(&key, None, Some(&stale)).await {
            Ok(opened) => gather(opened).await,
            Err(error) => Err(error),
        };
        ensure!(has_kind(&read, &[Kind::Changed]), "reading another version: {}", told(&read));
    }
    Ok(())
}

async fn an_open_stream_never_mixes_versions(bench: &Bench) -> Verdict {
    let size = 600_000;
    let (old, new) = (content::bytes(47, size), content::bytes(48, size));
    let (key, _) = bench.store("2024/a.jpg", &old).await?;
    let version = bench.version(&key).await?;
    let opened = bench.provider().read(&key, None, Some(&version)).await?;
    bench.put(&key, &new, PutMode::Replace(version)).await?;
    match gather(opened).await {
        Ok(read) => ensure!(read == old, "a replaced object is read as {}", unlike(&read, &old)),
        Err(error) => {
            let kind = error.kind();
            ensure!(kind == Kind::Changed, "reading on while it is replaced ends with {kind:?}");
        }
    }
    Ok(())
}
