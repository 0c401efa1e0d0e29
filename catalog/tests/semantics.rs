//! Random histories, told to the catalog and to a naive model: both must give the same answers at every step.
#![allow(clippy::unwrap_used)]

mod model;

use std::collections::BTreeSet;

use model::Model;
use proptest::prelude::*;
use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::{
    Catalog, Content, DestinationId, Finding, Freshness, Grouped, Held, ItemId, Keeping, Places,
    Record, Retained, RetainedId, RunId, SafetyRules, Stat, Wanted, WorkQuery,
};
use safelight_core::class::MediaClass;
use safelight_core::codes;
use safelight_core::digest::{Algorithm, Digests};
use safelight_core::entry::Version;
use safelight_core::group::{Evidence, Kind, Role};
use safelight_core::key::Key;
use safelight_core::provider::Proof;
use safelight_core::taken::{Source, Taken, Zone};
use safelight_core::time::Timestamp;
use safelight_core::traits::{Flaw, Traits};

const KEYS: [&str; 7] = ["a", "a-b", "a/b", "a/c", "a0", "b/\u{fc}", "c"];
const PLACES: [&str; 3] = ["cloud", "disk", "nas"];

/// One step; small numbers choose among what there is.
#[derive(Debug, Clone)]
struct Step {
    what: u8,
    item: usize,
    place: usize,
    content: u8,
    time: i64,
    flag: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (0..25_u8, 0..7_usize, 0..3_usize, 0..4_u8, 0..6_i64, any::<bool>()).prop_map(
        |(what, item, place, content, time, flag)| Step { what, item, place, content, time, flag },
    )
}

fn time(at: i64) -> Timestamp {
    Timestamp::from_nanos(at)
}

fn content(number: u8, with_md5: bool) -> Content {
    let digests = Digests {
        sha256: Some([number; 32]),
        md5: with_md5.then_some([number; 16]),
        crc32c: (number == 1).then_some(u32::MAX),
        dropbox: None,
    };
    Content { size: u64::from(number) * 10, digests }
}

impl Step {
    fn stat(&self) -> Stat {
        Stat {
            size: u64::from(self.content) * 10,
            modified: time(self.time),
            changed: self.flag.then(|| time(self.time)),
            file_id: self.flag.then_some(u64::MAX - u64::from(self.content)),
        }
    }

    fn held(&self, own: &Key) -> Held {
        let proofs = [
            Proof::Claimed,
            Proof::SizeOnly,
            Proof::ReadBack,
            Proof::ServerHash(Algorithm::DropboxHash),
        ];
        Held {
            key: if self.time == 0 {
                Key::new(format!("moved/{own}")).unwrap()
            } else {
                own.clone()
            },
            content: content(self.content, self.flag),
            version: self.flag.then(|| Version::new("etag")),
            remote_id: self.flag.then(|| "id".to_owned()),
            proof: proofs[usize::try_from(self.time).unwrap() % proofs.len()],
            proved_at: time(self.time),
        }
    }

    fn traits(&self) -> Traits {
        let zones = [Zone::Local, Zone::Utc, Zone::Offset(-210)];
        let taken =
            Taken::from_parts(self.time, zones[self.place], Source::ALL[usize::from(self.content)]);
        Traits {
            class: MediaClass::ALL[usize::from(self.content)],
            detected: self.flag.then_some("jpeg".into()),
            mismatch: !self.flag,
            taken: (self.time > 0).then_some(taken),
            content_id: self.flag.then(|| "A-B".to_owned()),
            motion: self.flag.then_some(5..u64::MAX),
            burst: (!self.flag).then(|| "IMG_1".to_owned()),
            health: (self.time > 3).then(|| Flaw::ALL[usize::from(self.content)]),
        }
    }

    /// The items of a folder in groups of two or three.
    fn grouped(&self, model: &Model) -> Record {
        let folder = [None, Some("a"), Some("b")][self.place].map(|path| Key::new(path).unwrap());
        let siblings = model.siblings(folder.as_ref());
        let groups = siblings.chunks(2 + usize::from(self.flag)).map(|siblings| Grouped {
            kind: Kind::ALL[usize::from(self.content)],
            by: Evidence::ALL[self.place],
            complete: self.flag,
            taken: self.traits().taken,
            members: siblings.iter().map(|one| (one.item, Role::ALL[self.item])).collect(),
        });
        Record::Grouped { groups: groups.collect(), folder }
    }

    fn retained(&self, destination: DestinationId) -> Record {
        let key = Key::new(KEYS[self.item]).unwrap();
        Record::Retained(Retained {
            id: RetainedId(0),
            destination,
            keeping: if self.flag { Keeping::Trash } else { Keeping::Version },
            original: key.clone(),
            key: (self.content > 0).then_some(key),
            version: None,
            content: content(self.content, false),
            since: time(self.time),
            until: (self.content > 1).then(|| time(self.time)),
        })
    }

