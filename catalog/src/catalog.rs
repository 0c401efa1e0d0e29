//! The catalog's trait, each question handed to the file that knows it.
//!
//! What compares the library with the catalog may be asked while the check of the file is still running;
//! whatever writes, or claims where a photo is safe, waits for it.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use safelight_core::catalog::{
    Amount, Catalog, DestinationId, DestinationRecord, Finding, GoneCopy, Holding, ItemDetail,
    ItemId, Known, LibraryRecord, Places, Problem, Record, Retained, RunId, RunRecord, SafetyRules,
    Sibling, Survey, Tally, Wanted, Work, WorkQuery,
};
use safelight_core::class::MediaClass;
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use crate::fault::mistake;
use crate::{
    SqliteCatalog, destinations, gone, groups, holders, inspected, items, library, pages, records,
    runs, scan, survey, work,
};

#[async_trait]
impl Catalog for SqliteCatalog {
    async fn library(&self) -> Result<LibraryRecord> {
        self.look(library::library).await
    }

    async fn remember_library(&self, library: LibraryRecord) -> Result<()> {
        self.write(move |catalog| library::remember(catalog, &library)).await
    }

    async fn known(&self, after: Option<Key>, limit: usize) -> Result<Vec<Known>> {
        self.look(move |catalog| scan::known(catalog, after.as_ref(), limit)).await
    }

    async fn apply(&self, findings: Vec<Finding>) -> Result<()> {
        self.write(move |catalog| scan::apply(catalog, &findings)).await
    }

    async fn uninspected(
        &self,
        after: Option<Key>,
        limit: usize,
        to_send: bool,
    ) -> Result<Vec<Known>> {
        self.look(move |catalog| inspected::uninspected(catalog, after.as_ref(), limit, to_send))
            .await
    }

    async fn ungrouped(&self, limit: usize) -> Result<Vec<Option<Key>>> {
        self.look(move |catalog| groups::ungrouped(catalog, limit)).await
    }

    async fn siblings(&self, folder: Option<Key>) -> Result<Vec<Sibling>> {
        self.look(move |catalog| groups::siblings(catalog, folder.as_ref())).await
    }

    async fn item(&self, key: &Key) -> Result<Option<ItemDetail>> {
        let key = key.clone();
        self.claim(move |catalog| items::item(catalog, &key)).await
    }

    async fn browse(
        &self,
        below: Option<Key>,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<ItemDetail>> {
        self.claim(move |catalog| items::browse(catalog, below.as_ref(), after.as_ref(), limit))
            .await
    }

    async fn lacking(
        &self,
        rules: SafetyRules,
        places: Places,
        fewer_than: u32,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<Key>> {
        self.claim(move |catalog| {
            survey::lacking(catalog, rules, &places, fewer_than, after.as_ref(), limit)
        })
        .await
    }

    async fn destinations(&self) -> Result<Vec<DestinationRecord>> {
        self.look(destinations::all).await
    }

    async fn enroll(&self, name: &str) -> Result<DestinationRecord> {
        let name = name.to_owned();
        let wanted = name.clone();
        match self.look(move |catalog| destinations::named(catalog, &wanted)).await? {
            Some(known) => Ok(known),
            None => self.write(move |catalog| destinations::enroll(catalog, &name)).await,
        }
    }

    async fn remember_destination(&self, record: DestinationRecord) -> Result<()> {
        self.write(move |catalog| destinations::remember(catalog, &record)).await
    }

    async fn page(&self, destination: &str, page: &str) -> Result<Option<String>> {
        let (destination, page) = (destination.to_owned(), page.to_owned());
        self.look(move |catalog| pages::page(catalog, &destination, &page)).await
    }

    async fn keep_page(&self, destination: &str, page: &str, text: Option<String>) -> Result<()> {
        let (destination, page) = (destination.to_owned(), page.to_owned());
        self.write(move |catalog| pages::keep(catalog, &destination, &page, text.as_deref())).await
    }

    async fn tally(&self, destination: DestinationId) -> Result<Tally> {
        self.claim(move |catalog| destinations::tally(catalog, destination)).await
    }

    async fn stored(&self, destination: DestinationId) -> Result<BTreeMap<MediaClass, Amount>> {
        self.claim(move |catalog| destinations::stored(catalog, destination)).await
    }

    async fn fold_holder(&self, destination: DestinationId, fold: &[u8]) -> Result<Option<ItemId>> {
        let fold = fold.to_owned();
        self.claim(move |catalog| destinations::fold_holder(catalog, destination, &fold)).await
    }

    async fn holder(&self, destination: DestinationId, key: &Key) -> Result<Option<ItemId>> {
        let key = key.clone();
        self.claim(move |catalog| destinations::holder(catalog, destination, &key)).await
    }

    async fn work(&self, query: WorkQuery) -> Result<Vec<Work>> {
        self.claim(move |catalog| work::work(catalog, &query)).await
    }

    async fn record(&self, records: Vec<Record>) -> Result<()> {
        self.write(move |catalog| records::record(catalog, &records)).await
    }

    async fn gone_sizes(&self) -> Result<HashSet<u64>> {
        self.claim(gone::sizes).await
    }

    async fn gone_copies(
        &self,
        destination: DestinationId,
        sha256: [u8; 32],
    ) -> Result<Vec<GoneCopy>> {
        self.claim(move |catalog| gone::copies(catalog, destination, sha256)).await
    }

    async fn deletable(
        &self,
        destination: DestinationId,
        noticed: Timestamp,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Vec<GoneCopy>> {
        self.claim(move |catalog| gone::deletable(catalog, destination, noticed, after, limit))
            .await
    }

    async fn count_deletable(&self, destination: DestinationId, noticed: Timestamp) -> Result<u64> {
        self.claim(move |catalog| gone::count_deletable(catalog, destination, noticed)).await
    }

    async fn count_changed(&self) -> Result<u64> {
        self.claim(library::count_changed).await
    }

    async fn purgeable(
        &self,
        destination: DestinationId,
        now: Timestamp,
        keep_versions: u32,
        limit: usize,
    ) -> Result<Vec<Retained>> {
        self.claim(move |catalog| gone::purgeable(catalog, destination, now, keep_versions, limit))
            .await
    }

    async fn holders(&self, wanted: Vec<Wanted>) -> Result<Vec<Holding>> {
        self.claim(move |catalog| holders::holders(catalog, &wanted)).await
    }

    async fn survey(&self, rules: SafetyRules, places: Places) -> Result<Survey> {
        self.claim(move |catalog| survey::survey(catalog, rules, &places)).await
    }

    async fn begin_run(&self, job: &str, at: Timestamp) -> Result<RunId> {
        let run = RunId(self.next_run.fetch_add(1, Ordering::Relaxed));
        let job = job.to_owned();
        let begun =
            self.writer()?.accept(move |catalog| runs::begin(catalog, run, &job, at)).await?;
        // The scan must not wait for the check. The row is written before anything else of this run, and if it
        // cannot be, neither can the rest.
        if self.check.is_through() {
            begun.await.map_err(|_| mistake("the catalog's writer ended"))??;
        }
        Ok(run)
    }

    async fn end_run(&self, run: RunId, at: Timestamp, exit: i32, report: String) -> Result<()> {
        self.write(move |catalog| runs::end(catalog, run, at, exit, &report)).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        self.look(move |catalog| runs::newest(catalog, limit)).await
    }

    async fn problems(&self, run: RunId) -> Result<Vec<Problem>> {
        self.look(move |catalog| runs::problems(catalog, run)).await
    }
}
