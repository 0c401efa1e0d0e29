//! `safelight ls` and `safelight find`: what is where.

use std::path::Path;

use safelight_core::catalog::{Catalog as _, ItemDetail, Presence};
use safelight_core::error::Result as CoreResult;
use safelight_core::filter::Rule;
use safelight_core::key::Key;
use serde_json::json;

use super::names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::text::size;
use crate::render::{codes, item, key};
use crate::session::{Session, catalog_path};
use crate::wiring::pattern;

const PAGE: usize = 1000;

/// Lists files at or below a path with the places that hold a copy.
pub async fn run(session: &Session, path: Option<&Path>) -> Result<Exit, Failure> {
    let config = session.config()?;
    let below = path.map(|path| names::key(&config, &session.env, path)).transpose()?.flatten();
    match list(session, below, &[]).await? {
        0 if path.is_some() => {
            let shown = path.map(codes::shown_path).unwrap_or_default();
            let message = format!("the catalog knows nothing at `{shown}`");
            Err(Failure::Usage { message, help: None })
        }
        _ => Ok(Exit::OK),
    }
}

/// Lists the files that one of the patterns matches. Nothing found is no failure.
pub async fn find(session: &Session, patterns: &[String]) -> Result<Exit, Failure> {
    let rule = |glob: &String| pattern(true, glob, "the command line");
    let rules = patterns.iter().map(rule).collect::<CoreResult<Vec<Rule>>>()?;
    list(session, None, &rules).await?;
    Ok(Exit::OK)
}

/// Answers how many were listed.
async fn list(session: &Session, below: Option<Key>, rules: &[Rule]) -> Result<u64, Failure> {
    let config = session.config()?;
    let catalog = open_catalog::to_look(&catalog_path(&config)).await?;
    let (out, as_json) = (&session.out, session.flags.json);
    let mut after: Option<Key> = None;
    let mut found = 0_u64;
    if as_json {
        out.text("{\"v\":1,\"files\":[");
    }
    loop {
        let items = catalog.browse(below.clone(), after.take(), PAGE).await?;
        after = items.last().map(|item| item.key.clone());
        let full = items.len() == PAGE;
        let wanted = |item: &&ItemDetail| {
            item.presence != Presence::Excluded
                && (rules.is_empty() || rules.iter().any(|rule| rule.matches(&item.key, false)))
        };
        for item in items.iter().filter(wanted) {
            if as_json {
                out.text(if found > 0 { ",\n" } else { "\n" });
                out.text(&json_of(item).to_string());
            } else {
                out.line(line(item));
            }
            found += 1;
        }
        if !full || out.is_closed() {
            break;
        }
    }
    if as_json {
        out.line("\n]}");
    }
    Ok(found)
}

fn line(found: &ItemDetail) -> String {
    let places: Vec<_> = found
        .legs
        .iter()
        .filter(|leg| leg.leg.held.is_some())
        .map(
            |leg| if leg.todo { format!("({})", leg.destination) } else { leg.destination.clone() },
        )
        .collect();
    let gone = match found.presence {
        Presence::Gone(_) => "   deleted from the library",
        Presence::Suspect => "   looks damaged",
        Presence::Present | Presence::Excluded => "",
    };
    let places = if places.is_empty() { "no copy".to_owned() } else { places.join(" ") };
    format!("{:>8}  {}   {places}{gone}", size(found.stat.size), found.key)
}

fn json_of(found: &ItemDetail) -> serde_json::Value {
    let mut object = json!({
        "bytes": found.stat.size, "class": found.class, "presence": item::presence(found.presence),
        "copies": found.legs.iter().filter_map(item::copy_json).collect::<Vec<_>>(),
    });
    key::put(&mut object, &found.key);
    object
}
