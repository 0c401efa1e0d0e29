//! The summary of a run.

use safelight_core::catalog::Problem;
use safelight_core::codes::{self, Code};
use safelight_core::key::printable;
use safelight_core::mirror::{DestinationReport, DestinationState, RunReport};

use super::codes::title;
use super::sign_in::remedy_for;
use super::table::{Cell, Table, left, loose, right};
use super::text::{count, files, plural, size, span};

/// Most problems that are named; the rest is in the log.
const NAMED: usize = 20;
/// Shorter than this, size and time of a run say nothing.
const WORTH_TELLING_SECONDS: u64 = 10;

/// Everything but the sentences about copies: head, destinations, problems.
pub fn summary(report: &RunReport) -> String {
    let mut text = head_and_destinations(report);
    let (notes, problems): (Vec<_>, Vec<_>) =
        report.problems.iter().partition(|problem| codes::is_note(problem.code));
    let all: u64 = report.problem_counts.values().sum();
    let real = report.real_problems();
    text += &block("problem", real, &problems, report);
    text += &block("note", all - real, &notes, report);
    text
}

/// The last line, if there is something to look up.
pub fn pointer(report: &RunReport) -> Option<String> {
    let did = |one: &DestinationReport| {
        one.copied.files + one.failed + one.trashed + one.purged + one.skipped > 0
            || !matches!(one.state, DestinationState::Done)
    };
    let worth = report.destinations.iter().any(did)
        || !report.problem_counts.is_empty()
        || !report.guards.is_empty()
        || report.cut.is_some();
    worth.then(|| format!("Run {0}. Details: safelight log {0}", report.run.0))
}

/// What puts right the destinations that refused the sign-in; `sign_in` are those that somebody can sign in to.
pub fn fixes(report: &RunReport, sign_in: &[String]) -> Option<String> {
    let fix = |one: &DestinationReport| match &one.state {
        DestinationState::Stopped(error) if sign_in.contains(&one.name) => {
            remedy_for(&one.name, error).map(|command| format!("fix: {command}\n"))
        }
        _ => None,
    };
    let fixes: String = report.destinations.iter().filter_map(fix).collect();
    (!fixes.is_empty()).then_some(fixes)
}

/// How often the library was read for what it had to be read for.
pub fn reading(report: &RunReport) -> Option<String> {
    report.read_amplification().map(|times| {
        format!(
            "Read {} for {} that had to be read (read amplification {times:.2}), sent {} in {:.1} s.",
            size(report.bytes_read),
            size(report.bytes_needed),
            size(report.bytes_sent),
            report.took.as_secs_f64(),
        )
    })
}

/// The first line of a run.
pub fn head(report: &RunReport) -> String {
    let waits = report.destinations.iter().any(|one| one.skipped > 0);
    let new = match report.new.files {
        0 if waits => "nothing new that could be sent now".to_owned(),
        0 => "nothing new".to_owned(),
        new => format!("{} new ({})", count(new), size(report.new.bytes)),
    };
    format!("{} in the library, {new}", files(report.files.files))
}

fn head_and_destinations(report: &RunReport) -> String {
    let name_width = report
        .destinations
        .iter()
        .map(|one| one.name.chars().count())
        .chain([report.job.chars().count()])
        .max()
        .unwrap_or(0);
    let mut text = format!("{:<name_width$}   {}\n", report.job, head(report));
    let mut table = Table::default();
    for one in report.destinations.iter().filter(|one| is_worth_a_line(one, report)) {
        let name = left(format!("{:<name_width$}", one.name));
        table.row([name].into_iter().chain(cells(one, report)));
    }
    text += &table.render("   ");
    if report.cut == Some(codes::LIMIT_REACHED) {
        text += "The limit for this run was reached; the rest goes with the next run.\n";
    }
    text
}

