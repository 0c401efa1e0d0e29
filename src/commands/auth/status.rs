//! `safelight auth status`: every destination, who is signed in, until when, where the secret is kept.

use std::sync::Arc;

use safelight_config::{Config, Destination};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::sign_in::Account;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Party, room, shown};
use crate::exit::{Exit, combine};
use crate::failure::Failure;
use crate::open_catalog;
use crate::render::codes::title;
use crate::render::moment;
use crate::render::sign_in::remedy_for;
use crate::render::table::{Cell, Table, left, loose};
use crate::session::{Session, catalog_path};
use crate::wiring::Opener;

/// How one destination is opened.
enum Standing {
    /// Nobody signs in there.
    NoSignIn,
    /// Somebody is signed in.
    In(Account),
    /// A sign-in is kept; the service was not asked.
    Kept,
    /// Nobody is, or it is not known.
    Out(Error),
}

/// Asks every service, or with `--offline` only whether a sign-in is kept.
pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let config = session.config()?;
    let clock = session.clock();
    // How long a sign-in seems to last is told by when a run saw it first.
    let catalog = open_catalog::to_look(&catalog_path(&config)).await.ok();
    let pages = catalog.map(|catalog| catalog as Arc<dyn Catalog>);
    let cancel = CancellationToken::new();
    let opener = Opener::new(&config, &session.env, &clock, cancel, pages.as_ref())?;
    let (mut table, mut objects, mut exits) = (Table::default(), Vec::new(), Vec::new());
    table.row(["destination", "sign-in", "until", "kept"].map(left));
    for destination in &config.destinations {
        let standing = standing(session, &opener, destination).await?;
        table.row(standing.cells(destination));
        objects.push(standing.json(destination));
        exits.extend(is_needed(&config, destination).then(|| standing.exit()));
    }
    opener.close().await;
    if session.flags.json {
        session.out.line(json!({ "v": 1, "destinations": objects }));
    } else {
        session.out.text(&table.render("  "));
    }
    Ok(combine(exits))
}

fn is_needed(config: &Config, destination: &Destination) -> bool {
    config.jobs.iter().any(|job| job.to.contains(&destination.name))
}

async fn standing(
    session: &Session,
    opener: &Opener,
    destination: &Destination,
) -> CoreResult<Standing> {
    let Some(factory) = opener.signs_in(destination)? else { return Ok(Standing::NoSignIn) };
    let party = Party { destination, factory, context: opener.context(&destination.name) };
    let sign_in = party.sign_in()?;
    let settings = match opener.settings(destination).await {
        Ok(settings) => settings,
        Err(error) => return Ok(Standing::Out(error)),
    };
    if session.flags.offline {
        return Ok(Standing::Kept);
    }
    Ok(match sign_in.account(&settings, &party.context).await {
        Ok(account) => Standing::In(account),
        Err(error) => Standing::Out(error),
    })
}

impl Standing {
    fn exit(&self) -> Exit {
        match self {
            Self::Out(error) if error.kind() == Kind::SignIn => Exit::SIGN_IN,
            Self::Out(_) => Exit::LATER,
            Self::NoSignIn | Self::In(_) | Self::Kept => Exit::OK,
        }
    }

    fn cells(&self, destination: &Destination) -> Vec<Cell> {
        let (mut until, name) = ("-".to_owned(), &destination.name);
        let sign_in = match self {
            Self::NoSignIn if destination.storage.is_sandbox() => "sandbox, none needed".to_owned(),
            Self::NoSignIn if destination.storage.secrets().is_empty() => "none needed".to_owned(),
            Self::NoSignIn => "keys of its own".to_owned(),
            Self::Kept => "kept, not asked".to_owned(),
            Self::In(account) => {
                until = account.until.map_or(until, moment::short);
                let room = room(&account.pools).map(|room| format!(", {room}")).unwrap_or_default();
                format!("{}{room}", shown(&account.name))
            }
            Self::Out(error) if error.kind() == Kind::SignIn => {
                let fix = remedy_for(name, error).map(|fix| format!("; {fix}")).unwrap_or_default();
                format!("no: {}{fix}", title(error.id()))
            }
            Self::Out(error) => format!("not known: {}", title(error.id())),
        };
        vec![left(name), left(sign_in), left(until), loose(kept(destination).unwrap_or("-".into()))]
    }

    fn json(&self, destination: &Destination) -> Value {
        let (mut account, mut until, mut error) = (None, None, None);
        let signed_in = match self {
            Self::In(found) => {
                account = Some(shown(&found.name));
                until = found.until.map(moment::stamp);
                Some(true)
            }
            Self::Out(failed) => {
                error = Some(json!({ "code": failed.id(), "message": shown(&failed.to_string()) }));
                (failed.kind() == Kind::SignIn).then_some(false)
            }
            Self::NoSignIn | Self::Kept => None,
        };
        json!({
            "name": destination.name, "type": destination.storage.kind(), "signed_in": signed_in,
            "account": account, "until": until, "kept": kept(destination), "error": error,
        })
    }
}

/// Where the secrets of a destination are, several with commas between them.
fn kept(destination: &Destination) -> Option<String> {
    let secrets = destination.storage.secrets();
    let places: Vec<String> = secrets.iter().map(|(_, place)| shown(&place.to_string())).collect();
    (!places.is_empty()).then(|| places.join(", "))
}
