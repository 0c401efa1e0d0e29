//! One file per command.

mod about;
mod adopt;
mod auth;
mod config;
mod explain;
mod export;
mod leave;
mod log;
mod ls;
mod mirror;
mod names;
mod rebuild;
mod restore;
mod shell;
mod status;

use crate::args::Command;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Runs a command.
///
/// # Errors
/// Whatever kept it from doing its work.
pub async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Mirror(args) => mirror::run(session, &args).await,
        Command::Status(args) => status::run(session, &args).await,
        Command::Auth { what } => auth::run(session, &what).await,
        Command::Adopt { destination } => adopt::run(session, &destination).await,
        Command::Rebuild => rebuild::run(session).await,
        Command::Leave(args) => leave::run(session, &args).await,
        Command::Export(args) => export::run(session, &args).await,
        Command::Restore(args) => restore::run(session, &args).await,
        Command::Ls { path } => ls::run(session, path.as_deref()).await,
        Command::Find { patterns } => ls::find(session, &patterns).await,
        Command::Log { run, removals } => log::run(session, run, removals).await,
        Command::About => about::run(session).await,
        Command::Explain { what } => explain::run(session, &what).await,
        Command::Config { what } => config::run(session, what).await,
        Command::Completions { shell } => Ok(shell::completions(session, shell)),
        Command::Man { folder } => shell::manual(&folder),
    }
}
