//! Scan: merges the listing of the library with the catalog, both in key order, in constant memory.
//!
//! Invariant: absent is not deleted. An item counts as gone only if a complete listing of a library that is
//! still the same one does not show it, and nothing above it was unseen.

use futures::StreamExt as _;

use super::in_order::in_order;
use crate::catalog::{
    Amount, Finding, Freshness, Known, LibraryRecord, Presence, Problem, RunId, Stat,
};
use crate::codes;
use crate::entry::{Entry, Listed, Scope};
use crate::error::{Error, Kind, Result, Scope as Reach};
use crate::filter::{Filter, Ruling};
use crate::job::{MirrorJob, MirrorOptions, Tools};
use crate::key::Key;
use crate::monitor::Event;
use crate::time::Timestamp;

const CATALOG_PAGE: usize = 4096;
const FINDINGS_PER_WRITE: usize = 4096;

/// What a scan saw.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Files that are backed up.
    pub files: Amount,
    /// New, or back again.
    pub found: u64,
    /// Touched or changed.
    pub altered: u64,
    /// No longer there.
    pub gone: u64,
    /// What has to be named in the report.
    pub problems: Vec<Problem>,
    /// Parts that were not seen, so that nothing below them counts as deleted.
    pub unseen: bool,
}

/// Lists the library and writes what differs into the catalog.
///
/// # Errors
/// With scope [`Reach::Run`]: the library is missing, or suddenly empty; the catalog fails. Nothing counts as
/// gone then.
pub async fn scan(
    job: &MirrorJob,
    options: &MirrorOptions,
    tools: &Tools,
    run: RunId,
) -> Result<Scanned> {
    let health = job.library.check().await.map_err(|error| match error.kind() {
        Kind::Absent | Kind::NotFound => error.code(codes::LIBRARY_MISSING).scope(Reach::Run),
        _ => error.scope(Reach::Run),
    })?;
    let before = tools.catalog.library().await?;
    let moved = before.volume.is_some() && before.volume != health.volume;
    let mut merge = Merge {
        filter: &job.filter,
        tools,
        run,
        full_scan: options.full_scan,
        settle: job.settle,
        known: Catalogued::new(tools),
        now: tools.clock.now(),
        findings: Vec::new(),
        gone: Vec::new(),
        unseen: Vec::new(),
        mounts_before: before.mounts.clone(),
        mounts: Vec::new(),
        classifier: &job.classifier,
        seen: Scanned::default(),
    };
    let complete = merge.listing(job).await?;
    if merge.seen.files.files == 0 {
        if before.present > 0 {
            let context = format!("the library had {} files and now has none", before.present);
            return Err(Error::new(Kind::Absent, context)
                .code(codes::LIBRARY_EMPTY)
                .scope(Reach::Run));
        }
        merge.problem(None, codes::LIBRARY_EMPTY, "no file was found".to_owned());
    }
    if moved {
        let message =
            "the library stands on another file system than before; nothing counts as deleted";
        merge.problem(None, codes::LIBRARY_PART_MISSING, message.to_owned());
    }
    let mounts = merge.mounts_after(complete);
    let seen = merge.finish(complete && !moved).await?;
    tools
        .catalog
        .remember_library(LibraryRecord { volume: health.volume, mounts, ..before })
        .await?;
    Ok(seen)
}

struct Merge<'a> {
    filter: &'a Filter,
    classifier: &'a crate::class::Classifier,
    tools: &'a Tools,
    run: RunId,
    full_scan: bool,
    settle: std::time::Duration,
    known: Catalogued<'a>,
    now: Timestamp,
    findings: Vec<Finding>,
    gone: Vec<Finding>,
    unseen: Vec<Option<Key>>,
    mounts_before: Vec<(Key, String)>,
    mounts: Vec<(Key, String)>,
    seen: Scanned,
}