fn is_worth_a_line(one: &DestinationReport, report: &RunReport) -> bool {
    report.new.files > 0
        || !matches!(one.state, DestinationState::Done)
        || one.copied.files + one.failed + one.trashed + one.purged + one.skipped > 0
}

fn cells(one: &DestinationReport, report: &RunReport) -> Vec<Cell> {
    let mut parts = Vec::new();
    let mut add = |number: u64, words: &str| {
        if number > 0 {
            parts.push(format!("{} {words}", count(number)));
        }
    };
    add(one.moved, "of them moved there without sending");
    add(one.recognised, "of them already there");
    add(
        one.does_not_fit.files,
        if one.does_not_fit.files == 1 { "does not fit" } else { "do not fit" },
    );
    for (code, amount) in &one.held {
        add(amount.files, &format!("held back: {}", title(*code)));
    }
    add(one.suspect, "held back: looks damaged in the library");
    if one.failed > 0 {
        parts.push(plural(one.failed, "problem"));
    }
    match &one.state {
        DestinationState::Done => {
            let left_over = |n: u64| format!("{} left for the next run", count(n));
            parts.extend((one.skipped > 0).then(|| left_over(one.skipped)));
        }
        DestinationState::Waiting { code, .. } => parts.push(format!("waiting: {}", title(*code))),
        DestinationState::Stopped(error) => parts.push(format!(
            "stopped: {} ({})   [{}]",
            title(error.id()),
            printable(error.to_string().as_bytes()),
            error.id()
        )),
    }
    let mut removed = |number: u64, words: &str| {
        if number > 0 {
            parts.push(format!("{} {words}", count(number)));
        }
    };
    removed(one.trashed, "put into its trash");
    removed(one.purged, "purged from its trash and old versions");
    if report.took.as_secs() >= WORTH_TELLING_SECONDS && one.copied.files > 0 {
        parts.push(format!("{} in {}", size(one.copied.bytes), span(report.took)));
    }
    let took_part = matches!(one.state, DestinationState::Done) || one.copied.files > 0;
    let copied =
        if took_part { format!("{} copied", count(one.copied.files)) } else { String::new() };
    if copied.is_empty() {
        vec![loose(parts.join("   "))]
    } else {
        vec![right(copied), loose(parts.join("   "))]
    }
}

fn block(word: &str, number: u64, problems: &[&Problem], report: &RunReport) -> String {
    if number == 0 {
        return String::new();
    }
    let mut text = format!("\n{}\n", plural(number, word));
    for problem in problems.iter().take(NAMED) {
        text += &format!("  {}\n", line(problem));
    }
    let shown = problems.len().min(NAMED) as u64;
    if number > shown {
        text += &format!("  and {} more: safelight log {}\n", count(number - shown), report.run.0);
    }
    text
}

/// One problem: what, where to, why, and the code to look up.
pub fn line(problem: &Problem) -> String {
    let what = match (&problem.key, &problem.destination) {
        (Some(key), Some(destination)) => format!("{key} -> {destination}   "),
        (Some(key), None) => format!("{key}   "),
        (None, Some(destination)) => format!("{destination}   "),
        (None, None) => String::new(),
    };
    format!("{what}{}   [{}]", reason(problem.code, &problem.message), problem.code)
}

