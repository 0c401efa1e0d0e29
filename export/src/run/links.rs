//! Albums as folders: a second name for each file, made by the target itself.
//!
//! Invariant: a link is made once and never removed or moved; what else stands under its name stays. Links are files of
//! the export like all others, and the manifests name them.

use std::collections::{BTreeMap, HashMap, HashSet};

use safelight_core::catalog::{Catalog, Content};
use safelight_core::digest::Digests;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::key::Key;
use safelight_core::provider::{Provider, Relocate};
use safelight_core::recognise::recognise;
use safelight_core::time::Clock;

use crate::gone::{Gone, Seen};
use crate::layout::{fold, safe_key, safe_segment, tag_of};
use crate::papers::Payload;
use crate::papers::albums::Members;

/// The page on which it is remembered what was linked.
const LINKS: &str = "export/links";
/// The folder of all albums.
const ALBUMS: &str = "Albums";

/// Links at one target.
pub(super) struct Linking<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) catalog: &'a dyn Catalog,
    pub(super) destination: &'a str,
    pub(super) clock: &'a dyn Clock,
}

impl Linking<'_> {
    /// Makes what is missing. Answers all links that stand there, and what failed.
    ///
    /// # Errors
    /// The catalog's.
    pub(super) async fn link(
        &self,
        members: &Members,
        payload: &[Payload],
        below: Option<&str>,
    ) -> Result<(Vec<Payload>, Vec<(Key, Error)>)> {
        let mut made = load(self.catalog, self.destination).await?;
        let mut failed = Vec::new();
        if self.provider.capabilities().copies {
            let new = wished(members, payload, &made, below);
            for (link, file) in &new {
                match self.make(link, file).await {
                    Ok(()) => drop(made.insert(link.clone(), (file.size, file.sha256))),
                    Err(error) => {
                        let over = error.reach() != Scope::Item;
                        failed.push((link.clone(), error));
                        if over {
                            break;
                        }
                    }
                }
            }
            if !new.is_empty() {
                save(self.catalog, self.destination, &made).await?;
            }
        }
        let there = made.into_iter().map(|(key, (size, sha256))| Payload { key, size, sha256 });
        Ok((there.collect(), failed))
    }

    async fn make(&self, link: &Key, file: &Payload) -> Result<()> {
        match self.provider.relocate(&file.key, link, Relocate::Copy, None).await {
            // Of a try that died before it was remembered.
            Err(error) if error.kind() == Kind::Exists => {
                let digests = Digests { sha256: Some(file.sha256), ..Digests::default() };
                let content = Content { size: file.size, digests };
                let ours = recognise(self.provider, link, &content, self.clock.now()).await?;
                ours.map(|_| ()).ok_or(error)
            }
            done => done.map(|_| ()),
        }
    }
}

/// Forgets links that were not seen at a target.
///
/// # Errors
/// The catalog's.
pub(super) async fn forget(catalog: &dyn Catalog, destination: &str, seen: &Seen) -> Result<Gone> {
    let mut gone = Gone::default();
    let mut made = load(catalog, destination).await?;
    made.retain(|key, (size, _)| {
        let there = seen.has(key, *size);
        gone.papers += u64::from(!there);
        gone.replaced += u64::from(!there && !seen.is_free(key));
        there
    });
    if gone.papers > 0 {
        save(catalog, destination, &made).await?;
    }
    Ok(gone)
}

async fn load(catalog: &dyn Catalog, destination: &str) -> Result<Made> {
    let text = catalog.page(destination, LINKS).await?.unwrap_or_default();
    Ok(text.lines().filter_map(read).collect())
}

async fn save(catalog: &dyn Catalog, destination: &str, made: &Made) -> Result<()> {
    let line = |(key, (size, sha256)): (&Key, &(u64, [u8; 32]))| {
        format!("{size} {} {}\n", hex::encode(sha256), hex::encode(key.as_bytes()))
    };
    let text = made.iter().map(line).collect();
    catalog.keep_page(destination, LINKS, Some(text)).await
}

/// Links that stand there: size and SHA-256 of the file.
type Made = BTreeMap<Key, (u64, [u8; 32])>;

fn read(line: &str) -> Option<(Key, (u64, [u8; 32]))> {
    let mut parts = line.split(' ');
    let size = parts.next()?.parse().ok()?;
    let sha256 = hex::decode(parts.next()?).ok()?.try_into().ok()?;
    Some((Key::new(hex::decode(parts.next()?).ok()?).ok()?, (size, sha256)))
}

/// Links that are not there yet, with the file that each is for.
fn wished<'a>(
    members: &Members,
    payload: &'a [Payload],
    made: &Made,
    below: Option<&str>,
) -> Vec<(Key, &'a Payload)> {
    let files: HashMap<&Key, &Payload> = payload.iter().map(|file| (&file.key, file)).collect();
    let mut taken: HashSet<Vec<u8>> = files.keys().map(|key| fold(key)).collect();
    let mut albums = HashSet::new();
    let mut new = Vec::new();
    for (at, (title, id)) in members.titles().enumerate() {
        let own = safe_segment(title.as_bytes());
        let tagged = safe_segment(format!("{title} ({})", tag_of(id.as_bytes())).as_bytes());
        let free = |name: &String| albums.insert(name.to_lowercase());
        let Some(folder) = [own, tagged].into_iter().find(free) else { continue };
        for (id, file) in members.files(at) {
            let Some(file) = files.get(file).copied() else { continue };
            let names = [String::new(), format!("{} ", tag_of(id.as_bytes()))];
            for before in names {
                let name = format!("{before}{}", String::from_utf8_lossy(file.key.name()));
                let path = [below, Some(ALBUMS), Some(&folder), Some(&name)];
                let path: Vec<String> = path.into_iter().flatten().map(str::to_owned).collect();
                let Some(link) = safe_key(&path) else { continue };
                let known = made.get(&link);
                let same = known.is_some_and(|known| *known == (file.size, file.sha256));
                if (known.is_some() && !same) || !taken.insert(fold(&link)) {
                    continue;
                }
                if !same {
                    new.push((link, file));
                }
                break;
            }
        }
    }
    new
}