impl Merge<'_> {
    /// Goes through the whole listing; answers whether it was complete.
    async fn listing(&mut self, job: &MirrorJob) -> Result<bool> {
        let filter = job.filter.clone();
        let descend = move |folder: &Key| filter.descends(folder);
        let scope = Scope { descend: Some(std::sync::Arc::new(descend)), ..Scope::default() };
        let mut pages = in_order(&*job.library, scope);
        loop {
            let page = tokio::select! {
                page = pages.next() => page,
                () = self.tools.stop.gently.cancelled() => {
                    return Err(Error::new(Kind::Cancelled, "the library was being listed"));
                }
            };
            let Some(page) = page else { break };
            let page = page.map_err(|error| match error.kind() {
                Kind::Absent | Kind::NotFound => {
                    error.code(codes::LIBRARY_MISSING).scope(Reach::Run)
                }
                _ => error.code(codes::UNREADABLE).scope(Reach::Run),
            })?;
            for listed in page.entries {
                self.listed(listed).await?;
            }
            self.tools.monitor.event(&Event::Scanning { files: self.seen.files.files });
            self.write(FINDINGS_PER_WRITE).await?;
        }
        while let Some(known) = self.known.next().await? {
            self.missing(known);
        }
        Ok(!self.unseen.contains(&None))
    }

    async fn listed(&mut self, listed: Listed) -> Result<()> {
        match listed {
            Listed::File(entry) => self.file(entry).await,
            Listed::Passed { key, code } => {
                let ruling = self.filter.rule_on(&key);
                if ruling.keeps() || matches!(ruling, Ruling::Reserved) {
                    self.problem(Some(key), code, "left out".to_owned());
                }
                Ok(())
            }
            Listed::Unseen { key, error } => {
                self.seen.unseen = true;
                self.problem(key.clone(), error.id(), error.to_string());
                self.unseen.push(key);
                Ok(())
            }
            Listed::Mount { key, volume } => {
                self.mounts.push((key, volume));
                Ok(())
            }
        }
    }

    async fn file(&mut self, entry: Entry) -> Result<()> {
        let known = loop {
            match self.known.peek().await? {
                Some(known) if known.key < entry.key => {
                    if let Some(known) = self.known.next().await? {
                        self.missing(known);
                    }
                }
                Some(known) if known.key == entry.key => break self.known.next().await?,
                _ => break None,
            }
        };
        match self.filter.rule_on(&entry.key) {
            Ruling::Keep(_) => {}
            Ruling::Reserved => {
                self.problem(Some(entry.key), codes::RESERVED_NAME, "left out".to_owned());
                return Ok(());
            }
            Ruling::Skip(_) | Ruling::Hidden => {
                self.exclude(known);
                return Ok(());
            }
        }
        let class = self.classifier.classify(entry.key.name());
        if self.filter.skip.contains(&class) {
            self.exclude(known);
            return Ok(());
        }
        if self.is_settling(&entry) {
            let message = "taken once it is quiet".to_owned();
            self.problem(Some(entry.key), codes::SETTLING, message);
            return Ok(());
        }
        self.seen.files.add(entry.size);
        let stat = Stat {
            size: entry.size,
            modified: entry.modified.unwrap_or_default(),
            changed: entry.changed,
            file_id: entry.file_id,
        };
        match known {
            Some(known) if matches!(known.presence, Presence::Present | Presence::Suspect) => {
                self.compare(known, stat);
            }
            _ => {
                self.seen.found += 1;
                self.findings.push(Finding::Found { key: entry.key, stat, class });
            }
        }
        Ok(())
    }

    /// Whether the file changed so lately that it may still be arriving.
    fn is_settling(&self, entry: &Entry) -> bool {
        let quiet_since = entry.modified.max(entry.changed);
        quiet_since.is_some_and(|at| at <= self.now && self.now.since(at) < self.settle)
    }

    fn compare(&mut self, known: Known, stat: Stat) {
        let same_date = known.stat.modified == stat.modified;
        if same_date && known.stat.size != stat.size {
            // Nobody edits a picture without its date changing; a power cut or a dying disk does.
            self.suspect(known);
            return;
        }
        let freshness = if !same_date || known.stat.size != stat.size {
            Freshness::Stale
        } else if known.stat != stat || self.full_scan {
            Freshness::Touched
        } else {
            if known.presence == Presence::Suspect {
                self.suspect(known);
            }
            return;
        };
        self.seen.altered += 1;
        self.findings.push(Finding::Altered { item: known.item, stat, freshness });
    }

    fn suspect(&mut self, known: Known) {
        let message = "held back; the good copies stay".to_owned();
        self.problem(Some(known.key), codes::SUSPECTED_DAMAGE, message);
        if known.presence != Presence::Suspect {
            self.findings.push(Finding::Suspected { item: known.item });
        }
    }

    fn missing(&mut self, known: Known) {
        if !matches!(known.presence, Presence::Present | Presence::Suspect) {
            return;
        }
        if !self.filter.rule_on(&known.key).keeps() {
            self.exclude(Some(known));
            return;
        }
        let below = |folder: &Option<Key>| folder.as_ref().is_none_or(|it| known.key.is_within(it));
        let unmounted = |(folder, volume): &&(Key, String)| {
            known.key.is_within(folder)
                && !self.mounts.iter().any(|(at, now)| at == folder && now == volume)
        };
        if let Some((folder, _)) = self.mounts_before.iter().find(unmounted) {
            let (folder, unseen) = (folder.clone(), Some(folder.clone()));
            if !self.unseen.contains(&unseen) {
                self.seen.unseen = true;
                self.unseen.push(unseen);
                let message = "another file system was mounted here".to_owned();
                self.problem(Some(folder), codes::LIBRARY_PART_MISSING, message);
            }
            return;
        }
        if !self.unseen.iter().any(below) {
            self.gone.push(Finding::Gone { item: known.item, at: self.now });
        }
    }

    fn exclude(&mut self, known: Option<Known>) {
        if let Some(known) = known
            && matches!(known.presence, Presence::Present | Presence::Suspect)
        {
            self.findings.push(Finding::Excluded { item: known.item });
        }
    }

    fn problem(&mut self, key: Option<Key>, code: codes::Code, message: String) {
        self.seen.problems.push(Problem { run: self.run, destination: None, key, code, message });
    }

    /// Mounts that were there before and are not now stay remembered, so that what is below them stays unseen.
    fn mounts_after(&self, complete: bool) -> Vec<(Key, String)> {
        let mut mounts = self.mounts.clone();
        for (folder, volume) in &self.mounts_before {
            let unseen = !complete || self.unseen.contains(&Some(folder.clone()));
            if unseen && !mounts.iter().any(|(at, _)| at == folder) {
                mounts.push((folder.clone(), volume.clone()));
            }
        }
        mounts
    }

    async fn write(&mut self, at_least: usize) -> Result<()> {
        if self.findings.len() >= at_least {
            self.tools.catalog.apply(std::mem::take(&mut self.findings)).await?;
        }
        Ok(())
    }

    async fn finish(mut self, deletions_count: bool) -> Result<Scanned> {
        if deletions_count {
            self.seen.gone = self.gone.len() as u64;
            let gone = std::mem::take(&mut self.gone);
            self.findings.extend(gone);
        }
        let mut findings = std::mem::take(&mut self.findings).into_iter().peekable();
        while findings.peek().is_some() {
            let group = findings.by_ref().take(FINDINGS_PER_WRITE).collect();
            self.tools.catalog.apply(group).await?;
        }
        Ok(self.seen)
    }
}

/// The catalog's items one by one, fetched page by page.
struct Catalogued<'a> {
    tools: &'a Tools,
    page: std::vec::IntoIter<Known>,
    head: Option<Known>,
    last: Option<Key>,
    ended: bool,
}

impl<'a> Catalogued<'a> {
    fn new(tools: &'a Tools) -> Self {
        Self { tools, page: Vec::new().into_iter(), head: None, last: None, ended: false }
    }

    async fn peek(&mut self) -> Result<Option<&Known>> {
        if self.head.is_none() {
            if self.page.len() == 0 && !self.ended {
                let page = self.tools.catalog.known(self.last.clone(), CATALOG_PAGE).await?;
                self.ended = page.len() < CATALOG_PAGE;
                self.last = page.last().map(|known| known.key.clone());
                self.page = page.into_iter();
            }
            self.head = self.page.next();
        }
        Ok(self.head.as_ref())
    }

    async fn next(&mut self) -> Result<Option<Known>> {
        self.peek().await?;
        Ok(self.head.take())
    }
}
