//! Whatever stands in a file, it is either read or reported.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::parse;
use proptest::prelude::*;

const GOOD: &str = include_str!("../../examples/config/household.toml");

/// Pieces that are likely to change the meaning of what follows.
const PIECES: [&str; 14] = [
    "",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]]",
    "{",
    "}",
    "=",
    "\n",
    "#",
    "ü",
    "3",
    "\u{1b}[x = \"\u{202e}",
];

proptest! {
    // A failure is printed with its input; files with seeds would only gather dust.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_reported_and_never_a_panic(
        edits in prop::collection::vec((0..GOOD.len(), 0_usize..12, 0..PIECES.len()), 1..4)
    ) {
        let mut text = GOOD.to_owned();
        for (at, length, piece) in edits {
            let start = text.floor_char_boundary(at);
            let end = text.ceil_char_boundary(start + length);
            text.replace_range(start..end, PIECES[piece]);
        }
        match parse(&text) {
            Ok(config) => {
                // What was understood can be shown and is understood again.
                prop_assert_eq!(parse(&config.show(false)).unwrap().show(false), config.show(false));
                config.redacted();
            }
            Err(report) => {
                prop_assert!(!report.problems().is_empty());
                prop_assert!(report.render(false).starts_with("error: "));
                prop_assert_eq!(report.to_json().as_array().unwrap().len(), report.problems().len());
            }
        }
    }

    #[test]
    fn any_text_is_reported_and_never_a_panic(text: String) {
        prop_assert!(parse(&text).is_err_and(|report| !report.render(true).is_empty()));
    }
}
