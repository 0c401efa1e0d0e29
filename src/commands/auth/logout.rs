//! `safelight auth logout`: ends a sign-in at the service, then forgets it here.
//!
//! In this order, so that a sign-in that still opens the account is never lost from sight: if the service cannot
//! be asked, everything stays as it is, unless `--offline` says that it shall not be asked. What a person brought from
//! a browser can only be ended in that browser.

use safelight_config::secrets;
use safelight_core::error::Error;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Party, blocking};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::session::Session;
use crate::stop::Signals;
use crate::wiring::Opener;

/// Asks, revokes, forgets.
pub async fn run(session: &Session, name: &str) -> Result<Exit, Failure> {
    let config = session.config()?;
    let (clock, cancel, mut signals) =
        (session.clock(), CancellationToken::new(), Signals::listen()?);
    let opener = Opener::new(&config, &session.env, &clock, cancel.clone(), None)?;
    let party = Party::named(&opener, &config, name)?;
    let done = tokio::select! {
        done = end(session, &opener, &party) => done,
        () = signals.next() => Ok(Exit::INTERRUPTED),
    };
    cancel.cancel();
    opener.close().await;
    done
}

async fn end(session: &Session, opener: &Opener, party: &Party<'_>) -> Result<Exit, Failure> {
    let (name, service) = (&party.destination.name, party.sign_in()?.service());
    let brought = party.is_brought()?;
    let question = if brought {
        format!("Forget the sign-in of `{name}`? New files will wait for another one.")
    } else {
        format!("End the sign-in of `{name}` at {service}? New files will wait for it.")
    };
    if !input::confirm(session, &question).await? {
        session.out.talk("Nothing was changed.");
        return Ok(Exit::OK);
    }
    let revoked = !session.flags.offline && !brought && revoke(opener, party).await?;
    let mut kept_elsewhere = Vec::new();
    let mut forgotten = false;
    for (_, reference) in party.destination.storage.secrets() {
        if reference.can_keep() {
            let place = reference.clone();
            forgotten |= blocking(move || secrets::forget(&place)).await?;
        } else {
            kept_elsewhere.push(reference.to_string());
        }
    }
    if session.flags.json {
        session.out.line(json!({
            "v": 1, "name": name, "revoked": revoked, "forgotten": forgotten, "left": kept_elsewhere,
        }));
        return Ok(Exit::OK);
    }
    let out = &session.out;
    out.line(match (revoked, forgotten) {
        (true, true) => format!("Signed out of {service} and forgotten here."),
        (true, false) => format!("Signed out of {service}."),
        (false, true) if brought => format!(
            "Forgotten here. {service} still accepts it: sign out in the browser that it came from."
        ),
        (false, true) => {
            format!("Forgotten here. {service} still accepts it until it is revoked there.")
        }
        (false, false) => format!("`{name}` was not signed in."),
    });
    for place in kept_elsewhere {
        out.line(format_args!("What is in {place} is left there; remove it yourself."));
    }
    Ok(Exit::OK)
}

/// Ends the sign-in at the service; whether there was any.
async fn revoke(opener: &Opener, party: &Party<'_>) -> Result<bool, Failure> {
    let settings = match opener.settings(party.destination).await {
        Ok(settings) => settings,
        // A secret that is not there opens nothing.
        Err(error) if error.id() == safelight_config::codes::SECRET_MISSING => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let sign_in = party.sign_in()?;
    match sign_in.revoke(&settings, &party.context).await {
        Ok(()) => Ok(true),
        Err(error) => {
            let context = format!(
                "{}; the sign-in was not ended and is still kept (--offline only forgets it here)",
                error.context()
            );
            let told = Error::new(error.kind(), context).code(error.id());
            Err(told.source(error.to_string()).into())
        }
    }
}
