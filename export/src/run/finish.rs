//! The papers of a run, written into each target.

use std::collections::HashSet;
use std::sync::Arc;

use safelight_core::catalog::{Catalog, DestinationRecord, Held};
use safelight_core::class::MediaClass;
use safelight_core::error::{Result, Scope};
use safelight_core::job::Tools;
use safelight_core::key::Key;
use safelight_core::marker;
use safelight_core::provider::Provider;
use safelight_core::time::Timestamp;

use super::account::Account;
use super::links::{self, Linking};
use crate::gone::{Gone, Seen};
use crate::inventory::Item;
use crate::layout::fold;
use crate::papers::bag::Label;
use crate::papers::index::Fate;
use crate::papers::sidecar::{self, Facts};
use crate::papers::{Paper, Payload, albums, bag, checksums, index};
use crate::plan::{AlbumForm, Export, Plan};
use crate::writer::{self, Writer, Written};

const PAGE: usize = 4096;
const SIDECARS: &str = "export/sidecars";
const TAGS: &str = "export/papers";

/// Forgets what was written beside the items of a target and was not seen there.
pub(crate) async fn forget_papers(
    catalog: &dyn Catalog,
    target: &str,
    seen: &Seen,
) -> Result<Gone> {
    let mut gone = links::forget(catalog, target, seen).await?;
    for page in [SIDECARS, TAGS] {
        gone += writer::forget(catalog, target, page, seen).await?;
    }
    Ok(gone)
}

impl Export {
    pub(super) async fn write_papers(
        &self,
        plan: &Plan,
        account: &Account,
        tools: &Tools,
    ) -> Result<Vec<(String, Result<Written>)>> {
        let mut all = Vec::new();
        for (at, target) in self.targets.iter().enumerate() {
            let written = match &target.opened {
                Ok(provider) => self.papers_at(at, &**provider, plan, account, tools).await,
                Err(error) => Err(error.duplicate()),
            };
            if let Err(error) = &written
                && error.reach() == Scope::Run
            {
                return Err(error.duplicate());
            }
            all.push((target.name.clone(), written));
        }
        Ok(all)
    }

    async fn papers_at(
        &self,
        at: usize,
        provider: &dyn Provider,
        plan: &Plan,
        account: &Account,
        tools: &Tools,
    ) -> Result<Written> {
        let name = &self.targets[at].name;
        let catalog = &*tools.catalog;
        // The engine did this already, if there was something to take out.
        let record = catalog.enroll(name).await?;
        if record.marker.is_none() {
            let health = provider.check().await?;
            let marker = Some(marker::own(provider, catalog, health.root, &record).await?);
            let record = DestinationRecord { marker, volume: health.volume, ..record };
            catalog.remember_destination(record).await?;
        }
        let (mut payload, last) = stored(catalog, name).await?;
        let writer =
            |page| Writer { provider, catalog, destination: name, page, clock: &*tools.clock };
        let beside = writer(SIDECARS);
        let sidecars = if self.wishes.sidecars {
            self.sidecars(at, plan, account, &beside.given_up().await?)
        } else {
            Vec::new()
        };
        let mut all = beside.write(&sidecars).await?;
        // Also those of earlier runs that would not be written any more.
        payload.extend(beside.standing().await?);
        let exported: Vec<Option<Key>> = account
            .held
            .iter()
            .map(|held| held.get(at)?.as_ref().map(|held| held.key.clone()))
            .collect();
        let members = albums::Members::new(&self.inventory, &self.standings, exported);
        if self.wishes.albums == AlbumForm::Links {
            let linking = Linking { provider, catalog, destination: name, clock: &*tools.clock };
            let below = (!self.wishes.plain).then_some(bag::DATA);
            let (there, failed) = linking.link(&members, &payload, below).await?;
            all.failed.extend(failed);
            payload.extend(there);
        }
        payload.sort();
        let payload = Arc::new(payload);
        let fates = Self::fates(at, account);
        let mut papers: Vec<Paper> = Vec::new();
        papers.extend(checksums::paper(&payload));
        papers.extend(index::paper(&self.inventory, &self.standings, Arc::new(fates)));
        papers.extend(albums::paper(&members));
        if self.wishes.albums != AlbumForm::Json {
            papers.extend(albums::lists(&members));
        }
        if !self.wishes.plain {
            let about = format!("{} files of {}", payload.len(), self.inventory.service.name);
            let source = self.inventory.service.name.clone();
            papers.extend(bag::papers(&Label { source, about, at: last }, &payload));
        }
        let writer = writer(TAGS);
        let written = writer.write(&papers).await?;
        let tags = written.there.clone();
        merge(&mut all, written);
        // A bag that is not whole must not look as if it were.
        if !self.wishes.plain && all.failed.is_empty() {
            let last =
                writer.write(&bag::tag_manifest(&tags).into_iter().collect::<Vec<_>>()).await?;
            merge(&mut all, last);
        }
        Ok(all)
    }

