//! A checked config as text: with every default filled in, or with everything private masked.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use crate::tree::{Entry, Origin, Table, Value};

/// What stands in place of a masked value.
const MASK: &str = "\"***\"";

/// How to write a tree.
pub(crate) enum Style<'a> {
    /// Everything, defaults too; with the file's name, each value says where it came from.
    Effective { origins_in: Option<&'a str> },
    /// Only what the file says, without remarks; secrets, accounts, hosts and the user's name masked.
    Redacted { home: Option<&'a Path> },
}

/// Writes the tree as a config file.
pub(crate) fn write(tree: &Table, style: &Style<'_>) -> String {
    let mut text = String::new();
    table(tree, "", false, style, &mut text);
    text
}

fn table(table: &Table, path: &str, masked: bool, style: &Style<'_>, text: &mut String) {
    let (deep, flat): (Vec<_>, Vec<_>) = table
        .entries
        .iter()
        .filter(|(_, entry)| wanted(entry, style))
        .partition(|(_, entry)| is_deep(entry));
    for (name, entry) in flat {
        let shown = value(entry, masked, style);
        let _ = writeln!(text, "{name} = {shown}{}", remark(entry, style));
    }
    for (name, entry) in deep {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let masked = masked || entry.private;
        match &entry.value {
            Value::Table(inner) => section(inner, &format!("[{path}]"), &path, masked, style, text),
            Value::List(entries) => {
                for inner in entries.iter().filter_map(Entry::table) {
                    section(inner, &format!("[[{path}]]"), &path, masked, style, text);
                }
            }
            _ => {}
        }
    }
}

fn section(
    inner: &Table,
    header: &str,
    path: &str,
    masked: bool,
    style: &Style<'_>,
    text: &mut String,
) {
    // Tables that only hold tables need no header of their own.
    if inner.entries.iter().any(|(_, entry)| wanted(entry, style) && !is_deep(entry)) {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{header}");
    }
    table(inner, path, masked, style, text);
}

fn is_deep(entry: &Entry) -> bool {
    match &entry.value {
        Value::Table(_) => true,
        Value::List(entries) => entries.iter().any(|entry| entry.table().is_some()),
        _ => false,
    }
}

fn wanted(entry: &Entry, style: &Style<'_>) -> bool {
    match style {
        Style::Effective { .. } => true,
        Style::Redacted { .. } => entry.origin != Origin::Default,
    }
}

fn remark(entry: &Entry, style: &Style<'_>) -> String {
    match (style, &entry.origin) {
        (Style::Effective { origins_in: Some(file) }, Origin::File { line, .. }) => {
            format!("   # {file}:{line}")
        }
        (Style::Effective { origins_in: Some(_) }, Origin::Default) => "   # default".to_owned(),
        _ => String::new(),
    }
}

fn value(entry: &Entry, masked: bool, style: &Style<'_>) -> String {
    let Style::Redacted { home } = style else { return entry.value.to_toml() };
    match &entry.value {
        Value::Secret(_) => MASK.to_owned(),
        // The word tells about no account, and without it the rest is hard to understand.
        Value::Text(text) if text == "sandbox" => entry.value.to_toml(),
        _ if masked || entry.private => MASK.to_owned(),
        Value::Path(path) => {
            let below_home = home.and_then(|home| path.strip_prefix(home).ok());
            let path = below_home.map_or_else(|| path.clone(), |below| Path::new("~").join(below));
            nameless(&Value::Path(path).to_toml(), *home)
        }
        other => nameless(&other.to_toml(), *home),
    }
}

/// Replaces the user's name in whatever looks like a path.
fn nameless(shown: &str, home: Option<&Path>) -> String {
    let user = home.and_then(Path::file_name).and_then(OsStr::to_str);
    match user {
        Some(user) if shown.contains('/') => shown.replace(user, "USER"),
        _ => shown.to_owned(),
    }
}
