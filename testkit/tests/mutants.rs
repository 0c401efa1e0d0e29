//! The suite can fail: providers with one flaw each are caught, by the case that is about the flaw.
#![allow(clippy::unwrap_used)]

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::digest::Digests;
use safelight_core::entry::{Entry, Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::permit::{Disposal, RemovalPermit};
use safelight_core::provider::{
    Health, Opened, Provider, PutMode, PutRequest, Receipt, Relocate, Removed,
};
use safelight_core::wrap::Wrapper;
use safelight_testkit::clock::SimClock;
use safelight_testkit::conformance::{self, Subject};
use safelight_testkit::memory::MemoryProvider;

/// What is wrong with a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    WritesInPlace,
    TakesShortBodies,
    IgnoresAnnouncedDigests,
    IgnoresAnnouncedLength,
    OverwritesOnCreate,
    ReplacesAnyVersion,
    DeletesBeforeReplacing,
    LosesWhatItReplaces,
    ShowsTemporaryFiles,
    ForgetsTimes,
    ReportsWrongDigest,
    ReportsWrongVersion,
    TrimsNames,
    FoldsCase,
    IgnoresPins,
    IgnoresRanges,
    HidesAFile,
    ListsTwice,
    ListsInDisorder,
    ListsEverywhere,
    ShowsReserved,
    TakesAllForTrash,
    StopsAfterOnePage,
    FindsFolders,
    RemovesAnyVersion,
    RemovesForGood,
    OverwritesOnRelocate,
    CopiesUndeclared,
    MovesByCopy,
    Panics,
}
use Flaw::*;

struct Mutant {
    inner: MemoryProvider,
    flaw: Flaw,
    declared: Capabilities,
}

impl Mutant {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key(&self, key: &Key) -> Key {
        match self.flaw {
            TrimsNames => Key::new(key.as_bytes().trim_ascii()).unwrap(),
            FoldsCase => Key::new(key.as_bytes().to_ascii_lowercase()).unwrap(),
            _ => key.clone(),
        }
    }

    /// Stores what arrives under the key itself, chunk by chunk.
    async fn write_in_place(&self, key: &Key, mut body: Body) -> Result<()> {
        let mut all = Vec::new();
        loop {
            match body.chunk().await {
                Ok(Some(chunk)) => all.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) if self.has(TakesShortBodies) => break,
                Err(error) => return Err(error),
            }
            if self.has(WritesInPlace) {
                self.inner.write(key.as_bytes(), all.clone());
            }
        }
        self.inner.write(key.as_bytes(), all);
        Ok(())
    }
}

#[async_trait]
impl Wrapper for Mutant {
    fn inner(&self) -> &dyn Provider {
        &self.inner
    }

    fn capabilities(&self) -> &Capabilities {
        &self.declared
    }

    async fn check(&self) -> Result<Health> {
        assert!(!self.has(Panics), "the mutant panics");
        self.inner.check().await
    }

