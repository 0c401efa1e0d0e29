//! What ends a command early, as words for a person and an exit code.

use std::fmt;

use safelight_config::Report;
use safelight_core::codes;
use safelight_core::error::{Error, Kind};
use safelight_core::key::printable;
use safelight_core::mirror::exit_code_of;

use crate::exit::Exit;
use crate::render::codes::page;
use crate::render::text::wrapped;

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// The config is wrong.
    Config(Report),
    /// A name on the command line leads nowhere.
    Usage {
        /// What is wrong.
        message: String,
        /// What was probably meant.
        help: Option<String>,
    },
    /// Nobody is there to answer a question, and `--yes` was not given.
    Unasked {
        /// The question.
        question: String,
    },
    /// Anything else.
    Error(Error),
}

impl Failure {
    /// A failure that has no better words.
    pub fn other(context: &str, cause: &dyn fmt::Display) -> Self {
        Self::Error(Error::new(Kind::Internal, context).source(cause.to_string()))
    }

    /// The exit code for it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::CONFIG,
            Self::Usage { .. } => Exit::USAGE,
            Self::Unasked { .. } => Exit::UNASKED,
            Self::Error(error) if error.id().0.starts_with("config/") => Exit::CONFIG,
            Self::Error(error) => match (Exit(exit_code_of(error)), error.kind()) {
                (Exit::FAILED, Kind::RateLimited | Kind::Unavailable | Kind::Timeout) => {
                    Exit::LATER
                }
                (exit, _) => exit,
            },
        }
    }

    /// What happened, what it means, what to do.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Config(report) => report.render(colour),
            Self::Usage { message, help } => {
                let help = help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default();
                format!("{}: {message}{help}\n", word(colour))
            }
            Self::Unasked { question } => format!(
                "{}: nobody is here to answer: {question}\n  --yes answers it\n",
                word(colour)
            ),
            Self::Error(error) => {
                let context = printable(error.to_string().as_bytes());
                let (title, text) = match page(error.id().0) {
                    Some(page) if error.id() != codes::INTERNAL => (page.title, page.text),
                    _ => ("Something unexpected went wrong", ""),
                };
                let text = wrapped(text, "  ");
                format!("{}: {title}   [{}]\n  {context}\n{text}", word(colour), error.id())
            }
        }
    }
}

fn word(colour: bool) -> &'static str {
    if colour { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Self::Config(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_happened_what_it_means_and_what_to_do() {
        let error = Error::new(Kind::Absent, "no folder \u{1b}[31m/photos");
        let text = Failure::from(error.code(codes::LIBRARY_MISSING)).render(false);
        assert_eq!(
            text,
            "error: The library is not there   [library/missing]\n  no folder \\u{1b}[31m/photos\n  \
             The folder does not exist. Is the drive attached? Nothing was copied or removed anywhere.\n"
        );
    }
}
