//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use safelight_config::units::{ByteSize, Rate, parse_duration};
use safelight_core::template::Template;

/// Keeps one photo library safe in several places at once, and proves it.
#[derive(Debug, Parser)]
#[command(name = "safelight", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done, 2 usage, 3 something needs you, 5 try later, 6 config, 7 sign-in, \
                        8 stopped for safety, 9 locked, 10 limit reached, 130 interrupted, 1 anything else."
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools)] // flags are what they are
pub struct Global {
    /// Config file to use [env: SAFELIGHT_CONFIG]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more on stderr; twice: even more [env: SAFELIGHT_LOG for a filter]
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Only problems on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Colour; auto: only on a terminal [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(
        long = "color",
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = false
    )]
    pub colour: Colour,
    /// How a run shows its progress; auto: bars on a terminal, plain lines otherwise
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "SAFELIGHT_PROGRESS",
        value_name = "HOW"
    )]
    pub progress: ProgressKind,
    /// One JSON document, or JSON Lines for a run
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer yes to questions
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Use the catalog only, contact nothing
    #[arg(long, global = true)]
    pub offline: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// Only on a terminal.
    #[default]
    Auto,
    /// Also in files and pipes.
    Always,
    /// Never.
    Never,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressKind {
    /// Bars on a terminal, plain lines otherwise.
    #[default]
    Auto,
    /// Bars.
    Bar,
    /// A line for each change, and one a minute.
    Plain,
    /// Not at all.
    None,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Copy what is new to every destination
    Mirror(MirrorArgs),
    /// Are my photos safe?
    Status(StatusArgs),
    /// Sign in to a service, see or end a sign-in
    Auth {
        /// What to do
        #[command(subcommand)]
        what: AuthCommand,
    },
    /// Take over a destination that already holds files, without changing any
    Adopt {
        /// The destination's name in the config
        destination: String,
    },
    /// Begin a new catalog from the library and the destinations, after the old one was lost
    #[command(
        after_help = "Compares what every destination holds with the library, as `adopt` does, and records equal files as \
                      copies. Nothing is changed there. An old catalog is kept under another name. What stands in a \
                      destination's trash is not taken over, and stays there."
    )]
    Rebuild,
    /// Is it safe to cancel this service?
    #[command(
        after_help = "Lists everything that the service holds, compares it with the library, the other destinations and \
                      earlier exports, and exits with 0 only if every file is proven elsewhere; else with 3. Nothing is \
                      changed anywhere."
    )]
    Leave(LeaveArgs),
    /// Take everything out of a service, with proof
    #[command(
        after_help = "By default only what is proven nowhere else is fetched. The same command again goes on where it was \
                      cut off, or finds nothing to fetch. Files are only added at the targets, and nothing is removed at \
                      the service."
    )]
    Export(ExportArgs),
    /// Bring files back from a destination
    #[command(
        after_help = "Files come in the library's own layout and are compared with the hash that was recorded. Nothing that \
                      stands in the folder is overwritten: what is the same is left, what is not is named, with exit \
                      code 3."
    )]
    Restore(RestoreArgs),
    /// What is where
    Ls {
        /// A file or folder of the library; all of it if left out
        path: Option<PathBuf>,
    },
    /// Files whose path matches a pattern, and where they are
    Find {
        /// Patterns in gitignore syntax: "*.mov", "2019/**"
        #[arg(required = true, value_name = "GLOB")]
        patterns: Vec<String>,
    },
    /// Past runs, or one run
    Log {
        /// The run's number
        run: Option<i64>,
        /// Which copies would be removed because their files are gone from the library
        #[arg(long)]
        removals: bool,
    },
    /// Room left, per destination and per kind of file
    About,
    /// What a code means and what to do; or everything about one file of the library
    Explain {
        /// A code such as library/missing, or a path
        #[arg(value_name = "CODE | PATH")]
        what: PathBuf,
    },
    /// Look at the config
    Config {
        /// What to show
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Man {
        /// The folder
        folder: PathBuf,
    },
}

/// What to do about sign-ins.
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    /// Sign in to a destination's service, in a browser or with a code
    #[command(
        after_help = "Opens a browser and waits for its answer on this machine. Where there is no browser, --paste \
                      prints an address to open anywhere and asks for the code that is shown there.\n\n\
                      Amazon Photos has no such page: there you bring the cookies of a browser that is signed in, \
                      pasted or with --token-stdin < cookies.txt.\n\n\
                      The sign-in is kept where the config says (`token = \"keyring:NAME\"` or \"file:PATH\"; at Amazon \
                      Photos `account`), and nowhere else unless --store is given."
    )]
    Login(LoginArgs),
    /// Every destination: who is signed in, until when, where the secret is kept
    #[command(
        after_help = "Asks every service; with --offline only whether a sign-in is kept. Exits with 7 when a destination \
                      that a job copies to is not signed in."
    )]
    Status,
    /// End a sign-in at the service, then forget it here
    #[command(
        after_help = "If the service cannot be reached, nothing is forgotten. With --offline it is not asked, and the \
                      sign-in is only forgotten here."
    )]
    Logout {
        /// The destination's name in the config
        destination: String,
    },
}

/// Arguments of `auth login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// The destination's name in the config
    pub destination: String,
    /// Print an address and ask for the code that is shown there: for machines without a browser
    #[arg(long)]
    pub paste: bool,
    /// Read a refresh token, or cookies, from stdin instead of asking anybody
    #[arg(long, conflicts_with_all = ["paste", "no_browser"])]
    pub token_stdin: bool,
    /// Only print the address, open no browser
    #[arg(long)]
    pub no_browser: bool,
    /// Keep the sign-in there, wherever the config points
    #[arg(long, value_enum, value_name = "WHERE")]
    pub store: Option<Store>,
}

