//! `safelight auth`: sign in to a service, see or end a sign-in.
//!
//! What a service wants to be asked is its provider's ([`SignIn`]); the conversation with the person, and keeping
//! the secret, is here. Invariants: no secret is ever printed; it is kept where the config or `--store` says, and
//! nowhere else.

mod browser;
mod callback;
mod login;
mod logout;
mod place;
mod status;

use std::sync::Arc;

use safelight_config::{Config, Destination};
use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::key::printable;
use safelight_core::provider::{PoolUsage, Room};
use safelight_core::registry::{Context, Factory};
use safelight_core::sign_in::SignIn;

use super::names;
use crate::args::AuthCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::text::size;
use crate::session::Session;
use crate::wiring::{Opener, without_secrets};

/// Does what was asked for.
pub async fn run(session: &Session, what: &AuthCommand) -> Result<Exit, Failure> {
    match what {
        AuthCommand::Login(args) => login::run(session, args).await,
        AuthCommand::Status => status::run(session).await,
        AuthCommand::Logout { destination } => logout::run(session, destination).await,
    }
}

/// A destination to whose service people sign in.
struct Party<'a> {
    destination: &'a Destination,
    factory: Arc<dyn Factory>,
    context: Context,
}

impl<'a> Party<'a> {
    /// The destination of this name, if signing in means anything there.
    fn named(opener: &Opener, config: &'a Config, name: &str) -> Result<Self, Failure> {
        let destination = names::destination(config, name)?;
        let Some(factory) = opener.signs_in(destination)? else {
            let why = if destination.storage.is_sandbox() {
                "its service is a sandbox inside the program".to_owned()
            } else {
                format!("it is of type \"{}\"", destination.storage.kind())
            };
            let message = format!("nobody signs in to `{name}`");
            return Err(Failure::Usage { message, help: Some(why) });
        };
        Ok(Self { destination, factory, context: opener.context(&destination.name) })
    }

    fn sign_in(&self) -> CoreResult<&dyn SignIn> {
        let without = || Error::new(Kind::Internal, "a provider without sign-in");
        self.factory.sign_in().ok_or_else(without)
    }

    /// Whether a person brings the sign-in as it is, because the service has no page that asks.
    fn is_brought(&self) -> CoreResult<bool> {
        Ok(self.sign_in()?.page(&without_secrets(self.destination), None)?.is_none())
    }
}

/// `812 GB of 2.0 TB free`, for the first pool that has an end.
fn room(pools: &[PoolUsage]) -> Option<String> {
    pools.iter().find_map(|pool| match pool.room {
        Room::Limited { used, total } => {
            Some(format!("{} of {} free", size(total.saturating_sub(used)), size(total)))
        }
        Room::Unlimited | Room::Unknown => None,
    })
}

/// Words of a service, harmless to show.
fn shown(text: &str) -> String {
    printable(text.as_bytes())
}

/// Work that blocks, off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> CoreResult<T> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Failure::other("keeping the secret", &error))??)
}
