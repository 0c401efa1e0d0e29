//! What holds without storing anything, and what must not change anything.

use safelight_core::entry::{Scope, Version};
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::{PutMode, Relocate, Room};

use super::bench::{Bench, Verdict, ensure, has_kind, told};
use crate::content;

super::cases!("standing":
    declares_sensible_things,
    a_fresh_destination_is_healthy_and_empty,
    asking_changes_nothing,
    what_is_not_declared_is_unsupported,
);

async fn declares_sensible_things(bench: &Bench) -> Verdict {
    let identity = bench.provider().identity();
    ensure!(!identity.name.is_empty() && !identity.kind.is_empty(), "no name: {identity:?}");
    let declared = bench.declared();
    ensure!(declared.concurrency > 0, "a concurrency of zero never ends");
    ensure!(declared.time_granularity_ns > 0, "times have no step of zero");
    ensure!(!declared.classes.is_empty(), "it takes no media class");
    ensure!(declared == bench.provider().capabilities(), "capabilities change by themselves");
    Ok(())
}

async fn a_fresh_destination_is_healthy_and_empty(bench: &Bench) -> Verdict {
    bench.provider().check().await?;
    bench.must_list(Scope::default(), &[]).await?;
    bench.must_be_free(&Key::new("2024/a.jpg")?).await
}

async fn asking_changes_nothing(bench: &Bench) -> Verdict {
    let bytes = content::bytes(1, 1000);
    let (key, _) = bench.store("2024/a.jpg", &bytes).await?;
    let before = bench.provider().stat(&key).await?;
    let all = Scope { reserved: true, ..Scope::default() };
    let listed = bench.list(all.clone()).await?;
    bench.provider().check().await?;
    for pool in bench.provider().quota().await? {
        ensure!(!pool.counts.is_empty(), "a pool counts no class");
        if let Room::Limited { used, total } = pool.room {
            ensure!(
                used > 0 || total == 0,
                "a pool of {total} bytes does not count what was stored"
            );
        }
    }
    bench.provider().check().await?;
    let keys = |entries: Vec<safelight_core::entry::Entry>| -> Vec<Key> {
        let mut keys: Vec<_> = entries.into_iter().map(|entry| entry.key).collect();
        keys.sort();
        keys
    };
    let after = bench.list(all).await?;
    ensure!(keys(listed) == keys(after), "check or quota changed what is listed");
    ensure!(bench.provider().stat(&key).await? == before, "check or quota changed {key}");
    bench.must_hold(&key, &bytes).await
}

async fn what_is_not_declared_is_unsupported(bench: &Bench) -> Verdict {
    let (from, to) = (Key::new("a.jpg")?, Key::new("b.jpg")?);
    let bytes = content::bytes(2, 100);
    let stored = bench.put(&from, &bytes, PutMode::Create).await;
    if !bench.declared().writes {
        let refused = has_kind(&stored, &[Kind::Unsupported, Kind::ReadOnly]);
        ensure!(refused, "put is not declared, but {}", told(&stored));
        let permit = bench.to_trash(&from, Some(Version::new("x")), &to)?;
        let removed = bench.provider().remove(permit).await;
        let refused = has_kind(&removed, &[Kind::Unsupported, Kind::ReadOnly]);
        ensure!(refused, "put is not declared, but for remove {}", told(&removed));
    }
    for (declared, how) in
        [(bench.declared().moves, Relocate::Move), (bench.declared().copies, Relocate::Copy)]
    {
        if !declared {
            let done = bench.provider().relocate(&from, &to, how, None).await;
            let refused = has_kind(&done, &[Kind::Unsupported]);
            ensure!(refused, "{how:?} is not declared, but {}", told(&done));
        }
    }
    if bench.declared().writes {
        if !bench.declared().ranges {
            let read = bench.provider().read(&from, Some(1..5), None).await;
            let refused = has_kind(&read, &[Kind::Unsupported]);
            ensure!(refused, "ranges are not declared, but {}", told(&read));
        }
        bench.must_hold(&from, &bytes).await?;
        bench.must_be_free(&to).await?;
    }
    Ok(())
}