    /// What became of each item, as this target sees it.
    fn fates(at: usize, account: &Account) -> Vec<Fate> {
        let fate =
            |(held, fate): (&Vec<Option<Held>>, &Fate)| match held.get(at).and_then(Option::as_ref)
            {
                Some(held) => Fate::Exported(Box::new(held.clone())),
                None => fate.clone(),
            };
        account.held.iter().zip(&account.fates).map(fate).collect()
    }

    fn sidecars(&self, at: usize, plan: &Plan, account: &Account, given_up: &[Key]) -> Vec<Paper> {
        let placed = plan.placed.iter().map(|placed| &placed.key);
        let mut taken: HashSet<Vec<u8>> = placed.chain(given_up).map(fold).collect();
        let mut papers = Vec::new();
        for placed in &plan.placed {
            let item = &self.inventory.items[placed.item];
            let Some(Some(held)) = account.held[placed.item].get(at) else { continue };
            let facts = self.facts(item);
            if facts.is_empty() {
                continue;
            }
            // The stem of a raw may be that of a picture beside it, and somebody's own sidecar stays.
            let other = || sidecar::key_of(&held.key, MediaClass::Other);
            let own = || {
                let name = [held.key.name(), b".safelight.xmp"].concat();
                held.key.parent().map_or_else(|| Key::new(&name).ok(), |at| at.join(&name).ok())
            };
            let wished = sidecar::key_of(&held.key, item.class);
            let free = [wished, other(), own()].into_iter().flatten();
            let free = free.into_iter().find(|key| taken.insert(fold(key)));
            let paper = |key| Paper::short(key, sidecar::text(&facts));
            papers.extend(free.map(|key| paper(key).counted_as(MediaClass::Sidecar)));
        }
        papers
    }

    fn facts<'a>(&'a self, item: &'a Item) -> Facts<'a> {
        let mut facts = Facts { albums: self.inventory.titles(item).collect(), ..Facts::default() };
        if let Some(remark) = &item.remark {
            facts.caption = remark.caption.as_deref();
            facts.keywords = remark.keywords.iter().map(String::as_str).collect();
            facts.favourite = remark.favourite;
            facts.taken = remark.taken;
        }
        facts
    }
}

/// Everything that this export ever stored at a target, and when the last of it was.
async fn stored(catalog: &dyn Catalog, target: &str) -> Result<(Vec<Payload>, Timestamp)> {
    let (mut payload, mut last, mut after) = (Vec::new(), Timestamp::default(), None);
    loop {
        let details = catalog.browse(None, after, PAGE).await?;
        let Some(end) = details.last() else { return Ok((payload, last)) };
        after = Some(end.key.clone());
        for leg in details.into_iter().flat_map(|detail| detail.legs) {
            let Some(held) = leg.leg.held.filter(|_| leg.destination == target) else { continue };
            let Some(sha256) = held.content.digests.sha256 else { continue };
            last = last.max(held.proved_at);
            payload.push(Payload { key: held.key, size: held.content.size, sha256 });
        }
    }
}

fn merge(all: &mut Written, more: Written) {
    all.written += more.written;
    all.unchanged += more.unchanged;
    all.failed.extend(more.failed);
    all.there.extend(more.there);
}
