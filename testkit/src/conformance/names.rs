//! Names: refused openly or kept exactly, never changed or merged in silence.

use std::collections::BTreeSet;

use safelight_core::capability::Length;
use safelight_core::entry::Scope;
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::PutMode;
use unicode_normalization::UnicodeNormalization;

use super::bench::{Bench, Miss, Verdict, ensure, has_kind, told};
use crate::content;
use crate::generate::NASTY_NAMES;

super::cases!("names":
    ordinary_names_are_taken,
    nasty_names_are_refused_or_kept_exactly,
    nasty_folders_are_refused_or_kept_exactly,
    spellings_in_other_case_are_not_merged,
    spellings_in_other_unicode_form_are_not_merged,
    long_names_are_taken_up_to_the_limit,
    long_keys_are_refused_beyond_the_limit,
    deep_folders_are_taken,
    names_like_temporary_files_are_kept,
);

/// Stores every key that is not refused by its name, then demands all of them back.
async fn keeps_or_refuses(bench: &Bench, keys: Vec<Key>, may_refuse: bool) -> Verdict {
    bench.must_write()?;
    let mut kept = Vec::new();
    for (seed, key) in keys.into_iter().enumerate() {
        let bytes = content::bytes(60 + seed as u64, 40 + seed);
        let put = bench.put(&key, &bytes, PutMode::Create).await;
        let refused = may_refuse && has_kind(&put, &[Kind::Name]);
        ensure!(put.is_ok() || refused, "{key}: {}", told(&put));
        if refused {
            let stated = bench.provider().stat(&key).await;
            let absent = matches!(stated, Ok(None)) || has_kind(&stated, &[Kind::Name]);
            ensure!(absent, "{key} was refused, but {}", told(&stated));
        } else {
            kept.push((key, bytes));
        }
    }
    for (key, bytes) in &kept {
        bench.must_hold(key, bytes).await?;
    }
    if bench.declared().names.normalises {
        let fold = |key: &Key| -> Vec<u8> {
            let composed = key.as_str().map(|text| text.nfc().collect::<String>().into_bytes());
            composed.unwrap_or_else(|| key.as_bytes().to_vec())
        };
        let listed: BTreeSet<_> =
            bench.list(Scope::default()).await?.iter().map(|entry| fold(&entry.key)).collect();
        let stored: BTreeSet<_> = kept.iter().map(|(key, _)| fold(key)).collect();
        ensure!(listed == stored, "the listing shows other names than were stored");
        return Ok(());
    }
    let keys: Vec<_> = kept.into_iter().map(|(key, _)| key).collect();
    bench.must_list(Scope::default(), &keys).await?;
    Ok(())
}

fn keys<N: AsRef<[u8]>>(names: impl IntoIterator<Item = N>, folder: &str) -> Verdict<Vec<Key>> {
    let folder = Key::new(folder)?;
    names.into_iter().map(|name| Ok(folder.join(name)?)).collect()
}

async fn ordinary_names_are_taken(bench: &Bench) -> Verdict {
    let names = [
        "IMG_0001.JPG",
        "with blank.jpg",
        "Überfahrt (2).heic",
        "日本.jpg",
        "100%.jpg",
        "a+b=c.jpg",
    ];
    keeps_or_refuses(bench, keys(names, "2024")?, false).await
}

async fn nasty_names_are_refused_or_kept_exactly(bench: &Bench) -> Verdict {
    keeps_or_refuses(bench, keys(NASTY_NAMES, "names")?, true).await
}

async fn nasty_folders_are_refused_or_kept_exactly(bench: &Bench) -> Verdict {
    let inside: Vec<_> = NASTY_NAMES.iter().map(|name| [name, &b"/a.jpg"[..]].concat()).collect();
    keeps_or_refuses(bench, keys(inside, "folders")?, true).await
}

