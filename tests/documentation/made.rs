//! Parts of texts that are made from the code.

use std::fs;

/// Asserts that the part `made from {source}` of a text is `current`; writes it when asked to bless.
pub fn is_current(file: &str, source: &str, current: &str) {
    let path = crate::root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (start, end) = (format!("<!-- made from {source} -->\n"), "<!-- end -->");
    let begins = text.find(&start).expect("the mark of the beginning") + start.len();
    let ends = begins + text[begins..].find(end).expect("the mark of the end");
    let wanted = format!("\n{}\n\n", current.trim());
    if text[begins..ends] == wanted {
        return;
    }
    assert!(
        std::env::var_os("SAFELIGHT_BLESS").is_some(),
        "{file} is out of date; write it anew with SAFELIGHT_BLESS=1 cargo test --test documentation"
    );
    fs::write(&path, format!("{}{wanted}{}", &text[..begins], &text[ends..])).unwrap();
}
