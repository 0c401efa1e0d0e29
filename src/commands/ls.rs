//! `safelight ls`: what is where.

use std::path::Path;

use safelight_core::catalog::{Catalog as _, ItemDetail, Presence};
use safelight_core::key::Key;
use serde_json::json;

use super::names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::text::size;
use crate::render::{codes, item, key};
use crate::session::{Session, catalog_path};

const PAGE: usize = 1000;

/// Lists files at or below a path with the places that hold a copy.
pub async fn run(session: &Session, path: Option<&Path>) -> Result<Exit, Failure> {
    let config = session.config()?;
    let below = path.map(|path| names::key(&config, &session.env, path)).transpose()?.flatten();
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
        for item in items.iter().filter(|item| item.presence != Presence::Excluded) {
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
    match (found, path) {
        (0, Some(path)) => {
            let shown = codes::shown_path(path);
            Err(Failure::Usage {
                message: format!("the catalog knows nothing at `{shown}`"),
                help: None,
            })
        }
        _ => Ok(Exit::OK),
    }
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
