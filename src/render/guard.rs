//! What is said when a guard stopped a part of a run.

use safelight_core::codes;
use safelight_core::mirror::RunReport;

use super::text::count;

/// One block per kind of guard that tripped; empty if none did.
pub fn blocks(report: &RunReport, library: &str) -> String {
    let mut text = String::new();
    for code in [codes::GUARD_DELETIONS, codes::GUARD_CHANGES] {
        let tripped: Vec<_> = report.guards.iter().filter(|guard| guard.code == code).collect();
        let Some(worst) = tripped.iter().max_by_key(|guard| guard.count) else { continue };
        let (run, job) = (report.run.0, &report.job);
        // The usual job needs not be named.
        let command = if job == "mirror" { String::new() } else { format!(" {job}") };
        let (number, allowed) = (count(worst.count), count(worst.allowed));
        let places: Vec<_> =
            tripped.iter().filter_map(|guard| guard.destination.as_deref()).collect();
        let places = places.join(" and ");
        text += &if code == codes::GUARD_DELETIONS {
            format!(
                "error: this run would remove {number} files from {places}, more than the guard allows  [{code}]\n  \
                 They are gone from the library. Is a drive missing below {library}?\n  \
                 guard: {allowed} files here (set in [job.{job}.deletions])\n  \
                 see them      safelight log {run} --removals\n  \
                 go ahead      safelight mirror{command} --accept-deletions {run}\n  \
                 keep copies   safelight mirror{command} --keep-deleted\n"
            )
        } else {
            format!(
                "error: {number} files have new content under their old names, more than the guard allows  [{code}]\n  \
                 No changed file was sent; the copies are as they were. A failing disk or ransomware looks like this.\n  \
                 guard: {allowed} files here (set in [job.{job}.changes])\n  \
                 go ahead      safelight mirror{command} --accept-changes {run}\n"
            )
        };
    }
    if !text.is_empty() && !report.dry_run {
        let copied: u64 = report.destinations.iter().map(|one| one.copied.files).sum();
        text += &format!("Copying of new files went on as usual: {} copied.\n", count(copied));
    }
    text
}
