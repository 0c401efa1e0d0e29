//! What the tests of this crate share: a fixed surrounding, and short ways to read a text.

#![allow(dead_code)] // each test file uses its part

use std::path::Path;

use safelight_config::{Config, Env, Report};

/// A home folder and nothing else.
pub(crate) fn env() -> Env {
    Env::new("/data", [("HOME", "/home/anna")])
}

/// Reads a text as `/data/safelight.toml`.
pub(crate) fn parse(text: &str) -> Result<Config, Report> {
    Config::parse(text, Path::new("safelight.toml"), &env())
}

/// Reads a text that must be right.
pub(crate) fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|report| panic!("{report}"))
}

/// Reads a text that must be wrong.
pub(crate) fn bad(text: &str) -> Report {
    parse(text).expect_err("the text is wrong")
}

/// The codes of a report, in its order.
pub(crate) fn codes(report: &Report) -> Vec<&'static str> {
    report.problems().iter().map(|problem| problem.code.0).collect()
}

/// A library and one disk; further settings can follow.
pub(crate) const BASE: &str = "version = 1\n[library]\npath = \"/photos\"\n[destination.disk]\ntype = \"disk\"\npath = \"/backup\"\n";

/// [`BASE`] with more lines.
pub(crate) fn with(more: &str) -> String {
    format!("{BASE}{more}")
}
