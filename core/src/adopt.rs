//! Adopt: taking over a destination that already holds files.
//!
//! Invariant: no file there is changed or removed, and nothing counts as a copy before its content was proved
//! equal to the library's, by the service's own digest or by reading it back. The only thing written is the
//! marker.

use futures::StreamExt as _;

use crate::catalog::{
    Amount, DestinationRecord, Freshness, Held, ItemDetail, Presence, Record, RunId, Work,
};
use crate::digest::Algorithms;
use crate::entry::{Entry, Listed, Scope};
use crate::error::{Error, Kind, Result, Scope as Reach};
use crate::job::{MirrorJob, MirrorOptions, Tools};
use crate::key::Key;
use crate::marker;
use crate::mirror::{Source, exit_code_of, scan};
use crate::provider::{Provider, Root};
use crate::recognise::compare;

const AT_ONCE: usize = 8;
const NAMED: usize = 1000;

/// What an adoption found.
#[derive(Debug, Default)]
pub struct Adopted {
    /// Equal to the library: recorded as copies.
    pub equal: Amount,
    /// Same path, other content; at most a thousand are named.
    pub differs: Vec<Key>,
    /// How many differ in all.
    pub differs_count: u64,
    /// Not in the library; at most a thousand are named.
    pub foreign: Vec<Key>,
    /// How many are foreign in all.
    pub foreign_count: u64,
    /// Could not be compared.
    pub problems: Vec<(Option<Key>, Error)>,
}

enum Match {
    Equal(Vec<Record>, u64),
    Differs(Key),
    Foreign(Key),
    Problem(Option<Key>, Error),
}

/// What counts as the content of the library's own files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Believe {
    /// Their bytes as they are now.
    Bytes,
    /// What the catalog says of them, where it says all that is needed: for a catalog that was begun a moment ago.
    Catalog,
}

/// Compares what a destination holds with the library and takes equal files over as copies.
///
/// # Errors
/// The destination is not there or cannot be listed, the library is missing, the catalog fails.
pub async fn adopt(
    job: &MirrorJob,
    name: &str,
    believe: Believe,
    tools: &Tools,
) -> Result<Adopted> {
    let unknown = || Error::new(Kind::Internal, format!("no destination `{name}` in this job"));
    let destination = job.destinations.iter().find(|one| one.name == name).ok_or_else(unknown)?;
    let provider = destination.opened.as_deref().map_err(Error::duplicate)?;
    let health = provider.check().await?;
    if health.root == Root::New {
        return Err(Error::new(Kind::Absent, format!("{name}: its folder is not there")));
    }
    let run = tools.catalog.begin_run("adopt", tools.clock.now()).await?;
    let record = tools.catalog.enroll(name).await?;
    let declared = job.destinations.iter().filter_map(|one| one.opened.as_ref().ok());
    let algorithms =
        declared.fold(Algorithms::default(), |all, one| all.union(one.capabilities().digests));
    let adoption = Adoption { job, provider, tools, run, record: &record, believe, algorithms };
    let result = adoption.take_over(health.volume).await;
    let exit = match &result {
        Ok(adopted) => i32::from(!adopted.problems.is_empty()) * 3,
        Err(error) => exit_code_of(error),
    };
    tools.catalog.end_run(run, tools.clock.now(), exit, String::new()).await?;
    result
}

struct Adoption<'a> {
    job: &'a MirrorJob,
    provider: &'a dyn Provider,
    tools: &'a Tools,
    run: RunId,
    record: &'a DestinationRecord,
    believe: Believe,
    /// What all destinations of the job speak, so that a file that stands at several is read once.
    algorithms: Algorithms,
}

