//! The program: arguments in, exit code out. Everything that decides lives in the other crates; here they are
//! put together, and what they answer is shown.
//!
//! Where to look: `args` is the command line, `commands` has one file per command, `wiring` makes jobs and
//! providers of the config, `progress` shows a run while it goes, `render` turns answers into text, `exit` is the
//! table of exit codes.
//!
//! Invariant: results go to stdout, talk to stderr, both only through `output`; no name from a file system
//! or a service gets there unescaped.

// Texts here are short, and `write!` into a string would only add a result that cannot fail.
#![allow(clippy::format_push_string)]

mod args;
mod commands;
mod exit;
mod failure;
mod input;
mod logging;
mod machine;
mod open_catalog;
mod output;
mod progress;
mod render;
mod session;
mod stop;
mod wiring;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// How long threads that still read or wait may take at the end.
const SHUTDOWN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) => asked.exit(),
    };
    let out = Output::new(cli.global.colour, cli.global.quiet);
    logging::start(&cli.global, &out);
    let exit = start(cli, &out).unwrap_or_else(|failure| {
        out.problem(&failure.render(out.colours_talk()));
        failure.exit()
    });
    out.finish(exit).into()
}

fn start(cli: Cli, out: &std::sync::Arc<Output>) -> Result<Exit, Failure> {
    let session = Session::new(cli.global, out)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other("cannot start", &error))?;
    let done = runtime.block_on(commands::run(&session, cli.command));
    // A program that was asked for a secret and does not answer must not hold up an interruption.
    runtime.shutdown_timeout(SHUTDOWN);
    done
}