/// Where a sign-in is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// In the system's keyring.
    Keyring,
    /// In a file that only the user can read.
    File,
}

/// What to show of the config.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Is it right?
    Check,
    /// Every setting with its value, defaults included
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// A JSON Schema for editors
    Schema,
    /// A copy that can be shown to strangers
    Redacted,
    /// Where config, state and log files are
    Path,
}

/// Arguments of `mirror`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // flags are what they are
pub struct MirrorArgs {
    /// Mirror jobs of the config; all if left out
    #[arg(value_name = "JOB")]
    pub jobs: Vec<String>,
    /// Only to this destination; may be repeated
    #[arg(long, value_name = "DESTINATION")]
    pub to: Vec<String>,
    /// Only files that match, in gitignore syntax; may be repeated [config: job.NAME.only]
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Change nothing anywhere, say what would be done
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// With --dry-run: name every file
    #[arg(long, requires = "dry_run")]
    pub list: bool,
    /// End after this long: "2 hours", 90m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_duration: Option<Duration>,
    /// End after so much was sent: "20 GB"
    #[arg(long, value_name = "SIZE")]
    pub max_transfer: Option<ByteSize>,
    /// Send no faster: "2 MB/s"; disks are not limited [config: job.NAME.limits.bandwidth]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub bandwidth: Option<Rate>,
    /// Carry out the removals that made the guard stop this run
    #[arg(long, value_name = "RUN", conflicts_with = "keep_deleted")]
    pub accept_deletions: Option<i64>,
    /// Leave the copies of deleted files alone in this run
    #[arg(long)]
    pub keep_deleted: bool,
    /// Send the changed files that made the guard stop this run
    #[arg(long, value_name = "RUN")]
    pub accept_changes: Option<i64>,
    /// Read every file again instead of trusting size and date
    #[arg(long)]
    pub full_scan: bool,
}

/// Arguments of `leave`.
#[derive(Debug, Args)]
pub struct LeaveArgs {
    /// The destination's name in the config
    pub destination: String,
    /// Write a page to keep: one row for each file, with its hash and where else it is
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Also ask about what is in the trash there
    #[arg(long)]
    pub trash: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // flags are what they are
pub struct ExportArgs {
    /// An export job of the config, or the destination that is to be left
    #[arg(value_name = "JOB | DESTINATION")]
    pub what: String,
    /// Into this folder, empty or from the same export; may be repeated [config: job.NAME.to]
    #[arg(long, value_name = "DIR")]
    pub to: Vec<PathBuf>,
    /// Also what is proven elsewhere [config: job.NAME.skip_if_library_has]
    #[arg(long)]
    pub everything: bool,
    /// Folders and names: "{taken:%Y}/{taken:%m}/{name}" [config: job.NAME.layout]
    #[arg(long, value_name = "TEMPLATE", value_parser = layout)]
    pub layout: Option<Template>,
    /// A plain folder instead of a BagIt bag [config: job.NAME.bag]
    #[arg(long)]
    pub plain: bool,
    /// How albums are written down besides JSON and XMP [config: job.NAME.albums]
    #[arg(long, value_enum, value_name = "FORM")]
    pub albums: Option<AlbumForm>,
    /// Also what is in the trash there
    #[arg(long)]
    pub trash: bool,
    /// Change nothing anywhere, say what would be done
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// With --dry-run: name every file
    #[arg(long, requires = "dry_run")]
    pub list: bool,
    /// Go on where an earlier run ended; that is always done
    #[arg(long)]
    pub resume: bool,
    /// End after this long: "2 hours", 90m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_duration: Option<Duration>,
    /// End after so much was stored: "20 GB"
    #[arg(long, value_name = "SIZE")]
    pub max_transfer: Option<ByteSize>,
    /// Fetch no faster: "2 MB/s"
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub bandwidth: Option<Rate>,
    /// Begin although a target says that it is too small
    #[arg(long)]
    pub despite_room: bool,
}

/// How albums are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AlbumForm {
    /// Only as JSON and in the XMP sidecars.
    Sidecar,
    /// Also as .m3u8 lists.
    Lists,
    /// Also as lists, and as folders with links to the files.
    Links,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Files or folders of the library; all of it if left out
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The destination to bring them back from
    #[arg(long, value_name = "DESTINATION")]
    pub from: String,
    /// The folder they go to; it is made if only its last part is missing
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Change nothing, say what would be done
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// With --dry-run: name every file
    #[arg(long, requires = "dry_run")]
    pub list: bool,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Exit with 3 also while something only waits
    #[arg(long)]
    pub strict: bool,
    /// Name the files with fewer copies than this, the library being one
    #[arg(long, value_name = "N")]
    pub fewer_than: Option<u32>,
    /// Only files at or below this path
    #[arg(long, requires = "fewer_than")]
    pub path: Option<PathBuf>,
    /// End names with a zero byte, for scripts
    #[arg(long, requires = "fewer_than")]
    pub print0: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

fn layout(text: &str) -> Result<Template, String> {
    Template::parse(text).map_err(|error| error.to_string())
}

fn rate(text: &str) -> Result<Rate, String> {
    match text.parse() {
        Ok(Rate(ByteSize(0))) => Err("nothing would ever arrive".to_owned()),
        other => other.map_err(|error: safelight_config::units::BadUnit| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }
}