impl Adoption<'_> {
    async fn take_over(&self, volume: Option<String>) -> Result<Adopted> {
        scan(self.job, &MirrorOptions::default(), self.tools, self.run).await?;
        let adopted = self.compare_all().await?;
        let marker = match marker::read(self.provider).await? {
            Some(marker) => marker.id,
            None => marker::claim(self.provider, &*self.tools.catalog, &self.record.name).await?,
        };
        let last_seen = Some(self.tools.clock.now());
        let marker = Some(marker);
        let seen = DestinationRecord { marker, volume, last_seen, ..self.record.clone() };
        self.tools.catalog.remember_destination(seen).await?;
        Ok(adopted)
    }

    async fn compare_all(&self) -> Result<Adopted> {
        let source = Source::new(
            std::sync::Arc::clone(&self.job.library),
            std::sync::Arc::clone(&self.tools.clock),
            self.algorithms,
        );
        let mut adopted = Adopted::default();
        let mut pages = self.provider.list(Scope::default());
        while let Some(page) = pages.next().await {
            let matches: Vec<Result<Match>> = futures::stream::iter(page?.entries)
                .map(|listed| self.compare_one(listed, &source))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            let mut records = Vec::new();
            for one in matches {
                match one? {
                    Match::Equal(equal, bytes) => {
                        records.extend(equal);
                        adopted.equal.add(bytes);
                    }
                    Match::Differs(key) => {
                        adopted.differs_count += 1;
                        name_some(&mut adopted.differs, key);
                    }
                    Match::Foreign(key) => {
                        adopted.foreign_count += 1;
                        name_some(&mut adopted.foreign, key);
                    }
                    Match::Problem(key, error) => adopted.problems.push((key, error)),
                }
            }
            self.tools.catalog.record(records).await?;
        }
        Ok(adopted)
    }

    async fn compare_one(&self, listed: Listed, source: &Source) -> Result<Match> {
        let entry = match listed {
            Listed::File(entry) => entry,
            Listed::Passed { key, .. } => return Ok(Match::Foreign(key)),
            Listed::Unseen { key, error } => return Ok(Match::Problem(key, error)),
            Listed::Mount { key, .. } => {
                let error = Error::new(Kind::NotOurs, "another file system is mounted there");
                return Ok(Match::Problem(Some(key), error));
            }
        };
        let item = match self.tools.catalog.item(&entry.key).await? {
            Some(item) if item.presence == Presence::Present => item,
            _ => return Ok(Match::Foreign(entry.key)),
        };
        if item.stat.size != entry.size {
            return Ok(Match::Differs(entry.key));
        }
        match self.equal(&entry, &item, source).await {
            Ok(Some((records, bytes))) => Ok(Match::Equal(records, bytes)),
            Ok(None) => Ok(Match::Differs(entry.key)),
            Err(error) if error.reach() == Reach::Run => Err(error),
            Err(error) => Ok(Match::Problem(Some(entry.key), error)),
        }
    }

    async fn equal(
        &self,
        entry: &Entry,
        item: &ItemDetail,
        source: &Source,
    ) -> Result<Option<(Vec<Record>, u64)>> {
        let (content, stat) = match item.content {
            Some(content)
                if self.believe == Believe::Catalog && self.algorithms.are_in(&content.digests) =>
            {
                (content, item.stat)
            }
            _ => source.digest(&work_of(item)).await?,
        };
        let now = self.tools.clock.now();
        let Some(held) = compare(self.provider, entry, &content, now).await? else {
            return Ok(None);
        };
        let held = Held { key: entry.key.clone(), ..held };
        let (item, destination, run) = (item.item, self.record.id, self.run);
        let read = Record::Read { item, stat, content };
        let stored = Record::Stored { item, destination, held, run };
        Ok(Some((vec![read, stored], content.size)))
    }
}

fn work_of(item: &ItemDetail) -> Work {
    Work {
        item: item.item,
        key: item.key.clone(),
        stat: item.stat,
        class: item.class,
        freshness: Freshness::Stale,
        content: item.content,
        inspected: true,
        taken: None,
        group: None,
        legs: Vec::new(),
    }
}

fn name_some(names: &mut Vec<Key>, key: Key) {
    if names.len() < NAMED {
        names.push(key);
    }
}
