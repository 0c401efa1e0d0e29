//! `safelight about`: room left, per destination and per kind of file.
//!
//! The service's own word comes first; where it says nothing, the config's limit and what the catalog counts there.
//! Invariant: what is left of a pool is its total less what is used and what is to stay free.

use std::collections::BTreeMap;

use safelight_catalog::SqliteCatalog;
use safelight_config::{Config, Destination, PoolLimit};
use safelight_core::catalog::{Amount, Catalog as _};
use safelight_core::class::MediaClass;
use safelight_core::error::Result as CoreResult;
use safelight_core::provider::{PoolUsage, Room};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::names;
use crate::exit::{Exit, combine};
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::codes::title;
use crate::render::table::{Table, left, loose};
use crate::render::text::{files, size};
use crate::session::{Session, catalog_path};
use crate::wiring::Opener;

/// One line of the answer: some classes at one destination.
struct Line<'a> {
    destination: &'a str,
    counts: Vec<MediaClass>,
    ours: Amount,
    room: Room,
    /// The service told it; otherwise it follows from the config and the catalog.
    told: bool,
    keep_free: u64,
}

/// Asks every destination, or with `--offline` only the catalog.
pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let config = session.config()?;
    let clock = session.clock();
    let catalog = open_catalog::to_look(&catalog_path(&config)).await.ok();
    let mut opener = if session.flags.offline {
        None
    } else {
        Some(Opener::new(&config, &session.env, &clock, CancellationToken::new(), None)?)
    };
    let (mut table, mut objects, mut exits) = (Table::default(), Vec::new(), Vec::new());
    table.row(["destination", "counts", "ours", "room left"].map(left));
    for destination in &config.destinations {
        let ours = ours(catalog.as_deref(), destination).await?;
        let asked = match opener.as_mut() {
            Some(opener) => ask(opener, destination).await,
            None => Ok(Vec::new()),
        };
        let failed = asked.as_ref().err().map(|error| (error.id(), error.to_string()));
        let lines = lines(destination, &ours, asked.as_deref().unwrap_or_default());
        for line in &lines {
            table.row(line.cells(failed.as_ref().map(|(code, _)| title(*code))));
        }
        objects.push(json!({
            "name": destination.name, "type": destination.storage.kind(),
            "error": failed.as_ref().map(|(code, message)| json!({ "code": code, "message": message })),
            "pools": lines.iter().map(Line::json).collect::<Vec<_>>(),
        }));
        let may_be_away = destination.removable;
        exits.extend(failed.filter(|_| !may_be_away).map(|_| Exit::LEFT_OVER));
    }
    if let Some(opener) = opener {
        opener.close().await;
    }
    if session.flags.json {
        session.out.line(json!({ "v": 1, "destinations": objects }));
    } else {
        session.out.line(format_args!("library  {}", library(&config)));
        session.out.text(&table.render("  "));
    }
    Ok(combine(exits))
}

fn library(config: &Config) -> String {
    let rule = match names::places(config).offsite.len() {
        0 => String::new(),
        _ => format!(", {} off-site", config.safety.offsite),
    };
    format!("{}, safe with {} copies{rule}", config.library.path.display(), config.safety.copies)
}

async fn ours(
    catalog: Option<&SqliteCatalog>,
    destination: &Destination,
) -> CoreResult<BTreeMap<MediaClass, Amount>> {
    let Some(catalog) = catalog else { return Ok(BTreeMap::new()) };
    let known = catalog.destinations().await?;
    match known.into_iter().find(|one| one.name == destination.name) {
        Some(record) => catalog.stored(record.id).await,
        None => Ok(BTreeMap::new()),
    }
}

async fn ask(opener: &mut Opener, destination: &Destination) -> CoreResult<Vec<PoolUsage>> {
    let provider = opener.open(destination, None, None).await?;
    provider.check().await?;
    provider.quota().await
}

fn lines<'a>(
    destination: &'a Destination,
    ours: &BTreeMap<MediaClass, Amount>,
    asked: &[PoolUsage],
) -> Vec<Line<'a>> {
    let counted =
        |class: &MediaClass| destination.pools.iter().any(|pool| pool.counts.contains(class));
    let rest: Vec<_> = MediaClass::ALL.into_iter().filter(|class| !counted(class)).collect();
    let unlimited = (rest, None);
    let pools = destination.pools.iter().map(|pool| (pool.counts.clone(), Some(pool)));
    let mut lines = Vec::new();
    for (counts, pool) in pools.chain(std::iter::once(unlimited)) {
        if counts.is_empty() {
            continue;
        }
        let amount = sum(ours, &counts);
        let said = asked.iter().find(|one| one.counts.iter().any(|class| counts.contains(class)));
        let limit = pool.map_or(PoolLimit::Ask, |pool| pool.limit);
        let room = room(limit, amount.bytes, said, &counts);
        let keep_free = match (room, pool) {
            (Room::Limited { total, .. }, Some(pool)) => pool.keep_free.of(total),
            _ => 0,
        };
        let told = said.is_some_and(|said| said.room != Room::Unknown);
        let destination = &destination.name;
        lines.push(Line { destination, counts, ours: amount, room, told, keep_free });
    }
    lines
}

