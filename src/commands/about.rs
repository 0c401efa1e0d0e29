//! `safelight about`: room left, per destination and per kind of file.

use std::collections::BTreeMap;

use safelight_catalog::SqliteCatalog;
use safelight_config::{Config, Destination, Pool, PoolLimit};
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
    let rule = match names::offsite(config).len() {
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
    let provider = opener.open(destination, None).await?;
    provider.check().await?;
    provider.quota().await
}

fn lines<'a>(
    destination: &'a Destination,
    ours: &BTreeMap<MediaClass, Amount>,
    asked: &[PoolUsage],
) -> Vec<Line<'a>> {
    let sum = |counts: &[MediaClass]| {
        counts.iter().filter_map(|class| ours.get(class)).fold(Amount::default(), |sum, one| {
            Amount { files: sum.files + one.files, bytes: sum.bytes + one.bytes }
        })
    };
    let said = |counts: &[MediaClass]| {
        let pool = asked.iter().find(|pool| pool.counts.iter().any(|class| counts.contains(class)));
        pool.map_or(Room::Unknown, |pool| pool.room)
    };
    let of_pool = |pool: &Pool| {
        let amount = sum(&pool.counts);
        let room = match pool.limit {
            PoolLimit::Unlimited => Room::Unlimited,
            PoolLimit::Bytes(total) => Room::Limited { used: amount.bytes, total: total.bytes() },
            PoolLimit::Ask => said(&pool.counts),
        };
        let keep_free = match room {
            Room::Limited { total, .. } => pool.keep_free.of(total),
            Room::Unlimited | Room::Unknown => 0,
        };
        let counts = pool.counts.clone();
        Line { destination: &destination.name, counts, ours: amount, room, keep_free }
    };
    let mut lines: Vec<Line<'_>> = destination.pools.iter().map(of_pool).collect();
    let counted =
        |class: &MediaClass| destination.pools.iter().any(|pool| pool.counts.contains(class));
    let rest: Vec<_> = MediaClass::ALL.into_iter().filter(|class| !counted(class)).collect();
    if !rest.is_empty() {
        let (ours, room) = (sum(&rest), said(&rest));
        lines.push(Line { destination: &destination.name, counts: rest, ours, room, keep_free: 0 });
    }
    lines
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
        let room = match (self.room, failed) {
            (_, Some(reason)) => reason,
            (Room::Unlimited, _) => "unlimited".to_owned(),
            (Room::Unknown, _) => "not known".to_owned(),
            (Room::Limited { total, .. }, _) => {
                format!("{} of {}", size(self.left().unwrap_or(0)), size(total))
            }
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
        })
    }
}
