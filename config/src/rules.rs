//! What is wrong although every single value is right: names that lead nowhere, folders inside each other,
//! numbers that can never be reached, combinations that destroy copies.
//!
//! A rule that needs a value which could not be read says nothing: that mistake is reported already.

use crate::amazon;
use crate::codes;
use crate::complete::destination_names;
use crate::export;
use crate::job::Propagate;
use crate::overlap;
use crate::report::Problem;
use crate::suggest::nearest;
use crate::tree::{Table, Value};
use crate::units::ByteSize;

/// Less than this, and not even one part of a large file per destination fits.
const LEAST_MEMORY: ByteSize = ByteSize(16 << 20);

/// All problems of a completed tree.
pub(crate) fn check(tree: &Table) -> Vec<Problem> {
    let mut problems = Vec::new();
    let names = destination_names(tree);
    if names.is_empty() && tree.entry("destination").is_some() {
        let help = "say where copies go: a table [destination.NAME]";
        problems.push(Problem::new(codes::MISSING_SETTING, "there is no destination").help(help));
    }
    for (name, job) in tree.table("job").iter().flat_map(|jobs| jobs.named()) {
        if job.get::<String>("kind").as_deref() == Some("mirror") {
            mirror(name, job, &names, &mut problems);
        }
        if job.get::<String>("kind").as_deref() == Some("export") {
            export::check(name, job, tree.table("destination"), &mut problems);
        }
    }
    for (name, table) in tree.table("destination").iter().flat_map(|table| table.named()) {
        match table.get::<String>("type").as_deref() {
            Some("disk") => volume(name, table, &mut problems),
            Some("s3") => s3(name, table, &mut problems),
            Some("dropbox") => dropbox(name, table, &mut problems),
            Some("amazon-photos") => amazon::check(name, table, &mut problems),
            _ => {}
        }
        pools(name, table, &mut problems);
    }
    media(tree, &mut problems);
    amazon::check_company(tree, &mut problems);
    safety(tree, names.len() as u64, &mut problems);
    problems.extend(overlap::check(tree));
    problems
}

fn mirror(name: &str, job: &Table, names: &[String], problems: &mut Vec<Problem>) {
    let unknown = |message: String, written: &str, span| {
        let known = format!("destinations in this file: {}", names.join(", "));
        let help = match nearest(written, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"? {known}"),
            None => known,
        };
        Problem::new(codes::UNKNOWN_DESTINATION, message)
            .at(span)
            .label("no [destination] has this name")
            .help(help)
    };
    let mut seen: Vec<&str> = Vec::new();
    for entry in job.items("to") {
        let Value::Text(to) = &entry.value else { continue };
        let span = entry.origin.span();
        if !names.contains(to) {
            let message = format!("job `{name}` copies to a destination that is not defined");
            problems.push(unknown(message, to, span));
        } else if seen.contains(&to.as_str()) {
            let message = format!("job `{name}` names the destination `{to}` twice");
            problems.push(Problem::new(codes::WRONG_VALUE, message).at(span));
        }
        seen.push(to);
    }
    if job.entry("to").is_some() && seen.is_empty() && !names.is_empty() {
        let message = format!("job `{name}` copies to no destination");
        problems.push(Problem::new(codes::WRONG_VALUE, message).at(job.span("to")));
    }
    let limits = job.table("limits");
    for (to, entry) in
        limits.and_then(|limits| limits.table("parallel")).iter().flat_map(|t| &t.entries)
    {
        if !names.contains(to) {
            let message = format!("job `{name}` limits a destination that is not defined");
            problems.push(unknown(message, to, entry.origin.span()));
        }
    }
    if let Some(limits) = limits
        && limits.get::<ByteSize>("memory").is_some_and(|memory| memory < LEAST_MEMORY)
    {
        let message = format!("`job.{name}.limits.memory` must be at least {LEAST_MEMORY}");
        problems.push(Problem::new(codes::WRONG_VALUE, message).at(limits.span("memory")));
    }
    if let Some(deletions) = job.table("deletions") {
        let at_once = deletions.get("propagate") == Some(Propagate::AtOnce);
        let nothing = deletions.get::<String>("keep_in").as_deref() == Some("nothing");
        if at_once && nothing && deletions.get("i_understand") != Some(true) {
            let message =
                format!("job `{name}` would destroy every copy of a deleted file at once");
            let help = "keep the trash, wait (\"after 30 days\"), or add `i_understand = true`";
            problems.push(
                Problem::new(codes::DANGEROUS, message).at(deletions.span("propagate")).help(help),
            );
        }
    }
}

fn volume(name: &str, table: &Table, problems: &mut Vec<Problem>) {
    if let Some(volume) = table.table("volume")
        && volume.lacks("id")
        && volume.lacks("label")
    {
        let message = format!("[destination.{name}.volume] has neither `id` nor `label`");
        problems.push(Problem::new(codes::MISSING_SETTING, message).at(table.span("volume")));
    }
}

