//! `safelight about`: room left, per destination and per kind of file.
//!
//! The service's own word comes first; where it says nothing, the config's limit and what the catalog counts there.

use std::collections::BTreeMap;

use safelight_catalog::SqliteCatalog;
use safelight_config::{Config, Destination};
use safelight_core::catalog::{Amount, Catalog as _};
use safelight_core::class::MediaClass;
use safelight_core::error::Result as CoreResult;
use safelight_core::provider::PoolUsage;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::names;
use crate::exit::{Exit, combine};
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::codes::title;
use crate::render::pools::{self, PoolLine};
use crate::render::table::{Cell, Table, left, loose};
use crate::render::text::{files, size};
use crate::session::{Session, catalog_path};
use crate::wiring::Opener;

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
        let lines = pools::of(destination, &ours, asked.as_deref().unwrap_or_default());
        for line in &lines {
            let trouble = failed.as_ref().map(|(code, _)| title(*code));
            table.row(cells(&destination.name, line, trouble));
        }
        objects.push(json!({
            "name": destination.name, "type": destination.storage.kind(),
            "error": failed.as_ref().map(|(code, message)| json!({ "code": code, "message": message })),
            "pools": lines.iter().map(PoolLine::json).collect::<Vec<_>>(),
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
    let provider = opener.open(destination).await?;
    provider.check().await?;
    provider.quota().await
}

fn cells(destination: &str, line: &PoolLine, failed: Option<String>) -> Vec<Cell> {
    let room = match (line.room_words(), failed) {
        (Some(known), None) => known,
        (Some(known), Some(reason)) => format!("{known}   not asked: {reason}"),
        (None, reason) => reason.unwrap_or_else(|| "not known".to_owned()),
    };
    let ours = format!("{}, {}", files(line.ours.files), size(line.ours.bytes));
    vec![left(destination), left(line.counts_words()), left(ours), loose(room)]
}