fn sum(ours: &BTreeMap<MediaClass, Amount>, counts: &[MediaClass]) -> Amount {
    let counted = counts.iter().filter_map(|class| ours.get(class));
    counted.fold(Amount::default(), |sum, one| Amount {
        files: sum.files + one.files,
        bytes: sum.bytes + one.bytes,
    })
}

/// The room of a pool that counts these classes: the smaller of what the config allows and what the service said.
fn room(limit: PoolLimit, ours: u64, said: Option<&PoolUsage>, counts: &[MediaClass]) -> Room {
    let told = said.map_or(Room::Unknown, |said| said.room);
    match (limit, told) {
        (PoolLimit::Bytes(limit), Room::Limited { used, total }) => {
            let same = said.is_some_and(|said| said.counts.iter().all(|one| counts.contains(one)));
            if same {
                // What others stored counts too, and the service may not have counted all of ours yet.
                Room::Limited { used: used.max(ours), total: total.min(limit.bytes()) }
            } else {
                // The service's pool holds more than this one, so only its free room is of use.
                let most = ours.saturating_add(total.saturating_sub(used));
                Room::Limited { used: ours, total: most.min(limit.bytes()) }
            }
        }
        (PoolLimit::Bytes(limit), _) => Room::Limited { used: ours, total: limit.bytes() },
        (PoolLimit::Unlimited, Room::Unknown) => Room::Unlimited,
        (PoolLimit::Unlimited | PoolLimit::Ask, told) => told,
    }
}

impl Line<'_> {
    fn left(&self) -> Option<u64> {
        match self.room {
            Room::Limited { used, total } => {
                Some(total.saturating_sub(used).saturating_sub(self.keep_free))
            }
            Room::Unlimited | Room::Unknown => None,
        }
    }

    fn words(&self) -> Vec<&'static str> {
        self.counts.iter().map(|class| class.word()).collect()
    }

    fn cells(&self, failed: Option<String>) -> Vec<crate::render::table::Cell> {
        let counts = match self.counts.len() {
            all if all == MediaClass::ALL.len() => "everything".to_owned(),
            _ => self.words().join(", "),
        };
        let known = match self.room {
            Room::Unlimited => Some("unlimited".to_owned()),
            Room::Unknown => None,
            Room::Limited { total, .. } => {
                Some(format!("{} of {}", size(self.left().unwrap_or(0)), size(total)))
            }
        };
        let room = match (known, failed) {
            (Some(known), None) => known,
            (Some(known), Some(reason)) => format!("{known}   not asked: {reason}"),
            (None, reason) => reason.unwrap_or_else(|| "not known".to_owned()),
        };
        let ours = format!("{}, {}", files(self.ours.files), size(self.ours.bytes));
        vec![left(self.destination), left(counts), left(ours), loose(room)]
    }

    fn json(&self) -> Value {
        let (kind, used, total) = match self.room {
            Room::Unlimited => ("unlimited", None, None),
            Room::Unknown => ("unknown", None, None),
            Room::Limited { used, total } => ("limited", Some(used), Some(total)),
        };
        json!({
            "counts": self.words(), "limit": kind, "used": used, "total": total,
            "keep_free": self.keep_free, "left": self.left(), "ours": self.ours,
            "known_by": match (self.told, self.room) {
                (true, _) => Some("service"),
                (false, Room::Unknown) => None,
                (false, _) => Some("catalog"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_config::units::ByteSize;

    const REST: [MediaClass; 3] = [MediaClass::Video, MediaClass::Sidecar, MediaClass::Other];

    fn said(counts: &[MediaClass], used: u64, total: u64) -> PoolUsage {
        PoolUsage { counts: counts.to_vec(), room: Room::Limited { used, total } }
    }

    #[test]
    fn the_smaller_of_limit_and_service_counts_and_the_catalog_where_the_service_is_silent() {
        let five = PoolLimit::Bytes(ByteSize(5));
        let limited = |used, total| Room::Limited { used, total };
        assert_eq!(room(five, 2, None, &REST), limited(2, 5));
        assert_eq!(room(five, 2, Some(&said(&REST, 3, 9)), &REST), limited(3, 5), "others' too");
        assert_eq!(
            room(five, 2, Some(&said(&REST, 1, 4)), &REST),
            limited(2, 4),
            "not yet counted"
        );
        let all = said(&MediaClass::ALL, 90, 92);
        assert_eq!(room(five, 2, Some(&all), &REST), limited(2, 4), "room for two more");
        assert_eq!(room(PoolLimit::Ask, 2, Some(&all), &MediaClass::ALL), limited(90, 92));
        assert_eq!(room(PoolLimit::Ask, 2, None, &REST), Room::Unknown);
        assert_eq!(room(PoolLimit::Unlimited, 2, None, &REST), Room::Unlimited);
        assert_eq!(room(PoolLimit::Unlimited, 2, Some(&all), &REST), limited(90, 92));
    }
}