    async fn take(&self, catalog: &SqliteCatalog, model: &mut Model) {
        let record = match self.what {
            0..=3 => {
                let key = Key::new(KEYS[self.item]).unwrap();
                let class = MediaClass::ALL[usize::from(self.content)];
                let found = Finding::Found { key, stat: self.stat(), class };
                catalog.apply(vec![found.clone()]).await.unwrap();
                return model.apply(found);
            }
            4 => {
                catalog.enroll(PLACES[self.place]).await.unwrap();
                return model.enroll(PLACES[self.place]);
            }
            _ if model.items.is_empty() || model.destinations.is_empty() => return,
            5..=8 => {
                let item = self.item(model);
                let finding = match self.what {
                    5 if self.flag => {
                        Finding::Altered { item, stat: self.stat(), freshness: Freshness::Touched }
                    }
                    5 => Finding::Altered { item, stat: self.stat(), freshness: Freshness::Stale },
                    6 => Finding::Suspected { item },
                    7 => Finding::Gone { item, at: time(self.time) },
                    _ => Finding::Excluded { item },
                };
                catalog.apply(vec![finding.clone()]).await.unwrap();
                return model.apply(finding);
            }
            _ => match self.record(model) {
                Some(record) => record,
                None => return,
            },
        };
        catalog.record(vec![record.clone()]).await.unwrap();
        model.record(record);
    }

    fn item(&self, model: &Model) -> ItemId {
        *model.items.keys().nth(self.item % model.items.len()).unwrap()
    }

    fn record(&self, model: &Model) -> Option<Record> {
        let item = self.item(model);
        let places = model.places();
        let destination = places[self.place % places.len()];
        let run = RunId(1 + self.time % 2);
        let own = model.items[&item].key.clone();
        Some(match self.what {
            9..=11 => {
                let content = content(self.content, self.flag);
                Record::Read { item, stat: self.stat(), content }
            }
            12..=14 => Record::Stored { item, destination, held: self.held(&own), run },
            15 => Record::Unchanged { item, destination },
            16 => {
                let hold = self.flag.then_some(codes::POOL_FULL);
                Record::Planned { item, destination, hold }
            }
            17 => {
                let fold = vec![self.content];
                if !model.may_assign(item, destination, &fold) {
                    return None;
                }
                Record::Assigned { item, destination, key: Key::new("assigned").unwrap(), fold }
            }
            18 => {
                let destination = self.flag.then_some(destination);
                let message = "failed".to_owned();
                Record::Failed { item, destination, run, code: codes::IO, message }
            }
            19 if self.flag => Record::Suspected { item, run },
            19 => Record::Purged(model.newest_retained()?),
            20 => Record::Dropped { item, destination },
            22 | 23 => Record::Inspected { item, traits: self.traits() },
            24 => self.grouped(model),
            _ => self.retained(destination),
        })
    }
}

