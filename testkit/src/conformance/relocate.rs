//! Moving and copying on the destination's own side.

use safelight_core::entry::{Scope, Version};
use safelight_core::error::Kind;
use safelight_core::key::{Key, RESERVED};
use safelight_core::provider::{PutMode, PutRequest, Relocate};
use safelight_core::time::Timestamp;

use super::bench::{Bench, Miss, Verdict, ensure, has_kind, told};
use crate::content;

super::cases!("relocate":
    moving_keeps_the_bytes,
    copying_keeps_both,
    copying_leaves_the_version_where_declared,
    into_the_reserved_folder_and_back,
    an_occupied_target_is_refused,
    another_version_is_refused,
    what_is_missing_is_not_found,
    keeps_the_modification_time,
);

fn ways(bench: &Bench) -> Verdict<Vec<Relocate>> {
    let declared = bench.declared();
    let moves = declared.moves.then_some(Relocate::Move);
    let ways: Vec<_> = moves.into_iter().chain(declared.copies.then_some(Relocate::Copy)).collect();
    if ways.is_empty() {
        return Err(Miss::NotApplicable("it declares neither moves nor copies"));
    }
    Ok(ways)
}

async fn moving_keeps_the_bytes(bench: &Bench) -> Verdict {
    bench.must(bench.declared().moves, "it does not declare to move")?;
    let bytes = content::bytes(80, 3000);
    let (from, old) = bench.store("2024/a.jpg", &bytes).await?;
    let to = Key::new("2025/new/b.jpg")?;
    let receipt =
        bench.provider().relocate(&from, &to, Relocate::Move, old.version.as_ref()).await?;
    bench.must_hold(&to, &bytes).await?;
    bench.must_be_free(&from).await?;
    ensure!(receipt.digests.compare(&bench.digests(&bytes)).is_ok(), "a wrong digest is claimed");
    let version = bench.provider().stat(&to).await?.and_then(|entry| entry.version);
    ensure!(receipt.version == version, "the receipt names another version than stat");
    bench.must_list(Scope::default(), &[to]).await?;
    Ok(())
}

async fn copying_keeps_both(bench: &Bench) -> Verdict {
    bench.must(bench.declared().copies, "it does not declare to copy")?;
    let (bytes, later) = (content::bytes(81, 3000), content::bytes(82, 3000));
    let (from, _) = bench.store("2024/a.jpg", &bytes).await?;
    let to = Key::new("2025/new/b.jpg")?;
    let receipt = bench.provider().relocate(&from, &to, Relocate::Copy, None).await?;
    bench.must_hold(&from, &bytes).await?;
    bench.must_hold(&to, &bytes).await?;
    let version = bench.provider().stat(&to).await?.and_then(|entry| entry.version);
    ensure!(receipt.version == version, "the receipt names another version than stat");
    // A copy that were only a second name would change along.
    let version = bench.version(&from).await?;
    bench.put(&from, &later, PutMode::Replace(version)).await?;
    bench.must_hold(&to, &bytes).await?;
    bench.must_list(Scope::default(), &[from, to]).await?;
    Ok(())
}

async fn copying_leaves_the_version_where_declared(bench: &Bench) -> Verdict {
    bench.must(bench.declared().copies_untouched, "it does not declare so")?;
    let (from, _) = bench.store("2024/a.jpg", &content::bytes(88, 300)).await?;
    let before = bench.version(&from).await?;
    let to = Key::new("2025/b.jpg")?;
    bench.provider().relocate(&from, &to, Relocate::Copy, Some(&before)).await?;
    ensure!(bench.version(&from).await? == before, "copying changed the version");
    let edited = content::bytes(89, 300);
    bench.put(&from, &edited, PutMode::Replace(before)).await?;
    bench.must_hold(&from, &edited).await?;
    Ok(())
}

async fn into_the_reserved_folder_and_back(bench: &Bench) -> Verdict {
    let aside = Key::new(format!("{RESERVED}/versions/2024/a.jpg"))?;
    for how in ways(bench)? {
        let bytes = content::bytes(83, 700);
        let (key, _) = bench.store(&format!("{how:?}.jpg"), &bytes).await?;
        let aside = aside.join(format!("{how:?}"))?;
        bench.provider().relocate(&key, &aside, how, None).await?;
        bench.must_hold(&aside, &bytes).await?;
        let back = Key::new(format!("{how:?} back.jpg"))?;
        bench.provider().relocate(&aside, &back, how, None).await?;
        bench.must_hold(&back, &bytes).await?;
    }
    Ok(())
}

async fn an_occupied_target_is_refused(bench: &Bench) -> Verdict {
    let (here, there) = (content::bytes(84, 300), content::bytes(85, 400));
    for how in ways(bench)? {
        let (from, _) = bench.store(&format!("{how:?}/a.jpg"), &here).await?;
        let (to, _) = bench.store(&format!("{how:?}/b.jpg"), &there).await?;
        let done = bench.provider().relocate(&from, &to, how, None).await;
        ensure!(has_kind(&done, &[Kind::Exists]), "{how:?} onto an item: {}", told(&done));
        bench.must_hold(&from, &here).await?;
        bench.must_hold(&to, &there).await?;
    }
    Ok(())
}

async fn another_version_is_refused(bench: &Bench) -> Verdict {
    let (old, new) = (content::bytes(86, 300), content::bytes(87, 300));
    for how in ways(bench)? {
        let (from, _) = bench.store(&format!("{how:?}/a.jpg"), &old).await?;
        let version = bench.version(&from).await?;
        bench.put(&from, &new, PutMode::Replace(version.clone())).await?;
        let to = Key::new(format!("{how:?}/b.jpg"))?;
        for stale in [version, Version::new("no such version")] {
            let done = bench.provider().relocate(&from, &to, how, Some(&stale)).await;
            let refused = has_kind(&done, &[Kind::Changed]);
            ensure!(refused, "{how:?} of another version: {}", told(&done));
        }
        bench.must_hold(&from, &new).await?;
        bench.must_be_free(&to).await?;
    }
    Ok(())
}

async fn what_is_missing_is_not_found(bench: &Bench) -> Verdict {
    for how in ways(bench)? {
        bench.must_write()?;
        let (from, to) = (Key::new("nothing.jpg")?, Key::new("something.jpg")?);
        let done = bench.provider().relocate(&from, &to, how, None).await;
        ensure!(has_kind(&done, &[Kind::NotFound]), "{how:?} of nothing: {}", told(&done));
        bench.must_be_free(&to).await?;
    }
    Ok(())
}

async fn keeps_the_modification_time(bench: &Bench) -> Verdict {
    bench.must(bench.declared().keeps_modified, "it does not declare to keep times")?;
    let bytes = content::bytes(88, 100);
    for how in ways(bench)? {
        bench.must_write()?;
        let (from, to) = (Key::new(format!("{how:?}.jpg"))?, Key::new(format!("{how:?} 2.jpg"))?);
        let modified = Some(Timestamp::from_parts(1_500_000_000, 0));
        let request = PutRequest { modified, ..bench.request(&from, bytes.len()) };
        bench.provider().put(request, bench.whole(&bytes)).await?;
        let before = bench.provider().stat(&from).await?.and_then(|entry| entry.modified);
        bench.provider().relocate(&from, &to, how, None).await?;
        let after = bench.provider().stat(&to).await?.and_then(|entry| entry.modified);
        ensure!(before == after, "{how:?} turns the time {before:?} into {after:?}");
    }
    Ok(())
}