async fn names_like_temporary_files_are_kept(bench: &Bench) -> Verdict {
    let names = ["a.tmp", ".a.jpg.part", "b.partial", "~c.jpg", ".d", "safelight", ".safelight2"];
    keeps_or_refuses(bench, names.map(Key::new).into_iter().collect::<Result<_, _>>()?, true).await
}

async fn spellings_in_other_case_are_not_merged(bench: &Bench) -> Verdict {
    not_merged(bench, "case/img.jpg", "case/IMG.JPG", bench.declared().names.case_blind).await?;
    not_merged(bench, "case/été.jpg", "case/ÉTÉ.jpg", bench.declared().names.case_blind).await
}

async fn spellings_in_other_unicode_form_are_not_merged(bench: &Bench) -> Verdict {
    let folds = bench.declared().names.normalises;
    not_merged(bench, "form/caf\u{e9}.jpg", "form/cafe\u{301}.jpg", folds).await?;
    not_merged(bench, "form/\u{ac00}.jpg", "form/\u{1100}\u{1161}.jpg", folds).await
}

async fn not_merged(bench: &Bench, first: &str, second: &str, folds: bool) -> Verdict {
    let (one, two) = (content::bytes(61, 100), content::bytes(62, 120));
    let (first, _) = bench.store(first, &one).await?;
    let second = Key::new(second)?;
    let put = bench.put(&second, &two, PutMode::Create).await;
    if put.is_ok() {
        bench.must_hold(&second, &two).await?;
    } else {
        let refused = folds && has_kind(&put, &[Kind::Exists, Kind::Name]);
        ensure!(refused, "{second} beside {first}: {}", told(&put));
    }
    bench.must_hold(&first, &one).await
}

async fn long_names_are_taken_up_to_the_limit(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let rules = bench.declared().names;
    let longest = rules.max_segment.map(|limit| match limit {
        Length::Bytes(most) | Length::Utf16(most) => most,
    });
    let long = longest.unwrap_or(200).min(rules.max_key_bytes.unwrap_or(usize::MAX)).min(1000);
    keeps_or_refuses(bench, vec![Key::new("x".repeat(long))?], false).await?;
    if longest.is_some_and(|most| most == long) {
        let key = Key::new("x".repeat(long + 1))?;
        let put = bench.put(&key, &content::bytes(63, 10), PutMode::Create).await;
        ensure!(has_kind(&put, &[Kind::Name]), "one more than the limit: {}", told(&put));
    }
    if rules.max_segment == Some(Length::Bytes(long)) {
        // Counted in bytes, this is too long, though it has few letters.
        let key = Key::new("é".repeat(long / 2 + 1))?;
        let put = bench.put(&key, &content::bytes(64, 10), PutMode::Create).await;
        ensure!(has_kind(&put, &[Kind::Name]), "too many bytes: {}", told(&put));
    }
    Ok(())
}

async fn long_keys_are_refused_beyond_the_limit(bench: &Bench) -> Verdict {
    bench.must_write()?;
    let most = bench.declared().names.max_key_bytes;
    let most = most.ok_or(Miss::NotApplicable("it declares no limit for keys"))?;
    bench.must(most < 100_000, "the limit is too high to be tried")?;
    let key = Key::new("folder/".repeat(most / 7) + "last.jpg")?;
    let put = bench.put(&key, &content::bytes(65, 10), PutMode::Create).await;
    ensure!(has_kind(&put, &[Kind::Name]), "{} bytes: {}", key.as_bytes().len(), told(&put));
    bench.must_list(Scope::default(), &[]).await?;
    Ok(())
}

async fn deep_folders_are_taken(bench: &Bench) -> Verdict {
    let most = bench.declared().names.max_key_bytes.unwrap_or(usize::MAX);
    let depth = 30.min(most.saturating_sub(10) / 5);
    keeps_or_refuses(bench, vec![Key::new("deep/".repeat(depth) + "a.jpg")?], false).await
}