/// Asks everything and compares.
async fn agree(catalog: &SqliteCatalog, model: &Model) {
    let mut known = Vec::new();
    loop {
        let after = known.last().map(|last: &safelight_core::catalog::Known| last.key.clone());
        let page = catalog.known(after, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        known.extend(page);
    }
    assert_eq!(known, model.known());
    let details = model.details();
    assert_eq!(catalog.browse(None, None, 100).await.unwrap(), details);
    let folder = Key::new("a").unwrap();
    for after in [None, Some(folder.clone()), Some(Key::new("a/b").unwrap())] {
        let mut below = details.clone();
        below.retain(|item| item.key.is_within(&folder) && Some(&item.key) > after.as_ref());
        below.truncate(2);
        assert_eq!(catalog.browse(Some(folder.clone()), after, 2).await.unwrap(), below);
    }
    let present = model.tally(DestinationId(1)).listed;
    assert_eq!(catalog.library().await.unwrap().present, present);
    assert_eq!(catalog.count_changed().await.unwrap(), model.count_changed());
    assert_eq!(catalog.gone_sizes().await.unwrap(), model.gone_sizes());
    let wanted = wanted();
    assert_eq!(catalog.holders(wanted.clone()).await.unwrap(), model.who_has(&wanted));
    inspections_agree(catalog, model).await;
    work_agrees(catalog, model).await;
    for place in model.places() {
        place_agrees(catalog, model, place).await;
    }
    let names = |place: usize| vec![PLACES[place].to_owned()];
    for (rules, places) in [
        (SafetyRules { copies: 2, offsite: 0, checked_since: time(0) }, Places::default()),
        (
            SafetyRules { copies: 3, offsite: 1, checked_since: time(3) },
            Places { offsite: names(0), never_alone: Vec::new() },
        ),
        (
            SafetyRules { copies: 2, offsite: 1, checked_since: time(0) },
            Places { offsite: names(0), never_alone: names(0) },
        ),
    ] {
        let survey = catalog.survey(rules, places.clone()).await.unwrap();
        assert_eq!(survey, model.survey(rules, &places));
        let lacking = catalog.lacking(rules, places.clone(), rules.copies, None, 100).await;
        assert_eq!(lacking.unwrap(), model.lacking(rules, &places, rules.copies));
    }
}

/// Content by each digest, by size alone, and with a size that is not its own.
fn wanted() -> Vec<Wanted> {
    let known = |number: u8, digests| Wanted { size: u64::from(number) * 10, digests };
    let none = Digests::default();
    vec![
        known(2, none),
        known(1, Digests { crc32c: Some(u32::MAX), ..none }),
        known(1, Digests { sha256: Some([1; 32]), ..none }),
        known(2, Digests { md5: Some([2; 16]), ..none }),
        known(3, Digests { md5: Some([2; 16]), ..none }),
        known(0, Digests { dropbox: Some([0; 32]), ..none }),
    ]
}

async fn inspections_agree(catalog: &SqliteCatalog, model: &Model) {
    assert_eq!(catalog.uninspected(None, 100, false).await.unwrap(), model.uninspected(false));
    let mut known = model.uninspected(true);
    assert_eq!(catalog.uninspected(None, 100, true).await.unwrap(), known);
    let after = Key::new("a/b").unwrap();
    known.retain(|one| one.key > after);
    known.truncate(2);
    assert_eq!(catalog.uninspected(Some(after), 2, true).await.unwrap(), known);
    let ungrouped = catalog.ungrouped(100).await.unwrap();
    assert_eq!(ungrouped.into_iter().collect::<BTreeSet<_>>(), model.ungrouped());
    for folder in [None, Some("a"), Some("b")] {
        let folder = folder.map(|path| Key::new(path).unwrap());
        let siblings = catalog.siblings(folder.clone()).await.unwrap();
        assert_eq!(siblings, model.siblings(folder.as_ref()));
    }
}

async fn work_agrees(catalog: &SqliteCatalog, model: &Model) {
    for (after, not_tried_in, with_held, limit) in [
        (None, None, true, 100),
        (Some(ItemId(2)), Some(RunId(1)), false, 2),
        (None, Some(RunId(2)), true, 3),
    ] {
        for skipped in 0..=model.destinations.len() {
            let destinations = model.places().into_iter().skip(skipped).collect();
            let query = WorkQuery { destinations, after, not_tried_in, with_held, limit };
            assert_eq!(catalog.work(query.clone()).await.unwrap(), model.work(&query));
        }
    }
}

async fn place_agrees(catalog: &SqliteCatalog, model: &Model, place: DestinationId) {
    let tally = catalog.tally(place).await.unwrap();
    assert_eq!(tally, model.tally(place));
    let held: u64 = tally.held.values().map(|amount| amount.files).sum();
    assert_eq!(tally.listed, tally.settled + tally.todo.files + held + tally.suspect);
    assert_eq!(catalog.stored(place).await.unwrap(), model.stored(place));
    for fold in 0..4 {
        let holder = catalog.fold_holder(place, &[fold]).await.unwrap();
        assert_eq!(holder, model.fold_holder(place, &[fold]));
    }
    for (key, item) in model.holders(place) {
        assert_eq!(catalog.holder(place, &key).await.unwrap(), Some(item));
    }
    for number in 0..4 {
        let gone = catalog.gone_copies(place, [number; 32]).await.unwrap();
        assert_eq!(gone, model.gone_copies(place, [number; 32]));
    }
    let deletable = model.deletable(place, time(3));
    assert_eq!(catalog.count_deletable(place, time(3)).await.unwrap(), deletable.len() as u64);
    assert_eq!(catalog.deletable(place, time(3), None, 100).await.unwrap(), deletable);
    let due = catalog.purgeable(place, time(3), 1, 100).await.unwrap();
    let due: Vec<RetainedId> = due.into_iter().map(|retained| retained.id).collect();
    assert_eq!(due, model.purgeable(place, time(3), 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn catalog_and_model_agree_after_every_step(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let catalog =
                SqliteCatalog::open(&folder.path().join("catalog.db"), "test").await.unwrap();
            for _ in 0..2 {
                catalog.begin_run("mirror", time(0)).await.unwrap();
            }
            let mut model = Model::default();
            // One destination from the start, the others when the steps say so.
            catalog.enroll(PLACES[0]).await.unwrap();
            model.enroll(PLACES[0]);
            for step in steps {
                step.take(&catalog, &mut model).await;
                agree(&catalog, &model).await;
            }
        });
    }
}