    fn list(&self, mut scope: Scope) -> BoxStream<'static, Result<Page>> {
        let flaw = self.flaw;
        scope.reserved |= flaw == ShowsReserved;
        scope.trashed &= flaw != TakesAllForTrash;
        if flaw == ListsEverywhere {
            scope.below = None;
        }
        let pages = self.inner.list(scope);
        let pages = if flaw == StopsAfterOnePage { pages.take(1).boxed() } else { pages };
        let spoilt = pages.map(move |page| {
            let mut page = page?;
            match flaw {
                HidesAFile => drop(page.entries.pop()),
                ListsInDisorder => page.entries.reverse(),
                ListsTwice => {
                    if let Some(Listed::File(entry)) = page.entries.first() {
                        page.entries.push(Listed::File(entry.clone()));
                    }
                }
                _ => {}
            }
            Ok(page)
        });
        spoilt.boxed()
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        let found = self.inner.stat(&self.key(key)).await?;
        let folder = || self.inner.keys().iter().any(|other| other.is_within(key));
        if self.has(FindsFolders) && found.is_none() && folder() {
            return Ok(Some(Entry::new(key.clone(), 0)));
        }
        Ok(found.map(|entry| Entry { key: key.clone(), ..entry }))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let range = range.filter(|_| !self.has(IgnoresRanges));
        let pin = pin.filter(|_| !self.has(IgnoresPins));
        let mut opened = self.inner.read(&self.key(key), range, pin).await?;
        opened.entry.key = key.clone();
        Ok(opened)
    }

    async fn put(&self, mut request: PutRequest, body: Body) -> Result<Receipt> {
        request.key = self.key(&request.key);
        let key = request.key.clone();
        let current = self.inner.stat(&key).await?.and_then(|entry| entry.version);
        match self.flaw {
            WritesInPlace | TakesShortBodies if current.is_none() => {
                self.write_in_place(&key, body).await?;
                let entry = self.inner.stat(&key).await?.unwrap();
                return Ok(Receipt {
                    version: entry.version,
                    remote_id: None,
                    modified: entry.modified,
                    digests: entry.digests,
                    proof: safelight_core::provider::Proof::Claimed,
                });
            }
            IgnoresAnnouncedDigests => request.digests = Digests::default(),
            IgnoresAnnouncedLength => request.length = body.length(),
            OverwritesOnCreate => drop(self.inner.delete(&key)),
            ReplacesAnyVersion if request.mode != PutMode::Create => {
                request.mode = current.map_or(PutMode::Create, PutMode::Replace);
            }
            DeletesBeforeReplacing if current.is_some() => {
                if let PutMode::Replace(version) = &request.mode {
                    if current.as_ref() != Some(version) {
                        return Err(Error::new(Kind::Changed, "another version"));
                    }
                    self.inner.delete(&key);
                    request.mode = PutMode::Create;
                }
            }
            ShowsTemporaryFiles => drop(self.inner.write("upload.tmp", "half")),
            ForgetsTimes => request.modified = None,
            _ => {}
        }
        let mut receipt = self.inner.put(request, body).await;
        if self.has(ShowsTemporaryFiles) {
            self.inner.delete(&Key::new("upload.tmp").unwrap());
        }
        if let Ok(receipt) = &mut receipt {
            match self.flaw {
                ReportsWrongDigest => receipt.digests.sha256 = Some([7; 32]),
                ReportsWrongVersion => receipt.version = Some(Version::new("v0")),
                _ => {}
            }
        }
        receipt
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        let key = permit.key().clone();
        match (self.flaw, permit.disposal()) {
            (RemovesAnyVersion, Disposal::Trash(place)) => {
                let missing = || Error::new(Kind::NotFound, "nothing to remove");
                let bytes = self.inner.content(&key).ok_or_else(missing)?;
                self.inner.write(place.as_bytes(), bytes);
                self.inner.delete(&key);
                Ok(Removed::Kept(place.clone()))
            }
            (RemovesForGood, Disposal::Trash(_)) => {
                self.inner.remove(permit).await?;
                Ok(Removed::Gone)
            }
            _ => self.inner.remove(permit).await,
        }
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        let pin = pin.filter(|_| !self.has(IgnoresPins));
        if self.has(OverwritesOnRelocate) {
            self.inner.delete(to);
        }
        let how = if self.has(MovesByCopy) { Relocate::Copy } else { how };
        self.inner.relocate(&self.key(from), &self.key(to), how, pin).await
    }
}

/// The cases that fail for a provider with this flaw, among those that are about it.
async fn failures(flaw: Flaw) -> Vec<(&'static str, String)> {
    let fresh = async || {
        let clock = Arc::new(SimClock::start());
        let inner = MemoryProvider::build("mutant").clock(clock.clone()).finish();
        let mut declared = inner.capabilities().clone();
        declared.copies = flaw != CopiesUndeclared;
        declared.replaced_to_trash = flaw == LosesWhatItReplaces;
        Subject::new(Arc::new(Mutant { inner, flaw, declared }), clock)
    };
    let outcome = conformance::run_chosen(fresh, |name| CAUGHT.contains(&(flaw, name))).await;
    outcome.failures().map(|(name, why)| (name, why.to_owned())).collect()
}