fn reason(code: Code, message: &str) -> String {
    let message = printable(message.as_bytes());
    match message.as_str() {
        "" => title(code),
        _ if codes::is_note(code) => title(code),
        _ => format!("{} ({message})", title(code)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use super::*;
    use safelight_core::catalog::{Amount, RunId};
    use safelight_core::error::{Error, Kind};
    use safelight_core::key::Key;
    use safelight_core::time::Timestamp;
    use std::collections::BTreeMap;
    use std::time::Duration;

    pub fn destination(name: &str, copied: u64) -> DestinationReport {
        DestinationReport {
            name: name.to_owned(),
            state: DestinationState::Done,
            listed: copied,
            unchanged: 0,
            copied: Amount { files: copied, bytes: copied * 1_000 },
            moved: 0,
            recognised: 0,
            intended: Amount::default(),
            does_not_fit: Amount::default(),
            held: BTreeMap::new(),
            failed: 0,
            skipped: 0,
            suspect: 0,
            trashed: 0,
            purged: 0,
        }
    }

    pub fn report(new: u64, destinations: Vec<DestinationReport>) -> RunReport {
        RunReport {
            run: RunId(318),
            job: "mirror".to_owned(),
            dry_run: false,
            started: Timestamp::default(),
            took: Duration::from_secs(1),
            files: Amount { files: 31, bytes: 800_000 },
            new: Amount { files: new, bytes: new * 26_000 },
            perhaps_moved: 0,
            destinations,
            problems: Vec::new(),
            problem_counts: BTreeMap::new(),
            guards: Vec::new(),
            bytes_read: 0,
            bytes_needed: 0,
            bytes_sent: 0,
            cut: None,
        }
    }

    #[test]
    fn a_first_run_names_what_every_destination_got() {
        let mut full = destination("amazon", 9);
        full.does_not_fit = Amount { files: 22, bytes: 5 };
        let report = report(31, vec![full, destination("disk", 31)]);
        assert_eq!(
            summary(&report),
            "mirror   31 files in the library, 31 new (0.8 MB)\n\
             amazon    9 copied   22 do not fit\n\
             disk     31 copied\n"
        );
        assert_eq!(pointer(&report).unwrap(), "Run 318. Details: safelight log 318");
    }

    #[test]
    fn a_run_with_nothing_to_do_is_one_line() {
        let report = report(0, vec![destination("disk", 0)]);
        assert_eq!(summary(&report), "mirror   31 files in the library, nothing new\n");
        assert_eq!(pointer(&report), None);
    }

    #[test]
    fn a_refused_sign_in_is_put_right_by_a_command_where_there_is_one() {
        let mut refused = destination("dropbox", 0);
        refused.state = DestinationState::Stopped(Error::new(Kind::SignIn, "listing"));
        let mut keys = destination("bucket", 0);
        keys.state = DestinationState::Stopped(Error::new(Kind::SignIn, "listing"));
        let report = report(1, vec![refused, keys, destination("other", 1)]);
        let sign_in = ["dropbox".to_owned(), "other".to_owned()];
        let fixes = fixes(&report, &sign_in);
        assert_eq!(fixes.as_deref(), Some("fix: safelight auth login dropbox\n"));
    }

    #[test]
    fn what_waits_and_what_went_wrong_is_named_with_codes() {
        let mut away = destination("disk", 0);
        away.state = DestinationState::Waiting { code: codes::ABSENT, overdue_at: None };
        let mut full = destination("nas", 3);
        full.state = DestinationState::Stopped(Error::new(Kind::NoRoom, "writing a.jpg"));
        let mut report = report(31, vec![away, full]);
        let problem = |code, key: &[u8], message: &str| Problem {
            run: report.run,
            destination: Some("dropbox".to_owned()),
            key: Some(Key::new(key).unwrap()),
            code,
            message: message.to_owned(),
        };
        report.problems = vec![
            problem(codes::CHANGED_WHILE_READING, b"a\x1b.mov", ""),
            problem(codes::VANISHED, b"b", ""),
        ];
        report.problem_counts =
            BTreeMap::from([(codes::CHANGED_WHILE_READING, 1), (codes::VANISHED, 1)]);
        assert_eq!(
            summary(&report),
            "mirror   31 files in the library, 31 new (0.8 MB)\n\
             disk     waiting: the destination is not there\n\
             nas      3 copied   stopped: no room left (writing a.jpg)   [destination/full]\n\
             \n1 problem\n  a\\u{1b}.mov -> dropbox   the file changed while it was read   [run/changed-while-reading]\n\
             \n1 note\n  b -> dropbox   the file disappeared during the run   [run/vanished]\n"
        );
    }
}
