//! The typed settings of `[job.NAME]` with `kind = "export"`, and what must not stand in it together.

use std::ops::Range;

use safelight_core::class::MediaClass;
use safelight_core::template::{BadTemplate, Template};

use crate::codes;
use crate::report::Problem;
use crate::suggest::nearest;
use crate::tree::{Entry, Table, Value};

/// What stands for the day on which an export began.
pub const TODAY: &str = "{today}";

/// One export job: everything of a service to other places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The NAME of `[job.NAME]`.
    pub name: String,
    /// The destination that is left.
    pub from: String,
    /// Destinations to which it goes; perhaps none, then the command line has to name a folder.
    pub to: Vec<String>,
    /// The folder inside each of them; [`TODAY`] is not filled in yet.
    pub path: String,
    /// Only these classes; all if empty.
    pub include: Vec<MediaClass>,
    /// Folders and names; the service's own without.
    pub layout: Option<Template>,
    /// How albums are written down.
    pub albums: Albums,
    /// Also what is proven elsewhere.
    pub everything: bool,
    /// A bag rather than a plain folder.
    pub bag: bool,
}

/// How albums are written down besides the JSON and the sidecars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Albums {
    /// Not.
    Sidecar,
    /// As lists.
    Lists,
    /// As lists and as folders of links.
    Links,
}

/// The folder of an export that says nothing else.
pub fn usual_path(from: &str) -> String {
    format!("Leaving {from} {TODAY}")
}

/// None: a job of another kind.
pub(crate) fn read(name: &str, table: &Table) -> Option<Export> {
    let text = |name: &str| table.get::<String>(name).unwrap_or_default();
    if text("kind") != "export" {
        return None;
    }
    let include = table.list::<String>("include");
    Some(Export {
        name: name.to_owned(),
        from: text("from"),
        to: table.list("to"),
        path: text("path"),
        include: include.iter().filter_map(|word| word.parse().ok()).collect(),
        layout: table.get::<String>("layout").and_then(|text| Template::parse(&text).ok()),
        albums: match text("albums").as_str() {
            "links" => Albums::Links,
            "lists" => Albums::Lists,
            _ => Albums::Sidecar,
        },
        everything: table.get("skip_if_library_has") == Some(false),
        bag: table.get("bag").unwrap_or(true),
    })
}

/// The folder goes by the name of the service.
pub(crate) fn fill_path(job: &mut Table) {
    if job.get::<String>("kind").as_deref() != Some("export") || !job.lacks("path") {
        return;
    }
    if let Some(from) = job.get::<String>("from") {
        let path = Entry::default(Value::Text(usual_path(&from)));
        let place = job.entries.iter().position(|(name, _)| name == "include");
        let place = place.unwrap_or(job.entries.len().min(2));
        job.entries.insert(place, ("path".to_owned(), path));
    }
}

/// What is wrong with an export job although each value is right.
pub(crate) fn check(
    name: &str,
    job: &Table,
    destinations: Option<&Table>,
    problems: &mut Vec<Problem>,
) {
    let tables: Vec<(&str, &Table)> = destinations.iter().flat_map(|table| table.named()).collect();
    let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    let unknown = |written: &str, what: &str, span| {
        let known = format!("destinations in this file: {}", names.join(", "));
        let help = match nearest(written, names.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"? {known}"),
            None => known,
        };
        let message = format!("job `{name}` {what} a destination that is not defined");
        Problem::new(codes::UNKNOWN_DESTINATION, message)
            .at(span)
            .label("no [destination] has this name")
            .help(help)
    };
    let wrong = |message: String, span| Problem::new(codes::WRONG_VALUE, message).at(span);
    let from: Option<String> = job.get("from");
    if let Some(from) = from.as_deref().filter(|from| !names.contains(from)) {
        problems.push(unknown(from, "takes everything out of", job.span("from")));
    }
    let mut seen: Vec<&str> = Vec::new();
    for entry in job.items("to") {
        let Value::Text(to) = &entry.value else { continue };
        let span = entry.origin.span();
        match tables.iter().find(|(name, _)| name == to) {
            None => problems.push(unknown(to, "copies to", span)),
            Some(_) if from.as_ref() == Some(to) => {
                problems.push(wrong(format!("job `{name}` copies `{to}` to itself"), span));
            }
            Some((_, table)) if table.get::<String>("type").as_deref() == Some("amazon-photos") => {
                let message =
                    format!("`{to}` cannot hold an export: Amazon Photos keeps equal files once");
                problems.push(wrong(message, span).help("name a disk, Dropbox or a bucket"));
            }
            Some(_) if seen.contains(&to.as_str()) => {
                let message = format!("job `{name}` names the destination `{to}` twice");
                problems.push(wrong(message, span));
            }
            Some(_) => seen.push(to),
        }
    }
    if let Some(text) = job.get::<String>("layout")
        && let Err(bad) = Template::parse(&text)
    {
        let span = job.span("layout").map(|span| inside(&span, &text, &bad));
        let message = format!("`job.{name}.layout`: {}", bad.why);
        problems.push(wrong(message, span).help("for example \"{taken:%Y}/{taken:%m}/{name}\""));
    }
    if let Some(Value::Size(_)) = job.entry("split").map(|entry| &entry.value) {
        let message = format!("`job.{name}.split` with a size is not available yet");
        let problem = Problem::new(codes::NOT_AVAILABLE_YET, message).at(job.span("split"));
        problems.push(problem.help("write \"none\", or leave it out"));
    }
}

/// The wrong part of a text in quotes; all of it where the text has escapes, so that its letters are elsewhere.
fn inside(span: &Range<usize>, text: &str, bad: &BadTemplate) -> Range<usize> {
    if span.len() == text.len() + 2 {
        span.start + 1 + bad.at.start..span.start + 1 + bad.at.end
    } else {
        span.clone()
    }
}