/// Each flaw, and a case that must catch it.
const CAUGHT: &[(Flaw, &str)] = &[
    (WritesInPlace, "dropped::a_dropped_put_leaves_nothing_or_the_whole"),
    (WritesInPlace, "broken::a_failing_body_leaves_nothing"),
    (TakesShortBodies, "broken::a_short_body_leaves_nothing"),
    (IgnoresAnnouncedDigests, "broken::a_digest_other_than_announced_leaves_nothing"),
    (IgnoresAnnouncedLength, "broken::a_length_other_than_announced_leaves_nothing"),
    (OverwritesOnCreate, "put::create_refuses_what_exists"),
    (ReplacesAnyVersion, "put::replace_refuses_another_version"),
    (ReplacesAnyVersion, "put::replace_refuses_what_is_missing"),
    (DeletesBeforeReplacing, "dropped::the_old_version_is_whole_while_it_is_replaced"),
    (DeletesBeforeReplacing, "broken::a_broken_replacement_keeps_the_old_version"),
    (LosesWhatItReplaces, "put::what_is_replaced_stays_in_the_trash"),
    (ShowsTemporaryFiles, "list::has_no_room_for_leftovers"),
    (ForgetsTimes, "put::keeps_the_modification_time"),
    (ReportsWrongDigest, "put::receipts_tell_the_truth"),
    (ReportsWrongVersion, "put::receipts_tell_the_truth"),
    (TrimsNames, "names::nasty_names_are_refused_or_kept_exactly"),
    (FoldsCase, "names::spellings_in_other_case_are_not_merged"),
    (IgnoresPins, "read::a_pin_on_another_version_is_refused"),
    (IgnoresPins, "relocate::another_version_is_refused"),
    (IgnoresRanges, "read::ranges_give_that_part"),
    (HidesAFile, "list::shows_every_item_once_as_stat_does"),
    (ListsTwice, "list::shows_every_item_once_as_stat_does"),
    (ListsInDisorder, "list::is_in_key_order_if_declared"),
    (ListsEverywhere, "list::keeps_to_what_is_below_a_key"),
    (ShowsReserved, "list::keeps_the_reserved_folder_to_itself"),
    (TakesAllForTrash, "list::tells_the_services_trash_from_what_is_there"),
    (StopsAfterOnePage, "list::goes_past_the_first_page"),
    (FindsFolders, "read::a_folder_is_no_item"),
    (RemovesAnyVersion, "remove::another_version_stays"),
    (RemovesAnyVersion, "remove::an_expired_permit_removes_nothing"),
    (RemovesAnyVersion, "remove::to_the_trash_overwrites_nothing_there"),
    (RemovesForGood, "remove::to_the_trash_keeps_the_bytes"),
    (OverwritesOnRelocate, "relocate::an_occupied_target_is_refused"),
    (CopiesUndeclared, "standing::what_is_not_declared_is_unsupported"),
    (MovesByCopy, "relocate::moving_keeps_the_bytes"),
    (Panics, "standing::asking_changes_nothing"),
];

#[tokio::test(start_paused = true)]
async fn every_flaw_is_caught_by_its_cases() {
    let mut last = None;
    for (flaw, _) in CAUGHT {
        if last.replace(*flaw) == Some(*flaw) {
            continue;
        }
        let found = failures(*flaw).await;
        let expected: Vec<_> = CAUGHT.iter().filter(|(other, _)| other == flaw).collect();
        assert_eq!(found.len(), expected.len(), "{flaw:?}: {expected:?} found only {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_known_exception_is_accepted_until_it_is_over() {
    let fresh = async || {
        let clock = Arc::new(SimClock::start());
        let inner = MemoryProvider::build("mutant").clock(clock.clone()).finish();
        let declared = inner.capabilities().clone();
        Subject::new(Arc::new(Mutant { inner, flaw: ListsInDisorder, declared }), clock)
    };
    let broken = conformance::run_chosen(fresh, |name| name.starts_with("list::")).await;
    broken.assert_except(&[("list::is_in_key_order_if_declared", "it lists in disorder")]);
    let blames = |known: &[(&str, &str)]| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| broken.assert_except(known)))
    };
    assert!(blames(&[]).is_err());
    let over = ("list::keeps_to_what_is_below_a_key", "fixed long ago");
    assert!(blames(&[("list::is_in_key_order_if_declared", "disorder"), over]).is_err());
}
