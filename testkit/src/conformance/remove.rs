//! Removal: only with a permit, only what it names, and never more than it says.

use std::time::Duration;

use safelight_core::entry::Version;
use safelight_core::error::Kind;
use safelight_core::key::{Key, RESERVED};
use safelight_core::permit::{Disposal, Grounds, PERMIT_LIFE, RemovalPermit};
use safelight_core::provider::{PutMode, Removed};

use super::bench::{Bench, Miss, Verdict, ensure, has_kind, told};
use crate::content;

super::cases!("remove":
    to_the_trash_keeps_the_bytes,
    to_the_trash_overwrites_nothing_there,
    purging_leaves_nothing,
    another_version_stays,
    what_is_missing_is_not_found,
    an_expired_permit_removes_nothing,
);

fn trash(name: &str) -> Verdict<Key> {
    Ok(Key::new(format!("{RESERVED}/trash/2024-07-01/{name}"))?)
}

/// Whether it is said openly that there is neither a trash nor a way to set anything aside.
fn no_trash<T>(bench: &Bench, result: &safelight_core::error::Result<T>) -> bool {
    let declared = bench.declared();
    !declared.moves && !declared.copies && has_kind(result, &[Kind::Unsupported])
}

const NO_TRASH: Miss = Miss::NotApplicable("it has no trash and cannot set anything aside");

async fn to_the_trash_keeps_the_bytes(bench: &Bench) -> Verdict {
    let bytes = content::bytes(70, 2000);
    let (key, receipt) = bench.store("2024/a.jpg", &bytes).await?;
    let (other, _) = bench.store("2024/b.jpg", &bytes).await?;
    let removed =
        bench.provider().remove(bench.to_trash(&key, receipt.version, &trash("a.jpg")?)?).await;
    if no_trash(bench, &removed) {
        bench.must_hold(&key, &bytes).await?;
        return Err(NO_TRASH);
    }
    match removed? {
        Removed::Kept(there) => {
            ensure!(there.is_reserved(), "it was set aside among the items, as {there}");
            bench.must_hold(&there, &bytes).await?;
        }
        Removed::Trashed { .. } => {}
        Removed::Gone => return Err(Miss::Failed("the permit said trash, it is gone".to_owned())),
    }
    bench.must_be_free(&key).await?;
    bench.must_hold(&other, &bytes).await
}

async fn to_the_trash_overwrites_nothing_there(bench: &Bench) -> Verdict {
    let (first, second) = (content::bytes(71, 500), content::bytes(72, 600));
    let place = trash("a.jpg")?;
    let (occupant, _) = bench.store(&place.to_string(), &first).await?;
    let (key, receipt) = bench.store("2024/a.jpg", &second).await?;
    let removed = bench.provider().remove(bench.to_trash(&key, receipt.version, &place)?).await;
    bench.must_hold(&occupant, &first).await?;
    match removed {
        Ok(Removed::Kept(there)) => {
            bench.must_be_free(&key).await?;
            bench.must_hold(&there, &second).await
        }
        Ok(Removed::Trashed { .. }) => bench.must_be_free(&key).await,
        Ok(Removed::Gone) => Err(Miss::Failed("the permit said trash, it is gone".to_owned())),
        Err(error) => {
            bench.must_hold(&key, &second).await?;
            let result = Err::<(), _>(error);
            bench.must(!no_trash(bench, &result), "it has no trash")?;
            ensure!(has_kind(&result, &[Kind::Exists]), "onto an occupied key: {}", told(&result));
            Ok(())
        }
    }
}

async fn purging_leaves_nothing(bench: &Bench) -> Verdict {
    let path = format!("{RESERVED}/probe/a.jpg");
    let (key, receipt) = bench.store(&path, &content::bytes(73, 100)).await?;
    let permit = RemovalPermit::grant(
        key.clone(),
        receipt.version,
        Disposal::Purge,
        Grounds::OwnProbe,
        bench.clock(),
    )?;
    let removed = bench.provider().remove(permit).await?;
    ensure!(!matches!(removed, Removed::Kept(_)), "purged, but {removed:?}");
    bench.must_be_free(&key).await
}

async fn another_version_stays(bench: &Bench) -> Verdict {
    let (old, new) = (content::bytes(74, 300), content::bytes(75, 300));
    let (key, _) = bench.store("2024/a.jpg", &old).await?;
    let version = bench.version(&key).await?;
    bench.put(&key, &new, PutMode::Replace(version.clone())).await?;
    for stale in [version, Version::new("no such version")] {
        let permit = bench.to_trash(&key, Some(stale), &trash("a.jpg")?)?;
        let removed = bench.provider().remove(permit).await;
        let stays = has_kind(&removed, &[Kind::Changed]) || no_trash(bench, &removed);
        ensure!(stays, "removing another version: {}", told(&removed));
        bench.must_hold(&key, &new).await?;
    }
    let hidden = format!("{RESERVED}/probe/a.jpg");
    let (hidden, _) = bench.store(&hidden, &old).await?;
    let wrong = Some(Version::new("no such version"));
    let permit = RemovalPermit::grant(
        hidden.clone(),
        wrong,
        Disposal::Purge,
        Grounds::OwnProbe,
        bench.clock(),
    )?;
    let removed = bench.provider().remove(permit).await;
    ensure!(has_kind(&removed, &[Kind::Changed]), "purging another version: {}", told(&removed));
    bench.must_hold(&hidden, &old).await
}

async fn what_is_missing_is_not_found(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let key = Key::new("nothing.jpg")?;
    let removed = bench.provider().remove(bench.to_trash(&key, None, &trash("n")?)?).await;
    let refused = has_kind(&removed, &[Kind::NotFound]) || no_trash(bench, &removed);
    ensure!(refused, "removing what is not there: {}", told(&removed));
    Ok(())
}

async fn an_expired_permit_removes_nothing(bench: &Bench) -> Verdict {
    let bytes = content::bytes(76, 100);
    let (key, receipt) = bench.store("2024/a.jpg", &bytes).await?;
    let permit = bench.to_trash(&key, receipt.version, &trash("a.jpg")?)?;
    bench.skip(PERMIT_LIFE + Duration::from_secs(1))?;
    let removed = bench.provider().remove(permit).await;
    let refused = has_kind(&removed, &[Kind::Denied]) || no_trash(bench, &removed);
    ensure!(refused, "an expired permit: {}", told(&removed));
    bench.must_hold(&key, &bytes).await
}
