//! What a rehearsal found.

use safelight_core::mirror::{DestinationReport, DestinationState, RunReport};

use super::codes::title;
use super::table::{Table, left};
use super::text::{count, files, size};

/// What a real run would do, destination by destination.
pub fn summary(report: &RunReport, listed: bool) -> String {
    let mut table = Table::default();
    let each = |number: fn(&DestinationReport) -> u64| {
        let one = |one: &DestinationReport| match &one.state {
            DestinationState::Done if number(one) > 0 => {
                Some(format!("{} {}", one.name, count(number(one))))
            }
            DestinationState::Done => None,
            DestinationState::Waiting { .. } => Some(format!("{} waiting", one.name)),
            DestinationState::Stopped(error) => {
                Some(format!("{}: {}", one.name, title(error.id())))
            }
        };
        report.destinations.iter().filter_map(one).collect::<Vec<_>>().join(", ")
    };
    if report.new.files > 0 {
        let amount = format!("{}, {}", files(report.new.files), size(report.new.bytes));
        table.row([left("Would copy"), left(amount), left(each(|one| one.intended.files))]);
    } else {
        table.row([left("Would copy"), left("nothing"), left(each(|_| 0))]);
    }
    if report.perhaps_moved > 0 {
        let why = "perhaps only moved inside the library; then nothing is sent";
        table.row([left("  of these"), left(files(report.perhaps_moved)), left(why)]);
    }
    for one in &report.destinations {
        if one.trashed > 0 {
            let why = format!("deleted from the library; into the trash of {}", one.name);
            table.row([left("Would remove"), left(files(one.trashed)), left(why)]);
        }
        if one.does_not_fit.files > 0 {
            let why = format!("no room at {}", one.name);
            table.row([left("Would leave out"), left(files(one.does_not_fit.files)), left(why)]);
        }
        for (code, amount) in &one.held {
            let why = format!("{}: {}", one.name, title(*code));
            table.row([left("Would leave out"), left(files(amount.files)), left(why)]);
        }
    }
    let told = listed || report.new.files == 0;
    let more = if told { "" } else { " Every file: safelight mirror -n --list" };
    format!("{}Nothing was changed.{more}\n", table.render("   "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::summary::tests::{destination, report};
    use safelight_core::catalog::Amount;
    use safelight_core::codes;

    #[test]
    fn a_rehearsal_says_what_would_happen_and_that_nothing_did() {
        let mut cloud = destination("cloud", 0);
        cloud.intended = Amount { files: 29, bytes: 1 };
        cloud.does_not_fit = Amount { files: 2, bytes: 1 };
        let mut disk = destination("disk", 0);
        disk.state = DestinationState::Waiting { code: codes::ABSENT, overdue_at: None };
        assert_eq!(
            summary(&report(31, vec![cloud, disk]), false),
            "Would copy        31 files, 0.8 MB   cloud 29, disk waiting\n\
             Would leave out   2 files            no room at cloud\n\
             Nothing was changed. Every file: safelight mirror -n --list\n"
        );
    }
}
