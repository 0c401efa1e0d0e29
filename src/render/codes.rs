//! The pages of all codes, wherever they come from.

use safelight_core::codes::{self, Code, Page};

use super::text::wrapped;

/// All pages.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    codes::PAGES.iter().chain(safelight_config::codes::PAGES)
}

/// The page of a code.
pub fn page(code: &str) -> Option<&'static Page> {
    pages().find(|page| page.code.0 == code)
}

/// What a code means, in a few words that go on after a colon.
pub fn title(code: Code) -> String {
    let title = page(code.0).map_or(code.0, |page| page.title);
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        // "No room left" becomes "no room left", but "I/O ..." stays.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => title.to_owned(),
    }
}

/// The last part of a code, as JSON and log lines name a reason: `not-attached`.
pub fn reason(code: Code) -> &'static str {
    code.0.rsplit('/').next().unwrap_or(code.0)
}

/// The whole page.
pub fn explain(page: &Page) -> String {
    format!("{}   [{}]\n\n{}", page.title, page.code, wrapped(page.text, "  "))
}

/// A path of the command line, harmless to show.
pub fn shown_path(path: &std::path::Path) -> String {
    safelight_core::key::printable(path.as_os_str().as_encoded_bytes())
}
