//! Fills in what depends on other settings: names, folders, the pools of a plan, the default job, the default safety
//! numbers.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::amazon;
use crate::codes;
use crate::env::{Env, Paths};
use crate::export;
use crate::place::{Base, tidy_root};
use crate::report::Problem;
use crate::tree::{Entry, Table, Value};

/// The default number of copies that make a file safe, where there are enough destinations for it.
const COPIES: u64 = 3;

/// Completes the tree of the config at `file` (absolute). Parts that are missing because of a mistake stay so.
pub(crate) fn complete(tree: &mut Table, file: &Path, env: &Env, base: &Base) -> Vec<Problem> {
    library_name(tree);
    state_folder(tree, file, env);
    let problems = disk_paths(tree, base);
    amazon::fill_pools(tree, base);
    default_job(tree);
    safety_numbers(tree);
    problems
}

fn library_name(tree: &mut Table) {
    let Some(library) = tree.table_mut("library") else { return };
    if library.entry("name").is_none() {
        let path: Option<PathBuf> = library.get("path");
        let last = path
            .as_deref()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned());
        let name = last.unwrap_or_else(|| "library".to_owned());
        library.entries.insert(0, ("name".to_owned(), Entry::default(Value::Text(name))));
    }
}

/// One folder per library and config file, so that two files never share a catalog by accident.
fn state_folder(tree: &mut Table, file: &Path, env: &Env) {
    if tree.entry("state").is_some() {
        return;
    }
    let name: String =
        tree.table("library").and_then(|library| library.get("name")).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let digest = hex::encode(Sha256::digest(file.as_os_str().as_encoded_bytes()));
    let folder = Paths::of(env).state.join(format!("{name}-{}", &digest[..8]));
    let place = tree.entries.iter().position(|(name, _)| name == "version").map_or(0, |at| at + 1);
    tree.entries.insert(place, ("state".to_owned(), Entry::default(Value::Path(folder))));
}

/// The path of a disk starts at the config file, or inside the volume where one is named.
fn disk_paths(tree: &mut Table, base: &Base) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(destinations) = tree.table_mut("destination") else { return problems };
    for (name, entry) in &mut destinations.entries {
        let Value::Table(table) = &mut entry.value else { continue };
        if table.get::<String>("type").as_deref() != Some("disk") {
            continue;
        }
        let Some(written) = table.get::<String>("path") else { continue };
        let span = table.span("path");
        let (value, help) = if table.entry("volume").is_some() {
            let inside = (!written.starts_with(['/', '~'])).then(|| tidy_root(&written)).flatten();
            (
                inside.map(Value::Text),
                "with `volume`, it is a folder inside the volume: no / or ~ in front",
            )
        } else {
            let path = if written.is_empty() { None } else { base.resolve(&written) };
            (path.map(Value::Path), "write the whole path, or one that starts at the config file")
        };
        let path = table.entries.iter_mut().find(|(key, _)| key == "path");
        if let (Some(value), Some((_, entry))) = (value, path) {
            entry.value = value;
        } else {
            let message = format!("`destination.{name}.path` cannot be used as a path");
            problems.push(Problem::new(codes::WRONG_VALUE, message).at(span).help(help));
        }
    }
    problems
}

fn default_job(tree: &mut Table) {
    let names = destination_names(tree).into_iter().map(|name| Entry::default(Value::Text(name)));
    let all = Entry::default(Value::List(names.collect()));
    let Some(jobs) = tree.table_mut("job") else { return };
    for (_, entry) in &mut jobs.entries {
        let Value::Table(job) = &mut entry.value else { continue };
        export::fill_path(job);
        if job.get::<String>("kind").as_deref() == Some("mirror") && job.lacks("to") {
            job.entries.insert(1, ("to".to_owned(), all.clone()));
        }
    }
}

fn safety_numbers(tree: &mut Table) {
    let count = destination_names(tree).len() as u64;
    let offsite = tree.table("destination").is_some_and(|destinations| {
        destinations.named().any(|(_, table)| table.get::<bool>("offsite") == Some(true))
    });
    let Some(safety) = tree.table_mut("safety") else { return };
    let defaults = [("copies", COPIES.min(count + 1)), ("offsite", u64::from(offsite))];
    for (place, (name, number)) in defaults.into_iter().enumerate() {
        if safety.lacks(name) {
            let place = place.min(safety.entries.len());
            safety.entries.insert(place, (name.to_owned(), Entry::default(Value::Count(number))));
        }
    }
}

/// In file order.
pub(crate) fn destination_names(tree: &Table) -> Vec<String> {
    let names = |table: &Table| table.entries.iter().map(|(name, _)| name.clone()).collect();
    tree.table("destination").map(names).unwrap_or_default()
}