fn s3(name: &str, table: &Table, problems: &mut Vec<Problem>) {
    let endpoint: Option<String> = table.get("endpoint");
    // An endpoint that could not be read may have been meant as the sandbox.
    let unclear = endpoint.is_none() && !table.lacks("endpoint");
    let sandbox = endpoint.as_deref() == Some("sandbox");
    let mut missing = |setting: &str, help: &str| {
        let message = format!("[destination.{name}] has no `{setting}`");
        problems
            .push(Problem::new(codes::MISSING_SETTING, message).at(table.span("type")).help(help));
    };
    if table.lacks("endpoint") && table.lacks("region") {
        missing("region", "Amazon needs it; another service needs its `endpoint`");
    }
    for key in ["access_key_id", "secret_access_key"] {
        if !sandbox && !unclear && table.lacks(key) {
            missing(key, crate::references::HELP);
        }
    }
    if !sandbox && !unclear {
        no_sandbox_folder(name, table, problems);
    }
}

fn dropbox(name: &str, table: &Table, problems: &mut Vec<Problem>) {
    if table.entry("token").is_some() && table.entry("access_token").is_some() {
        let message = format!("[destination.{name}] has both `token` and `access_token`");
        let help = "`token` lasts; `access_token` is for a few hours without it";
        let span = table.span("access_token");
        problems.push(Problem::new(codes::WRONG_VALUE, message).at(span).help(help));
    }
    let sandbox = table.get::<String>("endpoint").is_some();
    // An endpoint that could not be read may have been meant as the sandbox.
    let unclear = table.entry("endpoint").is_none() && !table.lacks("endpoint");
    if sandbox || unclear {
        return;
    }
    let mut missing = |setting: &str, help: &str| {
        let message = format!("[destination.{name}] has no `{setting}`");
        problems
            .push(Problem::new(codes::MISSING_SETTING, message).at(table.span("type")).help(help));
    };
    if table.lacks("app_key") {
        missing("app_key", "the key of an app of yours: https://www.dropbox.com/developers/apps");
    }
    if table.lacks("token") && table.lacks("access_token") {
        let help = format!(
            "token = \"keyring:{name}\" or token = \"file:PATH\"; then: safelight auth login {name}"
        );
        missing("token", &help);
    }
    no_sandbox_folder(name, table, problems);
}

/// `sandbox` without one.
pub(crate) fn no_sandbox_folder(name: &str, table: &Table, problems: &mut Vec<Problem>) {
    if table.entry("sandbox").is_some() {
        let message = format!("`destination.{name}.sandbox` has no meaning here");
        let help = "it belongs to endpoint = \"sandbox\"";
        problems
            .push(Problem::new(codes::WRONG_VALUE, message).at(table.span("sandbox")).help(help));
    }
}

fn pools(name: &str, table: &Table, problems: &mut Vec<Problem>) {
    let mut seen: Vec<String> = Vec::new();
    for pool in table.items("pool").iter().filter_map(|entry| entry.table()) {
        if pool.entry("counts").is_some() && pool.items("counts").is_empty() {
            let message = format!("a pool of `{name}` counts nothing");
            problems.push(Problem::new(codes::WRONG_VALUE, message).at(pool.span("counts")));
        }
        for entry in pool.items("counts") {
            let Value::Text(class) = &entry.value else { continue };
            if seen.contains(class) {
                let message = format!("`{class}` counts against two pools of `{name}`");
                problems.push(Problem::new(codes::POOL_OVERLAP, message).at(entry.origin.span()));
            }
            seen.push(class.clone());
        }
    }
}

fn media(tree: &Table, problems: &mut Vec<Problem>) {
    let mut seen: Vec<String> = Vec::new();
    let media = tree.table("library").and_then(|library| library.table("media"));
    for (_, class) in media.iter().flat_map(|media| media.named()) {
        for entry in class.items("add") {
            let Value::Text(ending) = &entry.value else { continue };
            let ending = ending.trim_start_matches('.').to_ascii_lowercase();
            if seen.contains(&ending) {
                let message = format!("the ending `{ending}` is added twice");
                problems.push(Problem::new(codes::WRONG_VALUE, message).at(entry.origin.span()));
            }
            seen.push(ending);
        }
    }
}

fn safety(tree: &Table, destinations: u64, problems: &mut Vec<Problem>) {
    let Some(safety) = tree.table("safety") else { return };
    if destinations > 0
        && safety.get::<u64>("copies").is_some_and(|copies| copies > destinations + 1)
    {
        let message = "`safety.copies` asks for more copies than there can be";
        let help =
            format!("the library and the destinations are {} copies at most", destinations + 1);
        problems
            .push(Problem::new(codes::NEVER_SAFE, message).at(safety.span("copies")).help(help));
    }
    let away = tree.table("destination").map_or(0, |table| {
        table.named().filter(|(_, table)| table.get("offsite") == Some(true)).count() as u64
    });
    if safety.get::<u64>("offsite").is_some_and(|offsite| offsite > away) {
        let message = "`safety.offsite` asks for more off-site copies than there can be";
        let help = format!("destinations with `offsite = true` in this file: {away}");
        problems
            .push(Problem::new(codes::NEVER_SAFE, message).at(safety.span("offsite")).help(help));
    }
}
