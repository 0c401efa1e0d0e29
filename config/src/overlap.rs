//! Folders inside each other and destinations that are the same place, as far as the text of the file tells.
//! Links and mounts that lead to the same disk are found when a run begins.

use std::path::{Path, PathBuf};

use crate::codes;
use crate::place::{Nesting, nesting};
use crate::report::Problem;
use crate::tree::{Table, Value};

/// Where a destination keeps its copies.
enum Place {
    Folder(PathBuf),
    /// A service, account and bucket as one text, and the folder in it.
    Service(String, PathBuf),
}

/// All overlaps of a completed tree.
pub(crate) fn check(tree: &Table) -> Vec<Problem> {
    let destinations = tree.table("destination");
    let places: Vec<(&str, &Table, Place)> = destinations
        .iter()
        .flat_map(|table| table.named())
        .filter_map(|(name, table)| Some((name, table, place(name, table)?)))
        .collect();
    let mut problems = Vec::new();
    for (at, (name, table, place)) in places.iter().enumerate() {
        for (other_name, _, other) in &places[..at] {
            problems.extend(between(name, table, place, other_name, other));
        }
    }
    let library: Option<PathBuf> = tree.table("library").and_then(|library| library.get("path"));
    if let Some(library) = library {
        against_library(tree, &library, &mut problems);
    }
    problems
}

fn place(name: &str, table: &Table) -> Option<Place> {
    let root = |setting: &str| table.get::<String>(setting).map(PathBuf::from);
    match table.get::<String>("type")?.as_str() {
        "disk" => match table.table("volume") {
            None => table.get("path").map(Place::Folder),
            Some(volume) => {
                let id: String = volume.get("id").or_else(|| volume.get("label"))?;
                Some(Place::Service(format!("volume {id}"), root("path")?))
            }
        },
        "s3" => {
            let bucket: String = table.get("bucket")?;
            let endpoint = match table.get::<String>("endpoint").as_deref() {
                Some("sandbox") => sandbox(name, table),
                url => url.unwrap_or_default().trim_end_matches('/').to_ascii_lowercase(),
            };
            Some(Place::Service(format!("s3 {endpoint} {bucket}"), root("root")?))
        }
        "opendal" => {
            let service: String = table.get("service")?;
            let options = table.table("options").map(|options| {
                let mut options: Vec<String> = options
                    .entries
                    .iter()
                    .map(|(name, entry)| format!("{name}={}", entry.value.to_toml()))
                    .collect();
                options.sort();
                options.join(" ")
            });
            Some(Place::Service(
                format!("opendal {service} {}", options.unwrap_or_default()),
                root("root")?,
            ))
        }
        "dropbox" => {
            let account = match table.get::<String>("endpoint") {
                Some(_) => sandbox(name, table),
                // The app's folder, the account behind the token, and the space in it. Which account it is
                // cannot be told by the text, but the same reference is the same account.
                None => ["app_key", "token", "access_token", "path_root"]
                    .map(|setting| {
                        table.entry(setting).map_or(String::new(), |e| e.value.to_toml())
                    })
                    .join(" "),
            };
            // Dropbox does not tell upper case from lower case.
            let root = table.get::<String>("root")?.to_lowercase();
            Some(Place::Service(format!("dropbox {account}"), root.into()))
        }
        "amazon-photos" => {
            let account = match table.get::<String>("endpoint") {
                Some(_) => sandbox(name, table),
                None => format!(
                    "{} {}",
                    table.get::<String>("country")?,
                    table.entry("account")?.value.to_toml()
                ),
            };
            // One account keeps equal bytes once, so two folders in it would be one copy.
            Some(Place::Service(format!("amazon-photos {account}"), PathBuf::new()))
        }
        _ => None,
    }
}

/// Without a folder of its own, each sandbox gets one by its destination's name.
fn sandbox(name: &str, table: &Table) -> String {
    match table.get::<PathBuf>("sandbox") {
        None => format!("sandbox of {name}"),
        Some(folder) => format!("sandbox {}", folder.display()),
    }
}

fn between(
    name: &str,
    table: &Table,
    place: &Place,
    other_name: &str,
    other: &Place,
) -> Option<Problem> {
    let how = match (place, other) {
        (Place::Folder(a), Place::Folder(b)) => nesting(a, b),
        (Place::Service(a, root_a), Place::Service(b, root_b)) if a == b => nesting(root_a, root_b),
        _ => Nesting::Apart,
    };
    let (code, message) = match how {
        Nesting::Apart => return None,
        Nesting::Same => (
            codes::DUPLICATE_DESTINATION,
            format!("the destinations `{other_name}` and `{name}` are the same place"),
        ),
        Nesting::Inside => {
            (codes::NESTED_PATHS, format!("the destination `{name}` lies inside `{other_name}`"))
        }
        Nesting::Around => {
            (codes::NESTED_PATHS, format!("the destination `{other_name}` lies inside `{name}`"))
        }
    };
    let span =
        ["path", "root", "bucket", "type"].into_iter().find_map(|setting| table.span(setting));
    let help = match table.get::<String>("type").as_deref() {
        Some("amazon-photos") => {
            "an account keeps equal files once: two folders in it are one copy"
        }
        _ => "give each a folder of its own, side by side",
    };
    Some(Problem::new(code, message).at(span).help(help))
}

fn against_library(tree: &Table, library: &Path, problems: &mut Vec<Problem>) {
    let mut compare = |folder: &Path, what: &str, span| {
        let message = match nesting(folder, library) {
            Nesting::Apart => return,
            Nesting::Same => format!("{what} is the library itself"),
            Nesting::Inside => format!("{what} lies inside the library"),
            Nesting::Around => format!("the library lies inside {what}"),
        };
        let help = "library, destinations and state need folders side by side";
        problems.push(Problem::new(codes::NESTED_PATHS, message).at(span).help(help));
    };
    // The default state folder may well lie below a library that is a whole home folder; only a folder that
    // was chosen is refused.
    if let Some(entry) = tree.entry("state")
        && let (Value::Path(state), Some(span)) = (&entry.value, entry.origin.span())
    {
        compare(state, "the state folder", Some(span));
    }
    for (name, table) in tree.table("destination").iter().flat_map(|table| table.named()) {
        for setting in ["path", "sandbox"] {
            if let Some(folder) = table.get::<PathBuf>(setting) {
                compare(&folder, &format!("the destination `{name}`"), table.span(setting));
            }
        }
    }
    let Some(state) = tree.get::<PathBuf>("state") else { return };
    for (name, table) in tree.table("destination").iter().flat_map(|table| table.named()) {
        if let Some(folder) = table.get::<PathBuf>("path")
            && nesting(&folder, &state) != Nesting::Apart
        {
            let message =
                format!("the destination `{name}` and the state folder lie inside each other");
            problems.push(Problem::new(codes::NESTED_PATHS, message).at(table.span("path")));
        }
    }
}
