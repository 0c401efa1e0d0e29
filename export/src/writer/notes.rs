//! What is remembered of papers: what was written, and what may have been.

use std::collections::BTreeMap;

use safelight_core::catalog::Catalog;
use safelight_core::error::Result;
use safelight_core::key::Key;

use crate::gone::{Gone, Seen};

/// What of earlier tries is remembered for each paper.
const REMEMBERED: usize = 4;

/// What is known of one paper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) state: State,
    /// What was written or was to be written, oldest first.
    pub(super) contents: Vec<(u64, [u8; 32])>,
}

/// How sure it is that a paper stands there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    /// One of `contents` may be there.
    #[default]
    Perhaps,
    /// The last of `contents` is there.
    Sure,
    /// Something of another size stands there, of somebody else.
    GivenUp,
}

/// All of one page.
pub(super) type Notes = BTreeMap<Key, Note>;

impl Note {
    /// This is going to be written.
    pub(super) fn intend(&mut self, size: u64, sha256: [u8; 32]) {
        self.state = State::Perhaps;
        self.contents.retain(|known| *known != (size, sha256));
        self.contents.push((size, sha256));
        let spare = self.contents.len().saturating_sub(REMEMBERED);
        self.contents.drain(..spare);
    }
}

/// Forgets papers that were not seen at a target. What stands in the place of one is remembered as somebody else's.
///
/// # Errors
/// The catalog's.
pub(crate) async fn forget(
    catalog: &dyn Catalog,
    destination: &str,
    page: &str,
    seen: &Seen,
) -> Result<Gone> {
    let mut gone = Gone::default();
    let mut notes = load(catalog, destination, page).await?;
    let before = notes.len();
    notes.retain(|key, note| {
        let free = seen.is_free(key);
        let there = |(size, _): &(u64, _)| seen.has(key, *size);
        match note.state {
            State::Sure if note.contents.last().is_some_and(there) => return true,
            State::Sure => gone.papers += 1,
            State::GivenUp => return !free,
            // It is looked at before it is written.
            State::Perhaps => return true,
        }
        gone.replaced += u64::from(!free);
        // A listing may be late: should it stand there after all, it is still known as ours.
        note.state = if free { State::Perhaps } else { State::GivenUp };
        true
    });
    if gone.papers > 0 || notes.len() < before {
        save(catalog, destination, page, &notes).await?;
    }
    Ok(gone)
}

pub(super) async fn load(catalog: &dyn Catalog, destination: &str, page: &str) -> Result<Notes> {
    let text = catalog.page(destination, page).await?.unwrap_or_default();
    Ok(text.lines().filter_map(read).collect())
}

pub(super) async fn save(
    catalog: &dyn Catalog,
    destination: &str,
    page: &str,
    notes: &Notes,
) -> Result<()> {
    let text = notes.iter().map(|(key, note)| line(key, note)).collect();
    catalog.keep_page(destination, page, Some(text)).await
}

fn line(key: &Key, note: &Note) -> String {
    let contents: Vec<_> = note
        .contents
        .iter()
        .map(|(size, sha256)| format!("{size}:{}", hex::encode(sha256)))
        .collect();
    let state = match note.state {
        State::Sure => '+',
        State::Perhaps => '?',
        State::GivenUp => '-',
    };
    format!("{state} {} {}\n", contents.join(","), hex::encode(key.as_bytes()))
}

fn read(line: &str) -> Option<(Key, Note)> {
    let mut parts = line.split(' ');
    let state = match parts.next()? {
        "+" => State::Sure,
        "-" => State::GivenUp,
        _ => State::Perhaps,
    };
    let (contents, key) = (parts.next()?, parts.next()?);
    let content = |text: &str| {
        let (size, sha256) = text.split_once(':')?;
        Some((size.parse().ok()?, hex::decode(sha256).ok()?.try_into().ok()?))
    };
    let contents = contents.split(',').map(content).collect::<Option<Vec<_>>>()?;
    Some((Key::new(hex::decode(key).ok()?).ok()?, Note { state, contents }))
}
