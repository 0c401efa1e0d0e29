//! `safelight explain`: what a code means, or everything about one file.

use std::path::Path;

use safelight_config::Config;
use safelight_core::catalog::{Catalog as _, ItemDetail, Presence};
use safelight_core::filter::Ruling;
use safelight_core::key::Key;
use safelight_core::time::Timestamp;
use serde_json::json;

use super::names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::codes::{explain, page, pages, shown_path};
use crate::render::table::{Table, left, loose};
use crate::render::text::size;
use crate::render::{item, key, moment, traits};
use crate::session::{Session, catalog_path};
use crate::wiring;

/// Explains a code if it is one, else a path.
pub async fn run(session: &Session, what: &Path) -> Result<Exit, Failure> {
    let shown = shown_path(what);
    if let Some(page) = page(&shown) {
        if session.flags.json {
            let (code, title, text) = (page.code, page.title, page.text);
            session.out.line(json!({ "v": 1, "code": code, "title": title, "text": text }));
        } else {
            session.out.text(&explain(page));
        }
        return Ok(Exit::OK);
    }
    match file(session, what).await {
        Err(Failure::Config(_) | Failure::Usage { .. }) if meant(&shown).is_some() => {
            let help = meant(&shown).map(|code| format!("did you mean `{code}`?"));
            Err(Failure::Usage { message: format!("there is no code or file `{shown}`"), help })
        }
        other => other,
    }
}

/// The code that was probably meant, if the text looks like one at all.
fn meant(text: &str) -> Option<&'static str> {
    let is_one = text.contains('/') && !text.contains('.');
    is_one.then(|| safelight_config::nearest(text, pages().map(|page| page.code.0))).flatten()
}

async fn file(session: &Session, path: &Path) -> Result<Exit, Failure> {
    let config = session.config()?;
    let nothing = || Failure::Usage {
        message: format!("the catalog knows no file `{}`", shown_path(path)),
        help: Some("list what it knows: safelight ls".to_owned()),
    };
    let key = names::key(&config, &session.env, path)?.ok_or_else(nothing)?;
    let ruling = ruling(&config, &key)?;
    let chosen = config.library.media.classifier().chosen(key.name()).is_some();
    let catalog = open_catalog::to_look(&catalog_path(&config)).await?;
    let now = session.clock().now();
    match catalog.item(&key).await? {
        Some(found) if session.flags.json => {
            let legs: Vec<_> = found
                .legs
                .iter()
                .map(|leg| {
                    let (state, evidence, next) = item::leg_words(leg, now);
                    json!({ "destination": leg.destination, "state": state, "evidence": evidence,
                        "next": next, "hold": leg.leg.hold, "copy": item::copy_json(leg) })
                })
                .collect();
            let mut object = json!({ "v": 1, "class": found.class, "bytes": found.stat.size,
                "presence": item::presence(found.presence), "rule": ruling, "destinations": legs });
            key::put(&mut object, &key);
            traits::put(&mut object, &found, chosen);
            session.out.line(object);
        }
        Some(found) => session.out.text(&text(&found, &ruling, &config, chosen, now)),
        None if config
            .library
            .path
            .join(std::ffi::OsStr::new(key.as_str().unwrap_or("")))
            .exists() =>
        {
            session.out.line(format_args!("{key}\n  {ruling}\n  No run has seen it yet."));
        }
        None => return Err(nothing()),
    }
    Ok(Exit::OK)
}

/// Which rule decides about a file, with its place in the config.
fn ruling(config: &Config, key: &Key) -> Result<String, Failure> {
    let file = config.file().file_name().unwrap_or_default().to_string_lossy();
    let filter = wiring::filter(&config.library, &file)?;
    let class = config.library.media.classifier().classify(key.name());
    if filter.skip.contains(&class) {
        return Ok(format!("left out: `{class}` is skipped by [library.media]"));
    }
    Ok(match filter.rule_on(key) {
        Ruling::Keep(Some(rule)) => {
            format!("backed up by the rule `{}` ({})", rule.text, rule.origin)
        }
        Ruling::Keep(None) => "backed up: no rule says otherwise".to_owned(),
        Ruling::Skip(rule) => format!("left out by the rule `{}` ({})", rule.text, rule.origin),
        Ruling::Hidden => "left out: a part of its path begins with a dot".to_owned(),
        Ruling::Reserved => "left out: the folder .safelight belongs to Safelight".to_owned(),
    })
}

fn text(found: &ItemDetail, ruling: &str, config: &Config, chosen: bool, now: Timestamp) -> String {
    let state = match found.presence {
        Presence::Present => "in the library".to_owned(),
        Presence::Suspect => {
            "in the library, but it looks damaged   [library/suspected-damage]".to_owned()
        }
        Presence::Gone(at) => format!("deleted from the library, noticed {}", moment::ago(at, now)),
        Presence::Excluded => "left out of the backup; its copies stay".to_owned(),
    };
    let mut text = format!("{}\n", found.key);
    let mut line = |name: &str, value: String| text += &format!("  {name:<9} {value}\n");
    let class = traits::class_words(found, chosen);
    line("class", format!("{}, {}; {class}", found.class, size(found.stat.size)));
    if let Some(taken) = found.taken() {
        line("taken", taken.to_string());
    }
    let known = found.traits.as_ref();
    if let Some(flaw) = known.and_then(|traits| traits.health) {
        line("health", traits::health_words(flaw));
    }
    if let Some(group) = &found.group {
        line("group", traits::group_words(group));
        for (member, role) in &group.members {
            line("", format!("{:<8} {member}", role.word()));
        }
    }
    line("state", state);
    line("rule", ruling.to_owned());
    if let Some(hash) = found.content.and_then(|content| content.digests.sha256) {
        line("sha256", item::hex(&hash));
    }
    let mut table = Table::default();
    table.row([left("  destination"), left("state"), left("next"), loose("evidence")]);
    for leg in &found.legs {
        let (state, evidence, next) = item::leg_words(leg, now);
        let outside = match config.destination(&leg.destination) {
            None => " (no longer in the config)",
            Some(one) if one.offsite => " (off-site)",
            Some(_) => "",
        };
        let name = format!("  {}{outside}", leg.destination);
        table.row([left(name), left(state), left(next), loose(evidence)]);
    }
    text += "\n";
    text += &table.render("  ");
    for leg in &found.legs {
        let held = leg.leg.held.as_ref().filter(|held| held.key != found.key);
        if let Some(held) = held {
            text += &format!("  at {} it is called {}\n", leg.destination, held.key);
        }
    }
    text
}
