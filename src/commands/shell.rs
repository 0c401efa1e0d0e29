//! `safelight completions` and `safelight man`: made from the definitions of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Prints a completion script.
pub fn completions(session: &Session, shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "safelight", &mut script);
    session.out.bytes(&script);
    Exit::OK
}

/// Writes one manual page per command into `folder`.
pub fn manual(folder: &Path) -> Result<Exit, Failure> {
    let context = format!("writing manual pages into {}", folder.display());
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| safelight_core::error::Error::io(error, context))?;
    Ok(Exit::OK)
}
